"""Between pictures and latents."""

from typing import Annotated

import torch

from nodeforge import diffusion, imaging
from nodeforge.api import Image, Latent, Mask, Range, RunContext, Vae, node


@node("latent.encode", version=2, title="VAE encode")
def encode(
    run: RunContext, vae: Vae, image: Image, tiled: bool = False, crop: bool = False
) -> Latent:
    """Encode pictures to latents.

    Args:
        vae: The model's own.
        image: Pictures whose sides the VAE's scale divides; transparency is left out.
        tiled: Process in tiles, for large pictures.
        crop: Crop other pictures in the middle to sides that it divides, instead of stopping.
    """
    with run.use(vae) as loaded:
        if crop:
            image = _cropped(image, loaded.scale)
        return diffusion.encode(loaded, image, tiled=tiled, check=run.check)


def _cropped(image: Image, multiple: int) -> Image:
    pixels = imaging.each(lambda p: imaging.crop_to_multiple(p, multiple), image.pixels.numpy())
    return Image(torch.from_numpy(pixels))


@node("latent.decode", title="VAE decode")
def decode(run: RunContext, vae: Vae, latent: Latent, tiled: bool = False) -> Image:
    """Decode latents to pictures.

    Args:
        vae: The model's own.
        latent: The latents.
        tiled: Process in tiles, for large pictures.
    """

    def fell_back() -> None:
        run.fell_back("memory did not suffice, so the latent was decoded in tiles.")

    with run.use(vae) as loaded:
        return diffusion.decode(loaded, latent, tiled=tiled, check=run.check, fell_back=fell_back)


@node("latent.empty", title="Empty latent", extent=("width", "height", "batch"))
def empty(
    vae: Vae,
    width: Annotated[int, Range(16, 16384, step=8)] = 256,
    height: Annotated[int, Range(16, 16384, step=8)] = 256,
    batch: Annotated[int, Range(1, 64)] = 1,
) -> Latent:
    """Create a latent of zeros.

    Args:
        vae: Whose latents to make.
        width: Pixels of the picture.
        height: Pixels of the picture.
        batch: Pictures at once.
    """
    channels, scale = diffusion.vae_layout(vae)
    return diffusion.empty(vae.space, channels, scale, width, height, batch)


@node("latent.masked_picture", version=2, title="Masked picture")
def masked_picture(image: Image, mask: Mask) -> Image:
    """Grey out the masked area, as inpainting models expect it; encode it afterwards.

    Args:
        image: The picture.
        mask: Where it may change.
    """
    return diffusion.masked_picture(image, mask)
