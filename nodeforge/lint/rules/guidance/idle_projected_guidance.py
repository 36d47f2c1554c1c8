"""Adaptive projected guidance has a scale that needs it."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF208",
    Severity.HINT,
    why=(
        "APG takes the burn out of high scales. At usual ones there is none, and it only "
        "makes the prompt count less."
    ),
    source="Sadat et al. 2024, arXiv:2410.02416: 10 to 15.",
    types=LOOPS,
)

APG = "sampling.projected_guidance"
_LOWEST = 4.0


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("guidance", APG)
        if path and loop.scale is not None and 1 < loop.scale < _LOWEST:
            yield scene.problem(
                path,
                f"does little at a scale of {loop.scale:g}.",
                "Raise the scale to 8 or more, or take it out.",
            )
