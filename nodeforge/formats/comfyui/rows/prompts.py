"""Prompts: encoding them, putting them together, restricting and steering them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.link_value import (
    EmptyLatent,
    InputValue,
    LinkValue,
    NegativeControl,
)
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, single_node
from nodeforge.graph.model import Input, Output
from nodeforge.models import FAMILIES, Task

_SQUARE = re.compile(r"(\\*)([\[\]])")
_WEIGHED = re.compile(r"(?<!\\)\(.*:")
_CHOICE = re.compile(r"(?<!\\)\{[^{}]*\|[^{}]*\}")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_EMBEDDING = re.compile(r"(embedding:[^\s,()\[\]]+?)\.(?:safetensors|pt|bin)\b")

WEIGHTS = (
    "Prompts with weights like (word:1.2): both programs weigh the embedding against that of an "
    "empty prompt, in arithmetic of their own, so pictures may differ a little"
)


def prompt_text(node: NodeConversion, name: str = "text") -> Any:
    """A prompt: square brackets mean nothing in ComfyUI, and something here."""
    given = node.input_value(name, "")
    if given.output is None and node.source.from_ui:
        given = InputValue(_without_comments(given.value))
    if _CHOICE.search(given.value):
        node.report_difference(
            "{one|other} is drawn anew for each run there; here it is plain text"
        )
    if "(" in given.value:
        node.report_general_difference(WEIGHTS)
    text = _EMBEDDING.sub(r"\1", given.value)
    text = _SQUARE.sub(lambda m: m[0] if len(m[1]) % 2 else f"{m[1]}\\{m[2]}", text)
    if text == given.value:
        return given
    if given.output is not None:
        node.report_difference(
            "The prompt was linked; here it is a text of its own, as its marks differ"
        )
    return InputValue(text)


def _without_comments(text: str) -> str:
    """A prompt as ComfyUI's front end sends it: without ``//`` and ``/* */`` comments."""
    text = _COMMENT.sub("", text)
    return text.replace("\\{", "{").replace("\\}", "}")


def _encoded(node: NodeConversion, text: Any) -> str:
    clip = node.link_value("clip")
    skip = clip.skip if clip else 0
    family = FAMILIES.get(clip.family) if clip else None
    if family is not None and family.chunk_first:
        node.report_difference(
            f"T5 fills a prompt up to 77 tokens there, and to {family.text_length} here, as in "
            "diffusers: the denoiser reads them all"
        )
    return node.add("text.encode", text_encoder=clip, text=text, clip_skip=skip or None)


def _encode(node: NodeConversion) -> None:
    clip = node.link_value("clip")
    name = _encoded(node, prompt_text(node))
    family = clip.family if clip else ""
    node.set_outputs(LinkValue("CONDITIONING", Output(name, "conditioning"), family=family))


def _embedded_guidance(node: NodeConversion) -> None:
    given = node.link_value("conditioning", needed="so there is no prompt")
    assert given is not None
    node.set_outputs(replace(given, embedded=node.input_value("guidance", 3.5)))


def _reference(node: NodeConversion) -> None:
    """ReferenceLatent; without a latent it changes nothing."""
    given = node.link_value("conditioning", needed="so there is no prompt")
    latent = node.link_value("latent")
    assert given is not None
    if latent is None:
        node.set_outputs(given)
        return
    name = node.add("text.add_reference", conditioning=given, latent=node.resolve(latent))
    node.set_outputs(replace(given, output=Output(name, "conditioning")))


def _instruct_pix2pix(node: NodeConversion) -> None:
    """InstructPixToPixConditioning: the picture beside the latent, for both prompts."""
    picture, given = node.output("pixels"), node.link_value("positive")
    family = FAMILIES.get(given.family) if given else None
    if family is not None and Task.EDIT not in family.in_channels.values():
        raise NoCounterpartError(f"no model of {family.label} here reads a picture so.")
    encoded = node.add("latent.encode", vae=node.output("vae"), image=picture, crop=True)
    latent, shown = Output(encoded, "latent"), list[LinkValue]()
    for port in ("positive", "negative"):
        given = node.link_value(port) or LinkValue("CONDITIONING")
        if (prompt := node.resolve(given)) is not None:
            name = node.add("text.add_reference", conditioning=prompt, latent=latent)
            given = replace(given, output=Output(name, "conditioning"), edits=True)
        shown.append(given)
    size = EmptyLatent(InputValue(None), InputValue(None), InputValue(1))  # as the picture
    node.set_outputs(*shown, LinkValue("LATENT", empty=size))


