"""Words are weighed within what embeddings bear."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF605",
    Severity.HINT,
    why=(
        "A weight moves the word's embedding away from all that the model has seen: above "
        "about 1.6 it destroys the picture around it. Each pair of brackets is 1.1 times the "
        "one inside."
    ),
    source="SwarmUI's documentation of prompt weights; A1111's of attention.",
)

_WEIGHT = re.compile(r":\s*(\d{1,3}(?:\.\d{1,4})?)\s*\)")
_NESTED = re.compile(r"(?<!\\)\({5,}")
_LEAST, _MOST = 0.3, 1.6


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        for match in _WEIGHT.finditer(text):
            weight = float(match[1])
            if not _LEAST <= weight <= _MOST:
                yield scene.problem(
                    path,
                    f"'{match[0]}' is a weight of {weight:g}.",
                    f"{_LEAST:g} to {_MOST:g} are of use.",
                    port=port,
                    words=match[0],
                )
                break
        if nested := _NESTED.search(text):
            yield scene.problem(
                path,
                f"'{nested[0]}' makes words {1.1 ** len(nested[0]):.2g} times as strong.",
                "Write (word:1.3).",
                port=port,
                words=nested[0],
            )
