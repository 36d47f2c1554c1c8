"""Draws noise that depends neither on the device nor on the other items of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

_PARALLEL = 1e-6
"""Sine below which there is no arc to go along."""


@dataclass(frozen=True)
class DrawnNoise:
    """The start noise of a batch, and the generators that the steps draw from.

    Args:
        start: float32 on the CPU, in the family's layout, standard normal.
        generators: One CPU generator an item, already past the start noise.
        seeds: One an item; what Brownian noise grows from.
        whole: Items that are drawn together, from one generator and one seed; None where each
            has its own.
        item: The one that is kept of those; None is all.
    """

    start: Tensor
    generators: tuple[torch.Generator, ...]
    seeds: tuple[int, ...]
    whole: int | None = None
    item: int | None = None

    def draw(self, generator: torch.Generator) -> Tensor:
        """Standard normal noise for all items that are drawn together, float32 on the CPU."""
        return torch.randn(self.drawn_shape, generator=generator)

    def kept(self, noise: Tensor) -> Tensor:
        """The items of `noise` that the run has."""
        return noise if self.item is None else noise[self.item : self.item + 1]

    @property
    def drawn_shape(self) -> tuple[int, ...]:
        """(items that are drawn, channels, height, width)."""
        return (self.whole or self.start.shape[0], *self.start.shape[1:])


def draw_noise(seeds: Sequence[int], shape: Sequence[int]) -> DrawnNoise:
    """Noise of `shape` for each seed; item b depends on its own seed alone.

    Args:
        seeds: One an item.
        shape: Of one item, without the batch axis.
    """
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    return DrawnNoise(start_noise(generators, shape), generators, tuple(seeds))


def draw_batch_noise(
    seed: int,
    batch: int,
    shape: Sequence[int],
    *,
    item: int | None = None,
    variations: Sequence[tuple[int, float]] = (),
) -> DrawnNoise:
    """Noise of all items in one draw, as ComfyUI makes it: item b depends on those before it.

    What steps draw comes from another generator with the same seed.

    Args:
        seed: Of the batch.
        batch: Items that are drawn.
        shape: Of one item, without the batch axis.
        item: The one that is kept; None is all.
        variations: Seeds of other batches and their shares, blended in one after another.
    """

    def drawn(of: int) -> Tensor:
        return torch.randn((batch, *shape), generator=torch.Generator().manual_seed(of))

    start = drawn(seed)
    for other, share in variations:
        start = slerp(start, drawn(other), share)
    start = start if item is None else start[item : item + 1].clone()
    return DrawnNoise(start, (torch.Generator().manual_seed(seed),), (seed,), batch, item)


def draw_varied_noise(
    seed: int,
    batch: int,
    variations: Sequence[tuple[int, float]],
    shape: Sequence[int],
    *,
    item: int | None = None,
) -> DrawnNoise:
    """Noise near that of `seed`: at share 0 the same bits, at 1 that of the other seed.

    Args:
        seed: Of every item; what the steps draw is its own, too.
        batch: How many items.
        variations: Other seeds and their shares, blended in one after another. Item b has the
            last one's seed + b.
        shape: Of one item, without the batch axis.
        item: The only one to draw; None is all.
    """
    count = batch if item is None else 1
    drawn = draw_noise((seed,) * count, shape)
    start, last = drawn.start, len(variations) - 1
    for place, (other, share) in enumerate(variations):
        others = (other,) * count
        if place == last:
            seeds = seeds_of(other, batch)
            others = seeds if item is None else seeds[item : item + 1]
        start = slerp(start, draw_noise(others, shape).start, share)
    return replace(drawn, start=start)


def slerp(first: Tensor, second: Tensor, share: float) -> Tensor:
    """From `first` to `second` along an arc, an item at a time: Shoemake 1985.

    So what lies between two draws of noise is as strong as they are; a straight line's middle
    would be weaker, and pictures from it are flat.
    """
    if share == 0:
        return first
    a, b = first.flatten(1).double(), second.flatten(1).double()
    cos = (a * b).sum(1, keepdim=True) / (a.norm(dim=1, keepdim=True) * b.norm(dim=1, keepdim=True))
    angle = cos.clamp(-1, 1).acos()
    if bool((angle.sin() < _PARALLEL).any()):
        return torch.lerp(first, second, share)
    made = (a * ((1 - share) * angle).sin() + b * (share * angle).sin()) / angle.sin()
    return made.to(first.dtype).view_as(first)


def start_noise(generators: Sequence[torch.Generator], shape: Sequence[int]) -> Tensor:
    """Standard normal noise, float32, (len(generators), *shape), each item from its generator."""
    return torch.cat([torch.randn((1, *shape), generator=g) for g in generators])


def seeds_of(seed: int, batch: int) -> tuple[int, ...]:
    """The seed of each item: `seed` + its place in the batch, within torch's 64 bits."""
    return tuple((seed + item) % 2**64 for item in range(batch))
