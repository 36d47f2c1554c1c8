"""A schedule that was tuned for ten steps runs about as many."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF312",
    Severity.HINT,
    why=(
        "Align Your Steps was optimised for 10 steps; for others its levels are interpolated, "
        "and above 25 it is no better than Karras."
    ),
    source="Sabour et al. 2024, arXiv:2404.14507, section 4.",
    types=LOOPS,
)

_TUNED = ("ays", "ays_sdxl")
_MOST = 25


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        name = scene.value(loop.schedule, "name") if loop.schedule else None
        if loop.schedule and name in _TUNED and loop.steps and loop.steps > _MOST:
            yield scene.problem(
                loop.schedule,
                f"was tuned for 10 steps, and runs {loop.steps}.",
                "Run 10 to 20 steps, or choose Karras.",
                port="steps",
            )
