"""FreeU: amplified backbone features, set in a UNet only while a step runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from torch import nn

from nodeforge.diffusion.participants import Order, Participant, participant
from nodeforge.values import FreeU

_NAMES = ("b1", "b2", "s1", "s2")


@participant(order=Order.NETWORK)
class FreeUnet(Participant):
    """A UNet with FreeU.

    Args:
        freeu: Its factors.
    """

    freeu: FreeU

    def around(self, model: Any, step: int) -> AbstractContextManager[None]:
        return with_freeu(model.network, self.freeu)


@contextmanager
def with_freeu(network: nn.Module, how: FreeU | None) -> Iterator[None]:
    """Enable FreeU in the up blocks of `network`, as diffusers implements it, for the block.

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
