"""An embedding that was made for the negative prompt stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.prompts import encoders
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF610",
    Severity.HINT,
    why=(
        "Embeddings such as EasyNegative gather what pictures should not have: in the prompt "
        "they ask for it."
    ),
    source="The cards of EasyNegative, bad-hands-5 and negative_hand.",
    types=LOOPS,
)

_NEGATIVE = re.compile(r"(?i)embedding:(?:easynegative|bad[\w-]*|neg[\w-]*|verybad[\w-]*)")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        for path in encoders(scene, loop, "positive"):
            text = scene.value(path, "text")
            found = _NEGATIVE.search(text) if type(text) is str else None
            if found:
                yield scene.problem(
                    path,
                    f"'{found[0]}' was made for the negative prompt.",
                    "Move it there.",
                    port="text",
                    words=found[0],
                )
