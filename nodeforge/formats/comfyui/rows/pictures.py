"""Pictures and masks: files, sizes, colours, edges; and plain values and reroutes."""

from __future__ import annotations

import re

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


def picture(making: Making) -> str:
    """A picture's name without the folder that ComfyUI marks at its end."""
    name = _PLACE.sub("", making.value("image", "").replace("\\", "/"))
    making.world.report.pictures.append(name)
    return name


def _method(name: str) -> str:
    return _METHODS.get(name, name)


def _load(making: Making) -> None:
    name = making.add("image.load", file=picture(making))
    making.give(Signal("IMAGE", Output(name, "image")), Signal("MASK", Output(name, "mask")))


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


def _invert(making: Making) -> None:
    """What is missing to white: a picture made white, less the picture."""
    picture = making.output("image")
    name = making.add("image.blend", over=picture, mode="difference", opacity=1.0)
    white = making.add("image.adjust", image=picture, brightness=1.0)
    making.put(name, making.made[name], "base", Output(white, "image"))
    making.give(Signal("IMAGE", Output(name, "image")))


def _blur(making: Making) -> None:
    size, spread = making.value("blur_radius", 1), making.value("sigma", 1.0)
    if spread > size / 2:
        making.differ("A blur that its radius cuts off there is a whole one here")
    name = making.add("image.blur", image=making.output("image"), radius=spread)
    making.give(Signal("IMAGE", Output(name, "image")))


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
    Row(
        "ImageInvert",
        "Invert Image",
        (),
        _IMAGE,
        ("image.blend", "image.adjust"),
        _invert,
        "White less the picture.",
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
)
