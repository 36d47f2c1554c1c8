"""SDXL is not asked for an enlarged small picture."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

FRAMING = "text.framing"

RULE = Rule(
    "NF506",
    Severity.HINT,
    why=(
        "SDXL was told the size of each training picture before it was enlarged: a small "
        "original size asks for its blur."
    ),
    source="Podell et al. 2023, arXiv:2307.01952, section 2.2.",
    fix=FixGrade.CHOICE,
    types=(FRAMING,),
)

_SHARP = 768


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(FRAMING):
        for port in ("original_width", "original_height"):
            side = scene.value(path, port)
            if type(side) is int and 0 < side < _SHARP:
                yield scene.problem(
                    path,
                    f"is {side}, the size of pictures that were enlarged for the training.",
                    "0 is the picture's own size.",
                    port=port,
                    fix=scene.set_value(path, port, 0),
                )
