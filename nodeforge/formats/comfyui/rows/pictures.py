"""Pictures and masks: files, sizes, colours, edges; and plain values and reroutes."""

from __future__ import annotations

import re
from typing import Any

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row, one
from nodeforge.formats.comfyui.signals import Signal
from nodeforge.graph.model import Output

_METHODS = {"nearest-exact": "nearest"}
_PLACE = re.compile(r"\s*\[(?:input|output|temp)\]\s*$")
_MARK = re.compile(r"%([^%]+)%")
_MARKS = {"width": "{width}", "height": "{height}"}
_ENDINGS = {
    "seed": "{seed}",
    "noise_seed": "{seed}",
    "steps": "{steps}",
    "cfg": "{scale}",
    "sampler_name": "{sampler}",
    "scheduler": "{schedule}",
    "ckpt_name": "{model}",
}


def _picture(name: str) -> str:
    """A picture's name without the folder that ComfyUI marks at its end."""
    return _PLACE.sub("", name.replace("\\", "/"))


def _method(name: str) -> str:
    return _METHODS.get(name, name)


def _load(making: Making) -> None:
    name = making.add("image.load", file=_picture(making.value("image", "")))
    making.give(Signal("IMAGE", Output(name, "image")), Signal("MASK", Output(name, "mask")))


def _load_mask(making: Making) -> None:
    channel = making.value("channel", "alpha")
    ours = "transparency" if channel == "alpha" else "brightness"
    if channel != "alpha":
        making.differ(f"The mask is the picture's {channel} there, and its brightness here")
    name = making.add("mask.load", file=_picture(making.value("image", "")), channel=ours)
    making.give(Signal("MASK", Output(name, "mask")))


def _save(making: Making) -> None:
    prefix = making.value("filename_prefix", "ComfyUI")
    making.add("image.save", image=making.output("images"), prefix=_prefix(making, prefix))


def _prefix(making: Making, prefix: str) -> str:
    def ours(match: re.Match[str]) -> str:
        mark = match[1]
        if mark.startswith("date"):
            if mark != "date":
                making.differ("The date in files' names is written in our way")
            return "{date}"
        known = _MARKS.get(mark) or _ENDINGS.get(mark.rpartition(".")[2])
        if known is None:
            making.differ(f"'{match[0]}' in files' names means nothing here")
        return known or match[0]

    return _MARK.sub(ours, prefix)


def _resize(making: Making) -> None:
    name = making.add(
        "image.resize",
        image=making.output("image"),
        width=making.port("width", 512),
        height=making.port("height", 512),
        method=_method(making.value("upscale_method", "nearest-exact")),
        fit="crop" if making.value("crop", "disabled") == "center" else "stretch",
    )
    making.give(Signal("IMAGE", Output(name, "image")))


