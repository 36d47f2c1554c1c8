"""The inputs of the denoise loop: sizes checked, noise drawn, the first latent made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nodeforge.diffusion.adapters.controlnet import check_controls
from nodeforge.diffusion.denoising.edit_channels import check_picture, check_taken_apart
from nodeforge.diffusion.denoising.inpainting import (
    folded_mask,
    hard_mask,
    inpainting_channels,
    latent_mask,
)
from nodeforge.diffusion.samplers.pairs import Stepper
from nodeforge.diffusion.tensors.conditioning import ConditioningMismatchError, check_range
from nodeforge.diffusion.tensors.latents import LatentSizeError, check_size
from nodeforge.diffusion.tensors.noise import (
    DrawnNoise,
    draw_batch_noise,
    draw_noise,
    draw_varied_noise,
    seeds_of,
)
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.diffusion.text.references import check_references
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.errors import NodeForgeError
from nodeforge.models import FAMILIES, IDLE_IMAGE_GUIDANCE
from nodeforge.values import (
    Conditioning,
    Guidance,
    Latent,
    LatentMismatchError,
    Mask,
    Model,
    Noise,
    Sampler,
    Schedule,
    Tiling,
)
from nodeforge.values.latent import BCHW, BCL, BCTHW
from nodeforge.values.setting_names import COMFYUI


class DenoiseError(NodeForgeError):
    """Inputs with which the loop cannot run."""


@dataclass(frozen=True)
class Denoising:
    """What a denoise loop is asked to do.

    Args:
        model: The denoiser.
        positive: What is wanted.
        sampler: The rule that walks the schedule.
        schedule: The noise levels, and the share of them that is run.
        guidance: How the prompts are weighed.
        negative: What is not wanted; None is the empty prompt.
        noise: What the picture grows from; its size counts where there is no latent. `DrawnNoise`
            noise goes on with generators that the caller has used.
        latent: With noise, the picture to start from. Without noise it still holds the noise
            of step `start_at`, as clean + sigma * noise.
        mask: Where the latent may change, and in which share of the steps
            (`inpainting.DifferentialMask`). An inpainting model reads it, cut at one half, and
            keeps the latent, where there is one, as other models do.
        masked_image: What an inpainting model sees of the picture outside of the mask.
        start_at: First step, counted among the steps run.
        stop_at: The step before which to stop; None and numbers too large are the end.
    """

    model: Model
    positive: Conditioning
    sampler: Sampler
    schedule: Schedule
    guidance: Guidance
    negative: Conditioning | None = None
    noise: Noise | DrawnNoise | None = None
    latent: Latent | None = None
    mask: Mask | None = None
    masked_image: Latent | None = None
    start_at: int = 0
    stop_at: int | None = None


@dataclass(frozen=True)
class StepRange:
    """Whole steps of the full schedule: those run at this strength, and those of this task."""

    first: int
    steps: int
    start: int
    stop: int


@dataclass(frozen=True)
class Start:
    """The loop's start; tensors on its device.

    Args:
        x: The noisy latent before the first step, as the stepper scales it.
        drawn: Start noise and generators.
        frame: A latent of the result's family, scale, layout and size.
        mask: On the latent's cells, where there is something to keep.
        original: What comes back outside of the mask.
        channels: What an inpainting model reads beside x.
        tiles: Side and overlap of the tiles that the model works on, in cells; None is the
            whole at once.
    """

    x: Tensor
    drawn: DrawnNoise
    frame: Latent
    mask: Tensor | None = None
    original: Tensor | None = None
    channels: Tensor | None = None
    tiles: tuple[int, int] | None = None


def step_range(task: Denoising, stepper: Stepper) -> StepRange:
    """Which steps to run.

    Raises:
        DenoiseError: `start_at` and `stop_at` leave none.
    """
    first = stepper.first
    steps = stepper.steps - first
    stop = steps if task.stop_at is None else min(task.stop_at, steps)
    if not 0 <= task.start_at < stop:
        raise DenoiseError(
            f"no step lies between start at {task.start_at} and stop at {stop}.",
            way_out=f"{steps} steps are run: start before the stop, and below {steps}.",
        )
    start, end = first + task.start_at, first + stop
    cut = stepper.cut(start, end)
    if cut != (start, end):  # it divides the way anew
        return StepRange(0, stepper.steps, *cut)
    return StepRange(first, steps, start, end)


def check_numbers(latent: Latent, where: str) -> None:
    """Raise `DenoiseError` where a latent holds what is no number, which decodes to black."""
    if not bool(latent.samples.isfinite().all()):
        raise DenoiseError(
            f"the model answered with what is no number (NaN or infinite) in {where}.",
            place="port 'model'",
            way_out="Its file or a LoRA's may be damaged: try without LoRAs, or another copy. "
            "In half precision numbers may overflow: choose full precision in the preferences.",
        )


def check_alike(task: Denoising, facts: ModelFacts) -> None:
    """Raise unless prompts and latents belong to the model."""
    for name in ("positive", "negative"):
        conditioning: Conditioning | None = getattr(task, name)
        if conditioning and conditioning.family != facts.family:
            raise ConditioningMismatchError(
                f"encoded for {conditioning.family}, the model is {facts.family}.",
                place=f"port '{name}'",
                way_out="Encode the prompt with the text encoder that comes with the model.",
            )
        check_controls(conditioning, facts.family, f"port '{name}'")
        for prompt in conditioning.prompts if conditioning else ():
            count = len(prompt.references)
            variant = facts.variant or FAMILIES[facts.family].variant
            check_references(count, facts.family, variant, f"port '{name}'")
    for name in ("latent", "masked_image"):
        latent: Latent | None = getattr(task, name)
        if latent is None:
            continue
        if latent.layout != facts.layout:
            fact, way_out = _other_axes(latent, facts)
            raise LatentMismatchError(fact, place=f"port '{name}'", way_out=way_out)
        if latent.space != facts.space or latent.samples.shape[1] != facts.latent_channels:
            raise LatentMismatchError(
                f"the latent is of the space {latent.space}, the model's is {facts.space}.",
                place=f"port '{name}'",
                way_out="Encode the picture with the VAE that comes with the model.",
            )
    for window in (task.guidance, *task.guidance.others):
        if window.image_scale not in (None, 1.0) and not facts.reads_picture:
            fact, way_out = IDLE_IMAGE_GUIDANCE
            raise DenoiseError(fact, place="port 'guidance'", way_out=way_out)
        for each in (window, *window.perturbations):
            check_range(each.start, each.end)


def _other_axes(latent: Latent, facts: ModelFacts) -> tuple[str, str]:
    """What is wrong with a latent of another layout, and the way out."""
    if facts.layers:
        fact = "the latent is no picture with its layers, which this model makes."
        return fact, "Disconnect it; 'Encode instruction' shows the model what to take apart."
    names = {BCHW: "a picture", BCTHW: "a video", BCL: "a sound"}
    drawn = {BCHW: "pictures", BCTHW: "videos", BCL: "sounds"}[facts.layout]
    ways = {BCHW: "VAE encode", BCTHW: "Encode video", BCL: "Encode audio"}
    fact = f"the latent is of {names[latent.layout]}, the model makes {drawn}."
    return fact, f"Encode one with '{ways[facts.layout]}'."


def latent_size(task: Denoising, facts: ModelFacts) -> tuple[int, int]:
    """Height and width of the latent to be, in cells; 1 and the length for sounds.

    Raises:
        DenoiseError: there is neither noise nor a latent.
        LatentSizeError: the model has no picture of this size, or no sound of this length.
    """
    if task.noise is None and task.latent is None:
        raise DenoiseError(
            "there is neither noise nor a latent.", way_out="Connect one of the two ports."
        )
    if facts.cells:
        check_sound(task, facts)
        return 1, facts.cells_of(seconds_of(task, facts))
    if isinstance(task.noise, DrawnNoise):
        height, width = task.noise.start.shape[-2:]
    elif task.latent is not None:
        height, width = task.latent.samples.shape[-2:]
        check_size(width * facts.scale, height * facts.scale, facts.multiple)
    else:
        assert task.noise is not None
        wide, high = task.noise.width, task.noise.height
        assert wide is not None, "the loop has resolved it"
        assert high is not None, "the loop has resolved it"
        check_size(wide, high, facts.multiple)
        height, width = high // facts.scale, wide // facts.scale
    if task.model.tiling is None:
        _check_places(width, height, facts)
    return height, width


def _check_places(width: int, height: int, facts: ModelFacts) -> None:
    """Raise `LatentSizeError` where the denoiser has not as many places along a side."""
    if 0 < facts.most_cells < max(width, height):
        raise LatentSizeError(
            f"{width * facts.scale} × {height * facts.scale} pixels: this model has places for "
            f"{facts.most_cells * facts.scale} along a side.",
            way_out="Choose a smaller picture, or put 'Work in tiles' behind the model.",
        )


def check_sound(task: Denoising, facts: ModelFacts) -> None:
    """Raise unless the model has a sound of the length that is asked for.

    Raises:
        DenoiseError: something is connected that sounds do not take.
        LatentSizeError: it is none, or longer than the model's latents last; or the latent has
            another length than they.
    """
    for name in ("mask", "masked_image"):
        if getattr(task, name) is not None:
            raise DenoiseError(
                "a model of sounds takes no mask.", place=f"port '{name}'", way_out="Disconnect it."
            )
    if task.model.tiling is not None:
        raise DenoiseError(
            "a sound is not denoised in tiles.",
            place="port 'model'",
            way_out="Take the node for tiles away.",
        )
    seconds = seconds_of(task, facts)
    if not 0 < seconds <= facts.most_seconds:
        raise LatentSizeError(
            f"{seconds:g} seconds: this model's sounds last up to {facts.most_seconds:.1f}.",
            place="port 'noise'",
            way_out="Choose a length between these.",
        )
    latent, cells = task.latent, facts.cells_of(seconds)
    if latent is not None and latent.samples.shape[-1] != cells:
        raise LatentSizeError(
            f"the latent has {latent.samples.shape[-1]} cells, this model's have {cells}"
            + (f" for {seconds:g} seconds." if facts.fitted else "."),
            place="port 'latent'",
            way_out="Leave the noise's length empty, or trim the sound to that."
            if facts.fitted
            else "Encode the sound with the VAE that comes with the model.",
        )


def seconds_of(task: Denoising, facts: ModelFacts) -> float:
    """How long the sound is to be: as the noise says, else the latent, else the model's usual."""
    asked = task.noise.seconds if isinstance(task.noise, Noise) else None
    if asked is None and task.latent is not None:
        asked = task.latent.seconds or None
    return facts.usual_seconds or facts.most_seconds if asked is None else asked


