"""What is asked of the network in a step, by which prompts and with which guidance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.diffusion.adapters.controlnet import acting_controls, same_control
from nodeforge.diffusion.guidance.formulas import Memory, guided
from nodeforge.diffusion.networks.ip_adapter import Look, acting_images, same_image
from nodeforge.diffusion.tensors.conditioning import acts, lengthened, says, with_rest
from nodeforge.diffusion.tensors.prediction import Clean
from nodeforge.diffusion.tensors.prompt_inputs import Said, together
from nodeforge.values import Conditioning, Control, Guidance, ImagePrompt, Perturbation, Prompt

AT_ONCE = 2
"""Prompts that go through the network together, as diffusers' pipelines do with two."""

Network = Callable[[Tensor, "Asked"], Tensor]
"""From x, repeated for each prompt, and what is asked to the predictions."""

Numbers = Callable[[Prompt, bool], Tensor | None]
"""From a prompt, and whether it is wanted, to what its family is told beside the text."""


_NONE = Guidance(1.0)


@dataclass(frozen=True)
class Active:
    """What acts in one step.

    Args:
        positive: At least one prompt, with the controls that act.
        negative: Empty where no guidance acts.
        guidance: Only what acts of it; it has no window any more.
        silent: Nothing is asked, the prediction is 0: CFG-Zero*'s first steps.
    """

    positive: tuple[Prompt, ...]
    negative: tuple[Prompt, ...] = ()
    guidance: Guidance = _NONE
    silent: bool = False


def active(
    positive: Conditioning,
    negative: Conditioning | None,
    guidance: Guidance,
    step: int,
    steps: int,
) -> Active:
    """What acts in whole step `step` of the `steps` run.

    When and where no prompt acts, the empty prompt does. At scale 1, and outside of the guidance's
    window, the negative prompts are not asked.
    """
    wanted = _acting(positive, step, steps)
    windows = (guidance, *guidance.others)
    now = next((each for each in windows if acts(each.start, each.end, step, steps)), None)
    if now is None:
        return Active(wanted)
    silent = now.zero_star is not None and step < now.zero_star.steps
    now = _acting_guidance(now, step, steps)
    if now.scale == 1:
        return Active(wanted, (), now, silent)
    unwanted = _acting(negative, step, steps) if negative else (positive.nothing,)
    unwanted = tuple(_steered_like(prompt, wanted) for prompt in unwanted)
    return Active(wanted, unwanted, now, silent)


def _acting_guidance(guidance: Guidance, step: int, steps: int) -> Guidance:
    """`guidance` without its window, and without what changes nothing in this step."""
    perturbations = tuple(
        replace(each, start=0.0, end=1.0)
        for each in guidance.perturbations
        if each.scale != 0 and acts(each.start, each.end, step, steps)
    )
    if guidance.scale == 1:
        rescale = guidance.rescale if perturbations else 0.0
        return Guidance(1.0, rescale, perturbations=perturbations)
    zero_star = guidance.zero_star and replace(guidance.zero_star, steps=0)
    return replace(
        guidance, start=0.0, end=1.0, others=(), zero_star=zero_star, perturbations=perturbations
    )


def _acting(conditioning: Conditioning, step: int, steps: int) -> tuple[Prompt, ...]:
    prompts = tuple(
        replace(p, controls=acting_controls(p, step, steps), images=acting_images(p, step, steps))
        if p.controls or p.images
        else p
        for p in conditioning.prompts
        if says(p, step, steps)
    )
    if not prompts:
        return (conditioning.nothing,)
    return with_rest(prompts, _steered_like(conditioning.nothing, prompts))


def _steered_like(prompt: Prompt, others: Sequence[Prompt]) -> Prompt:
    """A negative prompt without controls of its own is steered as the positive ones are.

    Where they show pictures and it does not, it shows as many empty ones.
    """
    controls = {same_control(control): control for o in others for control in o.controls}
    images = {same_image(image): image for other in others for image in other.images}
    if controls and not prompt.controls:
        prompt = replace(prompt, controls=tuple(controls.values()))
    if images and not prompt.images:
        empty = tuple(replace(each, seen=each.unseen) for each in images.values())
        prompt = replace(prompt, images=empty)
    return prompt


