"""How weights are stored in 8 bits and less, and how they are made whole.

A weight's bytes are kept in memory as the file has them; `Packing.unpack` gives the numbers that
layers compute with. Sums and products are made in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from nodeforge.diffusion.weights.gguf_blocks import UNPACK
from nodeforge.models.files.stored_types import ALL_STORED

_EIGHT_BITS = {
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I8": torch.int8,
}
PIECE, PIECE_ON_A_CARD = 2**19, 2**25
"""Numbers that are made whole at once; so many stay in a processor's cache."""
_SMALLEST = ((1, 1, 1, -1), (1, 1, -1, 1), (1, -1, 1, 1), (-1, 1, 1, 1))


@dataclass(frozen=True)
class Packing:
    """How the numbers of a weight are stored.

    Args:
        dtype: ``F8_E4M3``, ``F8_E5M2``, ``I8`` or a type of GGUF's, as ``Q4_K``.
        rotated: So many inputs together were turned by a Hadamard matrix before they were
            rounded, which spreads outliers (QuaRot, Ashkboos et al. 2024; ComfyUI's ``convrot``,
            of whole numbers alone); 0 where none were.
    """

    dtype: str
    rotated: int = 0

    def unpack(self, rows: Tensor, factors: Tensor | None, dtype: torch.dtype) -> Tensor:
        """Rows of a weight, made whole.

        Args:
            rows: uint8, (rows, bytes of a row).
            factors: float32, one number or one for each row; None where there are none.
            dtype: Of the result.

        Returns:
            (rows, numbers of a row), on the device of `rows`.
        """
        block = ALL_STORED[self.dtype]
        columns = rows.shape[1] // block.size * block.numbers
        made = torch.empty((len(rows), columns), dtype=dtype, device=rows.device)
        piece = PIECE if rows.device.type == "cpu" else PIECE_ON_A_CARD
        count = max(piece // max(columns, 1), 1)
        single = factors is None or factors.numel() == 1
        scales = factors.reshape(-1, 1) if factors is not None else None
        for start in range(0, len(rows), count):
            part = self._turned_back(self._numbers(rows[start : start + count]))
            if scales is not None:
                part = part.float() * (scales if single else scales[start : start + count])
            made[start : start + count] = part
        return made

    def _numbers(self, rows: Tensor) -> Tensor:
        if self.dtype in _EIGHT_BITS:
            return rows.view(_EIGHT_BITS[self.dtype])
        size = ALL_STORED[self.dtype].size
        return UNPACK[self.dtype](rows.reshape(-1, size)).reshape(len(rows), -1)

    def _turned_back(self, numbers: Tensor) -> Tensor:
        """Whole numbers turned back: their sums are exact, in any order and on any device.

        Scaled first, as comfy-kitchen does it, each sum would be rounded many times.
        """
        return rotated(numbers, self.rotated) if self.rotated else numbers


def rotated(numbers: Tensor, size: int) -> Tensor:
    """Each `size` columns turned by a Hadamard matrix, float32; twice is once and back."""
    inner = 4 ** ((size.bit_length() - 1) // 4)
    outer = size // inner
    first, second = (hadamard(side, numbers.device) for side in (outer, inner))
    groups = numbers.float().reshape(-1, outer, inner)
    turned = first @ (groups @ second)  # the Kronecker product of the two, in fewer products
    return (turned * size**-0.5).reshape(numbers.shape)


@lru_cache(maxsize=16)
def hadamard(size: int, device: torch.device) -> Tensor:
    """A Kronecker power of a regular 4 x 4 Hadamard matrix: 1 and -1, float32.

    Divided by the root of `size`, it is its own inverse.

    Args:
        size: A power of 4.
        device: Where it is wanted.
    """
    smallest = torch.tensor(_SMALLEST, dtype=torch.float32)
    made = torch.ones(1, 1)
    while len(made) < size:
        made = torch.kron(made, smallest)
    return made.to(device)


def packing_of(dtype: str, rotated: int, scaled: bool) -> Packing | None:
    """How a tensor of a file is packed; None where it holds plain numbers.

    Args:
        dtype: As the file names it.
        rotated: As `Packing` has it.
        scaled: Whether a scale belongs to it; whole numbers without one are plain numbers.
    """
    packed = dtype in UNPACK or dtype in _EIGHT_BITS
    return Packing(dtype, rotated) if packed and (scaled or dtype != "I8") else None
