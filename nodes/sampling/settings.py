"""What the denoise loop is told: noise, sampler, schedule, guidance."""

from dataclasses import replace
from typing import Annotated

from nodeforge.api import (
    AUTO,
    Choice,
    Guidance,
    Noise,
    Range,
    RequestError,
    Sampler,
    Schedule,
    Seed,
    Upgrade,
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

_NAMED = (AUTO, *(name for name in SCHEDULES if name != "custom"))
_LABELS = {AUTO: "Auto"}
_WAS_SQUARE = Upgrade(set={"width": 256, "height": 256})
_WAS_DPMPP_2M = Upgrade(set={"name": "dpmpp_2m"})
_WAS_20_NORMAL = Upgrade(set={"name": "normal", "steps": 20})
_WAS_7 = Upgrade(set={"scale": 7.0})
"""What files of the version before meant where they gave nothing."""


@node(
    "sampling.noise",
    version=2,
    upgrade={1: _WAS_SQUARE},
    extent=("width", "height", "batch"),
)
def noise(
    seed: Annotated[int, Seed()] = 0,
    width: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    height: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    batch: Annotated[int, Range(1, 64)] = 1,
    variations: str = "",
    item: Annotated[int | None, Range(0, 63)] = None,
) -> Noise:
    """Choose the start noise.

    Args:
        seed: The first picture's; the next has the next seed. Where the sampler's convention is
            ComfyUI's, it is that of the whole batch, which is drawn at once.
        width: Pixels of the picture; a latent's size goes before it. Empty is the model's own.
        height: Pixels of the picture; a latent's size goes before it. Empty is the model's own.
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


@node("sampling.video_noise", title="Video noise", extent=("width", "height", "frames"))
def video_noise(
    seed: Annotated[int, Seed()] = 0,
    width: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    height: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    frames: Annotated[int | None, Range(1, 10000, auto=True)] = None,
) -> Noise:
    """Choose the start noise of a video.

    Args:
        seed: The clip's.
        width: Pixels of the frames; a latent's size goes before it. Empty is the model's own.
        height: Pixels of the frames; a latent's size goes before it. Empty is the model's own.
        frames: How many; a latent's number goes before it. Empty is the model's own.
    """
    return Noise(seed, width, height, frames=frames)


@node("sampling.layers_noise", title="Layers noise", extent=("width", "height", "layers"))
def layers_noise(
    seed: Annotated[int, Seed()] = 0,
    width: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    height: Annotated[int | None, Range(16, 16384, step=8, auto=True)] = None,
    layers: Annotated[int | None, Range(1, 64, auto=True)] = None,
) -> Noise:
    """Choose the start noise of the layers that Qwen-Image Layered takes a picture apart into.

    'Encode instruction' shows it the picture, 'VAE decode' gives the layers as pictures with alpha,
    the lowest first.

    Args:
        seed: The layers'.
        width: Pixels; empty is that of the picture that the prompt shows.
        height: Pixels; empty is that of the picture that the prompt shows.
        layers: How many; empty is the model's usual.
    """
    return Noise(seed, width, height, frames=None if layers is None else layers + 1)


@node("sampling.audio_noise", title="Audio noise", extent=("batch",))
def audio_noise(
    seed: Annotated[int, Seed()] = 0,
    seconds: Annotated[float | None, Range(0.1, 600.0, step=1.0, auto=True)] = None,
    batch: Annotated[int, Range(1, 64)] = 1,
) -> Noise:
    """Choose the start noise of a sound.

    Args:
        seed: The first sound's; the next has the next seed.
        seconds: How long; it goes before a latent's length. Empty is the latent's, else the most
            that the model has.
        batch: Sounds at once.
    """
    return Noise(seed, batch=batch, seconds=seconds)


@node("sampling.sampler", version=2, upgrade={1: _WAS_DPMPP_2M})
def sampler(
    name: Annotated[str, Choice(AUTO, *SAMPLERS, labels={**SAMPLER_LABELS, **_LABELS})] = AUTO,
    eta: Annotated[float | None, Range(0.0, 1.0, step=0.05)] = None,
    convention: Annotated[str, Choice(*CONVENTIONS, labels=CONVENTION_LABELS)] = "diffusers",
) -> Sampler:
    """Choose the sampler.

    Args:
        name: The sampler's name; auto is the model's usual.
        eta: Share of fresh noise in each step, for samplers that have one; empty is their own.
        convention: Whose numbers the whole loop follows, from the start noise to the batch:
            those of diffusers' pipelines, or ComfyUI's, for the picture that it makes.
    """
    return Sampler(name, eta, convention)


@node(
    "sampling.schedule",
    version=2,
    upgrade={1: _WAS_20_NORMAL},
    steps=("steps", "strength"),
)
def schedule(
    name: Annotated[str, Choice(*_NAMED, labels={**SCHEDULE_LABELS, **_LABELS})] = AUTO,
    steps: Annotated[int | None, Range(1, 1000, auto=True)] = None,
    strength: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    rho: Annotated[float | None, Range(0.1, 20.0, step=0.5)] = None,
) -> Schedule:
    """Choose the noise schedule.

    Args:
        name: How noise levels are spaced; auto is the model's usual.
        steps: Steps from pure noise to the picture; empty is the model's usual.
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


@node("sampling.guidance", version=2, upgrade={1: _WAS_7})
def guidance(
    scale: Annotated[
        float | None, Range(0.0, 100.0, step=0.5, auto=True, soft_maximum=20.0)
    ] = None,
    rescale: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    start: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.0,
    end: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    true_scale: Annotated[float | None, Range(1.0, 100.0, step=0.5, soft_maximum=20.0)] = None,
) -> Guidance:
    """Choose how strictly the prompt is followed.

    Args:
        scale: Weight of the prompt against the negative prompt; 1 is none, and twice as fast.
            Models that were distilled with guidance, as Flux.1 dev, read it themselves. Empty is
            the model's usual.
        rescale: How far to pull back contrast that a high scale makes too strong.
        start: Share of the steps after which guidance begins.
        end: Share of the steps after which guidance ends.
        true_scale: Weight against the negative prompt with models that read `scale` themselves;
            empty and 1 are none. Each step takes twice as long.
    """
    return Guidance(scale, rescale, start, end, true_scale=true_scale)


@node("sampling.combine_guidance", title="Combine guidance")
def combine_guidance(first: Guidance, second: Guidance) -> Guidance:
    """Use one guidance, and another during the steps in which the first does not act.

    Args:
        first: The guidance that goes first where both act.
        second: The guidance for the other steps.
    """
    others = (*first.others, replace(second, others=()), *second.others)
    return replace(first, others=others)
