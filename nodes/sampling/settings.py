"""What the denoise loop is told: noise, sampler, schedule, guidance."""

from dataclasses import replace
from typing import Annotated

from nodeforge.api import (
    Choice,
    Guidance,
    Noise,
    Range,
    RequestError,
    Sampler,
    Schedule,
    Seed,
    node,
)
from nodeforge.diffusion import (
    CONVENTION_LABELS,
    CONVENTIONS,
    SAMPLER_LABELS,
    SAMPLERS,
    SCHEDULE_LABELS,
    SCHEDULES,
    parse_sigmas,
    parse_variations,
)

_NAMED = tuple(name for name in SCHEDULES if name != "custom")


@node("sampling.noise")
def noise(
    seed: Annotated[int, Seed()] = 0,
    width: Annotated[int, Range(16, 16384, step=8)] = 256,
    height: Annotated[int, Range(16, 16384, step=8)] = 256,
    batch: Annotated[int, Range(1, 64)] = 1,
    variations: str = "",
    item: Annotated[int | None, Range(0, 63)] = None,
) -> Noise:
    """Choose the start noise.

    Args:
        seed: The first picture's; the next has the next seed. Where the sampler's convention is
            ComfyUI's, it is that of the whole batch, which is drawn at once.
        width: Pixels of the picture; a latent's size goes before it.
        height: Pixels of the picture; a latent's size goes before it.
        batch: Pictures at once.
        variations: Other seeds blended into the first, each with a share of 0 to 1, as
            12:0.3, 7:0.1; the pictures then differ by the last of these.
        item: Make this picture of the batch alone, counted from 0; empty makes all.
    """
    if item is not None and item >= batch:
        raise RequestError(
            f"a batch of {batch} has no picture {item}.",
            place="port 'item'",
            way_out=f"Choose less than {batch}, or raise the batch.",
        )
    return Noise(seed, width, height, batch, parse_variations(variations), item)


@node("sampling.sampler")
def sampler(
    name: Annotated[str, Choice(*SAMPLERS, labels=SAMPLER_LABELS)] = "dpmpp_2m",
    eta: Annotated[float | None, Range(0.0, 1.0, step=0.05)] = None,
    convention: Annotated[str, Choice(*CONVENTIONS, labels=CONVENTION_LABELS)] = "diffusers",
) -> Sampler:
    """Choose the sampler.

    Args:
        name: The sampler's name.
        eta: Share of fresh noise in each step, for samplers that have one; empty is their own.
        convention: Whose numbers the whole loop follows, from the start noise to the batch:
            those of diffusers' pipelines, or ComfyUI's, for the picture that it makes.
    """
    return Sampler(name, eta, convention)


@node("sampling.schedule")
def schedule(
    name: Annotated[str, Choice(*_NAMED, labels=SCHEDULE_LABELS)] = "normal",
    steps: Annotated[int, Range(1, 1000)] = 20,
    strength: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    rho: Annotated[float | None, Range(0.1, 20.0, step=0.5)] = None,
) -> Schedule:
    """Choose the noise schedule.

    Args:
        name: How noise levels are spaced.
        steps: Steps from pure noise to the picture.
        strength: Share of the steps that is run, from the end: lower keeps more of a picture.
        rho: How far karras and polyexponential bend; empty is their own, 7 and 1.
    """
    return Schedule(name, steps, strength, rho=rho)


@node("sampling.custom_schedule", title="Custom schedule")
def custom_schedule(sigmas: str = "14.6, 6.5, 2.9, 1.2, 0.4, 0") -> Schedule:
    """Set the noise levels (sigmas) directly.

    Args:
        sigmas: Decreasing numbers, the last one 0.
    """
    levels = parse_sigmas(sigmas)
    return Schedule("custom", len(levels) - 1, sigmas=levels)


@node("sampling.guidance")
def guidance(
    scale: Annotated[float, Range(0.0, 100.0, step=0.5)] = 7.0,
    rescale: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Guidance:
    """Choose how strictly the prompt is followed.

    Args:
        scale: Weight of the prompt against the negative prompt; 1 is none, and twice as fast.
        rescale: How far to pull back contrast that a high scale makes too strong.
        start: Share of the steps after which guidance begins.
        end: Share of the steps after which guidance ends.
    """
    return Guidance(scale, rescale, start, end)


@node("sampling.combine_guidance", title="Combine guidance")
def combine_guidance(first: Guidance, second: Guidance) -> Guidance:
    """Use one guidance, and another during the steps in which the first does not act.

    Args:
        first: The guidance that goes first where both act.
        second: The guidance for the other steps.
    """
    others = (*first.others, replace(second, others=()), *second.others)
    return replace(first, others=others)
