"""A flow is shifted about as far as its model was trained with."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, Loop, loops, number
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
        known = _usual(loop)
        if not path or not known or shift is None or shift <= 0:
            continue
        usual = _nearest(shift, known)
        if not 1 / _FAR <= shift / usual <= _FAR:
            yield scene.problem(
                path,
                f"is {shift:g}; {usual:.2g} is usual for {loop.label}.",
                f"Set it to {usual:.2g}, or take the node out.",
                port="shift",
                fix=scene.set_value(path, "shift", float(f"{usual:.2g}")),
            )


def _nearest(shift: float, known: set[float]) -> float:
    return min(known, key=lambda each: abs(log(each / shift)))


def _usual(loop: Loop) -> set[float]:
    """The shifts that a model is run with: ComfyUI's, its scheduler's, its variant's."""
    if loop.family is None or loop.family.comfyui_shift is None:
        return set()
    told = loop.variant.scheduler if loop.variant else {}
    own = told.get("flow_shift") or told.get("shift") or loop.family.usual_shift
    return {each for each in (loop.family.comfyui_shift, own) if each}
