"""Sizes of pictures: as numbers, and pictures brought to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, single_node
from nodeforge.formats.comfyui.rows.batches import named_colour
from nodeforge.formats.comfyui.rows.images import resize_method
from nodeforge.graph.model import Output

_MODES: Mapping[str, tuple[str, ...]] = {
    "scale dimensions": ("width", "height", "crop"),
    "scale by multiplier": ("multiplier",),
    "scale longer dimension": ("longer_size",),
    "scale shorter dimension": ("shorter_size",),
    "scale width": ("width",),
    "scale height": ("height",),
    "scale total pixels": ("megapixels",),
    "match size": ("match", "crop"),
}
"""What each way of resizing asks for, in the order of the widgets; a link has none."""
_LINKS = frozenset({"match"})
_SLOTS = ("first", "second", "third", "fourth")


def _size(passes: str, *outputs: str) -> Any:
    """The size of a picture; `passes`: the output that gives the picture on, if one does."""

    def make(node: NodeConversion) -> None:
        made = node.add("image.size", image=node.output("image"))
        sizes = [LinkValue("INT", Output(made, port)) for port in outputs]
        own = node.link_value("image") or LinkValue("IMAGE")
        node.set_outputs(*([own] if passes else []), *sizes)

    return make


def _name_values(node: NodeConversion, mode: str) -> None:
    """Give values their names that stand by their order, which depends on the mode."""
    names = [f"resize_type.{name}" for name in _MODES[mode] if name not in _LINKS]
    held = node.source.values
    for name, slot in zip([*names, "scale_method"], _SLOTS, strict=False):
        if slot in held:
            held.setdefault(name, held[slot])


def _resize_any(node: NodeConversion) -> None:
    mode = node.known_value("resize_type", "scale dimensions")
    if mode not in _MODES:
        raise NoCounterpartError(f"resizes by '{mode}', which is none of our ways.")
    _name_values(node, mode)
    given = node.link_value("input")
    if given is None or given.type != "MASK":
        made = _resized(node, mode, node.output("input"))
        node.set_outputs(LinkValue("IMAGE", Output(made, "image")))
        return
    grey = node.add("mask.to_image", mask=node.output("input"))
    made = _resized(node, mode, Output(grey, "image"))
    mask = node.add("mask.from_channel", image=Output(made, "image"), channel="red")
    node.set_outputs(LinkValue("MASK", Output(mask, "mask")))


def _resized(node: NodeConversion, mode: str, picture: Output | None) -> str:
    def number(name: str, default: float) -> Any:
        return node.input_value(f"resize_type.{name}", default)

    common = {"image": picture, "method": resize_method(node.known_value("scale_method", "area"))}
    fit = "crop" if node.known_value("resize_type.crop", "disabled") == "center" else "stretch"
    match mode:
        case "scale dimensions":
            sides = {"width": number("width", 512), "height": number("height", 512)}
            return node.add("image.resize", **common, **sides, fit=fit)
        case "scale width":
            return node.add("image.resize", **common, width=number("width", 512), height=0)
        case "scale height":
            return node.add("image.resize", **common, height=number("height", 512), width=0)
        case "scale by multiplier":
            factor = number("multiplier", 1.0)
            return node.add("image.scale_by", **common, factor=factor, multiple=1)
        case "scale total pixels":
            area = number("megapixels", 1.0)
            return node.add("image.scale_to_area", **common, megapixels=area, multiple=1)
        case "match size":
            like = node.output("resize_type.match")
            return node.add("image.resize_like", **common, like=like, fit=fit)
    side = mode.split()[1]
    return node.add("image.scale_to_side", **common, length=number(f"{side}_size", 512), side=side)


def _resize_and_pad(node: NodeConversion) -> None:
    """What is added around a picture is black; of a transparent one, transparent."""
    colour = named_colour(node.known_value("padding_color", "white"))
    sides = {name: node.input_value(f"target_{name}", 512) for name in ("width", "height")}
    picture = node.output("image")
    method = resize_method(node.known_value("interpolation", "area"))
    if colour == "#000000":
        made = node.add("image.resize", image=picture, **sides, fit="pad", method=method)
    else:
        hidden = node.add("mask.from_alpha", image=picture)
        clear = node.add("image.set_alpha", image=picture, mask=Output(hidden, "mask"))
        padded = node.add(
            "image.resize", image=Output(clear, "image"), **sides, fit="pad", method=method
        )
        made = node.add("image.flatten", image=Output(padded, "image"), colour=colour)
    node.set_outputs(LinkValue("IMAGE", Output(made, "image")))


_IMAGE = ("IMAGE",)
_ONE_IMAGE = {"image": "image"}

ROWS = (
    Row(
        "GetImageSize",
        "Get Image Size",
        (),
        ("INT", "INT", "INT"),
        ("image.size",),
        _size("", "width", "height", "batch"),
    ),
    Row(
        "GetImageSize+",
        "Get Image Size",
        (),
        ("INT", "INT", "INT"),
        ("image.size",),
        _size("", "width", "height", "batch"),
    ),
    Row(
        "GetImageSizeAndCount",
        "Get Image Size & Count",
        (),
        (*_IMAGE, "INT", "INT", "INT"),
        ("image.size",),
        _size("image", "width", "height", "batch"),
    ),
    single_node(
        "ImageScaleToTotalPixels",
        "Scale Image to Total Pixels",
        "image.scale_to_area",
        _ONE_IMAGE,
        "IMAGE:image",
        values={
            "method": ("upscale_method", "nearest-exact"),
            "megapixels": ("megapixels", 1.0),
            "multiple": ("resolution_steps", 1),
        },
        changes={"method": resize_method},
    ),
    single_node(
        "ImageScaleToMaxDimension",
        "Scale Image to Max Dimension",
        "image.scale_to_side",
        _ONE_IMAGE,
        "IMAGE:image",
        values={"method": ("upscale_method", "area"), "length": ("largest_size", 512)},
        changes={"method": resize_method},
    ),
    Row(
        "ResizeImageMaskNode",
        "Resize Image/Mask",
        ("resize_type", *_SLOTS),
        _IMAGE,
        (
            *("image.resize", "image.scale_by", "image.scale_to_area", "image.scale_to_side"),
            *("image.resize_like", "mask.to_image", "mask.from_channel"),
        ),
        _resize_any,
        "Not to a multiple.",
    ),
    Row(
        "ResizeAndPadImage",
        "Resize And Pad Image",
        ("target_width", "target_height", "padding_color", "interpolation"),
        _IMAGE,
        ("image.resize", "mask.from_alpha", "image.set_alpha", "image.flatten"),
        _resize_and_pad,
    ),
)
