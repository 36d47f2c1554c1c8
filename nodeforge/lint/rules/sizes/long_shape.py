"""A picture is not much longer than it is high."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF505",
    Severity.HINT,
    why=(
        "Models saw few pictures longer than 2.5 to 1: the subject appears twice along the "
        "longer side."
    ),
    source="Podell et al. 2023, arXiv:2307.01952, appendix I: buckets up to 4 to 1.",
    types=LOOPS,
)

_MOST = 2.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        if loop.size is None or loop.noise is None or min(loop.size) < 1:
            continue
        longer, shorter = max(loop.size), min(loop.size)
        if longer > _MOST * shorter:
            yield scene.problem(
                loop.noise,
                f"is {loop.size[0]} × {loop.size[1]}, {longer / shorter:.1f} to 1.",
                "Draw the middle, and extend it on the canvas; or give regions prompts.",
                port="width",
            )
