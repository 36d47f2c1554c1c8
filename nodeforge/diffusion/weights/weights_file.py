"""Reads tensors of model files straight into the memory where they stay.

A memory map would keep the file's pages beside the converted weights; a read does not, so
loading peaks at the size of the loaded network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import RawIOBase
from pathlib import Path

import torch
from torch import Tensor

from nodeforge.diffusion.weights.packing import PIECE, Packing, packing_of
from nodeforge.models.errors import CorruptModelError
from nodeforge.models.files.header import read_header
from nodeforge.models.files.stored_types import ALL_STORED, stored_bytes

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
        paired: Rows of a head whose first and second half alternate, to be put one after the
            other; 0 where none do.
        scale: What it is multiplied by: one number, or one for each of its rows.
        rotated: So many inputs together are turned, as `Packing` has it; 0 where none are.
    """

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    transposed: bool = False
    halves: bool = False
    paired: int = 0
    scale: StoredTensor | None = None
    rotated: int = 0

    @property
    def packing(self) -> Packing | None:
        """How its numbers are stored in 8 bits and less; None where they are plain."""
        return packing_of(self.dtype, self.rotated, self.scale is not None)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in its file, without its scale."""
        return stored_bytes(self.dtype, self.shape) or 0

    def rows(self, first: int, last: int) -> StoredTensor:
        """The rows from `first` up to, not with, `last`; nothing else is read."""
        each = self.nbytes // self.shape[0]
        shape = (last - first, *self.shape[1:])
        scale = self.scale
        if scale is not None and self._scaled_by_rows:
            scale = scale.rows(first, last)
        return replace(self, shape=shape, start=self.start + first * each, scale=scale)

    def swapped(self) -> StoredTensor:
        """With the first and the second half of its rows exchanged."""
        return replace(self, halves=not self.halves)

    def unpaired(self, head: int) -> StoredTensor:
        """With the first half of each head's rows before the second, which alternate."""
        return replace(self, paired=head)

    @property
    def _scaled_by_rows(self) -> bool:
        return self.scale is not None and math.prod(self.scale.shape) > 1

    def turned(self) -> StoredTensor:
        """A matrix with rows and columns exchanged."""
        return replace(self, shape=self.shape[::-1], transposed=not self.transposed)

    def read(self, dtype: torch.dtype) -> Tensor:
        """The tensor on the CPU; floating numbers are converted to `dtype`.

        Raises:
            CorruptModelError: its type is unknown, or the file ends before the tensor does.
        """
        if self.packing is not None:
            return self.made_of(self.read_bytes(), dtype, self.read_factors())
        stored = self._stored
        made = torch.empty(self._in_file, dtype=dtype if stored.is_floating_point else stored)
        with self._opened() as file:
            for part, scratch in _pieces(made.reshape(-1), stored):
                self._read_into(file, scratch)
                if scratch is not part:
                    part.copy_(scratch)
        return self._as_asked(made)

    def made_of(self, held: Tensor, dtype: torch.dtype, factors: Tensor | None = None) -> Tensor:
        """The tensor from its bytes, on their device; over the same memory where nothing changes.

        Args:
            held: uint8, as they are in the file.
            dtype: What floating numbers become.
            factors: What `read_factors` gives.

        Raises:
            CorruptModelError: its type is unknown.
        """
        if self.packing is not None:
            rows = held.reshape(self.packed_rows, -1)
            made = self.packing.unpack(rows, factors, dtype)
        else:
            made = held.view(self._stored)
            made = made.to(dtype) if self._stored.is_floating_point else made
        return self._as_asked(made.reshape(self._in_file))

    def read_packed(self) -> tuple[Tensor, Tensor | None]:
        """Its bytes, uint8 of (rows, bytes of a row), and its factors.

        They lie as in the file: neither turned round, nor with halves exchanged or unpaired.

        Raises:
            CorruptModelError: the file ends before the tensor does.
        """
        return self.read_bytes().reshape(self.packed_rows, -1), self.read_factors()

    def read_factors(self) -> Tensor | None:
        """What its numbers are multiplied by, float32: one, or one for each row.

        Raises:
            CorruptModelError: the file ends before they do.
        """
        return None if self.scale is None else self.scale.read(torch.float32).reshape(-1)

    def read_bytes(self) -> Tensor:
        """Its bytes as they are in the file, uint8.

        Raises:
            CorruptModelError: the file ends before the tensor does.
        """
        held = torch.empty(self.nbytes, dtype=torch.uint8)
        with self._opened() as file:
            self._read_into(file, held)
        return held

    @property
    def packed_rows(self) -> int:
        """The rows of its bytes; one where a block has numbers of several of its own."""
        first, *rest = self._in_file or (1,)
        return first if math.prod(rest) % ALL_STORED[self.dtype].numbers == 0 else 1

    @property
    def _stored(self) -> torch.dtype:
        if self.dtype not in DTYPES:
            raise CorruptModelError(
                self.path, f"has weights of type {self.dtype}, which are not read."
            )
        return DTYPES[self.dtype]

    @property
    def _in_file(self) -> tuple[int, ...]:
        return self.shape[::-1] if self.transposed else self.shape

    def _as_asked(self, made: Tensor) -> Tensor:
        made = made.T.contiguous() if self.transposed else made
        made = swapped_halves(made) if self.halves else made
        return unpaired_rows(made, self.paired) if self.paired else made

    def _opened(self) -> RawIOBase:
        file = self.path.open("rb", buffering=0)
        file.seek(self.start)
        return file

    def _read_into(self, file: RawIOBase, made: Tensor) -> None:
        if made.numel() == 0:
            return
        buffer = memoryview(made.view(torch.uint8).numpy())  # pyright: ignore[reportArgumentType]
        while buffer:
            count = file.readinto(buffer)
            if not count:
                raise CorruptModelError(self.path, "is cut short.")
            buffer = buffer[count:]


def swapped_halves(rows: Tensor) -> Tensor:
    """With the first and the second half of its rows exchanged."""
    return torch.cat(rows.chunk(2)[::-1])


def unpaired_rows(rows: Tensor, head: int) -> Tensor:
    """With the first half of each head's rows before the second, which alternate.

    llama.cpp writes queries and keys so whose rotary positions turn neighbours.

    Args:
        rows: As they lie in the file.
        head: Rows of a head.
    """
    heads = rows.unflatten(0, (-1, head // 2, 2))
    return heads.transpose(1, 2).flatten(0, 2).contiguous()


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
    """What a model file holds, by name; only its header is read.

    Raises:
        ModelFileError: it is a pickle, damaged, or cannot be read.
    """
    header = read_header(path)
    return {
        name: StoredTensor(path, entry.dtype, entry.shape, header.first + entry.span[0])
        for name, entry in header.tensors.items()
    }
