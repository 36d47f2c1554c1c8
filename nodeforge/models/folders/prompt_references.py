"""Finds the models that a prompt references by ``embedding:style``."""

from __future__ import annotations

import re
from functools import cache


@cache
def prompt_reference(kind: str) -> re.Pattern[str]:
    """Finds ``kind:name`` in a text; the first group is the name, without what ends a sentence."""
    letter = r"[^\s,;:()\[\]|\\]"
    return re.compile(rf"{kind}:({letter}*[^\s,;:()\[\]|\\.!?])")


def referenced_names(kind: str, text: str) -> tuple[str, ...]:
    """Every model of `kind` that `text` names, in order, each once."""
    return tuple(dict.fromkeys(prompt_reference(kind).findall(text)))
