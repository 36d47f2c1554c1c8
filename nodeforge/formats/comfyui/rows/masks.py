"""Masks: from files, shapes and pictures, changed and combined."""

from __future__ import annotations

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, single_node
from nodeforge.formats.comfyui.rows.batches import colour_of_number
from nodeforge.formats.comfyui.rows.images import picture
from nodeforge.graph.model import Output


def _load_mask(node: NodeConversion) -> None:
    channel = node.known_value("channel", "alpha")
    ours = "transparency" if channel == "alpha" else channel
    name = node.add("mask.load", file=picture(node), channel=ours)
    node.set_outputs(LinkValue("MASK", Output(name, "mask")))


def _solid(node: NodeConversion) -> None:
    value = node.known_value("value", 1.0)
    if value not in (0.0, 1.0):
        raise NoCounterpartError(f"is a mask of {value:g} everywhere; ours are 0 or 1.")
    sides = {name: node.input_value(name, 512) for name in ("width", "height")}
    edges = {"left": 0.0, "top": 0.0, "right": value, "bottom": value}
    name = node.add("mask.rectangle", **sides, **edges)
    node.set_outputs(LinkValue("MASK", Output(name, "mask")))


_HOW = {
    **dict.fromkeys(("add", "or"), "add"),
    "subtract": "subtract",
    **dict.fromkeys(("multiply", "and"), "intersect"),
}


def _combine(node: NodeConversion) -> None:
    how = node.known_value("operation", "multiply")
    if how not in _HOW or node.known_value("x", 0) or node.known_value("y", 0):
        raise NoCounterpartError(f"does '{how}' at a place, which our masks do not.")
    if how in ("or", "and", "multiply"):
        node.report_difference("Grey values of masks may be combined in another way")
    links = {"first": node.output("destination"), "second": node.output("source")}
    name = node.add("mask.combine", **links, how=_HOW[how])
    node.set_outputs(LinkValue("MASK", Output(name, "mask")))


def _mask_of_picture(node: NodeConversion) -> None:
    channel = node.known_value("channel", "red")
    name = node.add("mask.from_channel", image=node.output("image"), channel=channel)
    node.set_outputs(LinkValue("MASK", Output(name, "mask")))


def _mask_of_colour(node: NodeConversion) -> None:
    colour = colour_of_number(node.known_value("color", 0))
    name = node.add("mask.from_colour", image=node.output("image"), colour=colour, tolerance=0.0)
    node.set_outputs(LinkValue("MASK", Output(name, "mask")))


def _preview(node: NodeConversion) -> None:
    made = node.add("image.preview")
    grey = node.add("mask.to_image", mask=node.output("mask"))
    node.set_input(made, node.nodes[made], "image", Output(grey, "image"))
    node.set_outputs(node.link_value("mask") or LinkValue("MASK"))


def _without_alpha(node: NodeConversion) -> None:
    name = node.add("mask.from_alpha", image=node.output("image"))
    picture = node.link_value("image") or LinkValue("IMAGE")
    node.set_outputs(picture, LinkValue("MASK", Output(name, "mask")))


_IMAGE, _MASK = ("IMAGE",), ("MASK",)

ROWS = (
    *(
        Row(kind, name, (), _MASK, ("image.preview", "mask.to_image"), _preview)
        for kind, name in (("MaskPreview", "Preview Mask"), ("MaskPreview+", "Mask Preview"))
    ),
    single_node(
        "MaskToImage", "Convert Mask to Image", "mask.to_image", {"mask": "mask"}, "IMAGE:image"
    ),
    Row(
        "SplitImageWithAlpha",
        "Split Image with Alpha",
        (),
        (*_IMAGE, *_MASK),
        ("mask.from_alpha",),
        _without_alpha,
        "The picture keeps its transparency.",
    ),
    Row(
        "LoadImageMask",
        "Load Image (as Mask)",
        ("image", "channel", "upload"),
        _MASK,
        ("mask.load",),
        _load_mask,
    ),
    single_node("InvertMask", "InvertMask", "mask.invert", {"mask": "mask"}, "MASK:mask"),
    single_node(
        "GrowMask",
        "GrowMask",
        "mask.grow",
        {"mask": "mask"},
        "MASK:mask",
        values={"pixels": ("expand", 0)},
        widgets="expand tapered_corners",
        differs="Corners of a grown mask may be rounder or sharper",
    ),
    Row(
        "SolidMask",
        "SolidMask",
        ("value", "width", "height"),
        _MASK,
        ("mask.rectangle",),
        _solid,
        "Of 0 or 1.",
    ),
    Row(
        "MaskComposite",
        "MaskComposite",
        ("x", "y", "operation"),
        _MASK,
        ("mask.combine",),
        _combine,
        "At 0, 0; not by *xor*.",
    ),
    Row(
        "ImageToMask",
        "Convert Image to Mask",
        ("channel",),
        _MASK,
        ("mask.from_channel",),
        _mask_of_picture,
    ),
    Row(
        "ImageColorToMask",
        "ImageColorToMask",
        ("color",),
        _MASK,
        ("mask.from_colour",),
        _mask_of_colour,
    ),
)
