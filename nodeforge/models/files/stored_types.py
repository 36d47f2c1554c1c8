"""How many bytes numbers take in files, by the names that safetensors and GGUF give their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, NamedTuple

import msgspec

_MOST_SIDES = 64
Side = Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
Place = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One tensor: `span` is where its bytes begin and end, counted from the first weight."""

    dtype: str
    shape: Annotated[tuple[Side, ...], msgspec.Meta(max_length=_MOST_SIDES)]
    span: tuple[Place, Place] = msgspec.field(name="data_offsets")


class Block(NamedTuple):
    """So many numbers are stored together, in so many bytes."""

    numbers: int
    size: int


STORED: Mapping[str, Block] = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), Block(1, 1)),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), Block(1, 1)),
    "F4": Block(2, 1),
    "F6_E2M3": Block(4, 3),
    "F6_E3M2": Block(4, 3),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), Block(1, 2)),
    **dict.fromkeys(("U32", "I32", "F32"), Block(1, 4)),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), Block(1, 8)),
}
"""Types of safetensors."""

GGUF_TYPES: Mapping[int, tuple[str, Block]] = {
    0: ("F32", Block(1, 4)),
    1: ("F16", Block(1, 2)),
    2: ("Q4_0", Block(32, 18)),
    3: ("Q4_1", Block(32, 20)),
    6: ("Q5_0", Block(32, 22)),
    7: ("Q5_1", Block(32, 24)),
    8: ("Q8_0", Block(32, 34)),
    9: ("Q8_1", Block(32, 40)),
    10: ("Q2_K", Block(256, 84)),
    11: ("Q3_K", Block(256, 110)),
    12: ("Q4_K", Block(256, 144)),
    13: ("Q5_K", Block(256, 176)),
    14: ("Q6_K", Block(256, 210)),
    15: ("Q8_K", Block(256, 292)),
    16: ("IQ2_XXS", Block(256, 66)),
    17: ("IQ2_XS", Block(256, 74)),
    18: ("IQ3_XXS", Block(256, 98)),
    19: ("IQ1_S", Block(256, 50)),
    20: ("IQ4_NL", Block(32, 18)),
    21: ("IQ3_S", Block(256, 110)),
    22: ("IQ2_S", Block(256, 82)),
    23: ("IQ4_XS", Block(256, 136)),
    24: ("I8", Block(1, 1)),
    25: ("I16", Block(1, 2)),
    26: ("I32", Block(1, 4)),
    27: ("I64", Block(1, 8)),
    28: ("F64", Block(1, 8)),
    29: ("IQ1_M", Block(256, 56)),
    30: ("BF16", Block(1, 2)),
    34: ("TQ1_0", Block(256, 54)),
    35: ("TQ2_0", Block(256, 66)),
    39: ("MXFP4", Block(32, 17)),
    40: ("NVFP4", Block(64, 36)),
}
"""Types of GGUF by their numbers in files, with their blocks (ggml's ``ggml_type``)."""

ALL_STORED: Mapping[str, Block] = {**dict(GGUF_TYPES.values()), **STORED}


def stored_bytes(dtype: str, shape: Sequence[int]) -> int | None:
    """Bytes of a tensor of that type and shape; None where the type is unknown or has no such."""
    block, numbers = ALL_STORED.get(dtype), prod(shape)
    if block is None or numbers % block.numbers:
        return None
    return numbers // block.numbers * block.size


def numbers_in(dtype: str, size: int) -> int:
    """How many numbers of a known type `size` bytes hold."""
    block = ALL_STORED[dtype]
    return size * block.numbers // block.size
