"""A schedule that was tuned for a family is used with it."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.values.sampling_labels import SCHEDULE_LABELS

RULE = Rule(
    "NF311",
    Severity.WARNING,
    why="Align Your Steps is a table of noise levels that was optimised for one model.",
    source="Sabour et al. 2024, arXiv:2404.14507.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_TUNED = ("ays", "ays_sdxl")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        name = scene.value(loop.schedule, "name") if loop.schedule else None
        if not loop.schedule or name not in _TUNED or loop.family is None:
            continue
        if name != loop.family.tuned_schedule:
            right = loop.family.tuned_schedule or loop.recommended.schedule
            yield scene.problem(
                loop.schedule,
                f"was tuned for another family than {loop.family.label}.",
                f"Choose {SCHEDULE_LABELS[right]}.",
                port="name",
                fix=scene.set_value(loop.schedule, "name", right),
            )
