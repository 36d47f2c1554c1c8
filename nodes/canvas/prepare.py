"""From the canvas's pixels and mask to what a model starts from."""

from typing import Annotated, NamedTuple

import torch

from nodeforge import diffusion, imaging
from nodeforge.api import Image, Latent, Mask, Model, Range, RunContext, Schedule, Vae, node


class Prepared(NamedTuple):
    """What the model sees."""

    image: Image
    mask: Mask


class Encoded(NamedTuple):
    """What the denoise loop starts from."""

    latent: Latent
    masked_image: Latent


@node("canvas.prepare", title="Prepare for model")
def prepare(
    model: Model,
    image: Image,
    mask: Mask,
    schedule: Schedule,
    fill: imaging.Fill = imaging.Fill.BLUR,
    size: Annotated[int | None, Range(64, 4096, step=64)] = None,
) -> Prepared:
    """Resize a picture to a model's native size, fill the masked area, soften the mask's edge.

    Args:
        model: Decides the number of pixels, and what the sides are multiples of.
        image: Any size.
        mask: Where it may change, of that size; what is transparent is filled in any case.
        schedule: Its strength decides how wide the mask's soft edge is.
        fill: What the masked area shows before it is painted; counts most below strength 1.
        size: Side of a square with as many pixels as are wanted; empty is the model's own.

    Returns:
        image: The picture with the masked area filled, without alpha.
        mask: Where the model may change it: the mask and a soft edge around it.
    """
    mask.check_fits(image)
    side, multiple = diffusion.native_size(model.weights)
    scaled = imaging.model_pixels(image.width, image.height, multiple, size or side)
    pairs = [
        _prepared(pixels, values, scaled, fill, schedule.strength, side)
        for pixels, values in _pairs(image, mask)
    ]
    images, masks = zip(*pairs, strict=True)
    return Prepared(Image(torch.stack(images)), Mask(torch.stack(masks)))


def _pairs(image: Image, mask: Mask) -> list[tuple[imaging.Pixels, imaging.Pixels]]:
    """Each picture with its mask; a single one goes with every other."""
    count = max(image.batch, mask.batch)
    pixels, values = image.pixels.numpy(), mask.values.numpy()
    return [(pixels[i % len(pixels)], values[i % len(values)]) for i in range(count)]


def _prepared(
    pixels: imaging.Pixels,
    values: imaging.Pixels,
    scaled: tuple[int, int],
    fill: imaging.Fill,
    strength: float,
    side: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    shrinks = scaled[0] * scaled[1] < values.size
    method = imaging.Method.AREA if shrinks else imaging.Method.LANCZOS
    picture = imaging.resize(pixels, *scaled, method)
    inside = imaging.resize(values, *scaled, imaging.Method.BILINEAR)
    filled = imaging.fill(picture, inside, fill)
    return (
        torch.from_numpy(filled),
        torch.from_numpy(imaging.denoise_mask(inside, strength, side)),
    )


@node("canvas.encode", title="Encode for inpainting")
def encode(
    run: RunContext, model: Model, vae: Vae, image: Image, mask: Mask, tiled: bool = False
) -> Encoded:
    """Encode a picture, and the masked picture for an inpainting model.

    Args:
        model: Whether it is an inpainting model decides whether the masked picture is encoded.
        vae: The model's own.
        image: Pictures whose sides the VAE's scale divides.
        mask: Where they may change.
        tiled: Process in tiles, for large pictures.

    Returns:
        latent: Of the picture.
        masked_image: Of the picture with the mask greyed out; for other models the latent again.
    """
    with run.use(vae) as loaded:
        latent = diffusion.encode(loaded, image, tiled=tiled, check=run.check)
        if not diffusion.facts(model).reads_mask:
            return Encoded(latent, latent)
        seen = diffusion.masked_picture(image, mask)
        return Encoded(latent, diffusion.encode(loaded, seen, tiled=tiled, check=run.check))
