"""A step cache stays near what it approximates."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import STEP_CACHE, loops, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF322",
    Severity.HINT,
    why=(
        "A step cache is approximate: what little changes is taken to stay as it was. At a high "
        "threshold shapes change with it; of few steps, each differs much from the one before."
    ),
    source=(
        "diffusers documentation, FirstBlockCacheConfig: 0.05 is its default, 0.2 the most that "
        "its examples use; Liu et al. 2024, arXiv:2411.19108, table 1."
    ),
    fix=FixGrade.CHOICE,
    types=(STEP_CACHE,),
)

_USUAL, _MOST = 0.12, 0.2
_FEW_STEPS = 8


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(STEP_CACHE):
        threshold = number(scene.value(path, "threshold"))
        if threshold is not None and threshold > _MOST:
            yield scene.problem(
                path,
                f"is {threshold:g}: the picture is approximate, and differs to be seen.",
                f"{_USUAL:g} is usual.",
                port="threshold",
                fix=scene.set_value(path, "threshold", _USUAL),
            )
    for loop in loops(scene):
        cache = loop.node("model", STEP_CACHE)
        if cache and loop.steps is not None and loop.steps <= _FEW_STEPS:
            yield scene.problem(
                cache,
                f"approximates steps, of which there are {loop.steps}: little is left to reuse.",
                "Take the node out, or use more steps.",
            )
