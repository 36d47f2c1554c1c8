"""Encodes prompts with T5 and with language models: one text of a fixed length, no chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedEncoder
from nodeforge.diffusion.networks.subword_tokenizer import SubwordTokenizer, Tokens
from nodeforge.diffusion.text.prompt_weights import Piece, parse, weighted

_AXES = 3
"""Of the places of language models that see: time, row and column, which are one for words."""


BEFORE_NORM = ()
"""As layers of a language model: what its last layer says, before its last norm."""


class Encoded(NamedTuple):
    """What an encoder says of a text.

    Args:
        state: Of each token, (1, tokens, width), on the encoder's device.
        mask: 1 for each token of the text, 0 for padding, (1, tokens).
    """

    state: Tensor
    mask: Tensor


@contextmanager
def norm_left_out(network: Any) -> Iterator[None]:
    """Have a language model give what its last layer says, which transformers 5 gives normed."""
    language = getattr(network, "language_model", network)
    hook = language.norm.register_forward_hook(lambda _, given, made: given[0])
    try:
        yield
    finally:
        hook.remove()


@torch.no_grad()
def encode_t5(
    encoder: LoadedEncoder,
    prompt: str,
    length: int,
    *,
    empty: Tensor | None = None,
    masked: bool = False,
) -> Encoded:
    """The last state of T5 for a prompt with weights.

    Args:
        encoder: T5 and its tokenizer.
        prompt: With weights, as ``(word:1.2)``.
        length: Tokens to fill up to, and to cut at.
        empty: The state of the empty prompt, from which weights move tokens away; None where this
            is it.
        masked: Have T5 itself not see the padding. Flux.1 was trained without, Chroma with it.
    """
    pieces = parse(prompt)
    text = "".join(piece.text for piece in pieces)
    tokens = encoder.tokenizer.encode(text, length)
    device = encoder.device
    ids, mask = (torch.tensor([each], device=device) for each in (tokens.ids, tokens.mask))
    state = encoder.network(ids, attention_mask=mask if masked else None)[0]
    weights = _weights(pieces, tokens)
    if empty is not None:
        state = weighted(state, weights, empty.to(state))
    return Encoded(state, mask)


def numbered_words(tokenizer: SubwordTokenizer, prompt: str, length: int) -> Tensor:
    """The number of each token of a prompt with weights, and its weight, float32, (1, tokens, 2).

    Args:
        tokenizer: What numbers them.
        prompt: With weights, as ``(word:1.2)``.
        length: Tokens to cut at.
    """
    pieces = parse(prompt)
    tokens = tokenizer.encode("".join(piece.text for piece in pieces), length, padded=False)
    told = zip(tokens.ids, _weights(pieces, tokens), strict=True)
    return torch.tensor([list(told)], dtype=torch.float32)


def _weights(pieces: Sequence[Piece], tokens: Tokens) -> list[float]:
    """The weight of each token of a text that is made of these pieces."""
    starts, at = [], 0
    for piece in pieces:
        starts.append((at, piece.weight))
        at += len(piece.text)
    return [_weight_at(starts, *offset) for offset in tokens.offsets]


def _weight_at(starts: list[tuple[int, float]], first: int, end: int) -> float:
    """The weight of the piece in which a token has its last letter; 1 for marks and padding."""
    if end <= first:
        return 1.0
    return next((weight for start, weight in reversed(starts) if start < end), 1.0)


@torch.no_grad()
def encode_llm(
    encoder: LoadedEncoder,
    text: str,
    length: int,
    layers: tuple[int, ...],
    *,
    padded: bool = True,
    padding_place: int | None = None,
    after_padding: str = "",
) -> Encoded:
    """Hidden states of a language model for a whole text, its template included.

    Args:
        encoder: The model and its tokenizer.
        text: What it reads.
        length: Tokens to cut at, and where `padded` to fill up to.
        layers: Which hidden states, 0 being the word vectors; several are laid side by side.
            `BEFORE_NORM` is the last one without its norm.
        padded: Fill up to `length`; the model does not see the padding.
        padding_place: At which place all padding stands; None leaves it to the model.
        after_padding: The text's end, beyond `length` and never cut; it stands at the places that
            it has without the padding.
    """
    tokens = encoder.tokenizer.encode(text, length, padded=padded)
    device = encoder.device
    ids, mask = (torch.tensor([each], device=device) for each in (tokens.ids, tokens.mask))
    more = {}
    if padding_place is not None:
        places = torch.arange(ids.shape[1], device=device).expand_as(ids)
        more = {"position_ids": places.masked_fill(mask == 0, padding_place)}
    if after_padding:
        end = encoder.tokenizer.encode(after_padding, length, padded=False).ids
        ids = torch.cat([ids, ids.new_tensor([end])], dim=1)
        mask = torch.cat([mask, mask.new_ones(1, len(end))], dim=1)
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        more = {"position_ids": places.expand(_AXES, *places.shape)}
    if layers == BEFORE_NORM:
        with norm_left_out(encoder.network):
            states = _hidden_states(encoder.network, ids, mask, (-1,), **more)
    else:
        states = _hidden_states(encoder.network, ids, mask, layers, **more)
    state = torch.stack(states, dim=1).permute(0, 2, 1, 3).reshape(1, ids.shape[1], -1)
    return Encoded(state, mask)


@torch.no_grad()
def word_vectors(encoder: LoadedEncoder, text: str, length: int) -> Tensor:
    """What the table of a language model has for each token, (1, tokens, width).

    Args:
        encoder: The model and its tokenizer.
        text: What is looked up.
        length: Tokens to cut at.
    """
    tokens = encoder.tokenizer.encode(text, length, padded=False)
    ids = torch.tensor([tokens.ids], device=encoder.device)
    return encoder.network.get_input_embeddings()(ids)


def _hidden_states(
    network: Any, ids: Tensor, mask: Tensor, layers: tuple[int, ...], **more: Tensor
) -> list[Tensor]:
    told = network(
        input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False, **more
    ).hidden_states
    return [told[layer] for layer in layers]
