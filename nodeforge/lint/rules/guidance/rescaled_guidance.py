"""Guidance is rescaled no further than is of use."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import GUIDANCE, number
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF207",
    Severity.HINT,
    why=(
        "Rescaling takes back the brightness that guidance adds; fully rescaled pictures are "
        "flat. It was made for models that predict v and were trained up to pure noise."
    ),
    source="Lin et al. 2023, arXiv:2305.08891: 0.7.",
    fix=FixGrade.CHOICE,
    types=(GUIDANCE,),
)

_MOST = 0.9


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(GUIDANCE):
        rescale = number(scene.value(path, "rescale"))
        if rescale is not None and _MOST < rescale <= 1:
            yield scene.problem(
                path,
                f"is {rescale:g}; above {_MOST:g} pictures become flat.",
                "0.7 is usual.",
                port="rescale",
                fix=scene.set_value(path, "rescale", 0.7),
            )
