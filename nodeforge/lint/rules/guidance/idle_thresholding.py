"""Dynamic thresholding mimics a lower scale than it is given."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops, number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF209",
    Severity.HINT,
    why=(
        "It brings what a high scale does back into the range of the scale it mimics. Where "
        "that is no lower, nothing changes."
    ),
    source="By definition; Saharia et al. 2022, arXiv:2205.11487.",
    types=LOOPS,
)

THRESHOLDING = "sampling.dynamic_thresholding"


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("guidance", THRESHOLDING)
        mimic = number(scene.value(path, "mimic")) if path else None
        if path and mimic is not None and loop.scale is not None and 1 < loop.scale <= mimic:
            yield scene.problem(
                path,
                f"mimics {mimic:g}, and the scale is {loop.scale:g}: nothing changes.",
                "Mimic a lower scale, or take it out.",
                port="mimic",
            )
