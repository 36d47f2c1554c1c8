"""A distilled model draws in the few steps that it was trained for."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF303",
    Severity.WARNING,
    why=(
        "More steps than it was trained for do not refine the picture: it becomes harder and "
        "darker, and takes longer."
    ),
    source=(
        "diffusers documentation, sdxl_turbo.md: 1 to 4; the model cards of SDXL-Lightning, "
        "Hyper-SD, FLUX.1 schnell, Z-Image-Turbo and FLUX.2 klein."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_FAR = 1.5
"""How many times the usual most is a mistake, not a taste."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if not (loop.schedule and loop.steps and loop.variant and loop.variant.distilled):
            continue
        usual = loop.variant.recommended
        most = usual.steps_range[1]
        if loop.steps > most:
            far = loop.steps > _FAR * most
            yield scene.problem(
                loop.schedule,
                f"is {loop.steps}; {loop.label} was distilled to draw in at most {most}.",
                f"{usual.steps} is usual.",
                port="steps",
                fix=scene.set_value(loop.schedule, "steps", usual.steps),
                severity=None if far else Severity.HINT,
            )
