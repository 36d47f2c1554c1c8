"""A node is there for something."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF803",
    Severity.HINT,
    why="What nothing that is saved or shown depends on is not run.",
    source="How runs are planned.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    if all(not (node.spec and node.spec.wanted) for node in scene.nodes.values()):
        return  # the rule `nothing_to_run`
    for path, node in scene.nodes.items():
        if (
            node.spec
            and node.spec.outputs
            and not scene.is_needed(path)
            and not scene.readers(path)
        ):
            yield scene.problem(
                path, "goes to nothing that is saved or shown.", "Link it, or delete it."
            )
