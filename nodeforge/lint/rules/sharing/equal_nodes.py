"""What is the same is computed once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF802",
    Severity.HINT,
    why=(
        "Two nodes of one type with equal values and equal links give the same. One of them "
        "is enough, and easier to change."
    ),
    source="Results are named by what they are computed from.",
)


def check(scene: LintContext) -> Iterator[Problem]:
    known: dict[str, str] = {}
    first: dict[Any, str] = {}
    for path in scene.order:
        node = scene.nodes[path]
        known[path] = path
        if node.spec is None or node.spec.effects or node.spec.wanted or not scene.inputs.get(path):
            continue
        feeds = [
            (port, item, known.get(start.node, start.node), start.port)
            for port, starts in scene.inputs[path].items()
            for item, start in enumerate(starts)
        ]
        values = json.dumps(node.values, sort_keys=True, default=str)
        key = (node.type, values, tuple(sorted(feeds)))
        other = first.setdefault(key, path)
        known[path] = other
        if other != path and scene.is_needed(path) and scene.is_needed(other):
            yield scene.problem(
                path,
                f"is the same as '{scene.title(other)}'.",
                "Link that one, and delete this.",
            )
