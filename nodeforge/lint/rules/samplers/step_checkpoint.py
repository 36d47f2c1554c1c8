"""A checkpoint that was distilled to a number of steps runs that number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF304",
    Severity.WARNING,
    why=(
        "Each of these checkpoints has learned the jumps between its own steps. With others "
        "its pictures are blurred or burnt."
    ),
    source="Model card of SDXL-Lightning: always use the correct checkpoint for the steps.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_COUNTED = ("lightning", "hyper")
_STEPS = re.compile(r"(?i)(?<![0-9])([1-9]|1[0-6])[ _-]?steps?(?![a-z])")


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        info = loop.model.info
        if not (loop.schedule and loop.steps and info) or loop.model.variant not in _COUNTED:
            continue
        told = _STEPS.search(info.path.stem)
        if told and int(told[1]) != loop.steps:
            yield scene.problem(
                loop.schedule,
                f"is {loop.steps}; '{info.path.name}' was distilled to {told[1]}.",
                f"Set it to {told[1]}, or choose the checkpoint for {loop.steps} steps.",
                port="steps",
                fix=scene.set_value(loop.schedule, "steps", int(told[1])),
            )