def _instruct(*pictures: str) -> Callable[[NodeConversion], None]:
    """An instruction with pictures that the text encoder sees, or without as a plain prompt."""

    def convert(node: NodeConversion) -> None:
        clip, text = node.link_value("clip"), prompt_text(node, "prompt")
        family = clip.family if clip else ""
        shown = [seen for each in pictures if (seen := node.output(each)) is not None]
        vae = node.output("vae")
        if not shown:
            name = _encoded(node, text)
        elif vae is None:
            raise NoCounterpartError(
                "shows pictures to the text encoder alone; here the denoiser sees them, too, and "
                "wants the VAE."
            )
        else:
            name = node.add("text.instruct", text_encoder=clip, vae=vae, text=text)
            for number, seen in enumerate(shown):
                node.links[Input(name, "images", number)] = seen
        node.set_outputs(LinkValue("CONDITIONING", Output(name, "conditioning"), family=family))

    return convert


_MOST_SHOWN = 16
_TAUGHT_SIZE = 1024


def _instruct_both(node: NodeConversion) -> None:
    """TextEncodeQwenImage21: both prompts with the same pictures, and a latent as the first."""
    clip, vae = node.link_value("clip"), node.output("vae")
    family = clip.family if clip else ""
    ports = (f"images.image_{number}" for number in range(1, _MOST_SHOWN + 1))
    shown = [seen for each in ports if (seen := node.output(each)) is not None]
    side = node.known_value("resolution", _TAUGHT_SIZE)
    if shown and side not in (0, _TAUGHT_SIZE):
        node.report_difference(
            f"Pictures were shown with as many pixels as {side} × {side}; here they are with those "
            f"of {_TAUGHT_SIZE} × {_TAUGHT_SIZE}"
        )
    said = []
    for port in ("prompt", "negative_prompt"):
        text = prompt_text(node, port)
        if not shown:
            name = _encoded(node, text)
        elif vae is None:
            raise NoCounterpartError("shows pictures without the VAE that the denoiser sees by.")
        else:
            size = "auto" if side else "original"
            name = node.add("text.instruct", text_encoder=clip, vae=vae, text=text, size=size)
            for number, seen in enumerate(shown):
                node.links[Input(name, "images", number)] = seen
        said.append(LinkValue("CONDITIONING", Output(name, "conditioning"), family=family))
    length = InputValue(None if shown else side or _TAUGHT_SIZE)  # None is as the picture
    size = EmptyLatent(length, length, InputValue(1))
    node.set_outputs(*said, LinkValue("LATENT", empty=size))


def _reference_method(node: NodeConversion) -> None:
    """How several references are told apart: here as each family's pipeline does."""
    given = node.link_value("conditioning", needed="so there is no prompt")
    assert given is not None
    if node.known_value("reference_latents_method", "index") not in (
        "index",
        "index_timestep_zero",
    ):
        node.report_difference("References are told apart by 'index' here, as models were taught")
    node.set_outputs(given)


def _encode_sdxl(node: NodeConversion) -> None:
    if node.known_value("text_g", "") != node.known_value("text_l", ""):
        node.report_difference(
            "SDXL's two text encoders get two texts there; here both get 'text_g'"
        )
    name = _encoded(node, prompt_text(node, "text_g"))
    sizes = {
        "original_width": node.input_value("width", 1024),
        "original_height": node.input_value("height", 1024),
        "crop_left": node.input_value("crop_w", 0),
        "crop_top": node.input_value("crop_h", 0),
        "target_width": node.input_value("target_width", 1024),
        "target_height": node.input_value("target_height", 1024),
    }
    _framed(node, name, sizes)


def _encode_sd3(node: NodeConversion) -> None:
    texts = {port: node.known_value(port, "") for port in ("t5xxl", "clip_g", "clip_l")}
    read = next((port for port, text in texts.items() if text), "t5xxl")
    if set(texts.values()) - {texts[read]}:
        node.report_difference(
            f"SD 3's three text encoders get three texts there; here all get '{read}'"
        )
    name = _encoded(node, prompt_text(node, read))
    clip = node.link_value("clip")
    family = clip.family if clip else ""
    node.set_outputs(LinkValue("CONDITIONING", Output(name, "conditioning"), family=family))


