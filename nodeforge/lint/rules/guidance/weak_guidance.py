"""Guidance that costs a second prediction also does something."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.models import GuidanceKind

RULE = Rule(
    "NF202",
    Severity.HINT,
    why=(
        "Between 1 and 1.5 a step costs as much as at 7, and the picture hardly follows the "
        "prompt more than without guidance."
    ),
    source="Ho and Salimans 2022, arXiv:2207.12598, figure 4; practice.",
    types=LOOPS,
)

_LOWEST = 1.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        known = loop.family is not None and not (loop.variant and loop.variant.distilled)
        twice = loop.guidance_kind in (GuidanceKind.CFG, GuidanceKind.CFG_APART)
        if loop.guidance and known and twice and loop.scale and 1 < loop.scale < _LOWEST:
            yield scene.problem(
                loop.guidance,
                f"is {loop.scale:g}, which doubles the time of a step and changes little.",
                f"1 turns it off; {loop.recommended.guidance:g} is usual.",
                port="scale",
            )
