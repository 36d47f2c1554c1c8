"""Stable Diffusion 1.x: the behaviour, which its kin share: a UNet that reads CLIP's tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.clip import encode_prompt
from nodeforge.values import Conditioning


@dataclass(frozen=True)
class StableDiffusion(Behaviour):
    """One family of this architecture."""

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
        return encode_prompt(encoder, text, clip_skip, check)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        dtype = model.dtype
        added = {} if residuals is None else residuals.to(dtype)
        predicted = model.network(
            x.to(dtype),
            timestep,
            return_dict=False,
            **said.arguments(dtype),
            **added,
        )[0]
        return predicted.float()


SD15 = StableDiffusion("sd15")