def _encode_refiner(node: NodeConversion) -> None:
    name = _encoded(node, prompt_text(node))
    sizes = {
        "original_width": node.input_value("width", 1024),
        "original_height": node.input_value("height", 1024),
        "aesthetic": node.input_value("ascore", 6.0),
    }
    _framed(node, name, sizes)


def _framed(node: NodeConversion, encoded: str, sizes: dict[str, Any]) -> None:
    name = node.add("text.framing", conditioning=Output(encoded, "conditioning"), **sizes)
    node.set_outputs(LinkValue("CONDITIONING", Output(name, "conditioning")))


def _two(node: NodeConversion, kind: str, first: str, second: str, **values: Any) -> None:
    one, other = node.link_value(first), node.link_value(second)
    name = node.add(kind, first=one, second=other, **values)
    given = node.updated("CONDITIONING", Output(name, "conditioning"), first)
    if other is not None:
        negative_controls = (*given.negative_controls, *other.negative_controls)
        given = replace(
            given,
            negative_controls=tuple(dict.fromkeys(negative_controls)),
            mask=given.mask or other.mask,
            masked_image=given.masked_image or other.masked_image,
        )
    node.set_outputs(given)


def _combine(node: NodeConversion) -> None:
    _two(node, "text.combine", "conditioning_1", "conditioning_2")


def _concatenate(node: NodeConversion) -> None:
    _two(node, "text.concatenate", "conditioning_to", "conditioning_from")


def _average(node: NodeConversion) -> None:
    share = node.input_value("conditioning_to_strength", 1.0)
    _two(node, "text.average", "conditioning_from", "conditioning_to", weight=share)


def _area(node: NodeConversion) -> None:
    size = node.workflow.picture_size
    width, height = size or (512, 512)
    sides = {"x": width, "width": width, "y": height, "height": height}
    shares = {name: node.known_value(name, 0) / side for name, side in sides.items()}
    _rectangle(node, shares, size is not None, (width, height))


def _area_by_share(node: NodeConversion) -> None:
    size = node.workflow.picture_size
    shares = {name: node.known_value(name, 0.0) for name in ("x", "y", "width", "height")}
    _rectangle(node, shares, size is not None, size or (512, 512))


def _rectangle(
    node: NodeConversion, shares: dict[str, float], known: bool, size: tuple[int, int]
) -> None:
    if not known:
        node.report_difference(
            "The area is of a picture of 512 × 512, as the file does not say its size"
        )
    edges = {
        "left": shares["x"],
        "top": shares["y"],
        "right": shares["x"] + shares["width"],
        "bottom": shares["y"] + shares["height"],
    }
    edges = {name: min(max(round(share, 6), 0.0), 1.0) for name, share in edges.items()}
    name = node.add(
        "text.area",
        conditioning=node.output("conditioning"),
        strength=node.input_value("strength", 1.0),
    )
    mask = node.add("mask.rectangle", width=size[0], height=size[1], **edges)
    node.set_input(name, node.nodes[name], "mask", Output(mask, "mask"))
    node.set_outputs(node.updated("CONDITIONING", Output(name, "conditioning"), "conditioning"))


def _masked(node: NodeConversion) -> None:
    if node.known_value("set_cond_area", "default") != "default":
        node.report_difference(
            "The prompt sees the mask's surroundings alone there; here the whole picture"
        )
    name = node.add(
        "text.area",
        conditioning=node.output("conditioning"),
        mask=node.output("mask"),
        strength=node.input_value("strength", 1.0),
    )
    node.set_outputs(node.updated("CONDITIONING", Output(name, "conditioning"), "conditioning"))


def _steer(node: NodeConversion) -> None:
    """The older node: what it does to the prompt happens to the negative one as well."""
    strength, image, net = node.input_value("strength", 1.0), *_control(node)
    name = node.add(
        "control.apply",
        conditioning=node.output("conditioning"),
        controlnet=net,
        image=image,
        strength=strength,
    )
    given = node.updated("CONDITIONING", Output(name, "conditioning"), "conditioning")
    negative_controls = (*given.negative_controls, NegativeControl(net, image, strength))
    node.set_outputs(replace(given, negative_controls=negative_controls))


