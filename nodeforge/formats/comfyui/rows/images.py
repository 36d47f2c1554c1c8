"""Pictures and masks: files, sizes, colours, edges; and plain values and reroutes."""

from __future__ import annotations

import re

from nodeforge.formats.comfyui.link_value import LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row, single_node
from nodeforge.formats.comfyui.rows.loaders import file_name
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


def picture(node: NodeConversion, name: str = "image") -> str:
    """The file that a value names, without the folder that ComfyUI marks at its end."""
    name = _PLACE.sub("", node.known_value(name, "").replace("\\", "/"))
    if node.source.is_active:
        node.workflow.report.pictures.append(name)
    return name


def resize_method(name: str) -> str:
    """Our name of an interpolation."""
    return _METHODS.get(name, name)


def _load(node: NodeConversion) -> None:
    name = node.add("image.load", file=picture(node))
    node.set_outputs(
        LinkValue("IMAGE", Output(name, "image")), LinkValue("MASK", Output(name, "mask"))
    )


def _save(node: NodeConversion) -> None:
    prefix = node.known_value("filename_prefix", "ComfyUI")
    node.add("image.save", image=node.output("images"), prefix=file_prefix(node, prefix))
    node.set_outputs(node.link_value("images") or LinkValue("IMAGE"))


_FORMATS = {"jpg": "jpeg"}


def _save_advanced(node: NodeConversion) -> None:
    chosen = node.known_value("format", "png")
    chosen = _FORMATS.get(chosen, chosen)
    if chosen not in ("png", "jpeg", "webp"):
        raise NoCounterpartError(f"saves as '{chosen}', which is not written here.")
    if node.known_value("format.bit_depth", "8-bit") != "8-bit":
        node.report_difference("Pictures are saved with 8 bits a channel here")
    prefix = file_prefix(node, node.known_value("filename_prefix", "ComfyUI"))
    images = node.output("images")
    node.add("image.save", image=images, prefix=prefix, format=chosen if chosen != "png" else None)
    node.set_outputs(node.link_value("images") or LinkValue("IMAGE"))


def _compare(node: NodeConversion) -> None:
    pictures = [picture for name in ("image_a", "image_b") if (picture := node.output(name))]
    if len(pictures) == 2:
        node.add("image.compare", before=pictures[0], after=pictures[1])
    for picture in pictures[:1] if len(pictures) == 1 else ():
        node.add("image.preview", image=picture)


def file_prefix(node: NodeConversion, prefix: str) -> str:
    """What files' names start with, its words as ours."""

    def ours(match: re.Match[str]) -> str:
        mark = match[1]
        if mark.startswith("date"):
            if mark != "date":
                node.report_difference("The date in files' names is written in our way")
            return "{date}"
        known = _MARKS.get(mark) or _ENDINGS.get(mark.rpartition(".")[2])
        if known is None:
            node.report_difference(f"'{match[0]}' in files' names means nothing here")
        return known or match[0]

    return _MARK.sub(ours, prefix)


def _resize(node: NodeConversion) -> None:
    name = node.add(
        "image.resize",
        image=node.output("image"),
        width=node.input_value("width", 512),
        height=node.input_value("height", 512),
        method=resize_method(node.known_value("upscale_method", "nearest-exact")),
        fit="crop" if node.known_value("crop", "disabled") == "center" else "stretch",
    )
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


