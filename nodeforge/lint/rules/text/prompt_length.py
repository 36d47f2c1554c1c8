"""A prompt is not longer than a text encoder is given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import count_words, prompts
from nodeforge.lint.rule import Rule
from nodeforge.values.conditioning import MOST_PROMPT_CHUNKS, PROMPT_CHUNK

RULE = Rule(
    "NF601",
    Severity.ERROR,
    why=("A text encoder reads a bounded number of tokens; the rest would be cut without a word."),
    source="The text encoder's configuration.",
)

_CHANGING = re.compile(r"\[[^\[\]]*\]")


def check(scene: LintContext) -> Iterator[Problem]:
    most = MOST_PROMPT_CHUNKS * PROMPT_CHUNK
    for path, port, text in prompts(scene):
        if len(text) <= most:
            continue
        words = count_words(_CHANGING.sub("", text))
        if words > most:
            yield scene.problem(
                path,
                f"the prompt has {words} words; at most {most} tokens can be used, and a word is "
                "at least one.",
                "Shorten it.",
                port=port,
            )
