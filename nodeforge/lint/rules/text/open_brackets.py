"""Brackets in a prompt close."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import family_of_prompt, prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF607",
    Severity.WARNING,
    why=(
        "A bracket without its partner weighs nothing and is read as text. A bracket that is "
        "meant as text is written with a backslash."
    ),
    source="A1111's documentation of attention.",
)

_ESCAPED = re.compile(r"\\\\[()]|\\.")
_SMILEY = re.compile(r"[:;=8xX][-o^]?[()]")


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        family = family_of_prompt(scene, path)
        if ("(" not in text and ")" not in text) or family is None or not family.reads_weights:
            continue
        plain = _SMILEY.sub("", _ESCAPED.sub("", text))
        missing = plain.count("(") - plain.count(")")
        if missing:
            what = "'(' is not closed" if missing > 0 else "')' closes nothing"
            yield scene.problem(
                path,
                f"{what}, so what it weighs is read as it stands.",
                f"Add {'a )' if missing > 0 else 'a ('}; or write \\( where brackets are meant.",
                port=port,
            )
