"""Flux.2: the behaviour (Black Forest Labs 2025; diffusers' Flux2KleinPipeline, Flux2Pipeline)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour, encode_in_template
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import in_sequence
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_APART = 10
"""Between the times of two reference pictures; the picture that is made has time 0."""


@dataclass(frozen=True)
class Flux2(Behaviour):
    """It reads three layers of a language model side by side, padding included.

    Args:
        layers: Which, as `encode_llm` has them.
        left_out: What no prompt says: it stands for a picture.
    """

    layers: tuple[int, ...] = (9, 18, 27)
    left_out: str = ""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        def without(words: str) -> str:
            return words.replace(self.left_out, "") if self.left_out else words

        family = FAMILIES[self.name]
        return encode_in_template(encoder, family, text, check, self.layers, said=without)

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
        text = said.embedding.to(dtype)
        pictures = [x, *said.references]
        places = [
            _ids(each.shape[-2], each.shape[-1], 1, device, _APART * number)
            for number, each in enumerate(pictures)
        ]
        tokens = [each.to(dtype).flatten(2).permute(0, 2, 1) for each in pictures]
        predicted = network(
            hidden_states=in_sequence(tokens),
            timestep=timestep.expand(len(x)).to(device, dtype) / 1000,
            guidance=None if said.guidance is None else said.guidance.to(device).expand(len(x)),
            encoder_hidden_states=text,
            txt_ids=_ids(1, 1, text.shape[1], device),
            img_ids=torch.cat(places, dim=1),
            return_dict=False,
        )[0]
        made = predicted[:, : height * width]
        return made.permute(0, 2, 1).reshape(len(x), -1, height, width).float()

    def image_tokens(self, height: int, width: int) -> int:
        return height * width


def _ids(height: int, width: int, words: int, device: torch.device, time: int = 0) -> Tensor:
    """Time, row, column and word of each token, (1, tokens, 4)."""
    axes = (torch.arange(count, device=device) for count in (height, width, words))
    return torch.cartesian_prod(torch.tensor([time], device=device), *axes)[None]


FLUX2_KLEIN_4B = Flux2("flux2_klein_4b")
