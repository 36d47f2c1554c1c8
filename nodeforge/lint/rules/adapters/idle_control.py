"""A control that is linked acts."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

_CONTROLS = ("control.apply", "control.apply_ip_adapter")

RULE = Rule(
    "NF711",
    Severity.WARNING,
    why="At strength 0, or with an end that is not after its start, it is loaded for nothing.",
    source="The node's declaration.",
    types=_CONTROLS,
)

_WAY_OUT = "Raise the strength, or bypass the node."


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(*_CONTROLS):
        strength, start, end = (number(scene.value(path, p)) for p in ("strength", "start", "end"))
        if strength == 0:
            yield scene.problem(path, "is 0: it does nothing.", _WAY_OUT, port="strength")
        elif start is not None and end is not None and start >= end:
            fact = f"starts at {start:g} and ends at {end:g}, so it never acts."
            yield scene.problem(path, fact, "Let it end later than it starts.", port="end")
