"""Latents: made of nothing or of pictures, changed, and turned into pictures."""

from __future__ import annotations

from dataclasses import replace

from nodeforge.formats.comfyui.making import Making, NoCounterpartError
from nodeforge.formats.comfyui.row import Row, one
from nodeforge.formats.comfyui.signals import Empty, Port, Signal
from nodeforge.graph.model import Output

_METHODS = {"nearest-exact": "nearest-exact", "bilinear": "bilinear", "bicubic": "bicubic"}


def _nothing(making: Making) -> None:
    size = Empty(
        making.port("width", 512), making.port("height", 512), making.port("batch_size", 1)
    )
    making.give(Signal("LATENT", empty=size))


def _samples(making: Making) -> Signal:
    found = making.signal("samples", needed="so there is no latent")
    assert found is not None
    return found


def _repeat(making: Making) -> None:
    samples, times = _samples(making), making.value("amount", 1)
    if samples.empty is not None and samples.output is None and samples.empty.batch.output is None:
        batch = Port(samples.empty.batch.value * times)
        making.give(replace(samples, empty=replace(samples.empty, batch=batch)))
        return
    name = making.add("latent.repeat", latent=samples, times=times)
    making.give(making.pass_on("LATENT", Output(name, "latent"), "samples"))


def _some(making: Making) -> None:
    samples, count = _samples(making), making.value("length", 1)
    if samples.empty is None or samples.output is not None:
        raise NoCounterpartError("takes some latents out of a batch, which no node of ours does.")
    batch, first = samples.empty.batch, making.value("batch_index", 0)
    if count == 1 and batch.output is None and batch.value > 1:
        item = max(0, min(first, batch.value - 1))
        making.give(replace(samples, empty=replace(samples.empty, item=item)))
        return
    if first:
        making.differ("The first pictures of the batch are left out there; here they are made")
        count += first
    made = batch if batch.output is not None else Port(min(count, batch.value))
    making.give(replace(samples, empty=replace(samples.empty, batch=made)))


def _scaled(making: Making, type_id: str, **size: Port) -> None:
    samples, method = _samples(making), making.value("upscale_method", "nearest-exact")
    if method not in _METHODS:
        making.differ(f"Latents are scaled by '{method}' there, by 'bicubic' here")
    if samples.mask is not None:
        making.differ("The latent's mask is scaled with it there; here it ends before")
    name = making.add(type_id, latent=samples, method=_METHODS.get(method, "bicubic"), **size)
    making.give(Signal("LATENT", Output(name, "latent")))


def _scale(making: Making) -> None:
    if making.value("crop", "disabled") != "disabled":
        making.differ("The latent is cropped to the new proportions there, and stretched here")
    width, height = making.port("width", 512), making.port("height", 512)
    if not width.value or not height.value:
        raise NoCounterpartError("a side of 0 follows from the other, which no node of ours does.")
    _scaled(making, "latent.upscale", width=width, height=height)


def _scale_by(making: Making) -> None:
    _scaled(making, "latent.scale_by", factor=making.port("scale_by", 1.5))


def _blend(making: Making) -> None:
    share = round(1 - making.value("blend_factor", 0.5), 6)
    first, second = making.output("samples1"), making.output("samples2")
    name = making.add("latent.blend", first=first, second=second, weight=share)
    making.give(making.pass_on("LATENT", Output(name, "latent"), "samples1"))


def _set_mask(making: Making) -> None:
    making.give(replace(_samples(making), mask=making.output("mask")))


def _encode_masked(making: Making) -> None:
    mask = making.output("mask")
    if mask is None:
        raise NoCounterpartError("nothing feeds its mask.")
    picture = making.output("pixels")
    encode = making.add("latent.encode", vae=making.output("vae"))
    grey = making.add("latent.masked_picture", image=picture, mask=mask)
    making.put(encode, making.made[encode], "image", Output(grey, "image"))
    grow = making.port("grow_mask_by", 6)
    if grow.value or grow.output:
        mask = Output(making.add("mask.grow", mask=mask, pixels=grow), "mask")
    making.give(Signal("LATENT", Output(encode, "latent"), mask=mask))


