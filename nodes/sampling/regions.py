"""The detail pass: parts of a picture denoised at the model's size."""

from typing import Annotated

import torch

from nodeforge import diffusion, imaging
from nodeforge.api import (
    AUTO,
    Conditioning,
    Guidance,
    Image,
    Mask,
    Model,
    Noise,
    Range,
    RunContext,
    Sampler,
    Schedule,
    Seed,
    Vae,
    node,
)


@node("sampling.refine_regions", title="Refine regions")
def refine_regions(
    run: RunContext,
    model: Model,
    vae: Vae,
    positive: Conditioning,
    image: Image,
    mask: Mask,
    sampler: Sampler | None = None,
    schedule: Schedule | None = None,
    guidance: Guidance | None = None,
    negative: Conditioning | None = None,
    seed: Annotated[int, Seed()] = 0,
    size: Annotated[int | None, Range(64, 4096, step=64)] = None,
    context: Annotated[float, Range(0.0, 4.0, step=0.05)] = 0.5,
    feather: Annotated[int, Range(0, 512)] = 8,
    match_colour: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    least_area: Annotated[int, Range(1, 2**26)] = 64,
    most: Annotated[int, Range(1, 64)] = 8,
    order: imaging.PartOrder = imaging.PartOrder.LARGEST,
) -> Image:
    """Add detail to each part of a mask: crop around it, denoise at the model's size, put back.

    Parts are what of the mask hangs together. Every pixel where it is 0 stays as it was, bit for
    bit; an empty mask changes nothing and runs no model. For a prompt of its own for each part,
    link *Part of mask*, and one of these nodes behind another.

    Args:
        model: The denoiser.
        vae: The model's own.
        positive: What the parts should show.
        image: The pictures.
        mask: Where they may change.
        sampler: The sampler; nothing is the model's usual.
        schedule: The noise schedule; nothing is the model's usual at a strength of 0.5.
        guidance: How strictly the prompt is followed; nothing is the model's usual.
        negative: What the parts should not show; nothing is the empty prompt.
        seed: Of the first part's noise; each next part has the next seed.
        size: Side of a square with as many pixels as the model sees; empty is its own.
        context: What is seen around a part, as a share of its size.
        feather: Pixels over which a part fades in, inside of its mask.
        match_colour: How far to take out the drift of colour that shows around a part.
        least_area: Pixels; smaller parts stay as they are.
        most: How many parts are refined.
        order: Which come first.
    """
    mask.check_fits(image)
    task = diffusion.Denoising(
        model,
        positive,
        sampler or Sampler(AUTO),
        schedule or Schedule(AUTO, None, strength=0.5),
        guidance or Guidance(None),
        negative=negative,
        noise=Noise(seed),
    )
    how = diffusion.Detailing(size, context, feather, match_colour)

    def fell_back() -> None:
        run.fell_back("memory did not suffice, so a part was decoded in tiles.")

    def refined(pixels: imaging.Pixels, values: imaging.Pixels) -> imaging.Pixels:
        parts = imaging.parts(values, least_area, most, order)
        return diffusion.refine_parts(run, task, vae, pixels, parts, how, fell_back)

    return Image(torch.from_numpy(imaging.each(refined, image.pixels.numpy(), mask.values.numpy())))
