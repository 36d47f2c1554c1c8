"""Only models that predict flow begin with steps of zero velocity."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF211",
    Severity.WARNING,
    why=(
        "CFG-Zero* leaves out the first steps of a flow, whose velocities are poor. Other "
        "models are left with noise that no step takes away."
    ),
    source="Fan et al. 2025, arXiv:2503.18886.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

ZERO_STAR = "sampling.zero_star"


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("guidance", ZERO_STAR)
        steps = scene.value(path, "zero_steps") if path else None
        if path and type(steps) is int and steps > 0 and loop.model.flow is False:
            yield scene.problem(
                path,
                f"the first {steps} are left out, and {loop.label} does not predict flow.",
                "Set it to 0.",
                port="zero_steps",
                fix=scene.set_value(path, "zero_steps", 0),
            )
