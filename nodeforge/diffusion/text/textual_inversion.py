"""Textual inversions: words of a person's own, learned as vectors (Gal et al. 2022).

Their vectors take the place of words while a prompt is encoded; the encoder's own table of
words stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.networks.loading import LoadedEncoder, LoadedTextEncoder
from nodeforge.diffusion.weights.describe_adapters import describe_embedding
from nodeforge.diffusion.weights.weights_file import stored_tensors
from nodeforge.errors import RequestError
from nodeforge.models import (
    Kind,
    embedding_tensors,
    prompt_reference,
    referenced_name,
    referenced_names,
)
from nodeforge.values import Embedding, TextEncoder, Weights

Token = int | Tensor
"""A word by its number, or a word's vector, (width,)."""

_NAMED = prompt_reference(Kind.EMBEDDING)


class UnknownEmbeddingError(RequestError):
    """A prompt names an embedding that is not there."""


def with_embedding(encoder: TextEncoder, weights: Weights, name: str) -> TextEncoder:
    """`encoder` with a textual inversion that prompts call ``embedding:name``.

    One of the same name takes the other's place.

    Raises:
        RequestError: the name could not be told from the words around it.
    """
    if _NAMED.fullmatch(f"embedding:{name}") is None:
        raise RequestError(
            f"'{name}' cannot be an embedding's name in a prompt.",
            way_out="Use letters, digits, '-' and '_', without spaces.",
        )
    others = (each for each in encoder.embeddings if each.name != name)
    return replace(encoder, embeddings=(*others, Embedding(name, weights)))


def with_named(encoder: TextEncoder, text: str, find: Callable[[str], Path]) -> TextEncoder:
    """`encoder` with the textual inversions that `text` names and that it has not yet.

    Args:
        encoder: What is to read `text`.
        text: A prompt.
        find: The file of a name; what it raises is not caught.

    Raises:
        ModelFileError: a file is damaged, or a pickle.
        FamilyMismatchError: one was made for another family.
        LoadingError: one is no textual inversion.
    """
    known = {each.name for each in encoder.embeddings}
    for name in referenced_names(Kind.EMBEDDING, text):
        if name not in known:
            weights = describe_embedding(find(name), encoder.family)
            encoder = with_embedding(encoder, weights, name)
    return encoder


def with_embeddings(
    encoder: LoadedTextEncoder, recipe: TextEncoder, find: Callable[[Weights], Weights]
) -> LoadedTextEncoder:
    """`encoder` with the textual inversions of its recipe.

    Args:
        encoder: From `recipe`.
        recipe: Names them.
        find: Where weights are now.

    Raises:
        LoadingError: one was made for other text encoders.
        ModelFileError: a file is damaged.
    """
    if not recipe.embeddings:
        return encoder
    widths = [clip.network.config.hidden_size for clip in encoder.encoders]
    read = {each.name: _read(find(each.weights), widths) for each in recipe.embeddings}
    return replace(encoder, embeddings=read)


def _read(weights: Weights, widths: Sequence[int]) -> tuple[Tensor, ...]:
    """The vectors for each text encoder, (vectors, width), float32."""
    stored = stored_tensors(Path(weights.path))
    names = embedding_tensors({name: tensor.shape for name, tensor in stored.items()})
    by_width = {stored[name].shape[-1]: stored[name] for name in names}
    if missing := [width for width in widths if width not in by_width]:
        raise LoadingError(
            f"this embedding has {' and '.join(map(str, by_width))} numbers for a word; "
            f"the text encoder has {missing[0]}.",
            place=weights.path,
            way_out="Choose an embedding that was made for the model.",
        )
    return tuple(by_width[width].read(torch.float32).reshape(-1, width) for width in widths)


def parts_of_text(text: str, embeddings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Words and names of embeddings in turn: pairs of text before, and the name after or "".

    Raises:
        UnknownEmbeddingError: a name is not among `embeddings`.
    """
    at = 0
    for found in _NAMED.finditer(text):
        if (name := referenced_name(found[1])) not in embeddings:
            known = ", ".join(embeddings) or "none"
            raise UnknownEmbeddingError(
                f"the prompt names an embedding '{name}', which is not there.",
                way_out=f"Put 'Load embedding' before this node. There is now: {known}.",
            )
        yield text[at : found.start()], name
        at = found.end()
    yield text[at:], ""


@contextmanager
def reading(encoder: LoadedEncoder, tokens: Sequence[Token]) -> Iterator[Tensor]:
    """The numbers of `tokens` for `encoder`, which reads vectors in the place of words.

    Returns:
        (1, tokens), on the encoder's device; a vector's number is 0.
    """
    numbers = [token if isinstance(token, int) else 0 for token in tokens]
    vectors = {place: token for place, token in enumerate(tokens) if isinstance(token, Tensor)}

    def put(table: Any, inputs: Any, words: Tensor) -> Tensor:
        words = words.clone()
        for place, vector in vectors.items():
            words[:, place] = vector.to(words)
        return words

    handle = encoder.network.get_input_embeddings().register_forward_hook(put) if vectors else None
    try:
        yield torch.tensor([numbers], device=encoder.device)
    finally:
        if handle:
            handle.remove()
