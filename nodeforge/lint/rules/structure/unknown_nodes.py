"""Every node is of a type that a pack declares."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import UnknownNodeTypeError

RULE = Rule(
    "NF105",
    Severity.ERROR,
    why="Only the pack that declares a node type has the code to run it.",
    source="The packs that are turned on.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    unknown = [path for path, node in scene.nodes.items() if node.spec is None]
    if not unknown:
        return
    feeding = {start.node for start in scene.links.values()}
    for path in unknown:
        try:
            scene.catalogue[scene.nodes[path].type]
        except UnknownNodeTypeError as error:
            # One that feeds nothing may be what saves the picture.
            severity = Severity.ERROR if path not in feeding else None
            yield scene.problem(path, error.fact, error.way_out, severity=severity)
