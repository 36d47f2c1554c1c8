"""Combines conditioning: areas, ranges, averages. Needs no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from nodeforge.errors import NodeForgeError
from nodeforge.values import AddedConditions, Conditioning, Mask, Prompt

_ROUNDING = 1e-3
"""Areas that leave less than this leave nothing."""


class ConditioningMismatchError(NodeForgeError):
    """Conditionings that cannot be combined, or are of another family than the model."""


class RangeError(NodeForgeError):
    """A range of steps that ends before it starts."""


def combine(first: Conditioning, second: Conditioning) -> Conditioning:
    """Both at once: their predictions are averaged at every step, by weight."""
    _check_alike(first, second)
    return replace(first, prompts=first.prompts + second.prompts)


def average(first: Conditioning, second: Conditioning, weight: float) -> Conditioning:
    """A blend of the embeddings: `weight` 0 is the first, 1 the second.

    Raises:
        ConditioningMismatchError: another family, one that is told numbers of words, or more than
            one prompt in either.
    """
    one, other = _single(first), _single(second)
    _check_alike(first, second)
    if one.numbered is not None:
        raise ConditioningMismatchError(
            f"{first.family} reads the words themselves, between which there is nothing.",
            way_out="Combine the prompts, or change from one to the other at a step.",
        )
    longest = max(one.embedding.shape[1], other.embedding.shape[1])
    masks = [padded(mask, longest) for mask in (one.mask, other.mask) if mask is not None]
    if masks:
        start, end = padded(one.embedding, longest), padded(other.embedding, longest)
    else:
        start = lengthened(one.embedding, first.empty, longest)
        end = lengthened(other.embedding, second.empty, longest)
    made = replace(
        one,
        embedding=start.lerp(end, weight),
        pooled=_lerp(one.pooled, other.pooled, weight),
        mask=torch.stack(masks).any(0) if masks else None,
    )
    return replace(first, prompts=(made,))


def concatenate(first: Conditioning, second: Conditioning) -> Conditioning:
    """One prompt whose tokens are those of the first, then those of the second.

    What is pooled of the text is that of the first.
    """
    one, other = _single(first), _single(second)
    _check_alike(first, second)
    embedding = torch.cat([one.embedding, other.embedding], dim=1)
    masks = [mask for mask in (one.mask, other.mask) if mask is not None]
    mask = torch.cat(masks, dim=1) if masks else None
    words = [each.numbered for each in (one, other) if each.numbered is not None]
    numbered = torch.cat(words, dim=1) if words else None
    made = replace(one, embedding=embedding, mask=mask, numbered=numbered)
    return replace(first, prompts=(made,))


def zero(conditioning: Conditioning) -> Conditioning:
    """The same shapes with nothing in them: what the model does without any text."""
    prompts = tuple(
        replace(prompt, embedding=torch.zeros_like(prompt.embedding), pooled=_zeros(prompt.pooled))
        for prompt in conditioning.prompts
    )
    return replace(
        conditioning,
        prompts=prompts,
        empty=torch.zeros_like(conditioning.empty),
        empty_pooled=_zeros(conditioning.empty_pooled),
    )


def set_range(conditioning: Conditioning, start: float, end: float) -> Conditioning:
    """Let the prompts act only from `start` to `end`, shares of the steps run.

    A prompt that has a range keeps what lies in both; one that has nothing left is left out.

    Raises:
        RangeError: `end` is not after `start`, either is outside of 0..1, or no prompt is left.
    """
    check_range(start, end)
    cut = (
        replace(prompt, start=max(prompt.start, start), end=min(prompt.end, end))
        for prompt in conditioning.prompts
    )
    left = tuple(prompt for prompt in cut if prompt.start < prompt.end)
    if not left:
        raise RangeError(
            f"none of the prompts acts from {start} to {end}.",
            way_out="They have ranges already: choose one that meets them.",
        )
    return replace(conditioning, prompts=left)


def change_at_step(before: Conditioning, after: Conditioning, step: int) -> Conditioning:
    """The prompts of `before` in the first `step` of the steps run, those of `after` in the rest.

    `after` gets what steers the first prompt of `before`: controls, images and added conditions;
    and its area and weight, where all of `before` have them.

    Args:
        before: What acts up to the step; ranges that it has already stay.
        after: What acts from there.
        step: How many steps are run before the change, from 1.

    Raises:
        ConditioningMismatchError: the two are of different families.
        RangeError: `step` is below 1.
    """
    _check_alike(before, after)
    if step < 1:
        raise RangeError(
            f"the prompt changes after step {step}, before the first.", way_out="Choose 1 or more."
        )
    first = before.prompts[0]
    kept = {"controls": first.controls, "images": first.images}
    if all(_same_area(prompt, first) for prompt in before.prompts):
        kept |= {"area": first.area, "weight": first.weight}
    later = after.each(**kept, added_conditions=first.added_conditions)
    prompts = _cut(before, 0, step) + _cut(later, step, None)
    return replace(before, prompts=prompts)


def _cut(conditioning: Conditioning, first: int, stop: int | None) -> tuple[Prompt, ...]:
    """The prompts in steps `first` to `stop`; those that have none of these are left out."""
    cut: list[Prompt] = []
    for prompt in conditioning.prompts:
        start = max(prompt.steps[0], first)
        end = min((each for each in (prompt.steps[1], stop) if each is not None), default=None)
        if end is None or start < end:
            cut.append(replace(prompt, steps=(start, end)))
    return tuple(cut)


def _same_area(one: Prompt, other: Prompt) -> bool:
    if one.area is None or other.area is None:
        return one.area is other.area and one.weight == other.weight
    return one.weight == other.weight and torch.equal(one.area.values, other.area.values)


def set_area(conditioning: Conditioning, area: Mask, strength: float) -> Conditioning:
    """Let the prompts act only where `area` is above 0, weighed by it and by `strength`.

    A prompt that has an area keeps what lies in both. Where nothing is said, the empty prompt is.
    """
    prompts = tuple(
        replace(prompt, area=_within(prompt.area, area), weight=prompt.weight * strength)
        for prompt in conditioning.prompts
    )
    return replace(conditioning, prompts=prompts)


def with_rest(prompts: tuple[Prompt, ...], nothing: Prompt) -> tuple[Prompt, ...]:
    """`prompts`, and `nothing` in the areas that they leave, wholly or in part."""
    areas = [prompt.area for prompt in prompts if prompt.area is not None]
    if len(areas) < len(prompts):  # one of them acts everywhere
        return prompts
    size = max((area.values.shape[1:] for area in areas), key=math.prod)
    said = [p.weight * _sized(area, size) for p, area in zip(prompts, areas, strict=True)]
    left = (1 - sum(said, torch.zeros(1, *size))).clamp(0, 1)
    if float(left.max()) < _ROUNDING:
        return prompts
    return (*prompts, replace(nothing, area=Mask(left)))


def check_areas(batch: int, *conditionings: Conditioning | None) -> None:
    """Raise unless each area has one mask, or one for each of the batch."""
    for conditioning in conditionings:
        for prompt in conditioning.prompts if conditioning else ():
            if prompt.area is not None and prompt.area.batch not in (1, batch):
                raise ConditioningMismatchError(
                    f"the area of a prompt has {prompt.area.batch} masks for {batch} pictures.",
                    way_out="Give it one mask, or one for each of the batch.",
                )


def set_added_conditions(conditioning: Conditioning, framing: AddedConditions) -> Conditioning:
    """Tell a family that is told of its training pictures which ones are meant."""
    return conditioning.each(added_conditions=framing)


def exclude_area(conditioning: Conditioning, area: Mask) -> Conditioning:
    """Let the prompts act only outside of `area`, and in no more than they did."""
    prompts = tuple(
        replace(prompt, area=Mask(_rest(prompt.area, area.values)))
        for prompt in conditioning.prompts
    )
    return replace(conditioning, prompts=prompts)


def _within(own: Mask | None, area: Mask) -> Mask:
    """What lies in both, in the size of `area`."""
    return area if own is None else Mask(_sized(own, area.values.shape[1:]) * area.values)


def _rest(own: Mask | None, taken: Tensor) -> Tensor:
    """What is left of an area, in the size of what is taken of it."""
    return 1 - taken if own is None else _sized(own, taken.shape[1:]) * (1 - taken)


def _sized(area: Mask, size: Sequence[int]) -> Tensor:
    """The values of `area` in another size, (batch, height, width)."""
    if area.values.shape[1:] == torch.Size(size):
        return area.values
    return interpolate(area.values[:, None], size=size, mode="bilinear", antialias=True)[:, 0]


def lengthened(embedding: Tensor, empty: Tensor, tokens: int) -> Tensor:
    """`embedding` with empty chunks after it until it has `tokens` tokens."""
    missing = tokens - embedding.shape[1]
    if missing <= 0:
        return embedding
    chunks = -(-missing // empty.shape[1])
    return torch.cat([embedding, empty.repeat(1, chunks, 1)[:, :missing]], dim=1)


def padded(tensor: Tensor, tokens: int) -> Tensor:
    """Embeddings, (1, tokens, width), or a mask of them, with zeros after it."""
    missing = tokens - tensor.shape[1]
    rest = tensor.new_zeros(1, max(missing, 0), *tensor.shape[2:])
    return torch.cat([tensor, rest], dim=1) if missing > 0 else tensor


def check_range(start: float, end: float) -> None:
    """Raise `RangeError` unless 0 <= start < end <= 1."""
    if not 0 <= start < end <= 1:
        raise RangeError(
            f"the range {start} to {end} holds no step.",
            way_out="Choose shares of the steps from 0 to 1, the start before the end.",
        )


def is_active(start: float, end: float, step: int, steps: int) -> bool:
    """Whether what has this range acts in whole step `step` of the `steps` run."""
    return round(start * steps) <= step < round(end * steps)


def prompt_is_active(prompt: Prompt, step: int, steps: int) -> bool:
    """Whether `prompt` acts in whole step `step` of the `steps` run: in its range and its turn."""
    first, stop = prompt.steps
    turn, of = prompt.turn
    within = first <= step and (stop is None or step < stop)
    return within and step % of == turn and is_active(prompt.start, prompt.end, step, steps)


def _single(conditioning: Conditioning) -> Prompt:
    if len(conditioning.prompts) != 1:
        raise ConditioningMismatchError(
            f"this holds {len(conditioning.prompts)} prompts; only one can be used here.",
            way_out="Combine after averaging or concatenating, not before.",
        )
    return conditioning.prompts[0]


def _check_alike(first: Conditioning, second: Conditioning) -> None:
    if first.family != second.family or first.empty.shape[2:] != second.empty.shape[2:]:
        raise ConditioningMismatchError(
            f"one is encoded for {first.family}, the other for {second.family}.",
            way_out="Encode both with the same text encoder.",
        )


def _lerp(first: Tensor | None, second: Tensor | None, weight: float) -> Tensor | None:
    return first if first is None or second is None else first.lerp(second, weight)


def _zeros(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else torch.zeros_like(tensor)
