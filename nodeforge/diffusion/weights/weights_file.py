"""Reads tensors of safetensors files straight into the memory where they stay.

A memory map would keep the file's pages beside the converted weights; a read does not, so
loading peaks at the size of the loaded network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from io import RawIOBase
from pathlib import Path

import torch
from torch import Tensor

from nodeforge.models.errors import CorruptModelError
from nodeforge.models.files.header import BITS, read_header

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

PIECE = 2**19
"""Numbers that are converted at once."""


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a file, or some rows of it.

    Args:
        path: The file.
        dtype: Its type as the file names it.
        shape: As it is read.
        start: Its first byte in the file.
        transposed: Whether the file has it turned round.
        halves: Whether the first and the second half of its rows are to be exchanged.
        scale: What it is multiplied by: one number, or one for each of its rows.
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    transposed: bool = False
    halves: bool = False
    scale: StoredTensor | None = None

    def rows(self, first: int, last: int) -> StoredTensor:
        """The rows from `first` up to, not with, `last`; nothing else is read."""
        each = math.prod(self.shape[1:]) * BITS[self.dtype] // 8
        shape = (last - first, *self.shape[1:])
        scale = self.scale
        if scale is not None and self._scaled_by_rows:
            scale = scale.rows(first, last)
        return replace(self, shape=shape, start=self.start + first * each, scale=scale)

    def swapped(self) -> StoredTensor:
        """With the first and the second half of its rows exchanged."""
        return replace(self, halves=not self.halves)

    @property
    def _scaled_by_rows(self) -> bool:
        return self.scale is not None and math.prod(self.scale.shape) > 1

    def turned(self) -> StoredTensor:
        """A matrix with rows and columns exchanged."""
        return replace(self, shape=self.shape[::-1], transposed=not self.transposed)

    def read(self, dtype: torch.dtype, source: RawIOBase | None = None) -> Tensor:
        """The tensor on the CPU; floating numbers are converted to `dtype`.

        Args:
            dtype: What floating numbers become.
            source: Where its bytes are read from, from their first; None opens the file.

        Raises:
            CorruptModelError: its type is unknown, or the file ends before the tensor does.
        """
        if self.dtype not in DTYPES:
            raise CorruptModelError(
                self.path, f"has weights of type {self.dtype}, unknown to torch."
            )
        stored = DTYPES[self.dtype]
        shape = self.shape[::-1] if self.transposed else self.shape
        made = torch.empty(shape, dtype=dtype if stored.is_floating_point else stored)
        if made.numel() == 0:
            return made
        factors = None if self.scale is None else self.scale.read(torch.float32).reshape(-1)
        size = PIECE if factors is None else self._piece_of_rows(made)
        with self._opened() if source is None else nullcontext(source) as file:
            for part, scratch in _pieces(made.reshape(-1), stored, size, factors is not None):
                self._read_into(file, memoryview(scratch.view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
                if factors is not None:
                    count = len(scratch) * len(made) // made.numel() if len(factors) > 1 else 1
                    part.copy_((scratch.float().view(count, -1) * factors[:count, None]).view(-1))
                    factors = factors[count:] if len(factors) > 1 else factors
                elif scratch is not part:
                    part.copy_(scratch)
        made = made.T.contiguous() if self.transposed else made
        return torch.cat(made.chunk(2)[::-1]) if self.halves else made

    def _piece_of_rows(self, made: Tensor) -> int:
        """`PIECE`, or so many whole rows."""
        row = made.numel() // len(made) if made.ndim else 1
        return max(PIECE // row, 1) * row

    def _opened(self) -> RawIOBase:
        file = self.path.open("rb", buffering=0)
        file.seek(self.start)
        return file

    def _read_into(self, file: RawIOBase, buffer: memoryview) -> None:
        while buffer:
            count = file.readinto(buffer)
            if not count:
                raise CorruptModelError(self.path, "is cut short.")
            buffer = buffer[count:]


def _pieces(
    made: Tensor, stored: torch.dtype, size: int, scaled: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pieces of a flat tensor, each with what to read into: itself where no number changes.

    Otherwise one small tensor serves all pieces: it stays in the processor's cache.
    """
    if stored == made.dtype and not scaled:
        yield made, made
        return
    scratch = torch.empty(min(size, made.numel()), dtype=stored)
    for part in made.split(size):
        yield part, scratch[: part.numel()]


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """What a safetensors file holds, by name; only its header is read.

    Raises:
        ModelFileError: it is a pickle, damaged, or cannot be read.
    """
    header = read_header(path)
    return {
        name: StoredTensor(path, entry.dtype, entry.shape, header.first + entry.span[0])
        for name, entry in header.tensors.items()
    }