def _control(node: NodeConversion) -> tuple[Output, Output]:
    image, net = node.output("image"), node.output("control_net")
    if image is None or net is None:
        raise NoCounterpartError("nothing feeds its picture or its ControlNet.")
    return image, net


def _steer_both(node: NodeConversion) -> None:
    image, net = _control(node)
    linked = []
    for prompt in ("positive", "negative"):
        name = node.add(
            "control.apply",
            conditioning=node.output(prompt),
            controlnet=net,
            image=image,
            strength=node.input_value("strength", 1.0),
            start=node.input_value("start_percent", 0.0),
            end=node.input_value("end_percent", 1.0),
        )
        output = Output(name, "conditioning")
        linked.append(node.updated("CONDITIONING", output, prompt))
    _tell_range(node, "start_percent", "end_percent")
    node.set_outputs(*linked)


RANGE = (
    "A range of steps is a share of the time of training there, and of the steps run here: the "
    "same only for schedules with even timesteps, at a denoise of 1"
)


def _tell_range(node: NodeConversion, start: str, end: str) -> None:
    if node.input_value(start, 0.0).value > 0 or node.input_value(end, 1.0).value < 1:
        node.report_difference(RANGE)


def _in_steps(node: NodeConversion) -> None:
    name = node.add(
        "text.range",
        conditioning=node.output("conditioning"),
        start=node.input_value("start", 0.0),
        end=node.input_value("end", 1.0),
    )
    _tell_range(node, "start", "end")
    node.set_outputs(node.updated("CONDITIONING", Output(name, "conditioning"), "conditioning"))


_SAID = ("CONDITIONING",)
_AREA = (
    "The prompt is given the area alone to see there; here it sees the whole picture and acts in "
    "the area"
)
_CONTROL = ("strength", "start_percent", "end_percent")
_SDXL = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")

ROWS = (
    Row(
        "FluxGuidance",
        "FluxGuidance",
        ("guidance",),
        ("CONDITIONING",),
        (),
        _embedded_guidance,
        "*scale* of the guidance; the CFG scale becomes its *true scale*.",
        virtual=True,
    ),
    Row(
        "ReferenceLatent",
        "ReferenceLatent",
        (),
        ("CONDITIONING",),
        ("text.add_reference",),
        _reference,
    ),
    *(
        Row(
            kind,
            kind,
            ("prompt",),
            ("CONDITIONING",),
            ("text.instruct",),
            _instruct(*pictures),
            difference=difference,
        )
        for kind, pictures, difference in (
            ("TextEncodeQwenImageEditPlus", ("image1", "image2", "image3"), ""),
            (
                "TextEncodeQwenImageEdit",
                ("image",),
                "The first Qwen-Image Edit's own words around the instruction are there; here they "
                "are those of its later versions",
            ),
        )
    ),
    Row(
        "TextEncodeQwenImage21",
        "TextEncodeQwenImage21",
        ("prompt", "negative_prompt", "resolution"),
        ("CONDITIONING", "CONDITIONING", "LATENT"),
        ("text.instruct",),
        _instruct_both,
    ),
    Row(
        "InstructPixToPixConditioning",
        "InstructPixToPixConditioning",
        (),
        ("CONDITIONING", "CONDITIONING", "LATENT"),
        ("latent.encode", "text.add_reference"),
        _instruct_pix2pix,
        "The new picture has the size of the one to edit.",
    ),
    Row(
        "FluxKontextMultiReferenceLatentMethod",
        "FluxKontextMultiReferenceLatentMethod",
        ("reference_latents_method",),
        ("CONDITIONING",),
        (),
        _reference_method,
        "References are told apart by *index*.",
        virtual=True,
    ),
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
    Row(
        "CLIPTextEncodeSD3",
        "CLIPTextEncodeSD3",
        ("clip_l", "clip_g", "t5xxl", "empty_padding"),
        _SAID,
        ("text.encode",),
        _encode_sd3,
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
        difference=_AREA,
    ),
    Row(
        "ConditioningSetAreaPercentage",
        "Conditioning (Set Area with Percentage)",
        ("width", "height", "x", "y", "strength"),
        _SAID,
        ("text.area", "mask.rectangle"),
        _area_by_share,
        difference=_AREA,
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
    single_node(
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
