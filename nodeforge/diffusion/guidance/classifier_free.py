"""Classifier-free guidance: a prediction for each prompt, and one made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.diffusion.adapters.controlnet import same_control
from nodeforge.diffusion.guidance.formulas import GuidanceState, Predictions, apply_guidance
from nodeforge.diffusion.guidance.step_prompts import StepPrompts
from nodeforge.diffusion.participants import (
    BY_STEP,
    ImagePromptBatch,
    ModelCall,
    Order,
    Participant,
    Predict,
    PromptBatch,
    participant,
)
from nodeforge.diffusion.samplers.stepper import NegativePrediction
from nodeforge.diffusion.tensors.conditioning import lengthened, padded
from nodeforge.diffusion.tensors.prediction import Clean, as_noised
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs, concatenated
from nodeforge.values import ImagePrompt, Prompt, counted_if_not, uncounted

AT_ONCE = 2
"""Prompts that go through the network together, as diffusers' pipelines do with two.

Those of InstructPix2Pix do with three: prompt, negative prompt, negative prompt without picture.
"""

AddedValues = Callable[[Prompt, bool], Tensor | None]
"""From a prompt, and whether it is positive, to what the network is given beside the text."""


def _none(prompt: Prompt, wanted: bool) -> None:
    return None


@participant(order=Order.GUIDANCE)
class GuidedPrompts(Participant):
    """Asks the network for each prompt of a step and combines what it predicts.

    Args:
        prompts: What is active in each step.
        prediction_type: What the network predicts.
        added_values: What the family adds to each prompt.
        negative: Where the negative prompt's prediction is left for the sampler, if it reads it.
        from_positive: Whether guidance is counted from the positive prompt's prediction, which
            decides the last bit.
        apart: Whether each prompt has a call of its own, as in the family's pipeline.
        low_noise: The timestep below which another expert draws, and its scale; None is neither.
        guidance_state: What guidance keeps from call to call.
    """

    prompts: tuple[StepPrompts, ...] = field(metadata=BY_STEP)
    prediction_type: str
    added_values: AddedValues = field(
        default=_none, metadata=uncounted("made of the prompts and of the latent's size")
    )
    negative: NegativePrediction | None = field(
        default=None, metadata=uncounted("asked for by the sampler, which is in the key")
    )
    apart: bool = False
    from_positive: bool = False
    low_noise: tuple[float, float] | None = field(default=None, metadata=counted_if_not(None))
    guidance_state: GuidanceState = field(
        default_factory=GuidanceState, metadata=uncounted("made by earlier steps")
    )

    def wrap(self, predict: Predict, step: int) -> Predict:
        active = self.prompts[step]
        requests: _Requests | None = None

        def predicted(call: ModelCall) -> Tensor:
            nonlocal requests
            if active.zero_prediction:
                if self.negative is not None:
                    self.negative.prediction = torch.zeros_like(call.x)
                return torch.zeros_like(call.x)
            if requests is None:
                together = AT_ONCE + bool(active.unreferenced)
                most = 1 if self.apart else together
                requests = _Requests(active, call.x, self.added_values, most)
            noised = as_noised(call.x, call.sigma, self.prediction_type)
            clean = Clean(noised, call.sigma, self.prediction_type)
            made = requests.predictions(predict, call)
            if self.negative is not None:
                unwanted = made.unwanted
                self.negative.prediction = made.wanted if unwanted is None else unwanted
            guidance = active.guidance
            if self.low_noise is not None and call.timestep < self.low_noise[0]:
                guidance = replace(guidance, scale=self.low_noise[1])
            return apply_guidance(guidance, made, clean, self.guidance_state, self.from_positive)

        return predicted

    def state(self) -> dict[str, Any]:
        return self.guidance_state.state()

    def restore(self, state: Mapping[str, Any], device: torch.device) -> None:
        self.guidance_state.restore(state, device)


_WANTED, _UNWANTED, _UNREFERENCED = range(3)
_NEGATIVE_FIRST = (_UNWANTED, _WANTED)
_PICTURE_LAST = (_WANTED, _UNWANTED, _UNREFERENCED)


class _Requests:
    """A step's prompts in as few batches as possible, on the latent's device."""

    def __init__(
        self, active: StepPrompts, x: Tensor, added_values: AddedValues, most: int
    ) -> None:
        if most == 1:  # each prompt has a call of its own, as long as it is
            active = replace(active, empty=None)
        counts = len(active.positive), len(active.negative), len(active.unreferenced)
        self._order = _PICTURE_LAST if active.unreferenced else _NEGATIVE_FIRST
        self._counts = [counts[role] for role in self._order]
        roles = [role for role in self._order for _ in range(counts[role])]
        single = [
            _single(prompt, role == _WANTED, active, x, added_values)
            for role, prompt in zip(roles, active.prompts, strict=True)
        ]
        unperturbed = [each for each, role in zip(single, roles, strict=True) if role == _WANTED]
        for perturbation in active.guidance.perturbations:
            single += [replace(each, perturbation=perturbation) for each in unperturbed]
        self._batches = [(_joined(group), len(group)) for group in _groups(single, most)]
        self._shares = _shares(active.negative, x), _shares(active.positive, x)

    def predictions(self, predict: Predict, call: ModelCall) -> Predictions:
        found: list[Tensor] = []
        for batch, count in self._batches:
            asked = replace(call, x=torch.cat([call.x] * count), prompts=batch)
            found += predict(asked).chunk(count)
        by_role: dict[int, list[Tensor]] = {}
        for role, count in zip(self._order, self._counts, strict=True):
            by_role[role], found = found[:count], found[count:]
        negative, positive = self._shares
        alone = len(by_role[_WANTED])
        return Predictions(
            _mixed(by_role[_WANTED], positive),
            _mixed(by_role[_UNWANTED], negative) if by_role[_UNWANTED] else None,
            [
                _mixed(found[first : first + alone], positive)
                for first in range(0, len(found), alone)
            ],
            _mixed(by_role[_UNREFERENCED], negative) if by_role.get(_UNREFERENCED) else None,
        )


def _single(
    prompt: Prompt, wanted: bool, active: StepPrompts, x: Tensor, added_values: AddedValues
) -> PromptBatch:
    embedding, mask = prompt.embedding, prompt.mask
    tokens = max(each.embedding.shape[1] for each in active.prompts)
    if mask is not None:
        embedding, mask = padded(embedding, tokens), padded(mask, tokens)
    elif active.empty is not None:
        embedding = lengthened(embedding, active.empty, tokens)
    inputs = PromptInputs(
        embedding,
        prompt.pooled,
        added_values(prompt, wanted),
        mask=mask,
        references=tuple(reference.samples for reference in prompt.references),
        places=prompt.places,
        lyrics=() if prompt.lyrics is None else tuple(prompt.lyrics),
        numbered=() if prompt.numbered is None else tuple(prompt.numbered),
    )
    inputs = inputs.expanded_to(x)
    images = tuple(_image_prompt(image, x) for image in prompt.images)
    return PromptBatch(inputs, prompt.controls, images)


def _image_prompt(image: ImagePrompt, x: Tensor) -> ImagePromptBatch:
    embedding = image.embedding.to(x.device).expand(x.shape[0], *image.embedding.shape[1:])
    return ImagePromptBatch(image.adapter.weights.fingerprint, image.strength, embedding)


def _joined(group: Sequence[PromptBatch]) -> PromptBatch:
    """One batch of a group."""
    images = tuple(
        replace(same[0], embedding=torch.cat([each.embedding for each in same]))
        for same in zip(*(each.image_prompts for each in group), strict=True)
    )
    inputs = concatenated([each.inputs for each in group])
    return replace(group[0], inputs=inputs, image_prompts=images)


def _groups(single: Sequence[PromptBatch], most: int) -> list[list[PromptBatch]]:
    """Neighbours that may go through the network together, at most so many."""
    groups: list[list[PromptBatch]] = []
    for each in single:
        last = groups[-1] if groups else []
        if last and _conditions(last[-1]) == _conditions(each) and len(last) < most:
            last.append(each)
        else:
            groups.append([each])
    return groups


def _conditions(batch: PromptBatch) -> tuple[object, ...]:
    """Equal for those that may go through the network together."""
    images = ((each.adapter, each.strength, each.embedding.shape) for each in batch.image_prompts)
    shapes = tuple(reference.shape for reference in batch.inputs.references)
    return (
        batch.perturbation,
        shapes,
        batch.inputs.places,
        *map(same_control, batch.controls),
        *images,
    )


def _shares(prompts: Sequence[Prompt], x: Tensor) -> list[Tensor] | None:
    """Each prompt's share of every cell; None where there is one prompt, everywhere."""
    if len(prompts) < 2 and all(prompt.area is None for prompt in prompts):
        return None
    weights = torch.stack([prompt.weight * _area(prompt, x) for prompt in prompts])
    total = weights.sum(0)
    shares = torch.where(total > 0, weights / total.clamp(min=1e-12), 1 / len(prompts))
    return list(shares)


def _area(prompt: Prompt, x: Tensor) -> Tensor:
    if prompt.area is None:
        return x.new_ones(1, 1, *x.shape[2:])
    values = prompt.area.values[:, None].to(x.device)
    cells = interpolate(values, size=x.shape[-2:], mode="area")
    return cells if x.ndim == 4 else cells[:, :, None]  # the same in every frame


def _mixed(predictions: Sequence[Tensor], shares: Sequence[Tensor] | None) -> Tensor:
    if shares is None:
        return predictions[0]
    pairs = zip(predictions, shares, strict=True)
    return torch.stack([prediction * share for prediction, share in pairs]).sum(0)
