"""Changes of words are all told in steps or all in shares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import prompts
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF608",
    Severity.HINT,
    why=(
        "In [from:to:when] a whole number counts steps, and a number below 1 is a share of "
        "them: 1 is the first step, 1.0 the end."
    ),
    source="The prompt editor's help; A1111's documentation of prompt editing.",
)

_CHANGE = re.compile(r"\[[^\[\]]*:\s*(\d{1,4}(?:\.\d{0,6})?)\s*\]")


def check(scene: LintContext) -> Iterator[Problem]:
    for path, port, text in prompts(scene):
        times = [match[1] for match in _CHANGE.finditer(text)]
        if "1" in times and any("." in time for time in times):
            yield scene.problem(
                path,
                "a word changes at 1, which is the first step, and others at shares of the steps.",
                "Write 1.0 for the end.",
                port=port,
            )
