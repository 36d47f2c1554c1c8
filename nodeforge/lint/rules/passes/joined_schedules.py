"""Loops that go on from each other share one schedule."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SCHEDULE_LABELS

RULE = Rule(
    "NF407",
    Severity.WARNING,
    why="A step of one schedule has another noise level than the same step of another.",
    source="How chains of loops work.",
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        before = loop.before
        if before is None or loop.has_noise or not before.stops_early:
            continue
        made = [(each.settings.schedule, each.steps) for each in (before, loop)]
        if None not in (before.steps, loop.steps) and made[0] != made[1]:
            yield scene.problem(
                loop.path,
                f"runs {_told(made[1])}; the loop before it ran {_told(made[0])}.",
                "Link the same 'Schedule' to both.",
                port="schedule",
            )


def _told(made: tuple[str, int | None]) -> str:
    name, steps = made
    return f"{steps} steps of {SCHEDULE_LABELS.get(name, name)}"
