"""How a picture will look, before all of its steps are run."""

from typing import Annotated

from nodeforge import diffusion
from nodeforge.api import (
    AUTO,
    Conditioning,
    Guidance,
    Latent,
    Mask,
    Model,
    Noise,
    Range,
    RunContext,
    Sampler,
    Schedule,
    node,
)


@node("sampling.estimate", title="Clean estimate")
def estimate(
    run: RunContext,
    model: Model,
    positive: Conditioning,
    sampler: Sampler | None = None,
    schedule: Schedule | None = None,
    guidance: Guidance | None = None,
    negative: Conditioning | None = None,
    noise: Noise | None = None,
    latent: Latent | None = None,
    mask: Mask | None = None,
    masked_image: Latent | None = None,
    start_at: Annotated[int, Range(0, 1000)] = 0,
    stop_at: Annotated[int | None, Range(1, 1000)] = None,
    until: Annotated[float, Range(0.01, 1.0, step=0.05)] = 0.3,
) -> Latent:
    """Run the first steps of what *Denoise* would run, and give the clean estimate they end with.

    *Denoise* with the same inputs goes on from there: the steps are not run twice.

    Args:
        model: The denoiser.
        positive: What the picture should show.
        sampler: The sampler; nothing is the model's usual.
        schedule: The noise schedule; nothing is the model's usual, with its usual steps.
        guidance: How strictly the prompt is followed; nothing is the model's usual.
        negative: What the picture should not show; nothing is the empty prompt.
        noise: The start noise.
        latent: The picture to start from.
        mask: Where the picture may change; grey in that share of the steps, the last ones.
        masked_image: The encoded masked picture for an inpainting model; other models ignore it.
        start_at: First step, counted among the steps run.
        stop_at: The step before which *Denoise* would stop; empty is the end.
        until: The share of those steps that is run, rounded up to a whole step.
    """
    task = diffusion.Denoising(
        model,
        positive,
        sampler or Sampler(AUTO),
        schedule or Schedule(AUTO, None),
        guidance or Guidance(None),
        negative=negative,
        noise=noise,
        latent=latent,
        mask=mask,
        masked_image=masked_image,
        start_at=start_at,
        stop_at=stop_at,
    )
    return diffusion.estimate(run, task, until)