def _for_inpainting_model(making: Making) -> None:
    mask, picture, vae = (making.output(name) for name in ("mask", "pixels", "vae"))
    if mask is None:
        raise NoCounterpartError("nothing feeds its mask.")
    encode = making.add("latent.encode", vae=vae, image=picture)
    grey = making.add("latent.masked_picture", image=picture, mask=mask)
    seen = making.add("latent.encode", vae=vae, image=Output(grey, "image"))
    if not making.value("noise_mask", True):
        making.differ("Everything may change there, also where the mask is 0; here that is kept")
    prompts = (making.signal(name) or Signal("CONDITIONING") for name in ("positive", "negative"))
    making.give(
        *(replace(prompt, mask=mask, seen=Output(seen, "latent")) for prompt in prompts),
        Signal("LATENT", Output(encode, "latent"), mask=mask),
    )


_TILED = "The size of tiles is the VAE's own here."
_LATENT = ("LATENT",)
_TO_PICTURE = {"vae": "vae", "latent": "samples"}
_TO_LATENT = {"vae": "vae", "image": "pixels"}
_TILES = "tile_size overlap temporal_size temporal_overlap"

ROWS = (
    Row(
        "EmptyLatentImage",
        "Empty Latent Image",
        ("width", "height", "batch_size"),
        _LATENT,
        (),
        _nothing,
        "Size and batch of the noise.",
        dissolves=True,
    ),
    Row(
        "EmptySD3LatentImage",
        "EmptySD3LatentImage",
        ("width", "height", "batch_size"),
        _LATENT,
        (),
        _nothing,
        "Size and batch of the noise.",
        dissolves=True,
    ),
    one("VAEDecode", "VAE Decode", "latent.decode", _TO_PICTURE, "IMAGE:image"),
    one(
        "VAEDecodeTiled",
        "VAE Decode (Tiled)",
        "latent.decode",
        _TO_PICTURE,
        "IMAGE:image",
        fixed={"tiled": True},
        widgets=_TILES,
        remark=_TILED,
    ),
    one(
        "VAEEncode",
        "VAE Encode",
        "latent.encode",
        _TO_LATENT,
        "LATENT:latent",
        remark="What 8 does not divide is cut off there; here, resize the picture before.",
    ),
    one(
        "VAEEncodeTiled",
        "VAE Encode (Tiled)",
        "latent.encode",
        _TO_LATENT,
        "LATENT:latent",
        fixed={"tiled": True},
        widgets=_TILES,
        remark=_TILED,
    ),
    Row(
        "VAEEncodeForInpaint",
        "VAE Encode (for Inpainting)",
        ("grow_mask_by",),
        _LATENT,
        ("latent.encode", "latent.masked_picture", "mask.grow"),
        _encode_masked,
        "The mask goes to the denoise loop.",
    ),
    Row(
        "SetLatentNoiseMask",
        "Set Latent Noise Mask",
        (),
        _LATENT,
        (),
        _set_mask,
        "The mask of the denoise loop; it must have the picture's size here.",
        dissolves=True,
    ),
    Row(
        "InpaintModelConditioning",
        "InpaintModelConditioning",
        ("noise_mask",),
        ("CONDITIONING", "CONDITIONING", "LATENT"),
        ("latent.encode", "latent.masked_picture"),
        _for_inpainting_model,
        "Mask and masked picture go to the denoise loop.",
    ),
    Row(
        "LatentUpscale",
        "Upscale Latent",
        ("upscale_method", "width", "height", "crop"),
        _LATENT,
        ("latent.upscale",),
        _scale,
    ),
    Row(
        "LatentUpscaleBy",
        "Upscale Latent By",
        ("upscale_method", "scale_by"),
        _LATENT,
        ("latent.scale_by",),
        _scale_by,
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
        dissolves=True,
    ),
    Row("LatentBlend", "Latent Blend", ("blend_factor",), _LATENT, ("latent.blend",), _blend),
)
