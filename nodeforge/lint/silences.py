"""Rules that a workflow silences, at a node or as a whole, with the reason.

``"lint": {"NF203": "wanted"}`` beside a node's values, or at the top of the file; the key is a
rule's code or its name. At a subgraph it holds for all nodes inside. An error cannot be silenced:
the run would fail all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Graph
from nodeforge.graph.paths import ancestors
from nodeforge.lint.problem import Problem, Severity

WORKFLOW = ""
"""Where what is silenced in the whole workflow stands, among paths."""

Silences = Mapping[str, Mapping[str, Any]]
"""Reasons by code or name of the rule, by the path of the node."""


def silences(graph: Graph, whole: Mapping[str, Any]) -> Silences:
    """What is silenced in `graph` and, by `whole`, in all of it."""
    found = {path: node.lint for path, node in every_node(graph).items() if node.lint}
    return {WORKFLOW: whole, **found} if whole else found


def heard(problems: Iterable[Problem], silenced: Silences) -> Iterator[Problem]:
    """`problems` without the silenced ones."""
    for problem in problems:
        if problem.severity is Severity.ERROR or not _is_silenced(problem, silenced):
            yield problem


def _is_silenced(problem: Problem, silenced: Silences) -> bool:
    return any(
        key in silenced.get(path, ())
        for path in (WORKFLOW, *ancestors(problem.node))
        for key in (problem.code, problem.rule)
    )
