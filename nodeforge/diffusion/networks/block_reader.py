"""Reads blocks of weights from files into two buffers: one is computed with, one is filled.

A thread only reads bytes, and for a card has them copied there. It computes nothing, so that
numbers never depend on its timing.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import NamedTuple

import torch
from torch import Tensor

from nodeforge.diffusion.networks.card_buffers import CardBuffers, has_streams
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models.errors import CorruptModelError, ModelFileError

CPU = torch.device("cpu")
_PIECE = 2**23
"""Bytes between two looks at whether the block is still wanted."""
_ALIGNED = 64
"""Bytes: every tensor begins at a multiple, as torch's own do."""


class ChangedModelError(ModelFileError):
    """A model file that was changed or taken away while it was computed with."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "was changed or taken away while it was computed with.",
            place=str(path),
            way_out="Run again once the file is whole. In another memory mode than 'very low' a "
            "model is read once, before it computes.",
        )
        self.path = path


class FileMark(NamedTuple):
    """How a file is known to be the same: its size in bytes, and times in nanoseconds."""

    size: int
    changed: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> FileMark:
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True)
class StoredBlock:
    """The tensors of one block, as the file has them.

    Args:
        tensors: By the name of the parameter within the block.
    """

    tensors: Mapping[str, StoredTensor]

    @property
    def nbytes(self) -> int:
        """With room between tensors, so that each is aligned."""
        return sum(aligned(tensor.nbytes) for tensor in self.tensors.values())


def pageable(size: int) -> Tensor:
    """Bytes in main memory."""
    return torch.empty(size, dtype=torch.uint8)


def pinned(size: int) -> Tensor:
    """Bytes in main memory that a card reads by itself, while the processor does something else."""
    return torch.empty(size, dtype=torch.uint8, pin_memory=True)


def aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED


class BlockReader:
    """Reads blocks in turn, each while the one before is computed with.

    Args:
        blocks: In the order in which they are usually wanted; any order works.
        again: Whether the first block is wanted after the last one, as in a denoise loop.
        device: Where they are wanted.
    """

    def __init__(
        self, blocks: Sequence[StoredBlock], *, again: bool, device: torch.device = CPU
    ) -> None:
        self._blocks = blocks
        self._again = again
        self._size = max(block.nbytes for block in blocks)
        self._marks = {
            path: FileMark.of(path.stat())
            for path in {tensor.path for block in blocks for tensor in block.tensors.values()}
        }
        self._thread = ThreadPoolExecutor(1, "weights")
        self._device = device
        self._buffers: list[Tensor] = []
        self._card: CardBuffers | None = None
        self._used = 0
        self._next: tuple[int, Future[None]] | None = None
        self._unwanted = Event()

    def get(self, number: int) -> dict[str, Tensor]:
        """The bytes of each tensor of a block, uint8 on the device; they stay until the next call.

        Raises:
            ChangedModelError: its file is another, or gone.
            CorruptModelError: the file ends before the tensor does.
        """
        if not self._buffers:
            self._make_buffers()
        if self._next is None or self._next[0] != number:
            self._drop_next()
            self._next = self._started(number)
        (_, filled), self._next = self._next, None
        filled.result()
        self._used = 1 - self._used
        following = number + 1
        if following == len(self._blocks) and self._again:
            following = 0
        self._next = self._started(following) if following < len(self._blocks) else None
        held = self._buffers[self._used] if self._card is None else self._card.take(self._used)
        return self._places(number, held)

    def begin_again(self) -> None:
        """Have the first block read next, and not the one after that of the last `get`."""
        self._drop_next()
        self._next = self._started(0) if self._again else None

    def rest(self) -> None:
        """Give the buffers back until the next `get`."""
        self._drop_next()
        if self._card is not None:
            self._card.close()
        self._buffers, self._card = [], None

    def _make_buffers(self) -> None:
        on_card = has_streams(self._device)
        made = pinned if on_card else pageable
        self._buffers = [made(self._size) for _ in range(2)]
        self._card = CardBuffers(self._device, self._size) if on_card else None

    def _started(self, number: int) -> tuple[int, Future[None]]:
        """Have a block read into the buffer that is not computed with."""
        self._unwanted.clear()
        if self._card is not None:
            self._card.give_up(1 - self._used)
        return number, self._thread.submit(self._read, number, 1 - self._used)

    def _drop_next(self) -> None:
        if self._next is not None:
            self._unwanted.set()
            self._next[1].exception()  # waits: its buffer is written to until then
            self._next = None

    def _places(self, number: int, held: Tensor) -> dict[str, Tensor]:
        """The part of a buffer that is each tensor's."""
        at, places = 0, {}
        for name, tensor in self._blocks[number].tensors.items():
            places[name] = held[at : at + tensor.nbytes]
            at += aligned(tensor.nbytes)
        return places

    def _read(self, number: int, buffer: int) -> None:
        if self._card is not None:
            self._card.await_source(buffer)
        self._read_files(number, self._places(number, self._buffers[buffer]))
        if self._card is not None:
            self._card.fill(buffer, self._buffers[buffer][: self._blocks[number].nbytes])

    def _read_files(self, number: int, places: Mapping[str, Tensor]) -> None:
        tensors = self._blocks[number].tensors
        for path in dict.fromkeys(tensor.path for tensor in tensors.values()):
            try:
                with path.open("rb", buffering=0) as file:
                    if FileMark.of(os.fstat(file.fileno())) != self._marks[path]:
                        raise ChangedModelError(path)
                    for name, tensor in tensors.items():
                        if tensor.path == path:
                            file.seek(tensor.start)
                            self._fill(file, memoryview(places[name].numpy()), path)  # pyright: ignore[reportArgumentType]
                    if FileMark.of(os.fstat(file.fileno())) != self._marks[path]:
                        raise ChangedModelError(path)
            except OSError as error:
                raise ChangedModelError(path) from error

    def _fill(self, file: io.FileIO, place: memoryview, path: Path) -> None:
        while place and not self._unwanted.is_set():
            count = file.readinto(place[:_PIECE])
            if not count:
                raise CorruptModelError(path, "is cut short.")
            place = place[count:]