class Guided:
    """Predicts with what acts in a step, on the latent's device.

    Args:
        what: What acts.
        empty: The empty chunk, which lengthens the shorter prompt.
        x: The latent.
        numbers: What the family is told beside the text.
        memory: What guidance remembers from earlier calls; each call changes it.
    """

    def __init__(
        self,
        what: Active,
        empty: Tensor,
        x: Tensor,
        numbers: Numbers = lambda _, __: None,
        memory: Memory | None = None,
    ) -> None:
        self._what = what
        self._memory = memory or Memory()
        prompts = (*what.negative, *what.positive)
        tokens = max(prompt.embedding.shape[1] for prompt in prompts)
        said = [
            Said(
                lengthened(prompt.embedding, empty, tokens),
                prompt.pooled,
                numbers(prompt, place >= len(what.negative)),
            ).on(x)
            for place, prompt in enumerate(prompts)
        ]
        asked = [
            Asked(each, prompt.controls, tuple(_look(image, x) for image in prompt.images))
            for each, prompt in zip(said, prompts, strict=True)
        ]
        for perturbation in what.guidance.perturbations:
            whole = asked[len(what.negative) : len(prompts)]
            asked += [replace(each, weakened=perturbation) for each in whole]
        self._groups = [(_joined(group), len(group)) for group in _groups(asked)]
        self._shares = _shares(what.negative, x), _shares(what.positive, x)

    def __call__(self, network: Network, x: Tensor, clean: Clean) -> Tensor:
        """The guided prediction.

        Args:
            network: What is asked.
            x: As it reads it, (batch, channels, height, width).
            clean: What predictions say of the clean latent at this x.
        """
        if self._what.silent:
            return torch.zeros_like(x)
        predictions: list[Tensor] = []
        for asked, count in self._groups:
            predictions += network(torch.cat([x] * count), asked).chunk(count)
        negatives, positives = len(self._what.negative), len(self._what.positive)
        unwanted = _mixed(predictions[:negatives], self._shares[0]) if negatives else None
        wanted, *weakened = (
            _mixed(predictions[first : first + positives], self._shares[1])
            for first in range(negatives, len(predictions), positives)
        )
        return guided(self._what.guidance, wanted, unwanted, weakened, clean, self._memory)


@dataclass(frozen=True)
class Asked:
    """What goes through the network with x, for one prompt or several.

    Args:
        said: What the prompts say.
        controls: What steers them.
        looks: The pictures they show.
        weakened: How the network is weakened for them.
    """

    said: Said
    controls: tuple[Control, ...] = ()
    looks: tuple[Look, ...] = ()
    weakened: Perturbation | None = None

    @property
    def alike(self) -> tuple[object, ...]:
        """Equal for those that may go through the network together."""
        looks = ((look.adapter, look.strength, look.seen.shape) for look in self.looks)
        return self.weakened, *map(same_control, self.controls), *looks


def _look(image: ImagePrompt, x: Tensor) -> Look:
    seen = image.seen.to(x.device).expand(x.shape[0], *image.seen.shape[1:])
    return Look(image.adapter.weights.fingerprint, image.strength, seen)


def _joined(group: Sequence[Asked]) -> Asked:
    """What all of a group ask, one after the other along the batch."""
    looks = tuple(
        replace(same[0], seen=torch.cat([look.seen for look in same]))
        for same in zip(*(each.looks for each in group), strict=True)
    )
    return replace(group[0], said=together([each.said for each in group]), looks=looks)


def _groups(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Neighbours that are asked alike, at most `AT_ONCE` together."""
    groups: list[list[Asked]] = []
    for each in asked:
        if groups and groups[-1][0].alike == each.alike and len(groups[-1]) < AT_ONCE:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


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
