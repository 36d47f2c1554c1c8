"""A mask is larger than a cell of the latent."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RECTANGLE = "mask.rectangle"

RULE = Rule(
    "NF509",
    Severity.WARNING,
    why="A latent has one cell for 8 or 16 pixels along each side: a thinner mask marks none.",
    source="The family's VAE.",
    types=(RECTANGLE,),
)

_SIDES = {"width": ("left", "right"), "height": ("top", "bottom")}
_CELL = 8


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(RECTANGLE):
        for side, (low, high) in _SIDES.items():
            length, start, end = (number(scene.value(path, port)) for port in (side, low, high))
            if length is None or start is None or end is None:
                continue
            thick = abs(end - start) * length
            if 0 < thick < _CELL:
                yield scene.problem(
                    path,
                    f"is {thick:.3g} pixels thin; a cell of the latent has {_CELL}.",
                    "Make it larger.",
                    port=high,
                )
