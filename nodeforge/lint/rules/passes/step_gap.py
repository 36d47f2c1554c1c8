"""A loop goes on from the step at which the one before it stopped."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF406",
    Severity.WARNING,
    why=(
        "Between the steps the latent holds the noise of exactly one level. From another step "
        "the loop takes away too much of it or too little."
    ),
    source="How chains of loops work.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        before = loop.before
        if before is None or loop.has_noise or not before.stops_early:
            continue
        if before.steps == loop.steps and loop.first_step != before.last_step:
            yield scene.problem(
                loop.path,
                f"starts at step {loop.first_step}; the one before stopped at {before.last_step}.",
                f"Start at {before.last_step}.",
                port="start_at",
                fix=scene.set_value(loop.path, "start_at", before.last_step),
            )
