"""The names of the tensors of Wan's VAEs, as their authors have them and as diffusers does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

Stored = TypeVar("Stored")

MARK = "decoder.middle.0.residual.0.gamma"
"""In every file of the authors."""

_RESIDUAL = {"0": "norm1", "2": "conv1", "3": "norm2", "6": "conv2"}
_TOP = (
    (re.compile(r"^conv1\."), "quant_conv."),
    (re.compile(r"^conv2\."), "post_quant_conv."),
    (re.compile(r"^(encoder|decoder)\.conv1\."), r"\1.conv_in."),
    (re.compile(r"^(encoder|decoder)\.head\.0\."), r"\1.norm_out."),
    (re.compile(r"^(encoder|decoder)\.head\.2\."), r"\1.conv_out."),
    (re.compile(r"^(encoder|decoder)\.middle\.0\."), r"\1.mid_block.resnets.0."),
    (re.compile(r"^(encoder|decoder)\.middle\.1\."), r"\1.mid_block.attentions.0."),
    (re.compile(r"^(encoder|decoder)\.middle\.2\."), r"\1.mid_block.resnets.1."),
)
_INNER = re.compile(r"\.residual\.([0236])\.")
_FLAT = re.compile(r"^decoder\.upsamples\.(\d+)\.(.+)$")
_NESTED = re.compile(
    r"^(encoder|decoder)\.(down|up)samples\.(\d+)\.(?:down|up)samples\.(\d+)\.(.+)$"
)


def from_wan(there: Mapping[str, Stored], config: Any) -> dict[str, Stored]:
    """What each parameter of a VAE is read from.

    Wan 2.1's file counts the layers of all levels through; a level of its decoder ends with the
    layer that enlarges. Wan 2.2's has them level by level.

    Args:
        there: The file's tensors, by its authors' names.
        config: The network's configuration in diffusers.
    """
    layers = config["num_res_blocks"] + 1
    return {_renamed(name, layers): tensor for name, tensor in there.items()}


def _renamed(name: str, layers: int) -> str:
    if found := _NESTED.match(name):
        side, way, level, number, rest = found.groups()
        block = f"{side}.{way}_blocks.{level}"
        if rest.startswith(("resample.", "time_conv.")):
            return f"{block}.{way}sampler.{rest}"
        return f"{block}.resnets.{number}.{_in_resnet(rest)}"
    if found := _FLAT.match(name):
        level, number = divmod(int(found[1]), layers + 1)
        block = f"decoder.up_blocks.{level}"
        if number == layers:
            return f"{block}.upsamplers.0.{found[2]}"
        return f"{block}.resnets.{number}.{_in_resnet(found[2])}"
    if name.startswith("encoder.downsamples."):
        _, _, number, rest = name.split(".", 3)
        return f"encoder.down_blocks.{number}.{_in_resnet(rest)}"
    for pattern, ours in _TOP:
        name = pattern.sub(ours, name)
    return _in_resnet(name)


def _in_resnet(name: str) -> str:
    name = _INNER.sub(lambda found: f".{_RESIDUAL[found[1]]}.", f".{name}")[1:]
    return name.replace("shortcut.", "conv_shortcut.") if name.startswith("shortcut.") else name
