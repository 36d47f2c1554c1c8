"""A changed picture changes."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF403",
    Severity.HINT,
    why="Below a tenth of the steps the noise is smaller than what the VAE rounds away.",
    source="Practice; diffusers documentation, image to image.",
    types=LOOPS,
)

_LEAST = 0.1


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        strength = loop.strength
        if loop.schedule and loop.is_img2img and strength and 0 < strength < _LEAST:
            yield scene.problem(
                loop.schedule,
                f"is {strength:g}: hardly anything will change.",
                "0.3 to 0.7 changes a picture and keeps its composition.",
                port="strength",
            )
