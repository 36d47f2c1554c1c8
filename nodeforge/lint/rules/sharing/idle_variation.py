"""A variation of the noise varies it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import NOISE
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF806",
    Severity.HINT,
    why=(
        "A share of 0 takes nothing of the other seed, and the noise's own seed is the same noise."
    ),
    source="By definition; A1111's documentation of variation seeds.",
    types=(NOISE,),
)

_PART = re.compile(r"(\d{1,20})\s*:\s*(\d(?:\.\d{1,9})?)")


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(NOISE):
        text = scene.value(path, "variations")
        seed = scene.value(path, "seed") if text else None
        for told in _PART.finditer(text) if type(text) is str else ():
            own = type(seed) is int and int(told[1]) == seed
            if float(told[2]) == 0 or own:
                why = "is the noise itself" if own else "has a share of 0"
                yield scene.problem(
                    path, f"'{told[0]}' {why}.", "Take it out, or change it.", port="variations"
                )
