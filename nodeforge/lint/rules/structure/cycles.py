"""No node waits for its own result."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.cycles import find_cycles
from nodeforge.graph.model import Mode
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF101",
    Severity.ERROR,
    why=("Nodes run one after another, each when its inputs are there. In a ring none ever is."),
    source="A run orders nodes topologically (Kahn 1962).",
)

MOST_NAMES = 8


def check(scene: LintContext) -> Iterator[Problem]:
    nodes = scene.whole.nodes
    links = {
        end: start
        for end, start in scene.whole.node_links().items()
        if start.node in nodes and nodes[start.node].mode is not Mode.MUTE
    }
    for ring in find_cycles(links):
        names = [scene.title(path) for path in (*ring, ring[0])]
        if len(names) > MOST_NAMES:
            names = [*names[: MOST_NAMES - 2], "...", names[-1]]
        yield scene.problem(
            ring[0],
            f"waits for its own result: {' > '.join(names)}.",
            "Remove one of these links.",
            severity=Severity.ERROR,
        )
