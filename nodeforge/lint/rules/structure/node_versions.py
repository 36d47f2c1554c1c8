"""No node was saved with a later version of its type than this program has."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF109",
    Severity.ERROR,
    why=("A node that was saved by a newer version of NodeForge may mean something else here."),
    source="The node's declaration.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.whole.nodes.items():
        spec = scene.catalogue.get(node.type)
        if spec is not None and node.version > spec.version:
            yield scene.problem(
                path,
                f"was saved with version {node.version} of this node type; here it is version "
                f"{spec.version}, so its values may mean something else.",
                f"Update {'its pack' if spec.source else 'NodeForge'}, or check the values.",
                severity=Severity.WARNING,
            )
