"""Controls leave the model some freedom."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops, number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF712",
    Severity.HINT,
    why=(
        "A ControlNet was trained at 1. Above about 1.5, or where several add up to more than "
        "2, lines burn into the picture."
    ),
    source="diffusers documentation, controlnet.md: balance several with their scales.",
    types=LOOPS,
)

CONTROL = "control.apply"
_MOST, _MOST_TOGETHER = 1.5, 2.0


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        found = [
            (path, number(scene.value(path, "strength")) or 0)
            for path in loop.upstream("positive", "conditioning")
            if scene.nodes[path].type == CONTROL
        ]
        total = sum(strength for _, strength in found)
        strongest = max(found, key=lambda each: each[1], default=("", 0.0))
        if strongest[1] > _MOST:
            fact = f"is {strongest[1]:g}; a ControlNet was trained at 1."
        elif len(found) > 1 and total > _MOST_TOGETHER:
            fact = f"{len(found)} ControlNets have strengths of {total:g} together."
        else:
            continue
        yield scene.problem(strongest[0], fact, "0.4 to 1 are usual.", port="strength")
