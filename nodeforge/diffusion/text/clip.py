"""Encodes prompts with CLIP: weights, chunks, clip skip, textual inversions.

Our own code rather than compel's: a plain prompt keeps the pipeline's bits either way, but
compel's clip skip fails with the transformers we use, and 40 lines serve all three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedEncoder, LoadedTextEncoder
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.text.prompt_weights import parse, weighted
from nodeforge.diffusion.text.textual_inversion import Token, parts_of_text, reading
from nodeforge.errors import RequestError
from nodeforge.values import Conditioning, Prompt
from nodeforge.values.conditioning import MOST_PROMPT_CHUNKS


class Chunk(NamedTuple):
    """As many tokens as an encoder reads at once, and what each counts."""

    tokens: list[Token]
    weights: list[float]


class PromptError(RequestError):
    """A prompt, or a clip skip, that the text encoder cannot take."""


@torch.no_grad()
def encode_prompt(
    encoder: LoadedTextEncoder,
    text: str,
    clip_skip: int = 0,
    check: Callable[[], None] = lambda: None,
    last: int = 1,
) -> Conditioning:
    """Encode `text`; a plain prompt of one chunk equals diffusers' pipeline bit for bit.

    Args:
        encoder: The text encoders; what each says of a token is laid side by side.
        text: A prompt with weights, at most `MOST_PROMPT_CHUNKS` chunks long.
        clip_skip: Last layers of the encoders left out.
        check: Called between chunks; what it raises stops the encoding.
        last: Which layer from the end is taken without skipping. The very last one is
            normalised, others are as the family was trained with them.

    Returns:
        One prompt, its embedding float32, (1, chunks * chunk, width). What is pooled of it is
        that of the first chunk.

    Raises:
        PromptError: the text is too long, or fewer layers than `clip_skip` are there.
    """
    _check_skip(encoder.encoders, clip_skip)
    empty = _empty(encoder, clip_skip, last)
    said = []
    cut = (_chunks(encoder, place, text) for place in range(len(encoder.encoders)))
    for chunks in zip(*cut, strict=True):
        check()
        said.append(_said(encoder, chunks, clip_skip, last, empty))
    prompt = Prompt(_kept(torch.cat([each.embedding for each in said], 1)), _kept(said[0].pooled))
    return Conditioning(
        (prompt,), _kept(empty.embedding), encoder.family, empty_pooled=_kept(empty.pooled)
    )


def _check_skip(clips: Sequence[LoadedEncoder], clip_skip: int) -> None:
    layers = min(clip.network.config.num_hidden_layers for clip in clips)
    if not 0 <= clip_skip < layers:
        raise PromptError(
            f"clip skip {clip_skip} is not possible: the text encoder has {layers} layers.",
            way_out=f"Choose a number from 0 to {layers - 1}.",
        )


def _chunks(encoder: LoadedTextEncoder, place: int, text: str) -> list[Chunk]:
    """Each chunk for one of the text encoders, with its start, end and padding."""
    tokenizer = encoder.encoders[place].tokenizer
    vectors = {name: each[place] for name, each in encoder.embeddings.items()}
    length = tokenizer.model_max_length
    ids, weights = _tokens(tokenizer, vectors, text)
    size = length - 2
    count = max(1, -(-len(ids) // size))
    if count > MOST_PROMPT_CHUNKS:
        raise PromptError(
            f"the prompt has {len(ids)} tokens; at most {MOST_PROMPT_CHUNKS * size} can be used.",
            way_out="Shorten it.",
        )
    chunks = []
    for first in range(0, count * size, size):
        inside = ids[first : first + size]
        pad = length - len(inside) - 2
        whole = [tokenizer.bos_token_id, *inside, tokenizer.eos_token_id]
        weighed = [1.0, *weights[first : first + size], 1.0] + [1.0] * pad
        chunks.append(Chunk(whole + [tokenizer.pad_token_id] * pad, weighed))
    return chunks


def _tokens(
    tokenizer: Any, vectors: Mapping[str, Tensor], text: str
) -> tuple[list[Token], list[float]]:
    ids: list[Token] = []
    weights: list[float] = []
    for piece in parse(text):
        for words, name in parts_of_text(piece.text, vectors):
            # verbose: no warning about a length that we cut into chunks ourselves
            found = tokenizer(words, add_special_tokens=False, truncation=False, verbose=False)
            told = [*found.input_ids, *(vectors[name] if name else ())]
            ids += told
            weights += [piece.weight] * len(told)
    return ids, weights


def _empty(encoder: LoadedTextEncoder, clip_skip: int, last: int) -> PromptInputs:
    """What the empty chunk says."""
    if clip_skip not in encoder.empty_prompts:
        chunks = [_chunks(encoder, place, "")[0] for place in range(len(encoder.encoders))]
        encoder.empty_prompts[clip_skip] = _said(encoder, chunks, clip_skip, last, None)
    return encoder.empty_prompts[clip_skip]


def _said(
    encoder: LoadedTextEncoder,
    chunks: Sequence[Chunk],
    clip_skip: int,
    last: int,
    empty: PromptInputs | None,
) -> PromptInputs:
    """What the text encoders say of one chunk, as each of them cuts it."""
    states, pooled = [], None
    for clip, chunk in zip(encoder.encoders, chunks, strict=True):
        state, projected = _encode(clip, chunk.tokens, clip_skip, last)
        states.append(state)
        pooled = projected if projected is not None else pooled
    embedding = torch.cat(states, dim=-1)
    if empty is not None:
        embedding = weighted(embedding, chunks[0].weights, empty.embedding)
    return PromptInputs(embedding, pooled)


def _encode(
    encoder: LoadedEncoder, tokens: list[Token], clip_skip: int, last: int
) -> tuple[Tensor, Tensor | None]:
    """The state of each token, and the projected text of an encoder that has such."""
    network = encoder.network
    with reading(encoder, tokens) as ids:
        if last == 1 and not clip_skip:
            return network(ids)[0], None
        made = network(ids, output_hidden_states=True)
    state = made.hidden_states[-(clip_skip + last)]
    if last == 1:
        inner = getattr(network, "text_model", network)  # transformers 5.6 took the wrapper away
        return inner.final_layer_norm(state), None
    return state, made[0] if made[0].ndim == 2 else None


def _kept(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.float().cpu()


@torch.no_grad()
def pooled_text(encoder: LoadedTextEncoder, place: int, text: str) -> Tensor:
    """What one of the encoders says of the text as a whole, (1, width), by its first chunk."""
    clip, chunk = encoder.encoders[place], _chunks(encoder, place, text)[0]
    with reading(clip, chunk.tokens) as ids:
        return clip.network(ids).pooler_output


@torch.no_grad()
def first_chunk(
    encoder: LoadedTextEncoder, count: int, text: str, clip_skip: int, empty: Tensor | None
) -> PromptInputs:
    """What the first encoders say of a text's first chunk: its tokens, and it as a whole.

    What they say is laid side by side. Tokens are read from the last layer but one, without its
    norm. The text as a whole is projected by encoders that project it.

    Args:
        encoder: CLIP's encoders, which may be before others.
        count: How many of them.
        text: A prompt with weights; what is beyond a chunk is not read.
        clip_skip: Further layers left out.
        empty: What is said of the tokens of the empty prompt, at least as wide, from which weights
            move them away; None where this is it.

    Raises:
        PromptError: the text is too long, or fewer layers than `clip_skip` are there.
    """
    clips = encoder.encoders[:count]
    _check_skip(clips, clip_skip)
    chunks = [_chunks(encoder, place, text)[0] for place in range(count)]
    states, whole = [], []
    for clip, chunk in zip(clips, chunks, strict=True):
        with reading(clip, chunk.tokens) as ids:
            made = clip.network(ids, output_hidden_states=True)
        states.append(made.hidden_states[-(clip_skip + 2)])
        whole.append(made.text_embeds if "text_embeds" in made else made.pooler_output)
    embedding = torch.cat(states, dim=-1)
    if empty is not None:
        like = empty[:, : embedding.shape[1], : embedding.shape[2]].to(embedding)
        embedding = weighted(embedding, chunks[0].weights, like)
    return PromptInputs(embedding, torch.cat(whole, dim=-1))