def _pad(node: NodeConversion) -> None:
    sides = {side: node.input_value(side, 0) for side in ("left", "top", "right", "bottom")}
    picture = node.output("image")
    name = node.add("image.pad", image=picture, edge="colour", colour="#808080", **sides)
    mask = Output(name, "mask")
    soft = node.known_value("feathering", 40)
    if soft > 1:
        node.report_difference(
            "The margin's mask reaches into the picture and falls off by the square there; here "
            "it grows by half of that and is softened on both sides"
        )
        grown = node.add("mask.grow", mask=mask, pixels=soft // 2)
        soft_mask = node.add("mask.feather", mask=Output(grown, "mask"), radius=soft // 2)
        mask = Output(soft_mask, "mask")
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")), LinkValue("MASK", mask))


def _composite(node: NodeConversion) -> None:
    base, over = node.output("destination"), node.output("source")
    place = {"left": node.input_value("x", 0), "top": node.input_value("y", 0)}
    name = node.add("image.layer", base=base, over=over, mask=node.output("mask"), **place)
    if node.known_value("resize_source", False):
        sized = node.add("image.resize_like", image=over, like=base, method="bilinear")
        node.set_input(name, node.nodes[name], "over", Output(sized, "image"))
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


def _crop(node: NodeConversion) -> None:
    """The rectangle is one value, or four in older files."""
    region = node.source.values.get("crop_region")
    if type(region) is dict:
        node.source.values.update({name: region.get(name, 0) for name in ("x", "y")})
        node.source.values.update({name: region.get(name, 512) for name in ("width", "height")})
    place = {"left": node.input_value("x", 0), "top": node.input_value("y", 0)}
    sides = {name: node.input_value(name, 512) for name in ("width", "height")}
    name = node.add("image.crop", image=node.output("image"), **place, **sides)
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


_BLENDS = {
    **{name: name for name in ("normal", "multiply", "screen", "overlay", "difference")},
    "soft_light": "soft light",
}


def _blend_mode(name: str) -> str:
    if name not in _BLENDS:
        raise NoCounterpartError(f"blends by '{name}', which our blending does not know.")
    return _BLENDS[name]


def _invert(node: NodeConversion) -> None:
    """What is missing to white: a picture made white, less the picture."""
    picture = node.output("image")
    name = node.add("image.blend", over=picture, mode="difference", opacity=1.0)
    white = node.add("image.adjust", image=picture, brightness=1.0)
    node.set_input(name, node.nodes[name], "base", Output(white, "image"))
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


def _blur(node: NodeConversion) -> None:
    size, spread = node.known_value("blur_radius", 1), node.known_value("sigma", 1.0)
    if spread > size / 2:
        node.report_difference("A blur that its radius cuts off there is a whole one here")
    name = node.add("image.blur", image=node.output("image"), radius=spread)
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


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
    Row("LoadImageOutput", "Load Image (from Outputs)", ("image",), _IMAGE, ("image.load",), _load),
    Row("SaveImage", "Save Image", ("filename_prefix",), _IMAGE, ("image.save",), _save),
    Row(
        "SaveImageAdvanced",
        "Save Image (Advanced)",
        ("filename_prefix", "format", "format.bit_depth", "format.input_color_space"),
        _IMAGE,
        ("image.save",),
        _save_advanced,
    ),
    *(
        Row(kind, name, (), (), ("image.compare",), _compare, virtual=True)
        for kind, name in (
            ("ImageCompare", "Image Compare"),
            ("Image Comparer (rgthree)", "Image Comparer"),
        )
    ),
    single_node(
        "PreviewImage", "Preview Image", "image.preview", {"image": "images"}, "IMAGE:image"
    ),
    Row(
        "ImageScale",
        "Upscale Image",
        ("upscale_method", "width", "height", "crop"),
        _IMAGE,
        ("image.resize",),
        _resize,
    ),
    single_node(
        "ImageScaleBy",
        "Upscale Image By",
        "image.scale_by",
        _ONE_IMAGE,
        "IMAGE:image",
        values={"method": ("upscale_method", "nearest-exact"), "factor": ("scale_by", 1.0)},
        changes={"method": resize_method},
        fixed={"multiple": 1},
    ),
    single_node(
        "UpscaleModelLoader",
        "Load Upscale Model",
        "image.load_upscaler",
        {},
        "UPSCALE_MODEL:upscale_model",
        values={"file": ("model_name", "")},
        changes={"file": file_name},
        remark="A .pth file is read after *nodeforge models allow*.",
    ),
    single_node(
        "ImageUpscaleWithModel",
        "Upscale Image (using Model)",
        "image.enlarge",
        {"upscale_model": "upscale_model", **_ONE_IMAGE},
        "IMAGE:image",
        remark="In tiles of other sizes, whose edges differ by a little.",
    ),
    single_node(
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
    single_node(
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
    single_node(
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
        ("image.layer", "image.resize_like"),
        _composite,
        "A mask has the size of the source.",
    ),
    Row(
        "ImageCropV2",
        "Image Crop",
        ("crop_region", "x", "y", "width", "height"),
        _IMAGE,
        ("image.crop",),
        _crop,
    ),
    single_node(
        "JoinImageWithAlpha",
        "Join Image with Alpha",
        "image.set_alpha",
        {**_ONE_IMAGE, "mask": "alpha"},
        "IMAGE:image",
    ),
)
