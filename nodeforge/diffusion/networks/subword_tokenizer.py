"""Tokenizers of T5 and of language models, without transformers' wrapper around them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Tokens(NamedTuple):
    """A text as an encoder reads it.

    Args:
        ids: Numbers of the tokens.
        mask: 1 for each token of the text, 0 for padding.
        offsets: Where in the text each token begins and ends; (0, 0) where it is in none.
    """

    ids: list[int]
    mask: list[int]
    offsets: list[tuple[int, int]]


class SubwordTokenizer:
    """A tokenizer that is one JSON file of the library `tokenizers`.

    Args:
        tokenizer: A `tokenizers.Tokenizer`.
        pad: Number of its padding token.
        pads_left: Whether padding comes before the text.
    """

    def __init__(self, tokenizer: Any, pad: int, pads_left: bool = False) -> None:
        self._tokenizer = tokenizer
        self._pad = pad
        self._pads_left = pads_left

    def encode(self, text: str, length: int, *, padded: bool = True) -> Tokens:
        """The tokens of `text`, with the marks that the tokenizer puts around a text.

        Args:
            text: What to cut.
            length: Tokens that are kept, marks included.
            padded: Fill up to `length`.
        """
        self._tokenizer.enable_truncation(length)
        self._tokenizer.no_padding()
        found = self._tokenizer.encode(text)
        missing = length - len(found.ids) if padded else 0
        before, after = (missing, 0) if self._pads_left else (0, missing)
        return Tokens(
            [*[self._pad] * before, *found.ids, *[self._pad] * after],
            [*[0] * before, *[1] * len(found.ids), *[0] * after],
            [*[(0, 0)] * before, *found.offsets, *[(0, 0)] * after],
        )

    def count(self, text: str) -> int:
        """How many tokens `text` has, marks included."""
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        return len(self._tokenizer.encode(text).ids)
