"""Which participants a denoising task has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from nodeforge.diffusion.adapters.controlnet import ControlNets
from nodeforge.diffusion.adapters.image_prompts import ImagePrompts
from nodeforge.diffusion.adapters.lora import LoraWeights
from nodeforge.diffusion.adapters.motion import MotionModules
from nodeforge.diffusion.denoising.context_windows import ContextWindows
from nodeforge.diffusion.denoising.edit_channels import EditChannels
from nodeforge.diffusion.denoising.guidance_embedding import (
    EmbeddedGuidance,
    beside_embedded,
    embedded_scale,
)
from nodeforge.diffusion.denoising.inpainting import (
    DifferentialMask,
    GivenFrames,
    InpaintingChannels,
)
from nodeforge.diffusion.denoising.next_timestep import NextTimestep
from nodeforge.diffusion.denoising.prefill import Prefill
from nodeforge.diffusion.denoising.setup import Denoising, Start, StepRange
from nodeforge.diffusion.denoising.step_cache import cached_blocks
from nodeforge.diffusion.denoising.tiled import TileProgress, Tiles
from nodeforge.diffusion.families import Behaviour
from nodeforge.diffusion.guidance.classifier_free import GuidedPrompts
from nodeforge.diffusion.guidance.formulas import scale_of
from nodeforge.diffusion.guidance.freeu import FreeUnet
from nodeforge.diffusion.guidance.perturbed_attention import PerturbedNetwork
from nodeforge.diffusion.guidance.step_prompts import StepPrompts, prompts_of_step
from nodeforge.diffusion.participants import Host, Participant
from nodeforge.diffusion.samplers.stepper import NegativePrediction, Stepper
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import FAMILIES, GuidanceKind
from nodeforge.values import Prompt


def chosen_participants(
    host: Host,
    task: Denoising,
    facts: ModelFacts,
    family: Behaviour,
    config: Mapping[str, Any],
    start: Start,
    steps: StepRange,
    stepper: Stepper,
) -> list[Participant]:
    """All that takes part in a run, in the order in which they wrap each other.

    Those that may be active in some steps alone are always there, so that runs share the keys
    of the steps in which nothing is active.

    Args:
        stepper: The sampler on the schedule; it may read the negative prompt's prediction.
    """
    negative = stepper.negative
    kind = str(config.get("prediction_type", "epsilon"))
    embedding = embedded_scale(scale_of(task.guidance), facts)
    task = replace(task, guidance=task.guidance.each(lambda each: beside_embedded(each, facts)))
    low_noise = _low_noise(task, config)
    both = negative is not None or (low_noise is not None and low_noise[1] != 1)
    prompts = _prompts(task, steps, both)
    chosen = [
        *_always(host, prompts, family, kind, start, facts, negative, low_noise),
        LoraWeights(task.model.loras),
    ]
    if (freeu := task.model.freeu) and not freeu.neutral:
        chosen.append(FreeUnet(freeu))
    chosen += cached_blocks(task.model.step_cache, facts, steps)
    if facts.kv_cache:
        chosen.append(Prefill(family))
    if embedding is not None:
        chosen.append(EmbeddedGuidance(embedding))
    if facts.is_flow_map:
        chosen.append(NextTimestep(tuple(stepper.timesteps[steps.start + 1 : steps.stop + 1])))
    if start.channels is not None:
        chosen.append(InpaintingChannels(start.channels))
    if facts.reads_picture:
        chosen.append(EditChannels())
    if start.tiles is not None:
        count = steps.stop - steps.start
        progress = TileProgress(lambda step, share: host.progress(step, count, part=share))
        chosen.append(Tiles(*start.tiles, progress))
    if task.model.motion is not None:
        motion = task.model.motion
        chosen += [MotionModules(motion), ContextWindows(motion.context, motion.overlap)]
    if start.mask is not None and start.original is not None:
        noise = start.drawn.start.to(start.original.device)
        first = steps.start - steps.first
        mask = DifferentialMask(start.original, noise, start.mask, first, steps.steps, kind)
        if FAMILIES[facts.family].sees_clean_frames:
            mask = GivenFrames(start.original, (start.mask >= 0.5).float())
        chosen.append(mask)
    return sorted(chosen, key=lambda each: each.order)


def _low_noise(task: Denoising, config: Mapping[str, Any]) -> tuple[float, float] | None:
    """The timestep from which the low-noise expert draws, and its guidance scale."""
    expert, scale = task.model.low_noise, task.guidance.low_noise_scale
    if expert is None or scale is None:
        return None
    return expert.boundary * config.get("num_train_timesteps", 1000), scale


def _prompts(task: Denoising, steps: StepRange, both: bool) -> tuple[StepPrompts, ...]:
    return tuple(
        prompts_of_step(
            task.positive,
            task.negative,
            task.guidance,
            step - steps.first,
            steps.steps,
            both=both,
        )
        for step in range(steps.start, steps.stop)
    )


def _always(
    host: Host,
    prompts: Sequence[StepPrompts],
    family: Behaviour,
    kind: str,
    start: Start,
    facts: ModelFacts,
    negative: NegativePrediction | None,
    low_noise: tuple[float, float] | None,
) -> list[Participant]:
    frame = start.frame

    def added_values(prompt: Prompt, wanted: bool) -> Tensor | None:
        return family.added_conditions(prompt.added_conditions, frame, wanted)

    images = tuple(tuple(i for p in each.prompts for i in p.images) for each in prompts)
    controls = tuple(tuple(c for p in each.prompts for c in p.controls) for each in prompts)
    perturbations = tuple(each.guidance.perturbations for each in prompts)
    return [
        ImagePrompts(images),
        PerturbedNetwork(perturbations),
        ControlNets(controls, frame.width, frame.height, frame.scale, host.check),
        GuidedPrompts(
            tuple(prompts),
            kind,
            added_values,
            negative,
            apart=facts.guidance is not GuidanceKind.CFG,
            from_positive=facts.guides_from_positive,
            low_noise=low_noise,
        ),
    ]
