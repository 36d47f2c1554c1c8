"""A step cache has blocks to leave out."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import STEP_CACHE, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF323",
    Severity.ERROR,
    why=(
        "A step cache leaves out the blocks after the first of a transformer, which run one "
        "after another. A UNet has levels with skips between them, and the run is refused."
    ),
    source="How the denoise loop reuses steps here.",
    types=(STEP_CACHE,),
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        cache = loop.node("model", STEP_CACHE)
        if cache and loop.family is not None and loop.family.is_unet:
            yield scene.problem(
                cache,
                f"{loop.label} is a UNet: a step cache acts on transformers.",
                "Take the node out.",
            )
