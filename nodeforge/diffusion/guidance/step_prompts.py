"""Which prompts and which guidance are active in a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nodeforge.diffusion.adapters.controlnet import active_controls, same_control
from nodeforge.diffusion.adapters.image_prompts import active_images, same_image
from nodeforge.diffusion.tensors.conditioning import is_active, prompt_is_active, with_rest
from nodeforge.values import Conditioning, Guidance, Latent, Prompt

_NONE = Guidance(1.0)


@dataclass(frozen=True)
class StepPrompts:
    """What is active in one step. When else it is active is no part of it.

    Args:
        positive: At least one prompt, with its controls and image prompts that are active.
        negative: Empty where no guidance is active.
        guidance: Without its window, and without what changes nothing in this step.
        zero_prediction: The network is not called and predicts 0: CFG-Zero*'s first steps.
        empty: The encoder's empty chunk, where it lengthens the shorter of two prompts.
    """

    positive: tuple[Prompt, ...]
    negative: tuple[Prompt, ...] = ()
    guidance: Guidance = _NONE
    zero_prediction: bool = False
    empty: Tensor | None = None

    @property
    def unreferenced(self) -> tuple[Prompt, ...]:
        """The negative prompts with nothing for the picture to edit, where image guidance acts."""
        if not image_guided(self.guidance):
            return ()
        return tuple(
            replace(prompt, references=tuple(map(_nothing, prompt.references)))
            for prompt in self.negative
        )

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """As diffusers' pipelines order them: negative prompts first, with image guidance last."""
        if unreferenced := self.unreferenced:
            return *self.positive, *self.negative, *unreferenced
        return *self.negative, *self.positive


def image_guided(guidance: Guidance) -> bool:
    """Whether what the model predicts without the picture to edit is asked for."""
    return guidance.image_scale not in (None, 1.0)


def prompts_of_step(
    positive: Conditioning,
    negative: Conditioning | None,
    guidance: Guidance,
    step: int,
    steps: int,
    *,
    both: bool = False,
) -> StepPrompts:
    """What is active in whole step `step` of the `steps` run.

    When and where no prompt is active, the empty prompt is. At scale 1, and outside of the
    guidance's window, the negative prompts are not evaluated unless `both` are asked for.
    """
    prompts = _prompts(positive, negative, guidance, step, steps, both)
    lengths = {prompt.embedding.shape[1] for prompt in prompts.prompts}
    return replace(prompts, empty=positive.empty) if len(lengths) > 1 else prompts


def _prompts(
    positive: Conditioning,
    negative: Conditioning | None,
    guidance: Guidance,
    step: int,
    steps: int,
    both: bool,
) -> StepPrompts:
    wanted = _active(positive, step, steps)
    windows = (guidance, *guidance.others)
    now = next((each for each in windows if is_active(each.start, each.end, step, steps)), None)
    if now is None and both:
        now = _NONE
    if now is None:
        return StepPrompts(wanted)
    zero = now.zero_star is not None and step < now.zero_star.steps
    now = _active_guidance(now, step, steps)
    if now.scale == 1 and not both and not image_guided(now):
        return StepPrompts(wanted, (), now, zero)
    unwanted = _active(negative, step, steps) if negative else (positive.empty_prompt,)
    unwanted = tuple(_with_controls_of(wanted, prompt) for prompt in unwanted)
    return StepPrompts(wanted, unwanted, now, zero)


def _active_guidance(guidance: Guidance, step: int, steps: int) -> Guidance:
    perturbations = tuple(
        replace(each, start=0.0, end=1.0)
        for each in guidance.perturbations
        if each.scale != 0 and is_active(each.start, each.end, step, steps)
    )
    if guidance.scale == 1 and not image_guided(guidance):
        rescale = guidance.rescale if perturbations else 0.0
        return Guidance(1.0, rescale, perturbations=perturbations)
    zero_star = guidance.zero_star and replace(guidance.zero_star, steps=0)
    return replace(
        guidance, start=0.0, end=1.0, others=(), zero_star=zero_star, perturbations=perturbations
    )


def _nothing(latent: Latent) -> Latent:
    """A latent of zeros, which edit models were trained to see where there is no picture."""
    return replace(latent, samples=torch.zeros_like(latent.samples))


def _active(conditioning: Conditioning, step: int, steps: int) -> tuple[Prompt, ...]:
    prompts = tuple(
        _in_step(prompt, step, steps)
        for prompt in conditioning.prompts
        if prompt_is_active(prompt, step, steps)
    )
    if not prompts:
        return (conditioning.empty_prompt,)
    return with_rest(prompts, _with_controls_of(prompts, conditioning.empty_prompt))


def _in_step(prompt: Prompt, step: int, steps: int) -> Prompt:
    """`prompt` without its ranges, and with the controls and images that are active."""
    return replace(
        prompt,
        start=0.0,
        end=1.0,
        turn=(0, 1),
        steps=(0, None),
        controls=active_controls(prompt, step, steps),
        images=active_images(prompt, step, steps),
    )


def _with_controls_of(others: Sequence[Prompt], prompt: Prompt) -> Prompt:
    """A prompt without controls or references of its own takes those of `others`.

    Where they have image prompts and it has none, it gets as many empty ones.
    """
    controls = {same_control(control): control for o in others for control in o.controls}
    images = {same_image(image): image for other in others for image in other.images}
    if controls and not prompt.controls:
        prompt = replace(prompt, controls=tuple(controls.values()))
    if images and not prompt.images:
        empty = tuple(replace(each, embedding=each.negative_embedding) for each in images.values())
        prompt = replace(prompt, images=empty)
    if not prompt.references:
        references = next((other.references for other in others if other.references), ())
        prompt = replace(prompt, references=references)
    return prompt
