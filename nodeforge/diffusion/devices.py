"""Which devices torch has, and which precision each network gets there."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from nodeforge.errors import RequestError

KINDS = ("cuda", "mps", "xpu", "cpu")
TILE = 512
"""Side in pixels of the tiles that tiled encoding and decoding work on."""


class DeviceError(RequestError):
    """The device that was asked for is not there."""


@dataclass(frozen=True)
class DeviceReport:
    """One device as torch reports it; memory in bytes, 0 where torch cannot tell."""

    kind: str
    name: str
    total: int
    free: int


def choose(wanted: str = "auto") -> torch.device:
    """The device to run on: ``auto`` takes the first of cuda, mps, xpu, cpu that is there.

    Raises:
        DeviceError: torch cannot use the device that is named.
    """
    if wanted == "auto":
        return torch.device(next(kind for kind in KINDS if _available(kind)))
    if wanted not in KINDS or not _available(wanted):
        there = ", ".join(kind for kind in KINDS if _available(kind))
        raise DeviceError(
            f"torch has no device '{wanted}'.",
            way_out=f"Choose one of: auto, {there}; or install a torch that is built for it.",
        )
    return torch.device(wanted)


def devices() -> list[DeviceReport]:
    """Every device that torch can use, the best first."""
    return [report for kind in KINDS if _available(kind) for report in _reports(kind)]


def precision(part: str, device: torch.device) -> torch.dtype:
    """The dtype of a network on a device: float16 on cards but for the VAE, which overflows."""
    if device.type in ("cuda", "xpu") and part != "vae":
        return torch.float16
    return torch.float32


def numerics(device: torch.device) -> dict[str, str]:
    """All about the machine that changes numbers; part of the cache's keys."""
    parts = ("unet", "text_encoder", "vae")
    dtypes = (str(precision(part, device)).removeprefix("torch.") for part in parts)
    return {
        "device": device.type,
        "precision": ",".join(f"{part}={dtype}" for part, dtype in zip(parts, dtypes, strict=True)),
        "attention": "native",
        "tiling": str(TILE),
    }


def _available(kind: str) -> bool:
    if kind == "cpu":
        return True
    if kind == "mps":
        return torch.backends.mps.is_available()
    return bool(getattr(torch, kind).is_available())


def _reports(kind: str) -> list[DeviceReport]:
    if kind == "cpu":
        return [_cpu()]
    if kind == "mps":
        total = int(torch.mps.recommended_max_memory())
        return [DeviceReport(kind, "mps", total, total - int(torch.mps.driver_allocated_memory()))]
    module = getattr(torch, kind)
    return [_card(kind, module, index) for index in range(module.device_count())]


def _card(kind: str, module: object, index: int) -> DeviceReport:
    properties = module.get_device_properties(index)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        free, total = module.mem_get_info(index)  # pyright: ignore[reportAttributeAccessIssue]
    except (RuntimeError, AttributeError):  # some Intel drivers do not tell
        free = total = int(properties.total_memory)
    return DeviceReport(kind, str(properties.name), int(total), int(free))


def _cpu() -> DeviceReport:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
        free = page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        total = free = 0
    return DeviceReport("cpu", "cpu", total, free)