def set_up(
    task: Denoising, facts: ModelFacts, stepper: Stepper, start: int, device: torch.device
) -> Start:
    """Draw the noise and make the first x; `stepper` then stands before step `start`.

    Raises:
        DenoiseError: an input is missing, or batches do not fit.
        LatentSizeError: the latent's scale does not divide the noise's size.
        SizeMismatchError: the mask has another size.
    """
    clean = task.latent
    drawn = _drawn(task, facts)
    batch = drawn.start.shape[0]
    samples = None if clean is None else _laid_out(_kept(clean.samples, task), batch, task, facts)
    stepper.prepare(start, drawn)
    seconds = seconds_of(task, facts) if facts.cells else 0.0
    frame = Latent(drawn.start, facts.space, facts.scale, facts.layout, facts.rate, seconds)
    mask = original = channels = None
    if facts.reads_picture:
        check_picture(task.positive, facts, frame)
    if facts.layers:
        check_taken_apart(task.positive, frame)
        if task.model.tiling is not None:
            raise DenoiseError(
                "layers are not denoised in tiles: each would see the whole picture.",
                place="port 'model'",
                way_out="Take the node for tiles away.",
            )
    if facts.reads_mask:
        channels = _channels(task, facts, frame, batch).to(device)
    elif task.mask is not None and (samples is None or task.noise is None):
        raise DenoiseError(
            "a mask needs a latent to keep and noise to change it with.",
            way_out="Connect both, or take the mask away.",
        )
    if task.mask is not None and samples is not None and task.noise is not None:
        mask, original = latent_mask(task.mask, frame).to(device), samples.to(device)
    x = _first_x(task, stepper, drawn, samples, start, device)
    return Start(x, drawn, frame, mask, original, channels, _tiles(task.model.tiling, frame))


