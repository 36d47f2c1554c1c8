"""Two buffers on a card: one is computed with, one is filled from pinned memory meanwhile."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class CardBuffers:
    """Copies go on a stream of their own.

    A copy waits until the card has computed with what its buffer held before, computing waits for
    the copy, and the memory that is copied from may be written once that is through. One thread
    computes, another one copies.

    Args:
        device: Of a kind that has streams and events: CUDA or XPU. The processor's do nothing.
        size: Bytes of a buffer.
    """

    def __init__(self, device: torch.device, size: int) -> None:
        self._module: Any = torch.get_device_module(device)
        self._device = device
        self._stream = self._module.Stream(device)
        self._held = [torch.empty(size, dtype=torch.uint8, device=device) for _ in range(2)]
        self._used: list[Any] = [None, None]
        self._copied: list[Any] = [None, None]

    def give_up(self, number: int) -> None:
        """All that computes with buffer `number` has been asked for; the computing thread's."""
        event = self._module.Event()
        event.record(self._module.current_stream(self._device))
        self._used[number] = event

    def await_source(self, number: int) -> None:
        """Return once what was copied last into buffer `number` is there."""
        if self._copied[number] is not None:
            self._copied[number].synchronize()

    def fill(self, number: int, source: Tensor) -> None:
        """Have `source` copied into buffer `number`, which was given up; the copying thread's.

        Args:
            number: 0 or 1.
            source: uint8 in pinned memory; it must stay until `await_source`.
        """
        with self._module.stream(self._stream):
            self._stream.wait_event(self._used[number])
            self._copy(number, source)
            event = self._module.Event()
            event.record(self._stream)
        self._copied[number] = event

    def take(self, number: int) -> Tensor:
        """Buffer `number`, uint8, for what is asked of the card from now on."""
        self._module.current_stream(self._device).wait_event(self._copied[number])
        return self._held[number]

    def close(self) -> None:
        """Return once nothing is copied any more, so that both buffers may be let go."""
        for number in range(2):
            self.await_source(number)

    def _copy(self, number: int, source: Tensor) -> None:
        self._held[number][: len(source)].copy_(source, non_blocking=True)


def has_streams(device: torch.device) -> bool:
    """Whether `CardBuffers` are for this device."""
    return device.type in ("cuda", "xpu")
