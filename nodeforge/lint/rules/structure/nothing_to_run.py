"""A run has something to compute, and something comes of it."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF108",
    Severity.ERROR,
    why="Only what is saved or shown is computed, with what it depends on.",
    source="How runs are planned.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    if not scene.nodes:
        empty = not scene.graph.nodes
        fact = "there is no node." if empty else "there is nothing to run: all is muted or unfed."
        yield scene.problem("", fact, "Add nodes." if empty else "Unmute a node.")
    elif all(node.spec is not None and not node.spec.wanted for node in scene.nodes.values()):
        yield scene.problem(
            "",
            "nothing is saved or shown: results stay in the cache.",
            "Add a node that saves or shows the picture.",
            severity=Severity.WARNING,
        )
