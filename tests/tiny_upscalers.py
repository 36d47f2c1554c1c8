"""Small upscalers with random weights, in the layouts that their authors publish."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodeforge.diffusion.vision.compact import CompactNetwork
from nodeforge.diffusion.vision.rrdb import RrdbNetwork

N = TypeVar("N", bound=nn.Module)


def compact(scale: int = 2, width: int = 8, depth: int = 2, channels: int = 3) -> CompactNetwork:
    return _random(CompactNetwork(channels, width, depth, scale))


def rrdb(doublings: int = 2, folded: int = 1, channels: int = 3) -> RrdbNetwork:
    return _random(RrdbNetwork(channels, 8, 32, 2, doublings, folded))


def nearest(scale: int = 2) -> CompactNetwork:
    """A compact network that repeats pixels: no pixel sees another."""
    made = CompactNetwork(3, 4, 1, scale)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.zero_()
    return made


def _random(network: N) -> N:
    drawn = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=drawn) * 0.05)
    return network


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in network.state_dict().items()}


def write(network: nn.Module, path: Path) -> Path:
    save_file(state(network), path)
    return path


def in_first_layout(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An RRDB network's tensors by the names of ESRGAN's first files: ``model.1.sub...``."""
    blocks = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("body."))
    ups = sum(name.startswith("conv_up") for name in tensors) // 2
    tail = {"conv_hr": 3 * ups + 2, "conv_last": 3 * ups + 4}
    tail |= {f"conv_up{number}": 3 * number for number in range(1, ups + 1)}

    def named(name: str) -> str:
        name = re.sub(r"^body\.(\d+)\.rdb(\d)\.conv(\d)\.", r"model.1.sub.\1.RDB\2.conv\3.0.", name)
        name = re.sub(r"^conv_first\.", "model.0.", name)
        name = re.sub(r"^conv_body\.", f"model.1.sub.{blocks}.", name)
        return re.sub(r"^(conv_\w+?)\.", lambda found: f"model.{tail[found[1]]}.", name)

    return {named(name): each for name, each in tensors.items()}


def in_second_layout(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By the names of ESRGAN's later code, as BSRGAN's files have them: ``RRDB_trunk...``."""
    pairs = (
        (r"^body\.(\d+)\.rdb(\d)\.", r"RRDB_trunk.\1.RDB\2."),
        (r"^conv_body\.", "trunk_conv."),
        (r"^conv_up(\d)\.", r"upconv\1."),
        (r"^conv_hr\.", "HRconv."),
    )

    def named(name: str) -> str:
        for pattern, new in pairs:
            name = re.sub(pattern, new, name)
        return name

    return {named(name): each for name, each in tensors.items()}
