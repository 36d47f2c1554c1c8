"""What models with Stable Diffusion 1's architecture share: a UNet that reads CLIP's tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.clip import encode_prompt
from nodeforge.diffusion.weights.model_facts import ModelFacts
from nodeforge.values import AddedConditions, Conditioning


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
        """Encode a prompt: `nodeforge.diffusion.text.clip.encode_prompt`."""
        return encode_prompt(encoder, text, clip_skip, check)

    def default_negative(self, positive: Conditioning, facts: ModelFacts) -> Conditioning | None:
        """What a negative prompt that nobody gave says; None is the empty prompt."""
        return None

    def added_conditions(
        self, framing: AddedConditions, width: int, height: int, wanted: bool
    ) -> Tensor | None:
        """What the denoiser is told beside the text, float32, (1, count); None is nothing.

        Args:
            framing: Of the training pictures that are meant.
            width, height: Of the picture to be, pixels.
            wanted: Whether it goes with a prompt, not with a negative prompt.
        """
        return None

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        """The network's prediction, epsilon or v, float32.

        Args:
            model: The denoiser.
            x: As the network reads it, (batch, in_channels, height, width).
            timestep: One, without axes.
            said: What the prompts say, for each of the batch.
            residuals: What ControlNets add inside the network.
        """
        dtype = model.network.dtype
        added = {} if residuals is None else residuals.to(dtype)
        predicted = model.network(
            x.to(dtype),
            timestep,
            return_dict=False,
            **said.arguments(dtype),
            **added,
        )[0]
        return predicted.float()