def _tiles(tiling: Tiling | None, frame: Latent) -> tuple[int, int] | None:
    """In cells; a side is a multiple of 8, which denoisers halve up to three times.

    Raises:
        DenoiseError: neighbours would share the whole tile.
    """
    if tiling is None:
        return None
    side = max(8, tiling.size // frame.scale // 8 * 8)
    overlap = tiling.overlap // frame.scale
    if overlap >= side:
        raise DenoiseError(
            f"tiles of {side * frame.scale} pixels cannot share {tiling.overlap} pixels.",
            way_out="Make the overlap smaller; a quarter of the tile is usual.",
        )
    return (side, overlap) if max(frame.samples.shape[-2:]) > side else None


def _first_x(
    task: Denoising,
    stepper: Stepper,
    drawn: DrawnNoise,
    samples: Tensor | None,
    start: int,
    device: torch.device,
) -> Tensor:
    noise = drawn.start.to(device)
    if samples is None:
        clean = torch.zeros_like(noise)
        return stepper.add_noise(clean, noise) if start else stepper.pure_noise(noise)
    if task.noise is None:
        return stepper.from_sigmas(samples.contiguous().to(device))
    if task.sampler.convention == COMFYUI:
        return stepper.add_noise(samples.to(device), noise)
    if start == 0 and task.mask is not None:
        return stepper.pure_noise(noise)  # the whole schedule: what is inside starts from nothing
    return stepper.add_noise(samples.to(device), noise)


def _drawn(task: Denoising, facts: ModelFacts) -> DrawnNoise:
    """The noise, in the size of the latent where there is one."""
    if isinstance(task.noise, DrawnNoise):
        return task.noise
    together = task.sampler.convention == COMFYUI
    if task.latent is not None:
        batch, shape = _batch(task.noise, task.latent.batch), task.latent.samples.shape[1:]
    else:
        assert task.noise is not None, "latent_size has refused it"
        batch, shape = task.noise.batch, _shape_of(task.noise, task, facts)
    sound = FAMILIES[facts.family].sound
    time_first = facts.layers or (sound is not None and sound.time_first)
    if together or not time_first:
        return _noise_of(task.noise, batch, shape, together)
    drawn = _noise_of(task.noise, batch, (shape[1], shape[0], *shape[2:]), together)
    return replace(drawn, start=drawn.start.transpose(1, 2).contiguous())


def _shape_of(noise: Noise, task: Denoising, facts: ModelFacts) -> tuple[int, ...]:
    """Of one latent of the size that the noise says."""
    times = (_cells_of(noise, facts),) if "T" in facts.layout else ()
    sides = latent_size(task, facts)[1:] if facts.cells else latent_size(task, facts)
    return facts.latent_channels, *times, *sides


def _cells_of(noise: Noise, facts: ModelFacts) -> int:
    """Along time.

    Raises:
        LatentSizeError: the model has no video of so many frames, or there would be no layer.
    """
    frames, each = noise.frames or facts.frames, facts.frames_in_cell
    if facts.layers and frames < 2:
        raise LatentSizeError(
            "one frame is the whole picture, without a layer.",
            place="port 'noise'",
            way_out="Use 'Layers noise', which counts the layers alone.",
        )
    if (frames - 1) % each:
        near = max(0, round((frames - 1) / each)) * each + 1
        raise LatentSizeError(
            f"{frames} frames: this model's videos have one frame and a multiple of {each}.",
            place="port 'noise'",
            way_out=f"Use for instance {near}.",
        )
    return (frames - 1) // each + 1


def _noise_of(noise: Noise | None, batch: int, shape: Sequence[int], together: bool) -> DrawnNoise:
    """A seed an item, or one draw for all. Without noise, steps that draw begin at seed 0."""
    noise = noise or Noise(0, 0, 0)
    item = noise.item
    if item is not None and not 0 <= item < batch:
        raise DenoiseError(
            f"a batch of {batch} has no item {item}.",
            place="port 'noise'",
            way_out=f"Choose an item below {batch}, or none.",
        )
    if together:
        return draw_batch_noise(noise.seed, batch, shape, item=item, variations=noise.variations)
    if noise.variations:
        return draw_varied_noise(noise.seed, batch, noise.variations, shape, item=item)
    seeds = seeds_of(noise.seed, batch)
    return draw_noise(seeds if item is None else seeds[item : item + 1], shape)


def _kept(samples: Tensor, task: Denoising) -> Tensor:
    """The item of a latent's batch that the noise has chosen."""
    item = task.noise.item if isinstance(task.noise, Noise) else None
    return samples if item is None or samples.shape[0] == 1 else samples[item : item + 1]


def _batch(noise: Noise | None, batch: int) -> int:
    """How many items noise and a latent make together."""
    if noise is None:
        return batch
    if 1 not in (noise.batch, batch) and noise.batch != batch:
        raise DenoiseError(
            f"noise for {noise.batch} pictures, a latent of {batch}.",
            way_out="Make the batches equal, or one of them 1.",
        )
    return max(noise.batch, batch)


def _laid_out(samples: Tensor, batch: int, task: Denoising, facts: ModelFacts) -> Tensor:
    """Samples for each item, in memory as diffusers' pipelines have them.

    That decides the last bit: a convolution adds in another order. Image to image keeps the
    picture's order of axes; inpainting with Stable Diffusion repeats the latent, which loses it.
    """
    samples = samples.expand(batch, *samples.shape[1:]) if samples.shape[0] == 1 else samples
    repeats = task.mask is not None and facts.kind != FLOW
    plain = repeats or facts.layout != BCHW
    order = torch.contiguous_format if plain else torch.channels_last
    return samples.contiguous(memory_format=order)


def _channels(task: Denoising, facts: ModelFacts, frame: Latent, batch: int) -> Tensor:
    if task.mask is None or task.masked_image is None:
        raise DenoiseError(
            "this is an inpainting model: it needs a mask and the masked image.",
            way_out="Connect 'mask' and 'masked_image', or choose a model without inpainting.",
        )
    task.masked_image.check_like(frame)
    if facts.folds_mask:
        mask = folded_mask(task.mask, frame)
        return inpainting_channels(task.masked_image.samples, mask, batch)
    return inpainting_channels(hard_mask(task.mask, frame), task.masked_image.samples, batch)
