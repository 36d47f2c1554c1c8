"""Noise that does not depend on the device or on the other items of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    """The start noise of a batch, and the generators that the steps draw from.

    Args:
        start: float32 on the CPU, in the family's layout, standard normal.
        generators: One CPU generator an item, already past the start noise.
        seeds: One an item; what Brownian noise grows from.
    """

    start: Tensor
    generators: tuple[torch.Generator, ...]
    seeds: tuple[int, ...]


def draw(seeds: Sequence[int], shape: Sequence[int]) -> Drawn:
    """Noise of `shape` for each seed; item b depends on its own seed alone.

    Args:
        seeds: One an item.
        shape: Of one item, without the batch axis.
    """
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    return Drawn(start_noise(generators, shape), generators, tuple(seeds))


def start_noise(generators: Sequence[torch.Generator], shape: Sequence[int]) -> Tensor:
    """Standard normal noise, float32, (len(generators), *shape), each item from its generator."""
    return torch.cat([torch.randn((1, *shape), generator=g) for g in generators])


def seeds_of(seed: int, batch: int) -> tuple[int, ...]:
    """The seed of each item: `seed` + its place in the batch, within torch's 64 bits."""
    return tuple((seed + item) % 2**64 for item in range(batch))
