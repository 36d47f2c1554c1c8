"""Krea 2: the behaviour (Krea 2026; diffusers' Krea2Pipeline)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nodeforge.diffusion.families.behaviour import Behaviour, kept, with_empty_prompt
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.packing import pack, place_ids, unpack
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.subwords import encode_llm
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning

_LAYERS = (2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35)
_AFTER = 5
"""Tokens after the prompt, which it reads behind the padding."""


@dataclass(frozen=True)
class Krea2(Behaviour):
    """It reads several states of each token, and a text of one length, padded in its middle."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        family = FAMILIES[self.name]
        start = slice(family.unread_tokens, None)
        before, _, after = family.prompt_template.partition("{}")

        def encoded(words: str, empty: PromptInputs | None) -> PromptInputs:
            del empty  # it was not trained with weights
            length = family.unread_tokens + family.text_length - _AFTER
            said = encode_llm(
                encoder.encoders[0], before + words, length, _LAYERS, after_padding=after
            )
            read = said.state[:, start][:, said.mask[0, start].bool()]
            return kept(PromptInputs(read, mask=torch.ones(read.shape[:2], dtype=torch.bool)))

        return with_empty_prompt(encoder, text, encoded, check)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        assert said.mask is not None
        network, (height, width) = model.network, x.shape[-2:]
        dtype = model.dtype
        text, mask = _padded_in_the_middle(
            said.embedding.to(dtype), said.mask, FAMILIES[self.name].text_length
        )
        places = place_ids(height // 2, width // 2, x.device, torch.float32)
        with _reading_in_order(network.text_fusion.projector):
            predicted = network(
                hidden_states=pack(x.to(dtype)),
                encoder_hidden_states=text.unflatten(-1, (network.config.num_text_layers, -1)),
                timestep=(timestep.to(x.device) / 1000).expand(len(x)).to(dtype),
                position_ids=torch.cat([places.new_zeros(text.shape[1], 3), places]),
                encoder_attention_mask=mask,
                return_dict=False,
            )[0]
        return unpack(predicted, height, width).float()

    def image_tokens(self, height: int, width: int) -> int:
        return height // 2 * (width // 2)


@contextmanager
def _reading_in_order(layer: nn.Module) -> Iterator[None]:
    """Let a layer read its input as it would lie in memory by itself, not turned.

    torch does so for weights that may be trained, as those of the pipeline are; it decides the
    last bit.
    """
    hook = layer.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
    try:
        yield
    finally:
        hook.remove()


def _padded_in_the_middle(text: Tensor, mask: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """The tokens that are read, at both ends of at least `length`, with nothing between them.

    It was trained on such texts; what lies between is not read, so it need not be kept.
    """
    read = [each[known] for each, known in zip(text, mask, strict=True)]
    length = max(length, *(len(each) for each in read))
    made, known = text.new_zeros(len(text), length, text.shape[-1]), mask.new_zeros(1, length)
    known = known.repeat(len(text), 1)
    for each, filled, place in zip(read, made, known, strict=True):
        words = len(each) - _AFTER
        filled[:words], filled[length - _AFTER :] = each[:words], each[words:]
        place[:words] = place[length - _AFTER :] = True
    return made, known.to(text.device)


KREA2 = Krea2("krea2")
