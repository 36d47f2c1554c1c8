"""Only the schedule of a flow-matching model is shifted."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF316",
    Severity.WARNING,
    why=(
        "The shift moves the levels of a flow from 1 to 0. Other models have no such "
        "schedule: the node has no effect on them."
    ),
    source="Esser et al. 2024, arXiv:2403.03206, section 5.3.2.",
    types=LOOPS,
)

SHIFT = "models.flow_shift"


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("model", SHIFT)
        if path and loop.model.flow is False:
            yield scene.problem(
                path,
                f"has no effect: {loop.label} does not predict flow.",
                "Take it out.",
            )
