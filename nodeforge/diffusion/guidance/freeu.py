"""FreeU, set in a network only while a run uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from nodeforge.values import FreeU

_NAMES = ("b1", "b2", "s1", "s2")


@contextmanager
def with_freeu(network: nn.Module, how: FreeU | None) -> Iterator[None]:
    """Have the ways up of `network` work with FreeU, as diffusers implements it, for the block.

    Si et al. 2023, "FreeU: Free Lunch in Diffusion U-Net". Afterwards they are as before.
    """
    if how is None or how.neutral:
        yield
        return
    factors = dict(zip(_NAMES, (*how.backbone, *how.skip), strict=True))
    blocks: list[Any] = list(network.up_blocks)  # pyright: ignore[reportArgumentType]
    before = [{name: getattr(block, name, None) for name in _NAMES} for block in blocks]
    try:
        for block in blocks:
            for name, factor in factors.items():
                setattr(block, name, factor)
        yield
    finally:
        for block, values in zip(blocks, before, strict=True):
            for name, value in values.items():
                setattr(block, name, value)
