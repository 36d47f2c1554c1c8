"""Parses prompt weights: ``(word:1.2)``, ``((word))``, ``[word]``; ``\\(`` is a bracket."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

STRONGER = 1.1
_PARTNER = {"(": ")", "[": "]"}
_TOKEN = re.compile(r"\\[()\[\]\\]|[()\[\]]|[^\\()\[\]]+|\\")
_WEIGHT = re.compile(r"^(.*):\s*([+-]?(?:\d{1,6}\.?\d{0,9}|\.\d{1,9}))\s*$", re.DOTALL)


def weighted(embedding: Tensor, weights: Sequence[float], empty: Tensor) -> Tensor:
    """Each token moved away from the empty prompt, or towards it, by its weight.

    Args:
        embedding: (1, tokens, width).
        weights: Of each token; 1 leaves its bits.
        empty: The same of the empty prompt, as long.
    """
    if all(weight == 1 for weight in weights):
        return embedding
    factor = embedding.new_tensor(list(weights))[None, :, None]
    moved = empty + factor * (embedding - empty)
    return torch.where(factor == 1, embedding, moved)


class Piece(NamedTuple):
    """Text that has one weight; 1 is as written."""

    text: str
    weight: float


def parse(prompt: str) -> list[Piece]:
    """The pieces of `prompt`, in order, neighbours of one weight joined.

    A bracket without its partner is text. Weights of nested brackets multiply.
    """
    tokens = _TOKEN.findall(prompt)
    factors = _factors(tokens)
    pieces: list[Piece] = []
    weights = [1.0]
    for index, token in enumerate(tokens):
        if index not in factors:
            escaped = len(token) == 2 and token[0] == "\\"
            pieces.append(Piece(token[1:] if escaped else token, weights[-1]))
        elif token in _PARTNER:
            weights.append(weights[-1] * factors[index])
        else:
            weights.pop()
    return _joined(pieces)


def _factors(tokens: list[str]) -> dict[int, float]:
    """What each bracket that has a partner multiplies weights by; takes ``:1.2`` off the text."""
    factors: dict[int, float] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token in _PARTNER:
            opened.append(index)
        elif opened and token == _PARTNER[tokens[opened[-1]]]:
            first = opened.pop()
            factors[first] = STRONGER if token == ")" else 1 / STRONGER
            factors[index] = 1.0
            said = _WEIGHT.match(tokens[index - 1]) if token == ")" else None
            if said and index - 1 > first:
                tokens[index - 1] = said[1]
                factors[first] = float(said[2])
    return factors


def _joined(pieces: list[Piece]) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and joined[-1].weight == piece.weight:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.weight)
        else:
            joined.append(piece)
    return joined or [Piece("", 1.0)]
