"""Anima: the behaviour (CircleStone Labs 2026; diffusers' AnimaAutoBlocks)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeforge.diffusion.families.behaviour import Behaviour
from nodeforge.diffusion.networks.loading import LoadedModel, LoadedTextEncoder
from nodeforge.diffusion.networks.tokenizer import shipped_tokenizer
from nodeforge.diffusion.participants import Residuals
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.prompt_weights import parse
from nodeforge.diffusion.text.subwords import encode_llm, numbered_words
from nodeforge.models import FAMILIES
from nodeforge.values import Conditioning, Prompt

_LAST = (-1,)


@dataclass(frozen=True)
class Anima(Behaviour):
    """Its conditioner makes what it reads: of numbers of words, by what Qwen3 says of the text."""

    def encode(
        self,
        encoder: LoadedTextEncoder,
        text: str,
        clip_skip: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Conditioning:
        said = self._encoded(encoder, text)
        check()
        empty = self._encoded(encoder, "")
        return Conditioning(
            (said,),
            empty.embedding,
            encoder.family,
            empty_mask=empty.mask,
            empty_numbered=empty.numbered,
        )

    def _encoded(self, encoder: LoadedTextEncoder, text: str) -> Prompt:
        family, reader = FAMILIES[self.name], encoder.encoders[0]
        numbered = numbered_words(
            shipped_tokenizer(family.numbered_words), text, family.text_length
        )
        plain = "".join(piece.text for piece in parse(text))  # weights are the numbers' alone
        if not reader.tokenizer.count(plain):
            nothing = torch.zeros(1, 1, reader.network.config.hidden_size)
            return Prompt(nothing, mask=torch.zeros(1, 1, dtype=torch.bool), numbered=numbered)
        said = encode_llm(reader, plain, family.text_length, _LAST, padded=False)
        mask = torch.ones(said.state.shape[:2], dtype=torch.bool)
        return Prompt(said.state.float().cpu(), mask=mask, numbered=numbered)

    def predict(
        self,
        model: LoadedModel,
        x: Tensor,
        timestep: Tensor,
        said: PromptInputs,
        residuals: Residuals | None = None,
    ) -> Tensor:
        del residuals
        network, dtype = model.network, model.dtype
        frame = x.to(dtype)[:, :, None]
        told = [_condition(model, said, row) for row in range(len(x))]
        with _asking_torch():
            predicted = network(
                hidden_states=frame,
                timestep=timestep.to(x.device).expand(len(x)).to(dtype) / 1000,
                encoder_hidden_states=torch.cat(told),
                condition_mask=frame.new_zeros(len(x), 1, *frame.shape[2:]),  # nothing is padding
                return_dict=False,
            )[0]
        return predicted[:, :, 0].float()


@contextmanager
def _asking_torch() -> Iterator[None]:
    """Have attention asked of torch, as in other networks of ours.

    Cosmos's asks for the whole process's default, which the environment may say, and no network
    can be told otherwise.
    """
    from diffusers.models.attention_dispatch import attention_backend

    with attention_backend("native"):
        yield


def _condition(model: LoadedModel, said: PromptInputs, row: int) -> Tensor:
    """What cross-attention reads for one of a batch, (1, tokens, width)."""
    assert said.mask is not None
    read = said.mask[row].clone()
    read[0] |= not read.any()  # a place of nothing, which is masked
    numbers, weights = said.numbered[row][None].unbind(-1)
    told = model.network.text_conditioner(
        source_hidden_states=said.embedding[row : row + 1, read].to(model.dtype),
        target_input_ids=numbers.long(),
        target_attention_mask=torch.ones_like(numbers, dtype=torch.bool),
        source_attention_mask=said.mask[row : row + 1, read].to(numbers.device),
    )
    if weights.is_meta or (weights == 1).all():
        return told
    after = weights.new_ones(1, told.shape[1] - weights.shape[1])
    return told * torch.cat([weights, after], dim=1)[..., None].to(told)


ANIMA = Anima("anima")
