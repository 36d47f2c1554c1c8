"""A flow is shifted about as far as its model was trained with."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF317",
    Severity.HINT,
    why=(
        "The shift decides how many steps are spent on the composition and how many on "
        "detail; far from the usual one either is poor."
    ),
    source=(
        "The families' schedulers; SwarmUI's model documentation: SD 3 and Z-Image 3, Flux.1 3.2."
    ),
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

SHIFT = "models.flow_shift"
_FAR = 2.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        path = loop.node("model", SHIFT)
        shift = number(scene.value(path, "shift")) if path else None
        usual = loop.family.comfyui_shift if loop.family else None
        if path and shift and usual and not 1 / _FAR <= shift / usual <= _FAR:
            yield scene.problem(
                path,
                f"is {shift:g}; {usual:.2g} is usual for {loop.label}.",
                f"Set it to {usual:.2g}, or take the node out.",
                port="shift",
                fix=scene.set_value(path, "shift", float(f"{usual:.2g}")),
            )
