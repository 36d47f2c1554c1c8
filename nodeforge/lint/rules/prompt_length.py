"""A prompt is not longer than a text encoder is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem
from nodeforge.lint.rules.prompt_syntax import prompts
from nodeforge.values.conditioning import MOST_PROMPT_CHUNKS, PROMPT_CHUNK

_CHANGING = re.compile(r"\[[^\[\]]*\]")
_WORD = re.compile(r"[^\W\d_]+")
"""No tokenizer makes less than a token of a run of letters."""


def check(scene: LintContext) -> Iterator[Problem]:
    most = MOST_PROMPT_CHUNKS * PROMPT_CHUNK
    for path, port, text in prompts(scene):
        if len(text) <= most:
            continue
        words = sum(1 for _ in _WORD.finditer(_CHANGING.sub("", text)))
        if words > most:
            yield scene.problem(
                "prompt_length",
                path,
                f"the prompt has {words} words; at most {most} tokens can be used, and a word is "
                "at least one.",
                "Shorten it.",
                port=port,
            )
