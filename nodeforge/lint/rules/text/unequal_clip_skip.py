"""Prompt and negative prompt are read from the same layer."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import LOOPS, loops
from nodeforge.lint.problem import FixGrade, Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF613",
    Severity.HINT,
    why=(
        "Guidance compares the two: from different layers it also amplifies the difference "
        "between the layers."
    ),
    source="Ho and Salimans 2022, arXiv:2207.12598; practice.",
    fix=FixGrade.CHOICE,
    types=LOOPS,
)


def check(scene: LintContext) -> Iterator[Problem]:
    for loop in loops(scene):
        nodes = [loop.node(port, "text.encode") for port in ("positive", "negative")]
        if None in nodes:
            continue
        skips = [scene.value(path or "", "clip_skip") for path in nodes]
        if None not in skips and skips[0] != skips[1]:
            yield scene.problem(
                nodes[1] or "",
                f"is {skips[1]}; that of the prompt is {skips[0]}.",
                "Set both to the same.",
                port="clip_skip",
                fix=scene.set_value(nodes[1] or "", "clip_skip", skips[0]),
            )
