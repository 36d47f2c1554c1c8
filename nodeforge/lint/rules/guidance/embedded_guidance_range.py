"""A scale that the model reads is one that it was trained with."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import GuidanceKind

RULE = Rule(
    "NF213",
    Severity.HINT,
    why=(
        "The scale is an input of the model: far from what it has seen, pictures are flat or burnt."
    ),
    source="diffusers documentation, flux.md: 3.5, fill 30, depth and canny 10.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)

_FAR = 2.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        embedded = loop.guidance_kind is GuidanceKind.EMBEDDED
        if not loop.guidance or not embedded or loop.scale is None:
            continue
        usual = loop.recommended
        if loop.scale < usual.guidance / _FAR:
            yield scene.problem(
                loop.guidance,
                f"is {loop.scale:g}, far below what {loop.label} was trained with.",
                f"{usual.guidance:g} is usual.",
                port="scale",
                fix=scene.set_value(loop.guidance, "scale", usual.guidance),
            )
