"""Work on latents that needs no model."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import Latent, Range, node


@node("latent.upscale", title="Scale latent")
def upscale(
    latent: Latent,
    width: Annotated[int, Range(16, 16384, step=8)] = 512,
    height: Annotated[int, Range(16, 16384, step=8)] = 512,
    method: diffusion.Method = diffusion.Method.BILINEAR,
) -> Latent:
    """Scale a latent to another picture size; denoise it again afterwards.

    Args:
        latent: The latents.
        width: Pixels of the new picture.
        height: Pixels of the new picture.
        method: Interpolation.
    """
    return diffusion.upscale(latent, width, height, method)


@node("latent.scale_by", title="Scale latent by factor")
def scale_by(
    latent: Latent,
    factor: Annotated[float, Range(0.1, 16.0, step=0.25)] = 2.0,
    method: diffusion.Method = diffusion.Method.BICUBIC,
) -> Latent:
    """Scale a latent so many times, to the next whole cells; denoise it again afterwards.

    Args:
        latent: The latents.
        factor: Times its width and height.
        method: Interpolation.
    """
    cells = (max(1, round(side * factor / latent.scale)) for side in (latent.width, latent.height))
    width, height = (side * latent.scale for side in cells)
    return diffusion.upscale(latent, width, height, method)


@node("latent.blend")
def blend(
    first: Latent,
    second: Latent,
    weight: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5,
) -> Latent:
    """Mix two latents of the same size.

    Args:
        first: The latent kept at weight 0.
        second: The latent kept at weight 1.
        weight: How far to move from the first towards the second.
    """
    return diffusion.blend(first, second, weight)


@node("latent.repeat")
def repeat(latent: Latent, times: Annotated[int, Range(1, 64)] = 2) -> Latent:
    """Repeat the latents of a batch.

    Args:
        latent: The latents.
        times: How often each is there afterwards.
    """
    return diffusion.repeat(latent, times)
