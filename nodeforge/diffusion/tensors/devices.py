"""Lists devices, and what of them changes numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.errors import OutOfMemoryError, RequestError

KINDS = ("cuda", "mps", "xpu", "cpu")
_FULL = (
    "can't allocate memory",  # processors
    "out of memory",  # Apple's devices, and drivers past torch's own allocator
    "ALLOC_FAILED",  # cuDNN and cuBLAS
)
"""How torch says that memory ran out where it has no exception of its own for it."""
TILE = 512
"""Side in pixels of the tiles that tiled encoding and decoding work on."""


class DeviceError(RequestError):
    """The device that was asked for is not there."""


@dataclass(frozen=True)
class DeviceReport:
    """One device as torch reports it; memory in bytes, 0 where torch cannot tell.

    Args:
        kind: One of `KINDS`.
        device: How `choose` knows this one: ``cuda:1``.
    """

    kind: str
    device: str
    name: str
    total: int
    free: int


def choose(wanted: str = "auto") -> torch.device:
    """The device to run on: ``auto`` takes the first of cuda, mps, xpu, cpu that is there.

    One card of several goes by its place, as ``cuda:1``. ``auto:1`` is the second of the kind
    that ``auto`` takes, or the processor, which has room for several.

    Raises:
        DeviceError: torch cannot use the device that is named.
    """
    best = next(kind for kind in KINDS if _available(kind))
    if wanted == "auto":
        return torch.device(best)
    kind, _, index = wanted.partition(":")
    if kind == "auto":
        count = max(1, _count(best))
        if best != "cpu" and int(index) >= count:
            raise DeviceError(
                f"worker {int(index) + 1} has no card: there are {count} of kind '{best}'.",
                way_out=f"Run {count} workers at most, or name their devices in the settings.",
            )
        return torch.device(best, int(index)) if _count(best) else torch.device(best)
    if wanted not in names():
        there = ", ".join(names())
        raise DeviceError(
            f"torch has no device '{wanted}'.",
            way_out=f"Choose one of: auto, {there}; or install a torch that is built for it.",
        )
    return torch.device(kind, int(index)) if index else torch.device(kind)


def names() -> list[str]:
    """What `choose` takes here besides ``auto``: each kind, and each card where it has several."""
    found = []
    for kind in KINDS:
        if _available(kind):
            found += [kind, *(f"{kind}:{index}" for index in range(_count(kind)))]
    return found


def devices() -> list[DeviceReport]:
    """Every device that torch can use, the best first."""
    return [report for kind in KINDS if _available(kind) for report in _reports(kind)]


def report_of(device: torch.device) -> DeviceReport:
    """What torch reports of one device; without a place, of the first of its kind."""
    there = [report for report in devices() if report.kind == device.type]
    return there[device.index or 0]


def numerics(device: torch.device, policy: Policy) -> dict[str, str]:
    """All about the machine that changes numbers; part of the cache's keys."""
    return {
        "device": device.type,
        **policy.numerics(device),
        "tiling": str(TILE),
    }


@contextmanager
def out_of_memory_explained() -> Iterator[None]:
    """Make torch's complaint about memory an error that people can act on.

    Raises:
        OutOfMemoryError: memory did not suffice in the block.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(error) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in _FULL):
            raise
        raise _out_of_memory(error) from error


def _out_of_memory(error: Exception) -> OutOfMemoryError:
    wanted = re.search(r"allocate ([\d.]+ \w+|\d+ bytes)", str(error))
    more = f": {wanted[1]} more were needed" if wanted else ""
    return OutOfMemoryError(
        f"memory ran out{more}.",
        way_out="Make fewer or smaller pictures at once, decode in tiles, close other programs, "
        "or choose a lower memory mode in the preferences.",
    )


def _available(kind: str) -> bool:
    if kind == "cpu":
        return True
    if kind == "mps":
        return torch.backends.mps.is_available()
    return bool(getattr(torch, kind).is_available())


def _count(kind: str) -> int:
    return getattr(torch, kind).device_count() if kind in ("cuda", "xpu") else 0


def _reports(kind: str) -> list[DeviceReport]:
    if kind == "cpu":
        return [_cpu()]
    if kind == "mps":
        total = int(torch.mps.recommended_max_memory())
        free = total - int(torch.mps.driver_allocated_memory())
        return [DeviceReport(kind, kind, "mps", total, free)]
    module = getattr(torch, kind)
    return [_card(kind, module, index) for index in range(_count(kind))]


def _card(kind: str, module: object, index: int) -> DeviceReport:
    properties = module.get_device_properties(index)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        free, total = module.mem_get_info(index)  # pyright: ignore[reportAttributeAccessIssue]
    except (RuntimeError, AttributeError):  # some Intel drivers do not tell
        free = total = int(properties.total_memory)
    return DeviceReport(kind, f"{kind}:{index}", str(properties.name), int(total), int(free))


def _cpu() -> DeviceReport:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
        free = page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        total = free = 0
    return DeviceReport("cpu", "cpu", "cpu", total, free)
