"""Classifier-free guidance: what is asked of the network in a step, and how answers are mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.diffusion.conditioning import acts, lengthened
from nodeforge.diffusion.control import acting_controls, same_control
from nodeforge.diffusion.said import Said, together
from nodeforge.values import Conditioning, Control, Guidance, Prompt

AT_ONCE = 2
"""Prompts that go through the network together, as diffusers' pipelines do with two."""

Network = Callable[[Tensor, Said, tuple[Control, ...]], Tensor]
"""From x, repeated for each prompt, what they say and what steers them to the predictions."""

Numbers = Callable[[Prompt, bool], Tensor | None]
"""From a prompt, and whether it is wanted, to what its family is told beside the text."""


@dataclass(frozen=True)
class Active:
    """What acts in one step.

    Args:
        positive: At least one prompt, with the controls that act.
        negative: Empty where no guidance acts.
        scale: Guidance scale.
        rescale: How far the spread is pulled back.
    """

    positive: tuple[Prompt, ...]
    negative: tuple[Prompt, ...]
    scale: float = 1.0
    rescale: float = 0.0


def active(
    positive: Conditioning,
    negative: Conditioning | None,
    guidance: Guidance,
    step: int,
    steps: int,
) -> Active:
    """What acts in whole step `step` of the `steps` run.

    Where no prompt acts, the empty prompt does. At scale 1, and outside of the guidance's
    window, the negative prompts are not asked.
    """
    wanted = _acting(positive, step, steps)
    windows = (guidance, *guidance.others)
    now = next((each for each in windows if acts(each.start, each.end, step, steps)), None)
    if now is None or now.scale == 1:
        return Active(wanted, ())
    unwanted = _acting(negative, step, steps) if negative else (positive.nothing,)
    unwanted = tuple(_steered_like(prompt, wanted) for prompt in unwanted)
    return Active(wanted, unwanted, now.scale, now.rescale)


def _acting(conditioning: Conditioning, step: int, steps: int) -> tuple[Prompt, ...]:
    prompts = tuple(
        replace(p, controls=acting_controls(p, step, steps)) if p.controls else p
        for p in conditioning.prompts
        if acts(p.start, p.end, step, steps)
    )
    return prompts or (conditioning.nothing,)


def _steered_like(prompt: Prompt, others: Sequence[Prompt]) -> Prompt:
    """A negative prompt without controls of its own is steered as the positive ones are."""
    controls = [control for other in others for control in other.controls]
    if prompt.controls or not controls:
        return prompt
    once = {same_control(control): control for control in controls}
    return replace(prompt, controls=tuple(once.values()))


class Guided:
    """Predicts with what acts in a step, on the latent's device.

    Args:
        what: What acts.
        empty: The empty chunk, which lengthens the shorter prompt.
        x: The latent.
        numbers: What the family is told beside the text.
    """

    def __init__(
        self,
        what: Active,
        empty: Tensor,
        x: Tensor,
        numbers: Numbers = lambda _, __: None,
    ) -> None:
        self._what = what
        prompts = (*what.negative, *what.positive)
        tokens = max(prompt.embedding.shape[1] for prompt in prompts)
        self._said = [
            Said(
                lengthened(prompt.embedding, empty, tokens),
                prompt.pooled,
                numbers(prompt, place >= len(what.negative)),
            ).on(x)
            for place, prompt in enumerate(prompts)
        ]
        self._controls = [prompt.controls for prompt in prompts]
        self._groups = _groups(self._controls)
        self._shares = _shares(what.negative, x), _shares(what.positive, x)

    def __call__(self, network: Network, x: Tensor) -> Tensor:
        """The guided prediction for `x`, (batch, channels, height, width)."""
        predictions: list[Tensor] = []
        for places in self._groups:
            said = together([self._said[place] for place in places])
            controls = self._controls[places[0]]
            predicted = network(torch.cat([x] * len(places)), said, controls)
            predictions += predicted.chunk(len(places))
        negatives = len(self._what.negative)
        wanted = _mixed(predictions[negatives:], self._shares[1])
        if not negatives:
            return wanted
        return self._guided(_mixed(predictions[:negatives], self._shares[0]), wanted)

    def _guided(self, unwanted: Tensor, wanted: Tensor) -> Tensor:
        guided = unwanted + self._what.scale * (wanted - unwanted)
        return rescaled(guided, wanted, self._what.rescale) if self._what.rescale else guided


def _groups(controls: Sequence[tuple[Control, ...]]) -> list[list[int]]:
    """Neighbours that are steered alike, at most `AT_ONCE` together."""
    groups: list[list[int]] = []
    steered: list[tuple[object, ...]] = []
    for place, each in enumerate(controls):
        alike = tuple(map(same_control, each))
        if groups and steered[-1] == alike and len(groups[-1]) < AT_ONCE:
            groups[-1].append(place)
        else:
            groups.append([place])
            steered.append(alike)
    return groups


def rescaled(guided: Tensor, wanted: Tensor, share: float) -> Tensor:
    """`guided` with its spread pulled towards `wanted`'s: Lin et al. 2023, section 3.4."""
    axes = list(range(1, guided.ndim))
    spread, target = guided.std(dim=axes, keepdim=True), wanted.std(dim=axes, keepdim=True)
    return share * (guided * (target / spread)) + (1 - share) * guided


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
    return interpolate(values, size=x.shape[2:], mode="area")


def _mixed(predictions: Sequence[Tensor], shares: Sequence[Tensor] | None) -> Tensor:
    if shares is None:
        return predictions[0]
    pairs = zip(predictions, shares, strict=True)
    return torch.stack([prediction * share for prediction, share in pairs]).sum(0)
