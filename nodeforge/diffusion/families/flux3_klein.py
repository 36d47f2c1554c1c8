"""Flux.3 klein: the behaviour (Black Forest Labs 2026; diffusers' Flux3AutoBlocks)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, encode_in_template
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_LAYERS = (4, 8, 12, 16, 20, 24, 28, 32)
_PADDING_PLACE = 1
"""As transformers had it when the model was trained, which reads the padding."""
_CELL = 0.5
"""What a row or a column of cells counts in the places of tokens."""


@dataclass(frozen=True)
class Flux3Klein(Behaviour):
    """It reads eight layers of a language model side by side, padding included.

    The pictures that it edits have blocks of their own in the network.
    """

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        family = FAMILIES[self.name]
        return encode_in_template(encoder, family, text, check, _LAYERS, _PADDING_PLACE)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        network, (height, width) = model.network, x.shape[-2:]
        dtype, device = model.dtype, x.device

        def time(each: Tensor) -> Tensor:
            return (each.to(device) / 1000).expand(len(x)).to(dtype)

        text, jump = said.embedding.to(dtype), said.next_timestep
        words = torch.arange(text.shape[1], device=device, dtype=torch.float32)
        more: dict[str, Any] = {}
        if said.references:
            more["image_cond_hidden_states"] = in_sequence(
                [_tokens(each.to(dtype)) for each in said.references]
            )
            more["image_cond_ids"] = torch.cat(
                [_places(each, -number) for number, each in enumerate(said.references, 1)]
            )
        predicted = network(
            hidden_states=_tokens(x.to(dtype)),
            encoder_hidden_states=text,
            timestep=time(timestep),
            target_timestep=None if jump is None else time(jump),
            img_ids=_places(x, 0),
            txt_ids=torch.nn.functional.pad(words[:, None], (3, 0)),
            return_dict=False,
            **more,
        )[0]
        return predicted.transpose(1, 2).reshape(len(x), -1, height, width).float()

    def image_tokens(self, height: int, width: int) -> int:
        return height * width


def _tokens(latent: Tensor) -> Tensor:
    """(batch, channels, height, width) as (batch, height * width, channels)."""
    return latent.flatten(2).transpose(1, 2)


def _places(latent: Tensor, word: int) -> Tensor:
    """Time, row, column and word of each cell, (cells, 4), float32."""
    rows, columns = (
        torch.arange(side, device=latent.device, dtype=torch.float32) * _CELL
        for side in latent.shape[-2:]
    )
    time, last = (rows.new_tensor([each]) for each in (0, word))
    return torch.cartesian_prod(time, rows, columns, last)


FLUX3_KLEIN = Flux3Klein("flux3_klein")
