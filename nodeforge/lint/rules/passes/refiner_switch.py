"""The refiner draws the last part of the steps."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF411",
    Severity.HINT,
    why="SDXL's refiner was trained on the low noise of the last fifth alone.",
    source="Podell et al. 2023, arXiv:2307.01952, section 2.5; model card of the refiner.",
    types=LOOPS,
)

_EARLIER = 0.2


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        usual = loop.family.starts_at if loop.family else 0.0
        if not usual or not loop.before or not loop.steps_run or not loop.first_step:
            continue
        share = loop.first_step / loop.steps_run
        if not usual - _EARLIER <= share < 1:
            step = round(usual * loop.steps_run)
            yield scene.problem(
                loop.path,
                f"the refiner draws from step {loop.first_step} of {loop.steps_run}.",
                f"Start at about step {step}.",
                port="start_at",
            )
