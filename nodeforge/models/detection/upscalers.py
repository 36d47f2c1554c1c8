"""Detects networks that enlarge pictures, by the names that their authors published.

Sources: Wang et al. 2018 (ESRGAN) and 2021 (Real-ESRGAN), Wan et al. 2023 (SPAN), Liang et al.
2021 (SwinIR), Chen et al. 2023 (DAT, HAT), and the code that their authors published.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar

from nodeforge.models.detection.found import FoundNetworks, Shapes
from nodeforge.models.detection.info import Kind, Layout
from nodeforge.models.families import FULL_FIRST, HALF_FIRST

COMPACT, ESRGAN = "compact", "esrgan"
"""The architectures that NodeForge builds itself."""

SPANDREL_COMMAND = "pip install --no-deps spandrel einops"
"""Installs what the other architectures need, and no torchvision with it."""

T = TypeVar("T")

_WRAPPERS = ("params_ema.", "params.", "module.", "netG.")
"""What trainers put before all names."""
_CHANNELS = (1, 3)
"""Of pictures that the networks built here take: grey or RGB."""


@dataclass(frozen=True)
class UpscalerArchitecture:
    """One architecture of networks that enlarge pictures.

    Args:
        label: What people call it.
        marks: Groups of tensor names; a file with all names of a group is of it.
        scale: How many times wider it makes a picture, by its shapes; 0 where they do not tell.
        refused: Why it is not run; empty where it is.
        dtypes: What its networks may compute in, the best first.
    """

    label: str
    marks: tuple[tuple[str, ...], ...]
    scale: Callable[[Shapes], int] = lambda _: 0
    refused: str = ""
    dtypes: tuple[str, ...] = FULL_FIRST


def missing_for_spandrel() -> list[str]:
    """The packages that architectures beside `COMPACT` and `ESRGAN` need and that are not here."""
    return [name for name in ("spandrel", "einops") if find_spec(name) is None]


def bare_names(tensors: Mapping[str, T]) -> dict[str, T]:
    """`tensors` without what a trainer put before all names."""
    for wrapper in _WRAPPERS:
        if tensors and all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): each for name, each in tensors.items()}
    return dict(tensors)


def find_upscaler(shapes: Shapes) -> FoundNetworks | None:
    """What a file with tensors of these names and shapes enlarges with; None where it does not."""
    shapes = bare_names(shapes)
    for name, each in UPSCALERS.items():
        if any(all(mark in shapes for mark in marks) for marks in each.marks):
            scale, fact = _scale(each, shapes)
            parts = ("upscaler",)
            return FoundNetworks(
                Kind.UPSCALER, Layout.OTHER, parts, architecture=name, scale=scale, foreign=fact
            )
    return None


def _scale(architecture: UpscalerArchitecture, shapes: Shapes) -> tuple[int, str]:
    """The scale, and what of the file is not supported."""
    if architecture.refused:
        return 0, architecture.refused
    try:
        return architecture.scale(shapes), ""
    except (ArithmeticError, LookupError, ValueError):
        return 0, f"{architecture.label} of these shapes"


def compact_layers(shapes: Shapes) -> int:
    """How many modules the body of a compact network has, the last convolution among them."""
    numbers = (re.fullmatch(r"body\.(\d+)\.weight", name) for name in shapes)
    return 1 + max(int(found[1]) for found in numbers if found)


def _compact_scale(shapes: Shapes) -> int:
    channels = shapes["body.0.weight"][1]
    last = shapes[f"body.{compact_layers(shapes) - 1}.weight"]
    if channels not in _CHANNELS or len(shapes["body.1.weight"]) != 1:
        raise ValueError("no network of colours")
    return _root(last[0], channels)


_ESRGAN_NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"model\.0\.", "conv_first."),
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
        (r"model\.1\.sub\.\d+\.(weight|bias)$", r"conv_body.\1"),
        (r"RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
        (r"trunk_conv\.", "conv_body."),
        (r"upconv(\d)\.", r"conv_up\1."),
        (r"HRconv\.", "conv_hr."),
    )
)
_TAIL = re.compile(r"model\.(\d+)\.(weight|bias)")


def esrgan_names(tensors: Mapping[str, T]) -> dict[str, T]:
    """The tensors of an RRDB network by the names of Real-ESRGAN, which ESRGAN has otherwise.

    In ESRGAN's own layout every third module after the trunk enlarges by two, and the last two
    convolutions have an activation between them.
    """
    tails = [int(found[1]) for name in tensors if (found := _TAIL.fullmatch(name))]
    last = max(tails, default=0)

    def renamed(name: str) -> str:
        if (found := _TAIL.fullmatch(name)) and int(found[1]) > 1:
            number = int(found[1])
            ends = {last: "conv_last", last - 2: "conv_hr"}
            return f"{ends.get(number, f'conv_up{number // 3}')}.{found[2]}"
        for pattern, new in _ESRGAN_NAMES:
            name, count = pattern.subn(new, name, count=1)
            if count:
                break
        return name

    return {renamed(name): each for name, each in tensors.items()}


def esrgan_unshuffled(shapes: Shapes) -> int:
    """By how much an RRDB network folds the picture before its first convolution."""
    return _root(shapes["conv_first.weight"][1], shapes["conv_last.weight"][0])


def esrgan_doublings(shapes: Shapes) -> int:
    """How often an RRDB network doubles the sides."""
    return sum(f"conv_up{number}.weight" in shapes for number in range(1, 9))


def _esrgan_scale(shapes: Shapes) -> int:
    named = esrgan_names(shapes)
    if named["conv_last.weight"][0] not in _CHANNELS:
        raise ValueError("no network of colours")
    return _whole(2 ** esrgan_doublings(named), esrgan_unshuffled(named))


def _span_scale(shapes: Shapes) -> int:
    return _root(shapes["upsampler.0.weight"][0], shapes["conv_1.sk.weight"][1])


def _shuffled_scale(shapes: Shapes) -> int:
    """Of transformers: convolutions with pixel shuffles, one at once, or doublings."""
    folded = 1
    if "conv_first.1.weight" in shapes:
        folded = _root(shapes["conv_first.1.weight"][1], shapes["conv_last.weight"][0])
    first = shapes.get("upsample.0.weight")
    if first is not None and "conv_before_upsample.0.weight" not in shapes:
        return _root(first[0], shapes["conv_first.weight"][1])
    if "conv_up1.weight" in shapes:
        return _whole(2 ** sum(f"conv_up{number}.weight" in shapes for number in (1, 2, 3)), folded)
    steps = [shapes[name] for at in range(8) if (name := f"upsample.{at}.weight") in shapes]
    return _whole(math.prod(_root(step[0], step[1]) for step in steps), folded)


def _root(folded: int, channels: int) -> int:
    """The factor whose square times `channels` is `folded`."""
    side = math.isqrt(_whole(folded, channels))
    if side * side * channels != folded:
        raise ValueError("no square")
    return side


def _whole(number: int, by: int) -> int:
    if number % by:
        raise ValueError("no whole number")
    return number // by


_BLOCK = "layers.0.residual_group.blocks.0."
_DAT = "layers.0.blocks.0."

UPSCALERS: Mapping[str, UpscalerArchitecture] = {
    "esrgan_plus": UpscalerArchitecture(
        "ESRGAN+", (("model.0.weight", "model.1.sub.0.RDB1.conv1x1.weight"),), _esrgan_scale
    ),
    ESRGAN: UpscalerArchitecture(
        "ESRGAN",
        (
            ("model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"),
            ("conv_first.weight", "body.0.rdb1.conv1.weight", "conv_last.weight"),
            ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "conv_last.weight"),
        ),
        _esrgan_scale,
        dtypes=HALF_FIRST,
    ),
    COMPACT: UpscalerArchitecture(
        "Real-ESRGAN compact",
        (("body.0.weight", "body.1.weight", "body.2.weight"),),
        _compact_scale,
        dtypes=HALF_FIRST,
    ),
    "span": UpscalerArchitecture(
        "SPAN", (("conv_1.sk.weight", "block_1.c1_r.sk.weight", "upsampler.0.weight"),), _span_scale
    ),
    "hat": UpscalerArchitecture(
        "HAT", ((f"{_BLOCK}conv_block.cab.0.weight", "conv_last.weight"),), _shuffled_scale
    ),
    "swin2sr": UpscalerArchitecture(
        "Swin2SR", ((f"{_BLOCK}attn.logit_scale", "patch_embed.proj.weight"),), _shuffled_scale
    ),
    "swinir": UpscalerArchitecture(
        "SwinIR",
        tuple((f"{_BLOCK}attn.relative_position_index", first)
              for first in ("conv_first.weight", "conv_first.1.weight")),
        _shuffled_scale,
    ),
    "dat": UpscalerArchitecture(
        "DAT", (("before_RG.1.weight", f"{_DAT}ffn.sg.conv.weight"),), _shuffled_scale
    ),
    "rgt": UpscalerArchitecture(
        "RGT", (("before_RG.1.weight", f"{_DAT}gamma", f"{_DAT}mlp.fc1.weight"),), _shuffled_scale
    ),
    "drct": UpscalerArchitecture(
        "DRCT", (("layers.0.swin1.attn.qkv.weight", "layers.0.adjust1.weight"),), _shuffled_scale
    ),
    "atd": UpscalerArchitecture(
        "ATD", (("relative_position_index_SA", "layers.0.residual_group.td"),), _shuffled_scale
    ),
    "plksr": UpscalerArchitecture(
        "PLKSR",
        tuple(("feats.0.weight", f"feats.1.lk.{inner}.weight", "feats.1.refine.weight")
              for inner in ("conv", "convs.0", "mn_conv")),
    ),
    "omnisr": UpscalerArchitecture(
        "OmniSR", (("residual_layer.0.residual_layer.0.layer.0.fn.0.weight", "up.0.weight"),)
    ),
    "lama": UpscalerArchitecture(
        "LaMa",
        (("model.model.1.bn_l.running_mean",), ("generator.model.1.bn_l.running_mean",)),
        refused="LaMa, which fills areas and enlarges nothing,",
    ),
}  # fmt: skip
"""By name; the more special ones come first."""
