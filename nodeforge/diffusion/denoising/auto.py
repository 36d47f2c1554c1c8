"""Settings that a task leaves to its model."""

from __future__ import annotations

from dataclasses import replace

from nodeforge.diffusion.denoising.setup import Denoising, seconds_of
from nodeforge.diffusion.tensors.noise import DrawnNoise
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.models import FAMILIES, SamplingSettings, resolve
from nodeforge.values import Guidance, Noise
from nodeforge.values.setting_names import COMFYUI

_CUSTOM = "custom"
"""The schedule of given noise levels."""


def settings_of(task: Denoising, facts: ModelFacts) -> SamplingSettings:
    """All settings of a task, those that it leaves to the model resolved."""
    noise = task.noise if isinstance(task.noise, Noise) else None
    references = (each for prompt in task.positive.prompts for each in prompt.references)
    latent = task.latent if not facts.cells else None
    width = latent.width if latent else noise.width if noise else None
    height = latent.height if latent else noise.height if noise else None
    if width is None and height is None and (first := next(references, None)) is not None:
        width, height = first.width, first.height
    asked = SamplingSettings(
        sampler=task.sampler.name,
        schedule=task.schedule.name,
        steps=task.schedule.steps,
        guidance=task.guidance.scale,
        image_guidance=task.guidance.image_scale,
        width=width,
        height=height,
        convention=task.sampler.convention,
    )
    return resolve(asked, facts.family, facts.variant, facts.kind)


def resolved(task: Denoising, facts: ModelFacts) -> Denoising:
    """`task` with nothing left to the model; step keys are made of this one."""
    made = settings_of(task, facts)
    family = FAMILIES[facts.family]
    plain = task.sampler.convention == COMFYUI
    usual = None if plain else family.projection
    usual_norm = None if plain else family.guidance_norm

    def with_scale(each: Guidance) -> Guidance:
        scale = made.guidance if each.scale is None else each.scale
        image_scale = made.image_guidance if each.image_scale is None else each.image_scale
        projection = each.projection or usual
        return replace(
            each,
            scale=scale,
            image_scale=image_scale,
            projection=projection,
            norm=each.norm or usual_norm,
        )

    noise = task.noise
    if noise is not None and not isinstance(noise, DrawnNoise):
        noise = replace(noise, width=made.width, height=made.height)
        if "T" in facts.layout and noise.frames is None:
            noise = replace(noise, frames=facts.frames)
        if facts.cells and noise.seconds is None:
            noise = replace(noise, seconds=seconds_of(task, facts))
    return replace(
        task,
        sampler=replace(task.sampler, name=made.sampler),
        schedule=replace(
            task.schedule,
            name=made.schedule,
            steps=made.steps,
            sigmas=task.schedule.sigmas or family.recommended_for(facts.variant).sigmas
            if made.schedule == _CUSTOM
            else task.schedule.sigmas,
        ),
        guidance=task.guidance.each(with_scale),
        noise=noise,
    )
