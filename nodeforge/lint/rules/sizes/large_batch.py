"""Pictures that are computed at once fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF508",
    Severity.HINT,
    why=(
        "All pictures of a batch are in memory together. One after another takes hardly "
        "longer on most cards, and can be stopped."
    ),
    source=(
        "Activations grow with the number of pixels; SDXL needs about 1.5 GB a megapixel in "
        "half precision."
    ),
    types=LOOPS,
)

_MANY, _TOO_MANY = 8, 24
"""Megapixels."""
_MOST = 64
"""Pictures that *Noise* takes."""


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        batch = scene.value(loop.noise, "batch") if loop.noise else None
        if loop.noise is None or loop.size is None or type(batch) is not int:
            continue
        if not 2 <= batch <= _MOST:
            continue  # the rule `ranges`
        pixels = batch * loop.size[0] * loop.size[1] / 1e6
        if pixels > _MANY:
            yield scene.problem(
                loop.noise,
                f"{batch} pictures of {loop.size[0]} × {loop.size[1]} are {pixels:.0f} megapixels "
                "at once.",
                "Make fewer at a time, and run it several times: the queue counts the seed on.",
                port="batch",
                severity=Severity.WARNING if pixels > _TOO_MANY else None,
            )
