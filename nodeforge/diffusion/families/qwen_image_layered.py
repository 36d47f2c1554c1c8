"""Qwen-Image Layered: the behaviour (Qwen Team 2025; diffusers' QwenImageLayeredPipeline)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.qwen_image import QwenImage
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import unpack
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.values import Conditioning, Image


@dataclass(frozen=True)
class QwenImageLayered(QwenImage):
    """It reads the picture again, then its layers, and after them the picture itself.

    Its pipeline has the language model describe the picture where the prompt is empty; here an
    empty prompt is read as it stands.
    """

    def encode_instruction(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        pictures: Sequence[Image],
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        """The text alone: only the denoiser sees the picture."""
        del pictures
        return self.encode(encoder, text, 0, check)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        """As `Behaviour.predict`, of (batch, channels, layers, height, width)."""
        del residuals
        layers, (height, width) = x.unbind(2), x.shape[-2:]
        drawn = torch.zeros(
            len(x), dtype=torch.long, device=x.device
        )  # 1 is for pictures without alpha
        made = self.read(
            model, [*layers, *said.references], timestep, said, additional_t_cond=drawn
        )
        tokens = made[:, : len(layers) * self.image_tokens(height, width)]
        cells = unpack(tokens.unflatten(1, (len(layers), -1)).flatten(0, 1), height, width)
        return cells.unflatten(0, (len(x), -1)).transpose(1, 2).float()


QWEN_IMAGE_LAYERED = QwenImageLayered("qwen_image_layered")
