"""The LoRAs of a model are together no stronger than it bears."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.loras import loras
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF707",
    Severity.HINT,
    why="They all change the same layers, and their changes add up.",
    source="Practice.",
    types=LOOPS,
)

_MOST = 2.5


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        found = [each for each in loras(scene, loop) if each.weight and not each.hurries]
        total = sum(abs(each.weight or 0) for each in found)
        if len(found) > 1 and total > _MOST:
            yield scene.problem(
                found[0].path,
                f"{len(found)} LoRAs have weights of {total:g} together.",
                f"Stay below about {_MOST:g}.",
                port="model_weight",
            )
