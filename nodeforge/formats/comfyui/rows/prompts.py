"""Prompts: encoding them, putting them together, restricting and steering them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row, one
from nodeforge.formats.comfyui.signals import Port, Signal, Steering
from nodeforge.graph.model import Output

_SQUARE = re.compile(r"(\\*)([\[\]])")
_WEIGHED = re.compile(r"(?<!\\)\(.*:")
_CHOICE = re.compile(r"(?<!\\)\{[^{}]*\|[^{}]*\}")
_EMBEDDING = re.compile(r"(embedding:[^\s,()\[\]]+?)\.(?:safetensors|pt|bin)\b")

WEIGHTS = (
    "Prompts with weights like (word:1.2): both programs weigh the embedding against that of an "
    "empty prompt, in arithmetic of their own, so pictures may differ a little"
)


def _text(making: Making, name: str = "text") -> Any:
    """A prompt: square brackets mean nothing in ComfyUI, and something here."""
    given = making.port(name, "")
    if _CHOICE.search(given.value):
        making.differ("{one|other} is drawn anew for each run there; here it is plain text")
    if "(" in given.value:
        making.always_differs(WEIGHTS)
    text = _EMBEDDING.sub(r"\1", given.value)
    text = _SQUARE.sub(lambda m: m[0] if len(m[1]) % 2 else f"{m[1]}\\{m[2]}", text)
    if text == given.value:
        return given
    if given.output is not None:
        making.differ("The prompt was linked; here it is a text of its own, as its marks differ")
    return Port(text)


def _encoded(making: Making, text: Any) -> str:
    clip = making.signal("clip")
    skip = clip.skip if clip else 0
    return making.add("text.encode", text_encoder=clip, text=text, clip_skip=skip or None)


def _encode(making: Making) -> None:
    name = _encoded(making, _text(making))
    making.give(Signal("CONDITIONING", Output(name, "conditioning")))


def _encode_sdxl(making: Making) -> None:
    if making.value("text_g", "") != making.value("text_l", ""):
        making.differ("SDXL's two text encoders get two texts there; here both get 'text_g'")
    name = _encoded(making, _text(making, "text_g"))
    sizes = {
        "original_width": making.port("width", 1024),
        "original_height": making.port("height", 1024),
        "crop_left": making.port("crop_w", 0),
        "crop_top": making.port("crop_h", 0),
        "target_width": making.port("target_width", 1024),
        "target_height": making.port("target_height", 1024),
    }
    _framed(making, name, sizes)


def _encode_refiner(making: Making) -> None:
    name = _encoded(making, _text(making))
    sizes = {
        "original_width": making.port("width", 1024),
        "original_height": making.port("height", 1024),
        "aesthetic": making.port("ascore", 6.0),
    }
    _framed(making, name, sizes)


def _framed(making: Making, encoded: str, sizes: dict[str, Any]) -> None:
    name = making.add("text.framing", conditioning=Output(encoded, "conditioning"), **sizes)
    making.give(Signal("CONDITIONING", Output(name, "conditioning")))


def _two(making: Making, kind: str, first: str, second: str, **values: Any) -> None:
    one, other = making.signal(first), making.signal(second)
    name = making.add(kind, first=one, second=other, **values)
    given = making.pass_on("CONDITIONING", Output(name, "conditioning"), first)
    if other is not None:
        steering = (*given.steering, *other.steering)
        given = replace(
            given,
            steering=tuple(dict.fromkeys(steering)),
            mask=given.mask or other.mask,
            seen=given.seen or other.seen,
        )
    making.give(given)


def _combine(making: Making) -> None:
    _two(making, "text.combine", "conditioning_1", "conditioning_2")


def _concatenate(making: Making) -> None:
    _two(making, "text.concatenate", "conditioning_to", "conditioning_from")


def _average(making: Making) -> None:
    share = making.port("conditioning_to_strength", 1.0)
    _two(making, "text.average", "conditioning_from", "conditioning_to", weight=share)


def _area(making: Making) -> None:
    size = making.world.picture_size
    width, height = size or (512, 512)
    sides = {"x": width, "width": width, "y": height, "height": height}
    shares = {name: making.value(name, 0) / side for name, side in sides.items()}
    _rectangle(making, shares, size is not None, (width, height))


def _area_by_share(making: Making) -> None:
    size = making.world.picture_size
    shares = {name: making.value(name, 0.0) for name in ("x", "y", "width", "height")}
    _rectangle(making, shares, size is not None, size or (512, 512))


def _rectangle(
    making: Making, shares: dict[str, float], known: bool, size: tuple[int, int]
) -> None:
    if not known:
        making.differ("The area is of a picture of 512 × 512, as the file does not say its size")
    edges = {
        "left": shares["x"],
        "top": shares["y"],
        "right": shares["x"] + shares["width"],
        "bottom": shares["y"] + shares["height"],
    }
    edges = {name: min(max(round(share, 6), 0.0), 1.0) for name, share in edges.items()}
    name = making.add(
        "text.area",
        conditioning=making.output("conditioning"),
        strength=making.port("strength", 1.0),
    )
    mask = making.add("mask.rectangle", width=size[0], height=size[1], **edges)
    making.put(name, making.made[name], "mask", Output(mask, "mask"))
    making.give(making.pass_on("CONDITIONING", Output(name, "conditioning"), "conditioning"))


def _masked(making: Making) -> None:
    if making.value("set_cond_area", "default") != "default":
        making.differ("The prompt sees the mask's surroundings alone there; here the whole picture")
    name = making.add(
        "text.area",
        conditioning=making.output("conditioning"),
        mask=making.output("mask"),
        strength=making.port("strength", 1.0),
    )
    making.give(making.pass_on("CONDITIONING", Output(name, "conditioning"), "conditioning"))


def _steer(making: Making) -> None:
    """The older node: what it does to the prompt happens to the negative one as well."""
    strength, image, net = making.port("strength", 1.0), *_control(making)
    name = making.add(
        "control.apply",
        conditioning=making.output("conditioning"),
        controlnet=net,
        image=image,
        strength=strength,
    )
    given = making.pass_on("CONDITIONING", Output(name, "conditioning"), "conditioning")
    steering = (*given.steering, Steering(net, image, strength))
    making.give(replace(given, steering=steering))


def _control(making: Making) -> tuple[Output, Output]:
    image, net = making.output("image"), making.output("control_net")
    if image is None or net is None:
        raise NoCounterpartError("nothing feeds its picture or its ControlNet.")
    return image, net


def _steer_both(making: Making) -> None:
    image, net = _control(making)
    signals = []
    for prompt in ("positive", "negative"):
        name = making.add(
            "control.apply",
            conditioning=making.output(prompt),
            controlnet=net,
            image=image,
            strength=making.port("strength", 1.0),
            start=making.port("start_percent", 0.0),
            end=making.port("end_percent", 1.0),
        )
        output = Output(name, "conditioning")
        signals.append(making.pass_on("CONDITIONING", output, prompt))
    _tell_range(making, "start_percent", "end_percent")
    making.give(*signals)


RANGE = (
    "A range of steps is a share of the time of training there, and of the steps run here: the "
    "same only for schedules with even timesteps, at a denoise of 1"
)


def _tell_range(making: Making, start: str, end: str) -> None:
    if making.port(start, 0.0).value > 0 or making.port(end, 1.0).value < 1:
        making.differ(RANGE)


def _in_steps(making: Making) -> None:
    name = making.add(
        "text.range",
        conditioning=making.output("conditioning"),
        start=making.port("start", 0.0),
        end=making.port("end", 1.0),
    )
    _tell_range(making, "start", "end")
    making.give(making.pass_on("CONDITIONING", Output(name, "conditioning"), "conditioning"))


_SAID = ("CONDITIONING",)
_AREA = (
    "The prompt is given the area alone to see there; here it sees the whole picture and acts in "
    "the area"
)
_CONTROL = ("strength", "start_percent", "end_percent")
_SDXL = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")

ROWS = (
    Row(
        "CLIPTextEncode",
        "CLIP Text Encode (Prompt)",
        ("text",),
        _SAID,
        ("text.encode",),
        _encode,
        "Square brackets, which mean nothing there, are escaped.",
    ),
    Row(
        "CLIPTextEncodeSDXL",
        "CLIPTextEncodeSDXL",
        (*_SDXL, "text_g", "text_l"),
        _SAID,
        ("text.encode", "text.framing"),
        _encode_sdxl,
    ),
    Row(
        "CLIPTextEncodeSDXLRefiner",
        "CLIPTextEncodeSDXLRefiner",
        ("ascore", "width", "height", "text"),
        _SAID,
        ("text.encode", "text.framing"),
        _encode_refiner,
    ),
    Row("ConditioningCombine", "Conditioning (Combine)", (), _SAID, ("text.combine",), _combine),
    Row(
        "ConditioningConcat",
        "Conditioning (Concat)",
        (),
        _SAID,
        ("text.concatenate",),
        _concatenate,
    ),
    Row(
        "ConditioningAverage",
        "ConditioningAverage",
        ("conditioning_to_strength",),
        _SAID,
        ("text.average",),
        _average,
    ),
    Row(
        "ConditioningSetArea",
        "Conditioning (Set Area)",
        ("width", "height", "x", "y", "strength"),
        _SAID,
        ("text.area", "mask.rectangle"),
        _area,
        differs=_AREA,
    ),
    Row(
        "ConditioningSetAreaPercentage",
        "Conditioning (Set Area with Percentage)",
        ("width", "height", "x", "y", "strength"),
        _SAID,
        ("text.area", "mask.rectangle"),
        _area_by_share,
        differs=_AREA,
    ),
    Row(
        "ConditioningSetMask",
        "Conditioning (Set Mask)",
        ("strength", "set_cond_area"),
        _SAID,
        ("text.area",),
        _masked,
    ),
    Row(
        "ConditioningSetTimestepRange",
        "ConditioningSetTimestepRange",
        ("start", "end"),
        _SAID,
        ("text.range",),
        _in_steps,
        "Shares of the steps run here.",
    ),
    one(
        "ConditioningZeroOut",
        "ConditioningZeroOut",
        "text.zero",
        {"conditioning": "conditioning"},
        "CONDITIONING:conditioning",
    ),
    Row(
        "ControlNetApply",
        "Apply ControlNet (OLD)",
        ("strength",),
        _SAID,
        ("control.apply",),
        _steer,
        "On the negative prompt, too, as there.",
    ),
    Row(
        "ControlNetApplyAdvanced",
        "Apply ControlNet",
        _CONTROL,
        (*_SAID, *_SAID),
        ("control.apply",),
        _steer_both,
        "One node for each of the two prompts.",
    ),
)
