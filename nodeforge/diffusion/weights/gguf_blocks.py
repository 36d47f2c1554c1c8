"""Makes numbers of GGUF's blocks (the layouts of ggml's ``block_q4_0`` and its kin).

Each function takes blocks, uint8 of (count, bytes of a block), and gives float32 of (count,
numbers of a block), equal to the last bit to ``gguf.quants.dequantize``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

_NIBBLES, _PAIRS, _EACH_BIT = (0, 4), (0, 2, 4, 6), tuple(range(8))
_IQ4_VALUES = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


def _cut(blocks: Tensor, *sizes: int) -> tuple[Tensor, ...]:
    """Fields of so many bytes; the last has what is left."""
    return blocks.split((*sizes, blocks.shape[1] - sum(sizes)), dim=1)


def _half(field: Tensor) -> Tensor:
    """float16 as float32, (count, numbers)."""
    return field.contiguous().view(torch.float16).float()


def _bits(field: Tensor, width: int, shifts: Sequence[int]) -> Tensor:
    """Whole numbers that lie side by side in bytes: first those of the first shift, then on.

    Args:
        field: uint8, (count, bytes).
        width: So many bytes follow each other before the next shift.
        shifts: Where in a byte; all are of as many bits as the second begins at.
    """
    places = torch.tensor(shifts, dtype=torch.uint8, device=field.device).view(1, 1, -1, 1)
    mask = (1 << (shifts[1] - shifts[0])) - 1
    parts = field.contiguous().view(len(field), -1, 1, width)
    return ((parts >> places) & mask).flatten(1)


def _grouped(numbers: Tensor, factors: Tensor) -> Tensor:
    """(count, groups, numbers of a group), for as many groups as there are factors."""
    return numbers.view(len(numbers), factors.shape[1], -1)


def _q4_0(blocks: Tensor) -> Tensor:
    d, quants = _cut(blocks, 2)
    return _half(d) * (_bits(quants, 16, _NIBBLES).float() - 8)


def _q4_1(blocks: Tensor) -> Tensor:
    d, m, quants = _cut(blocks, 2, 2)
    return _half(d) * _bits(quants, 16, _NIBBLES).float() + _half(m)


def _fifth_bit(field: Tensor, quants: Tensor) -> Tensor:
    return (_bits(quants, 16, _NIBBLES) | (_bits(field, 1, _EACH_BIT) << 4)).float()


def _q5_0(blocks: Tensor) -> Tensor:
    d, high, quants = _cut(blocks, 2, 4)
    return _half(d) * (_fifth_bit(high, quants) - 16)


def _q5_1(blocks: Tensor) -> Tensor:
    d, m, high, quants = _cut(blocks, 2, 2, 4)
    return _half(d) * _fifth_bit(high, quants) + _half(m)


def _q8_0(blocks: Tensor) -> Tensor:
    d, quants = _cut(blocks, 2)
    return quants.contiguous().view(torch.int8).float() * _half(d)


def _q2_k(blocks: Tensor) -> Tensor:
    packed, quants, d, least = _cut(blocks, 16, 64, 2)
    factors, offsets = _half(d) * (packed & 15).float(), _half(least) * (packed >> 4).float()
    numbers = _grouped(_bits(quants, 32, _PAIRS).float(), factors)
    return (factors[..., None] * numbers - offsets[..., None]).flatten(1)


def _q3_k(blocks: Tensor) -> Tensor:
    mask, quants, packed, d = _cut(blocks, 32, 64, 12)
    low, high = _bits(packed[:, :8], 8, _NIBBLES), _bits(packed[:, 8:], 4, _PAIRS)
    factors = _half(d) * ((low | (high << 4)).float() - 32)
    missing = 4 * (1 - _bits(mask, 32, _EACH_BIT).float())  # the third bit, turned round
    numbers = _grouped(_bits(quants, 32, _PAIRS).float() - missing, factors)
    return (factors[..., None] * numbers).flatten(1)


def _six_bits(packed: Tensor) -> tuple[Tensor, Tensor]:
    """Eight factors and eight offsets of 6 bits each, from 12 bytes."""
    first, second, rest = _cut(packed, 4, 4)
    factors = torch.cat([first & 63, (rest & 15) | ((first >> 6) << 4)], dim=1)
    offsets = torch.cat([second & 63, (rest >> 4) | ((second >> 6) << 4)], dim=1)
    return factors.float(), offsets.float()


def _with_offsets(d: Tensor, least: Tensor, packed: Tensor, numbers: Tensor) -> Tensor:
    factors, offsets = _six_bits(packed)
    factors, offsets = _half(d) * factors, _half(least) * offsets
    parts = _grouped(numbers, factors)
    return (factors[..., None] * parts - offsets[..., None]).flatten(1)


def _q4_k(blocks: Tensor) -> Tensor:
    d, least, packed, quants = _cut(blocks, 2, 2, 12)
    return _with_offsets(d, least, packed, _bits(quants, 32, _NIBBLES).float())


def _q5_k(blocks: Tensor) -> Tensor:
    d, least, packed, high, quants = _cut(blocks, 2, 2, 12, 32)
    numbers = _bits(quants, 32, _NIBBLES) | (_bits(high, 32, _EACH_BIT) << 4)
    return _with_offsets(d, least, packed, numbers.float())


def _q6_k(blocks: Tensor) -> Tensor:
    low, high, packed, d = _cut(blocks, 128, 64, 16)
    factors = _half(d) * packed.contiguous().view(torch.int8).float()
    numbers = _bits(low, 64, _NIBBLES) | (_bits(high, 32, _PAIRS) << 4)
    return (factors[..., None] * _grouped(numbers.float() - 32, factors)).flatten(1)


def _iq4(quants: Tensor) -> Tensor:
    """Numbers of a table instead of even steps."""
    table = torch.tensor(_IQ4_VALUES, dtype=torch.float32, device=quants.device)
    return table[_bits(quants, 16, _NIBBLES).int()]


def _iq4_nl(blocks: Tensor) -> Tensor:
    d, quants = _cut(blocks, 2)
    return _half(d) * _iq4(quants)


def _iq4_xs(blocks: Tensor) -> Tensor:
    d, high, low, quants = _cut(blocks, 2, 2, 4)
    factors = _bits(low, 1, _NIBBLES) | (_bits(high, 1, _PAIRS) << 4)
    factors = _half(d) * (factors.float() - 32)
    return (factors[..., None] * _grouped(_iq4(quants), factors)).flatten(1)


UNPACK: Mapping[str, Callable[[Tensor], Tensor]] = {
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q8_0": _q8_0,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
    "IQ4_NL": _iq4_nl,
    "IQ4_XS": _iq4_xs,
}
