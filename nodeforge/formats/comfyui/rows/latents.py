"""Latents: made of nothing or of pictures, changed, and turned into pictures."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from nodeforge.formats.comfyui.link_value import EmptyLatent, InputValue, LinkValue
from nodeforge.formats.comfyui.node_conversion import NoCounterpartError, NodeConversion
from nodeforge.formats.comfyui.row import Row
from nodeforge.formats.comfyui.rows.videos import video_of
from nodeforge.graph.model import Mode, Output

_METHODS = {name: name for name in ("nearest-exact", "bilinear", "bicubic")}


def _nothing(node: NodeConversion) -> None:
    width, height = (_whole_cells(node.input_value(side, 512)) for side in ("width", "height"))
    size = EmptyLatent(width, height, node.input_value("batch_size", 1))
    node.set_outputs(LinkValue("LATENT", empty=size))


def _nothing_of_video(node: NodeConversion) -> None:
    """Size and length of a video; ComfyUI takes the frames that whole cells of four hold."""
    start = node.link_value("start_image")
    if start is not None and _gives(node, start):
        raise NoCounterpartError(
            "begins with a picture; models that draw on from one do not run here yet."
        )
    width, height = (_whole_cells(node.input_value(side, 512)) for side in ("width", "height"))
    length = node.input_value("length", 25)
    if length.output is None:
        length = InputValue(max(0, length.value - 1) // 4 * 4 + 1)
    batch = node.input_value("batch_size", 1)
    if batch.output is not None or batch.value != 1:
        node.report_difference("One video is drawn here, not a batch of them")
    size = EmptyLatent(width, height, InputValue(1), frames=length)
    node.set_outputs(LinkValue("LATENT", empty=size, video=True))


def _nothing_of_layers(node: NodeConversion) -> None:
    width, height = (_whole_cells(node.input_value(side, 640)) for side in ("width", "height"))
    layers, batch = node.input_value("layers", 3), node.input_value("batch_size", 1)
    if layers.output is None and not layers.value:
        raise NoCounterpartError("makes no layer, the whole picture alone.")
    if batch.output is not None or batch.value != 1:
        node.report_difference("One picture is taken apart here, not a batch of them")
    size = EmptyLatent(width, height, InputValue(1), layers=layers)
    node.set_outputs(LinkValue("LATENT", empty=size, layers=True))


def _cut_layers(node: NodeConversion) -> None:
    """What 'VAE decode' does by itself: without the whole picture, each layer a picture."""
    samples = _samples(node)
    whole = node.source.class_type == "LatentCutToBatch" or (
        node.known_value("index", 0) == 1 and node.known_value("amount", 1) >= _MOST_LAYERS
    )
    if not samples.layers or not whole or node.known_value("dim", "t") != "t":
        raise NoCounterpartError("cuts a latent, which no node of ours does but for layers.")
    node.set_outputs(samples)


def _gives(node: NodeConversion, link: LinkValue) -> bool:
    """Whether something comes of a link: a bypassed loader gives nothing."""
    if link.output is None:
        return link.clip is not None
    return node.workflow.document.graph.nodes[link.output.node].mode is Mode.ACTIVE


def _whole_cells(side: InputValue) -> InputValue:
    """Pixels of a latent's side: ComfyUI rounds down to what 8 divides."""
    return side if side.output is not None else InputValue(max(side.value // 8 * 8, 8))


_SIZE = re.compile(r"(\d+)\s*[x×]\s*(\d+)")


def _nothing_of_name(widget: str) -> Any:
    """An empty latent whose size is chosen from a list, as ``1024 x 768 (landscape)``."""

    def make(node: NodeConversion) -> None:
        found = _SIZE.search(text := node.known_value(widget, ""))
        if found is None:
            raise NoCounterpartError(f"its '{widget}' is '{text[:40]}', which says no size.")
        width, height = (_whole_cells(InputValue(int(side))) for side in found.groups())
        scale = node.known_value("clip_scale", 2.0)
        node.set_outputs(
            LinkValue(
                "LATENT", empty=EmptyLatent(width, height, node.input_value("batch_size", 1))
            ),
            *(LinkValue("INT", value=int(side.value * scale)) for side in (width, height)),
        )

    return make


def _samples(node: NodeConversion) -> LinkValue:
    found = node.link_value("samples", needed="so there is no latent")
    assert found is not None
    return found


def _repeat(node: NodeConversion) -> None:
    samples, times = _samples(node), node.known_value("amount", 1)
    if samples.empty is not None and samples.output is None and samples.empty.batch.output is None:
        batch = InputValue(samples.empty.batch.value * times)
        node.set_outputs(replace(samples, empty=replace(samples.empty, batch=batch)))
        return
    name = node.add("latent.repeat", latent=samples, times=times)
    node.set_outputs(node.updated("LATENT", Output(name, "latent"), "samples"))


def _some(node: NodeConversion) -> None:
    samples, count = _samples(node), node.known_value("length", 1)
    if samples.empty is None or samples.output is not None:
        raise NoCounterpartError("takes some latents out of a batch, which no node of ours does.")
    batch, first = samples.empty.batch, node.known_value("batch_index", 0)
    if count == 1 and batch.output is None and batch.value > 1:
        item = max(0, min(first, batch.value - 1))
        node.set_outputs(replace(samples, empty=replace(samples.empty, item=item)))
        return
    if first:
        node.report_difference(
            "The first pictures of the batch are left out there; here they are made"
        )
        count += first
    made = batch if batch.output is not None else InputValue(min(count, batch.value))
    node.set_outputs(replace(samples, empty=replace(samples.empty, batch=made)))


def _scaled(node: NodeConversion, type_id: str, **size: InputValue) -> None:
    samples, method = _samples(node), _method(node)
    if method not in _METHODS:
        node.report_difference(f"Latents are scaled by '{method}' there, by 'bicubic' here")
    name = node.add(type_id, latent=samples, method=_METHODS.get(method, "bicubic"), **size)
    latent = Output(name, "latent")
    mask = _mask_of_size(node, samples.mask, latent)
    masked_image = latent if mask and samples.masked_image == samples.output else None
    node.set_outputs(LinkValue("LATENT", latent, mask=mask, masked_image=masked_image))


def _mask_of_size(
    node: NodeConversion, mask: Output | None, latent: Output | None
) -> Output | None:
    """`mask` in the size of a latent, as ComfyUI scales it before it samples."""
    if mask is None or latent is None:
        return mask
    return Output(node.add("mask.scale_to_latent", mask=mask, latent=latent), "mask")


def _method(node: NodeConversion) -> str:
    """Interpolation; a pack calls the widget *mode*, and its *nearest* by another rounding."""
    given = node.source.values.get("mode")
    return given if type(given) is str else node.known_value("upscale_method", "nearest-exact")


def _scale(node: NodeConversion) -> None:
    if node.known_value("crop", "disabled") != "disabled":
        node.report_difference(
            "The latent is cropped to the new proportions there, and stretched here"
        )
    width, height = node.input_value("width", 512), node.input_value("height", 512)
    if not width.value or not height.value:
        raise NoCounterpartError("a side of 0 follows from the other, which no node of ours does.")
    sides = {"width": _whole_cells(width), "height": _whole_cells(height)}
    _scaled(node, "latent.upscale", **sides)


def _scale_by(node: NodeConversion) -> None:
    _scaled(node, "latent.scale_by", factor=node.input_value("scale_by", 1.5))


def _scale_by_factor(node: NodeConversion) -> None:
    if node.known_value("align", "true") == "true":
        node.report_difference("Latents are scaled from corner to corner there, by cells here")
    _scaled(node, "latent.scale_by", factor=node.input_value("factor", 2.0))


def _blend(node: NodeConversion) -> None:
    share = round(1 - node.known_value("blend_factor", 0.5), 6)
    first, second = node.output("samples1"), node.output("samples2")
    name = node.add("latent.blend", first=first, second=second, weight=share)
    node.set_outputs(node.updated("LATENT", Output(name, "latent"), "samples1"))


def _set_mask(node: NodeConversion) -> None:
    samples = _samples(node)
    mask = _mask_of_size(node, node.output("mask"), node.resolve(samples))
    # an inpainting model reads the latent itself as the masked image
    node.set_outputs(replace(samples, mask=mask, masked_image=samples.output))


def _aligned(node: NodeConversion) -> tuple[Output, Output]:
    """The picture, cropped to whole cells of the latent, and the mask scaled and cropped to it."""
    mask = node.output("mask")
    if mask is None:
        raise NoCounterpartError("nothing feeds its mask.")
    name = node.add("inpaint.align", image=node.output("pixels"), mask=mask)
    return Output(name, "image"), Output(name, "mask")


def _decode(node: NodeConversion) -> None:
    """To pictures; a video's latent to a video, of which pictures are made where one asks."""
    samples, vae = _samples(node), node.link_value("vae")
    ports = {"vae": vae, "latent": samples}
    ports["tiled"] = True if node.source.class_type == "VAEDecodeTiled" else None
    if samples.video or (vae is not None and vae.video):
        name = node.add("latent.decode_video", **ports)
        node.set_outputs(LinkValue("IMAGE", clip=Output(name, "video")))
        return
    name = node.add("latent.decode", **ports)
    node.set_outputs(LinkValue("IMAGE", Output(name, "image")))


def _encode(node: NodeConversion) -> None:
    tiled = node.source.class_type == "VAEEncodeTiled"
    vae = node.link_value("vae")
    if vae is not None and vae.video:
        video = video_of(node, "pixels")
        name = node.add("latent.encode_video", vae=vae, video=video, tiled=tiled or None)
        node.set_outputs(LinkValue("LATENT", Output(name, "latent"), video=True))
        return
    name = node.add(
        "latent.encode",
        vae=node.output("vae"),
        image=node.output("pixels"),
        tiled=tiled or None,
        crop=True,
    )
    node.set_outputs(LinkValue("LATENT", Output(name, "latent")))


def _encode_masked(node: NodeConversion) -> None:
    encode = node.add("latent.encode", vae=node.output("vae"))
    picture, mask = _aligned(node)
    mask = Output(node.add("mask.threshold", mask=mask), "mask")
    grey = node.add("latent.masked_picture", image=picture, mask=mask)
    node.set_input(encode, node.nodes[encode], "image", Output(grey, "image"))
    # a kernel of that side there, which grows a mask by half of it on each side
    if grow := node.known_value("grow_mask_by", 6) // 2:
        mask = Output(node.add("mask.grow", mask=mask, pixels=grow), "mask")
    latent = Output(encode, "latent")
    node.set_outputs(LinkValue("LATENT", latent, mask=mask, masked_image=latent))


def _for_inpainting_model(node: NodeConversion) -> None:
    vae = node.output("vae")
    encode = node.add("latent.encode", vae=vae)
    picture, mask = _aligned(node)
    node.set_input(encode, node.nodes[encode], "image", picture)
    rounded = Output(node.add("mask.threshold", mask=mask), "mask")
    grey = node.add("latent.masked_picture", image=picture, mask=rounded)
    masked_image = node.add("latent.encode", vae=vae, image=Output(grey, "image"))
    if not node.known_value("noise_mask", True):
        node.report_difference(
            "Everything may change there, also where the mask is 0; here that is kept"
        )
    prompts = (
        node.link_value(name) or LinkValue("CONDITIONING") for name in ("positive", "negative")
    )
    node.set_outputs(
        *(
            replace(prompt, mask=mask, masked_image=Output(masked_image, "latent"))
            for prompt in prompts
        ),
        LinkValue("LATENT", Output(encode, "latent"), mask=mask),
    )


_TILED = "The size of tiles is the VAE's own here."
_MOST_LAYERS = 64
"""Here; an amount of more is that of all."""
_LATENT = ("LATENT",)
_DECODED = ("latent.decode", "latent.decode_video")
_ENCODED = ("latent.encode", "latent.encode_video", "video.from_images")
_OF_VIDEO = ("width", "height", "length", "batch_size")
_TILES = "tile_size overlap temporal_size temporal_overlap"

ROWS = (
    Row(
        "EmptyLatentImage",
        "EmptyLatent Latent Image",
        ("width", "height", "batch_size"),
        _LATENT,
        (),
        _nothing,
        "Size and batch of the noise.",
        virtual=True,
    ),
    *(
        Row(
            kind,
            name,
            ("width", "height", "batch_size"),
            _LATENT,
            (),
            _nothing,
            "Size and batch of the noise.",
            virtual=True,
        )
        for kind, name in (
            ("EmptySD3LatentImage", "EmptySD3LatentImage"),
            ("EmptyFlux2LatentImage", "Empty Flux 2 Latent"),
        )
    ),
    *(
        Row(
            kind,
            "SDXL Empty Latent Image",
            widgets,
            outputs,
            (),
            _nothing_of_name(widgets[0]),
            "Size and batch of the noise.",
            virtual=True,
        )
        for kind, widgets, outputs in (
            ("SDXL Empty Latent Image", ("resolution", "batch_size"), _LATENT),
            (
                "SDXL Empty Latent Image (rgthree)",
                ("dimensions", "clip_scale", "batch_size"),
                (*_LATENT, "INT", "INT"),
            ),
        )
    ),
    *(
        Row(
            kind,
            name,
            _OF_VIDEO,
            _LATENT,
            (),
            _nothing_of_video,
            "Size and frames of the video noise.",
            virtual=True,
        )
        for kind, name in (
            ("EmptyHunyuanLatentVideo", "EmptyHunyuanLatentVideo"),
            ("Wan22ImageToVideoLatent", "Wan22ImageToVideoLatent"),
        )
    ),
    Row(
        "EmptyQwenImageLayeredLatentImage",
        "Empty Qwen Image Layered Latent",
        ("width", "height", "layers", "batch_size"),
        _LATENT,
        (),
        _nothing_of_layers,
        "Size and layers of the layers noise.",
        virtual=True,
    ),
    *(
        Row(
            kind,
            name,
            widgets,
            _LATENT,
            (),
            _cut_layers,
            "Of layers: 'VAE decode' leaves the whole picture out.",
            virtual=True,
        )
        for kind, name, widgets in (
            ("LatentCut", "LatentCut", ("dim", "index", "amount")),
            ("LatentCutToBatch", "LatentCutToBatch", ("dim", "slice_size")),
        )
    ),
    Row("VAEDecode", "VAE Decode", (), ("IMAGE",), _DECODED, _decode, "A video's to a video."),
    Row(
        "VAEDecodeTiled",
        "VAE Decode (Tiled)",
        tuple(_TILES.split()),
        ("IMAGE",),
        _DECODED,
        _decode,
        _TILED,
    ),
    Row(
        "VAEEncode",
        "VAE Encode",
        (),
        _LATENT,
        _ENCODED,
        _encode,
        "What 8 does not divide is cropped, as there.",
    ),
    Row(
        "VAEEncodeTiled",
        "VAE Encode (Tiled)",
        tuple(_TILES.split()),
        _LATENT,
        _ENCODED,
        _encode,
        _TILED,
    ),
    Row(
        "VAEEncodeForInpaint",
        "VAE Encode (for Inpainting)",
        ("grow_mask_by",),
        _LATENT,
        ("latent.encode", "inpaint.align", "mask.threshold", "latent.masked_picture", "mask.grow"),
        _encode_masked,
        "The mask goes to the denoise loop.",
    ),
    Row(
        "SetLatentNoiseMask",
        "Set Latent Noise Mask",
        (),
        _LATENT,
        ("mask.scale_to_latent",),
        _set_mask,
        "The mask of the denoise loop.",
        virtual=True,
    ),
    Row(
        "InpaintModelConditioning",
        "InpaintModelConditioning",
        ("noise_mask",),
        ("CONDITIONING", "CONDITIONING", "LATENT"),
        ("latent.encode", "inpaint.align", "mask.threshold", "latent.masked_picture"),
        _for_inpainting_model,
        "Mask and masked picture go to the denoise loop.",
    ),
    Row(
        "LatentUpscale",
        "Upscale Latent",
        ("upscale_method", "width", "height", "crop"),
        _LATENT,
        ("latent.upscale", "mask.scale_to_latent"),
        _scale,
    ),
    Row(
        "LatentUpscaleBy",
        "Upscale Latent By",
        ("upscale_method", "scale_by"),
        _LATENT,
        ("latent.scale_by", "mask.scale_to_latent"),
        _scale_by,
    ),
    Row(
        "Latent Upscale by Factor (WAS)",
        "Latent Upscale by Factor (WAS)",
        ("mode", "factor", "align"),
        _LATENT,
        ("latent.scale_by", "mask.scale_to_latent"),
        _scale_by_factor,
    ),
    Row(
        "RepeatLatentBatch",
        "Repeat Latent Batch",
        ("amount",),
        _LATENT,
        ("latent.repeat",),
        _repeat,
        "Of an empty latent: the batch of the noise.",
    ),
    Row(
        "LatentFromBatch",
        "Latent From Batch",
        ("batch_index", "length"),
        _LATENT,
        (),
        _some,
        "Of an empty latent only: batch or *item* of the noise.",
        virtual=True,
    ),
    Row("LatentBlend", "Latent Blend", ("blend_factor",), _LATENT, ("latent.blend",), _blend),
)
