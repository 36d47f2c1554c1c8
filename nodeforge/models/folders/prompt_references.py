"""Finds the models that a prompt references by ``embedding:style``."""

from __future__ import annotations

import re
from functools import cache


@cache
def prompt_reference(kind: str) -> re.Pattern[str]:
    """Finds ``kind:name`` in a text; the first group is the name, without what ends a sentence.

    A backslash before a letter is a separator, as ComfyUI writes it on Windows; before a bracket
    it is the prompt's own. `referenced_name` makes the name of it.
    """
    letter = r"(?:[^\s,;:()\[\]|\\]|\\(?=\w))"
    return re.compile(rf"{kind}:({letter}*[^\s,;:()\[\]|\\.!?])")


def referenced_names(kind: str, text: str) -> tuple[str, ...]:
    """Every model of `kind` that `text` names, in order, each once."""
    return tuple(dict.fromkeys(map(referenced_name, prompt_reference(kind).findall(text))))


def referenced_name(written: str) -> str:
    """A model's name as a text writes it, with `/` between its parts."""
    return written.replace("\\", "/")
