"""Reads tensors of safetensors files straight into the memory where they stay.

A memory map would keep the file's pages beside the converted weights; a read does not, so
loading peaks at the size of the loaded network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

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
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    transposed: bool = False

    def rows(self, first: int, last: int) -> StoredTensor:
        """The rows from `first` up to, not with, `last`; nothing else is read."""
        each = math.prod(self.shape[1:]) * BITS[self.dtype] // 8
        shape = (last - first, *self.shape[1:])
        return replace(self, shape=shape, start=self.start + first * each)

    def turned(self) -> StoredTensor:
        """A matrix with rows and columns exchanged."""
        return replace(self, shape=self.shape[::-1], transposed=not self.transposed)

    def read(self, dtype: torch.dtype) -> Tensor:
        """The tensor on the CPU; floating numbers are converted to `dtype`.

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
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            for part, scratch in _pieces(made.reshape(-1), stored):
                self._read_into(file, memoryview(scratch.view(torch.uint8).numpy()))  # pyright: ignore[reportArgumentType]
                if scratch is not part:
                    part.copy_(scratch)
        return made.T.contiguous() if self.transposed else made

    def _read_into(self, file: BinaryIO, buffer: memoryview) -> None:
        while buffer:
            count = file.readinto(buffer)  # pyright: ignore[reportAttributeAccessIssue]
            if not count:
                raise CorruptModelError(self.path, "is cut short.")
            buffer = buffer[count:]


def _pieces(made: Tensor, stored: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
    """Pieces of a flat tensor, each with what to read into: itself where no number changes.

    Otherwise one small tensor serves all pieces: it stays in the processor's cache.
    """
    if stored == made.dtype:
        yield made, made
        return
    scratch = torch.empty(min(PIECE, made.numel()), dtype=stored)
    for part in made.split(PIECE):
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
