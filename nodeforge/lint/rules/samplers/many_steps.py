"""Steps that change nothing are not paid for."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.measured import measured
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF308",
    Severity.HINT,
    why=(
        "Samplers that follow the probability flow have converged long before: the picture "
        "stays the same, and takes longer."
    ),
    source=(
        "Lu et al. 2022, arXiv:2211.01095: 20 steps; Karras et al. 2022, arXiv:2206.00364, "
        "figure 2."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_SLOW = ("ddpm", "euler_a", "dpm2_a")
"""Samplers of first order that add noise: they take more steps to settle."""
_MOST_SLOW = 150
_FAR = 100
"""From here it is a warning: most of the time goes for nothing."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        unknown = loop.family is None or (loop.variant is not None and loop.variant.distilled)
        if unknown or not loop.schedule or loop.steps is None:
            continue  # the rule `distilled_steps`
        if measured(loop) is not None:
            continue  # the rule `measured_steps` knows better
        slow = loop.settings.sampler in _SLOW
        most = _MOST_SLOW if slow else loop.recommended.steps_range[1]
        if loop.steps <= most:
            continue
        far = loop.steps >= _FAR and not slow
        yield scene.problem(
            loop.schedule,
            f"is {loop.steps}; more than {most} change nothing that is seen.",
            f"{loop.recommended.steps} is usual.",
            port="steps",
            fix=scene.set_value(loop.schedule, "steps", loop.recommended.steps),
            severity=Severity.WARNING if far else None,
        )
