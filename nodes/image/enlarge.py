"""Enlarging pictures by a network that was trained for it."""

from pathlib import Path
from typing import Annotated

from nodeforge import diffusion, imaging
from nodeforge.api import Image, ModelFile, Range, RunContext, UpscaleModel, node

from .arrays import mapped


@node("image.load_upscaler", title="Load upscaler")
def load_upscaler(file: Annotated[Path, ModelFile("upscaler")]) -> UpscaleModel:
    """Load an upscaler: a network that enlarges pictures, as ESRGAN.

    ESRGAN and Real-ESRGAN, compact ones too, are built in; others, as SPAN, SwinIR, DAT and HAT,
    need the package spandrel.

    Args:
        file: The upscaler.
    """
    return diffusion.describe_upscaler(file)


@node("image.enlarge", title="Enlarge by model")
def enlarge(
    run: RunContext,
    image: Image,
    upscale_model: UpscaleModel,
    factor: Annotated[float, Range(0.0, 16.0, step=0.25)] = 0.0,
    width: Annotated[int, Range(0, 16384)] = 0,
    height: Annotated[int, Range(0, 16384)] = 0,
    tile: Annotated[int, Range(0, 4096, step=64)] = 0,
) -> Image:
    """Enlarge pictures by an upscaler, tile by tile; Lanczos does what it leaves.

    Alpha is enlarged by Lanczos.

    Args:
        image: The pictures.
        upscale_model: The upscaler.
        factor: Times their width and height; 0 is the upscaler's own.
        width: Pixels; 0 follows from the height. With a size, the factor does not count.
        height: Pixels; 0 follows from the width.
        tile: Side of the tiles, pixels; 0 is 256 on a processor and 512 on a card. Smaller ones
            need less memory.
    """
    sides = (image.width, image.height)
    wide, high = (max(1, round(side * factor)) for side in sides)
    if width or height:
        wide, high = imaging.in_proportion(sides, width, height)

    def fell_back() -> None:
        run.fell_back("memory did not suffice, so the picture was enlarged in smaller tiles.")

    with run.use(upscale_model) as loaded:
        made = diffusion.enlarge(
            loaded, image, tile=tile, progress=run.progress, fell_back=fell_back
        )
    if not (factor or width or height) or (wide, high) == (made.width, made.height):
        return made
    return mapped(lambda pixels: imaging.resize(pixels, wide, high), made)
