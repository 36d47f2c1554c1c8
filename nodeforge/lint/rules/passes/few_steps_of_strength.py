"""A changed picture gets enough steps."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF401",
    Severity.HINT,
    why="Steps times strength are run. Three or fewer leave what they begin unfinished.",
    source="diffusers documentation, image to image.",
    types=LOOPS,
)

_LEAST = 4


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        distilled = loop.variant is not None and loop.variant.distilled
        part = loop.strength is not None and loop.strength < 1
        if distilled or not loop.schedule or not part or not loop.steps_run:
            continue
        if loop.steps_run < _LEAST <= (loop.steps or 0):
            yield scene.problem(
                loop.schedule,
                f"{loop.steps} steps at strength {loop.strength:g} run {loop.steps_run}.",
                "Raise the number of steps; the strength stays what it is.",
                port="steps",
            )
