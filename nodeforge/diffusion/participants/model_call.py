"""One call of the denoiser: what participants read and change on its way to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.tensors.tiles import Tile
from nodeforge.values import Control, Perturbation


@dataclass(frozen=True)
class Residuals:
    """What ControlNets and T2I-Adapters add inside a UNet.

    Args:
        down: One tensor for each of its skips, (batch, channels, height, width); empty where
            only adapters act.
        mid: The same for its middle.
        levels: The same for each of its levels on the way down, of T2I-Adapters.
    """

    down: tuple[Tensor, ...] = ()
    mid: tuple[Tensor, ...] = ()
    levels: tuple[Tensor, ...] = ()

    def __add__(self, other: Residuals) -> Residuals:
        return Residuals(
            _sum(self.down, other.down), _sum(self.mid, other.mid), _sum(self.levels, other.levels)
        )

    def to(self, dtype: torch.dtype) -> dict[str, Any]:
        """The arguments of diffusers' UNets."""
        arguments: dict[str, Any] = {}
        if self.mid:
            arguments["down_block_additional_residuals"] = tuple(t.to(dtype) for t in self.down)
            arguments["mid_block_additional_residual"] = self.mid[0].to(dtype)
        if self.levels:  # the UNet takes them out of the list
            levels = [level.to(dtype) for level in self.levels]
            arguments["down_intrablock_additional_residuals"] = levels
        return arguments


def _sum(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    if not (first and second):
        return first or second
    return tuple(a + b for a, b in zip(first, second, strict=True))


@dataclass(frozen=True)
class ImagePromptBatch:
    """An image prompt for each item of a batch.

    Args:
        adapter: The fingerprint of the IP-Adapter's weights.
        strength: Weight of its influence.
        embedding: As `ImagePrompt.embedding`, for each item.
    """

    adapter: str
    strength: float
    embedding: Tensor


@dataclass(frozen=True)
class PromptBatch:
    """Prompts that go through the network in one call, one after another along the batch.

    Args:
        inputs: The encoded text and what goes with it.
        controls: The ControlNets that are active for them.
        image_prompts: The image prompts that are active for them.
        perturbation: How the network is perturbed for them.
    """

    inputs: PromptInputs
    controls: tuple[Control, ...] = ()
    image_prompts: tuple[ImagePromptBatch, ...] = ()
    perturbation: Perturbation | None = None


@dataclass(frozen=True)
class ModelCall:
    """What the denoiser is called with.

    Args:
        model: The loaded model, with its network.
        x: The noisy latent as the network reads it, (batch, channels, height, width).
        timestep: One, without axes; one for each cell where some are given (`GivenFrames`).
        sigma: Its noise level.
        prompts: Set by guidance, which makes one call or several for each prediction.
        tile: Where `x` lies in the whole latent.
        residuals: Set by ControlNets.
        frames: Which frames of a clip `x` holds; None is all.
        low_noise: Whether `model` is the second expert of two.
    """

    model: Any
    x: Tensor
    timestep: Tensor
    sigma: Tensor
    tile: Tile
    prompts: PromptBatch | None = None
    residuals: Residuals | None = None
    frames: range | None = None
    low_noise: bool = False

    @property
    def batch(self) -> PromptBatch:
        """The prompts, inside of guidance."""
        assert self.prompts is not None, "guidance sets the prompts of a call"
        return self.prompts


Predict = Callable[[ModelCall], Tensor]
"""From a call to the prediction, (batch, channels, height, width)."""