def _pad(making: Making) -> None:
    sides = {side: making.port(side, 0) for side in ("left", "top", "right", "bottom")}
    picture = making.output("image")
    name = making.add("image.pad", image=picture, edge="colour", colour="#808080", **sides)
    mask = Output(name, "mask")
    soft = making.value("feathering", 40)
    if soft > 1:
        making.differ(
            "The margin's mask reaches into the picture and falls off by the square there; here "
            "it grows by half of that and is softened on both sides"
        )
        grown = making.add("mask.grow", mask=mask, pixels=soft // 2)
        soft_mask = making.add("mask.feather", mask=Output(grown, "mask"), radius=soft // 2)
        mask = Output(soft_mask, "mask")
    making.give(Signal("IMAGE", Output(name, "image")), Signal("MASK", mask))


def _composite(making: Making) -> None:
    mask = making.output("mask")
    if mask is None or making.value("x", 0) or making.value("y", 0):
        raise NoCounterpartError("puts a picture at a place, or without a mask.")
    if making.value("resize_source", False):
        raise NoCounterpartError("brings its source to the other's size, which needs a resize.")
    links = {"base": making.output("destination"), "over": making.output("source")}
    name = making.add("image.composite", **links, mask=mask)
    making.give(Signal("IMAGE", Output(name, "image")))


_BLENDS = {
    **{name: name for name in ("normal", "multiply", "screen", "overlay", "difference")},
    "soft_light": "soft light",
}


def _blend_mode(name: str) -> str:
    if name not in _BLENDS:
        raise NoCounterpartError(f"blends by '{name}', which our blending does not know.")
    return _BLENDS[name]


def _blur(making: Making) -> None:
    size, spread = making.value("blur_radius", 1), making.value("sigma", 1.0)
    if spread > size / 2:
        making.differ("A blur that its radius cuts off there is a whole one here")
    name = making.add("image.blur", image=making.output("image"), radius=spread)
    making.give(Signal("IMAGE", Output(name, "image")))


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


def _reroute(making: Making) -> None:
    source = next(iter(making.signals.values()), None)
    if source is None:
        making.add("flow.reroute")
        making.give(Signal("", lost=True))
        return
    if source.output is None:  # what waits in the link needs no node to pass it on
        making.give(source)
        return
    name = making.add("flow.reroute", value=source.output)
    making.give(making.pass_on(source.type, Output(name, "value"), next(iter(making.signals))))


_PLAIN: dict[str, tuple[str, Any]] = {
    "INT": ("values.integer", 0),
    "FLOAT": ("values.float", 0.0),
    "STRING": ("values.text", ""),
}


def _primitive(making: Making) -> None:
    """A value for several widgets; where it says a seed or a name, it is one with them."""
    value = making.node.values.get("value")
    kind = next((kind for _, kind in making.node.outputs), "")
    if kind not in _PLAIN:
        kind = {int: "INT", float: "FLOAT", str: "COMBO"}.get(type(value), "COMBO")
    if kind not in _PLAIN or value is None:
        making.give(Signal(kind, value=value))
        return
    _plain_value(making, kind)


def _plain_value(making: Making, kind: str) -> None:
    type_id, default = _PLAIN[kind]
    seeds = making.world.feeds_seed(making.node)
    given = making.seed("value") if seeds else making.port("value", default)
    name = making.add("values.seed" if seeds else type_id, value=given.value)
    if seeds:
        making.follow_seed(f"{name}.value")
    elif making.control not in ("", "fixed"):
        making.differ("The value changes after each run there, and stays here")
    making.give(Signal(kind, Output(name, "value"), value=given.value))


def _typed(kind: str) -> Any:
    return lambda making: _plain_value(making, kind)


def _switch(making: Making) -> None:
    making.give(Signal("BOOLEAN", value=making.value("value", False)))


_IMAGE, _MASK = ("IMAGE",), ("MASK",)
_ONE_IMAGE = {"image": "image"}
_SIDES = ("left", "top", "right", "bottom")

ROWS = (
    Row(
        "LoadImage",
        "Load Image",
        ("image", "upload"),
        (*_IMAGE, *_MASK),
        ("image.load",),
        _load,
        "Pictures are looked for in NodeForge's folder *inputs*.",
    ),
    Row(
        "LoadImageMask",
        "Load Image (as Mask)",
        ("image", "channel", "upload"),
        _MASK,
        ("mask.load",),
        _load_mask,
    ),
    Row("SaveImage", "Save Image", ("filename_prefix",), (), ("image.save",), _save),
    one("PreviewImage", "Preview Image", "image.preview", {"image": "images"}),
    Row(
        "ImageScale",
        "Upscale Image",
        ("upscale_method", "width", "height", "crop"),
        _IMAGE,
        ("image.resize",),
        _resize,
    ),
    one(
        "ImageScaleBy",
        "Upscale Image By",
        "image.scale_by",
        _ONE_IMAGE,
        "IMAGE:image",
        values={"method": ("upscale_method", "nearest-exact"), "factor": ("scale_by", 1.0)},
        changes={"method": _method},
        fixed={"multiple": 1},
    ),
    one(
        "ImageCrop",
        "Image Crop",
        "image.crop",
        _ONE_IMAGE,
        "IMAGE:image",
        values={
            "width": ("width", 512),
            "height": ("height", 512),
            "left": ("x", 0),
            "top": ("y", 0),
        },
    ),
    one(
        "ImageBlend",
        "Image Blend",
        "image.blend",
        {"base": "image1", "over": "image2"},
        "IMAGE:image",
        values={"opacity": ("blend_factor", 0.5), "mode": ("blend_mode", "normal")},
        changes={"mode": _blend_mode},
    ),
    Row("ImageBlur", "Image Blur", ("blur_radius", "sigma"), _IMAGE, ("image.blur",), _blur),
    one(
        "Canny",
        "Canny",
        "image.edges",
        _ONE_IMAGE,
        "IMAGE:image",
        values={"low": ("low_threshold", 0.4), "high": ("high_threshold", 0.8)},
        differs="Edges are found by another program, so that lines differ a little",
    ),
    Row(
        "ImagePadForOutpaint",
        "Pad Image for Outpainting",
        (*_SIDES, "feathering"),
        (*_IMAGE, *_MASK),
        ("image.pad", "mask.grow", "mask.feather"),
        _pad,
    ),
    Row(
        "ImageCompositeMasked",
        "ImageCompositeMasked",
        ("x", "y", "resize_source"),
        _IMAGE,
        ("image.composite",),
        _composite,
        "With a mask, at 0, 0.",
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
    Row("Reroute", "Reroute", (), ("*",), ("flow.reroute",), _reroute),
    Row(
        "PrimitiveNode",
        "Primitive",
        ("value",),
        ("*",),
        ("values.integer", "values.float", "values.text", "values.seed"),
        _primitive,
        "Names that are chosen from a list go where they are used.",
    ),
    Row("PrimitiveInt", "Int", ("value",), ("INT",), ("values.integer",), _typed("INT")),
    Row("PrimitiveFloat", "Float", ("value",), ("FLOAT",), ("values.float",), _typed("FLOAT")),
    Row("PrimitiveString", "String", ("value",), ("STRING",), ("values.text",), _typed("STRING")),
    Row(
        "PrimitiveStringMultiline",
        "String (Multiline)",
        ("value",),
        ("STRING",),
        ("values.text",),
        _typed("STRING"),
    ),
    Row(
        "PrimitiveBoolean",
        "Boolean",
        ("value",),
        ("BOOLEAN",),
        (),
        _switch,
        "Goes where it is used.",
        dissolves=True,
    ),
)
