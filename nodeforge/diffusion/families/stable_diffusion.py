"""What models with Stable Diffusion 1's architecture share: a UNet that reads CLIP's tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nodeforge.diffusion.control import Residuals
from nodeforge.diffusion.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.text import encode_prompt
from nodeforge.values import Conditioning


@dataclass(frozen=True)
class StableDiffusion:
    """One family of this architecture.

    Args:
        name: As in `nodeforge.models.families`.
        scheduler: What diffusers' pipeline changes in every scheduler's configuration.
    """

    name: str
    scheduler: Mapping[str, Any] = field(
        default_factory=lambda: {"steps_offset": 1, "clip_sample": False}
    )

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """Encode a prompt: `nodeforge.diffusion.text.encode_prompt`."""
        return encode_prompt(encoder, text, clip_skip, check)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        embedding: Tensor,
        residuals: Residuals | None = None,
    ) -> Tensor:
        """The network's prediction, epsilon or v, float32.

        Args:
            model: The denoiser.
            x: As the network reads it, (batch, in_channels, height, width).
            timestep: One, without axes.
            embedding: (batch, tokens, width).
            residuals: What ControlNets add inside the network.
        """
        dtype = model.network.dtype
        added = {} if residuals is None else residuals.to(dtype)
        predicted = model.network(
            x.to(dtype),
            timestep,
            encoder_hidden_states=embedding.to(dtype),
            return_dict=False,
            **added,
        )[0]
        return predicted.float()
