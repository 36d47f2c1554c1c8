"""Encodes prompts with CLIP: weights, any length in chunks, clip skip.

Our own code rather than compel's: a plain prompt keeps the pipeline's bits either way, but
compel's clip skip fails with the transformers we use, and 40 lines serve all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from nodeforge.diffusion.loading import LoadedTextEncoder
from nodeforge.diffusion.prompts import parse
from nodeforge.errors import RequestError
from nodeforge.values import Conditioning, Prompt

MOST_CHUNKS = 32
"""Chunks a prompt may have; each lengthens what every step reads."""


class PromptError(RequestError):
    """A prompt, or a clip skip, that the text encoder cannot take."""


@torch.no_grad()
def encode_prompt(
    encoder: LoadedTextEncoder,
    text: str,
    clip_skip: int = 0,
    check: Callable[[], None] = lambda: None,
) -> Conditioning:
    """Encode `text`; a plain prompt of one chunk equals diffusers' pipeline bit for bit.

    Args:
        encoder: The text encoder.
        text: A prompt with weights, at most `MOST_CHUNKS` chunks long.
        clip_skip: Last layers of the encoder left out.
        check: Called between chunks; what it raises stops the encoding.

    Returns:
        One prompt, its embedding float32, (1, chunks * chunk, width).

    Raises:
        PromptError: the text is too long, or fewer layers than `clip_skip` are there.
    """
    layers = encoder.network.config.num_hidden_layers
    if not 0 <= clip_skip < layers:
        raise PromptError(
            f"clip skip {clip_skip} is not possible: the text encoder has {layers} layers.",
            way_out=f"Choose a number from 0 to {layers - 1}.",
        )
    empty = _empty(encoder, clip_skip)
    embeddings = []
    for tokens, weights in _chunks(encoder, text):
        check()
        embeddings.append(_weighted(_encode(encoder, tokens, clip_skip), weights, empty))
    prompt = Prompt(torch.cat(embeddings, dim=1).float().cpu())
    return Conditioning((prompt,), empty.float().cpu(), encoder.family)


def _chunks(encoder: LoadedTextEncoder, text: str) -> Iterator[tuple[list[int], list[float]]]:
    """Token ids and weights of each chunk, with its start, end and padding."""
    tokenizer = encoder.tokenizer
    length = tokenizer.model_max_length
    ids, weights = _tokens(tokenizer, text)
    size = length - 2
    count = max(1, -(-len(ids) // size))
    if count > MOST_CHUNKS:
        raise PromptError(
            f"the prompt has {len(ids)} tokens; at most {MOST_CHUNKS * size} can be used.",
            way_out="Shorten it.",
        )
    for first in range(0, count * size, size):
        inside = ids[first : first + size]
        pad = length - len(inside) - 2
        whole = [tokenizer.bos_token_id, *inside, tokenizer.eos_token_id]
        yield (
            whole + [tokenizer.pad_token_id] * pad,
            [1.0, *weights[first : first + size], 1.0] + [1.0] * pad,
        )


def _tokens(tokenizer: object, text: str) -> tuple[list[int], list[float]]:
    ids: list[int] = []
    weights: list[float] = []
    for piece in parse(text):
        # verbose: no warning about a length that we cut into chunks ourselves
        found = tokenizer(piece.text, add_special_tokens=False, truncation=False, verbose=False)  # pyright: ignore[reportCallIssue]
        ids += found.input_ids
        weights += [piece.weight] * len(found.input_ids)
    return ids, weights


def _empty(encoder: LoadedTextEncoder, clip_skip: int) -> Tensor:
    if clip_skip not in encoder.empty:
        ((tokens, _),) = _chunks(encoder, "")
        encoder.empty[clip_skip] = _encode(encoder, tokens, clip_skip)
    return encoder.empty[clip_skip]


def _encode(encoder: LoadedTextEncoder, tokens: list[int], clip_skip: int) -> Tensor:
    network = encoder.network
    ids = torch.tensor([tokens], device=network.device)
    if not clip_skip:
        return network(ids)[0]
    states = network(ids, output_hidden_states=True).hidden_states
    inner = getattr(network, "text_model", network)  # transformers 5.6 took the wrapper away
    return inner.final_layer_norm(states[-(clip_skip + 1)])


def _weighted(embedding: Tensor, weights: list[float], empty: Tensor) -> Tensor:
    """Each token moved away from the empty prompt, or towards it, by its weight."""
    if all(weight == 1 for weight in weights):
        return embedding
    factor = torch.tensor(weights, dtype=embedding.dtype, device=embedding.device)[None, :, None]
    moved = empty + factor * (embedding - empty)
    return torch.where(factor == 1, embedding, moved)
