"""Planned values where nothing is run: in the window, the linter, a picture's metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import FlatGraph, flatten
from nodeforge.graph.model import Graph, Output
from nodeforge.graph.planned.evaluate import Evaluator, Function, Resolve
from nodeforge.graph.planned.expand import Expanded, UnknownHereError, expand, open_expansion
from nodeforge.spec import Catalogue


@dataclass
class Survey:
    """What is known of the planned values of a workflow.

    Args:
        values: By output, all values that it gives; one, unless a list stands before it.
        failures: By path, why what a node gives cannot be planned.
    """

    values: Mapping[Output, list[Any]] = field(default_factory=dict)
    failures: dict[str, NodeForgeError] = field(default_factory=dict)


def survey(flat: FlatGraph, catalogue: Catalogue, resolve: Resolve | None = None) -> Survey:
    """The values of all planned nodes, as far as they can be known.

    Args:
        flat: The flattened workflow.
        catalogue: All node types.
        resolve: Finds files; without it, values that stand in files are not known.
    """
    planned = [
        path for path, node in flat.nodes.items() if node.spec and node.spec.replaced_by_planner
    ]
    if not planned:
        return Survey()
    opened = open_expansion(flat, catalogue, Evaluator(_functions(), resolve))
    for path in planned:
        with suppress(RequestError):  # kept in `failed`
            opened.result([path])
    failures = {
        path: why
        for path in planned
        if (why := opened.failed.get(path)) and not isinstance(why, UnknownHereError)
    }
    return Survey(opened.made.values, failures)


def expand_shipped(
    flat: FlatGraph, catalogue: Catalogue, targets: Iterable[str], resolve: Resolve | None = None
) -> Expanded:
    """`expand` where no pack is loaded: it knows the shipped planned nodes.

    Raises:
        RequestError: as `expand`.
    """
    return expand(flat, catalogue, Evaluator(_functions(), resolve), targets)


def flatten_with_values(
    graph: Graph, catalogue: Catalogue, resolve: Resolve | None = None
) -> FlatGraph:
    """`graph` flattened, with what is known of its planned values in `FlatGraph.planned`."""
    flat = flatten(graph, catalogue)
    flat.planned = survey(flat, catalogue, resolve).values
    return flat


@cache
def _functions() -> Mapping[str, Function]:
    """Imported when a workflow needs one."""
    from nodeforge.graph.planned.functions import FUNCTIONS

    return FUNCTIONS
