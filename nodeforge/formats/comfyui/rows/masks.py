"""Masks: from files, shapes and pictures, changed and combined."""

from __future__ import annotations

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row, one
from nodeforge.formats.comfyui.rows.pictures import picture
from nodeforge.formats.comfyui.signals import Signal
from nodeforge.graph.model import Output


def _load_mask(making: Making) -> None:
    channel = making.value("channel", "alpha")
    ours = "transparency" if channel == "alpha" else "brightness"
    if channel != "alpha":
        making.differ(f"The mask is the picture's {channel} there, and its brightness here")
    name = making.add("mask.load", file=picture(making), channel=ours)
    making.give(Signal("MASK", Output(name, "mask")))


def _solid(making: Making) -> None:
    value = making.value("value", 1.0)
    if value not in (0.0, 1.0):
        raise NoCounterpartError(f"is a mask of {value:g} everywhere; ours are 0 or 1.")
    sides = {name: making.port(name, 512) for name in ("width", "height")}
    edges = {"left": 0.0, "top": 0.0, "right": value, "bottom": value}
    name = making.add("mask.rectangle", **sides, **edges)
    making.give(Signal("MASK", Output(name, "mask")))


_HOW = {
    **dict.fromkeys(("add", "or"), "add"),
    "subtract": "subtract",
    **dict.fromkeys(("multiply", "and"), "intersect"),
}


def _combine(making: Making) -> None:
    how = making.value("operation", "multiply")
    if how not in _HOW or making.value("x", 0) or making.value("y", 0):
        raise NoCounterpartError(f"does '{how}' at a place, which our masks do not.")
    if how in ("or", "and", "multiply"):
        making.differ("Grey values of masks may be combined in another way")
    links = {"first": making.output("destination"), "second": making.output("source")}
    name = making.add("mask.combine", **links, how=_HOW[how])
    making.give(Signal("MASK", Output(name, "mask")))


def _mask_of_picture(making: Making) -> None:
    if (channel := making.value("channel", "red")) != "alpha":
        raise NoCounterpartError(
            f"takes a picture's {channel} as a mask, which no node of ours does."
        )
    name = making.add("mask.from_alpha", image=making.output("image"))
    making.give(Signal("MASK", Output(name, "mask")))


def _mask_of_colour(making: Making) -> None:
    colour = f"#{making.value('color', 0) & 0xFFFFFF:06x}"
    name = making.add(
        "mask.from_colour", image=making.output("image"), colour=colour, tolerance=0.0
    )
    making.give(Signal("MASK", Output(name, "mask")))


_IMAGE, _MASK = ("IMAGE",), ("MASK",)

ROWS = (
    Row(
        "LoadImageMask",
        "Load Image (as Mask)",
        ("image", "channel", "upload"),
        _MASK,
        ("mask.load",),
        _load_mask,
    ),
    one("InvertMask", "InvertMask", "mask.invert", {"mask": "mask"}, "MASK:mask"),
    one(
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
        ("mask.from_alpha",),
        _mask_of_picture,
        "Of the alpha channel.",
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
