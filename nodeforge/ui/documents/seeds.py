"""Seeds of a workflow, and how each changes when a run is queued."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nodeforge.graph.changes import Change, EntryChanged, NodeAdded
from nodeforge.graph.document import Document
from nodeforge.graph.edits import ABSENT, GraphEdit, SetEntry, SetValue, Together
from nodeforge.graph.model import Graph, Node, Subgraph
from nodeforge.graph.paths import join
from nodeforge.graph.ports import input_spec
from nodeforge.spec import Catalogue, SeedWidget

FIXED, RANDOMISE, INCREMENT, DECREMENT = "fixed", "random", "increment", "decrement"
MODES = {
    FIXED: "Fixed",
    RANDOMISE: "Randomise",
    INCREMENT: "Increment",
    DECREMENT: "Decrement",
}
"""Modes as `View.seeds` holds them, with their names; a seed without an entry is fixed."""
_FORMER = {"count": INCREMENT}
LARGEST = SeedWidget().maximum
LARGEST_DRAWN = 2**32 - 1
"""Other programs do not read larger seeds."""


def seed_key(path: str, port: str) -> str:
    """The key of a seed in `View.seeds`."""
    return f"{path}.{port}"


def seed_mode(document: Document, path: str, port: str) -> str:
    """How a seed changes: a key of `MODES`."""
    mode = document.view.seeds.get(seed_key(path, port), FIXED)
    mode = _FORMER.get(mode, mode)
    return mode if mode in MODES else FIXED


def random_seed() -> int:
    """A seed from 0 to `LARGEST_DRAWN`."""
    return random.randint(0, LARGEST_DRAWN)


def next_seed(mode: str, seed: int) -> int:
    """The seed after `seed`: up from the largest comes 0, down from 0 the largest."""
    match mode:
        case "random":
            return random_seed()
        case "increment":
            return seed + 1 if seed < LARGEST else 0
        case "decrement":
            return seed - 1 if seed > 0 else LARGEST_DRAWN
    return seed


def seed_ports(document: Document, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Path and port of every seed that nothing is linked to."""
    waiting: list[tuple[str, Graph, set[tuple[str, str]]]] = [("", document.graph, set())]
    while waiting:
        place, graph, fed = waiting.pop()
        fed = fed | {(end.node, end.port) for end in graph.links}
        for name, node in graph.nodes.items():
            path = join(place, name)
            if isinstance(node, Subgraph):
                inner = {(end.node, end.port) for ends in node.inputs.values() for end in ends}
                waiting.append((path, node.graph, inner))
            for port in _ports(node, catalogue):
                if (name, port) not in fed and _is_seed(node, port, catalogue):
                    yield path, port


def seed_value(document: Document, path: str, port: str, catalogue: Catalogue) -> int:
    """A seed as it is set, or its default."""
    node = document.node(path)
    declared = input_spec(node, port, catalogue)
    value = node.values.get(port, declared.default if declared else 0)
    return value if type(value) is int else 0


def next_seeds(document: Document, catalogue: Catalogue, ran: dict[str, int]) -> list[SetValue]:
    """The edits by which seeds change before a run.

    Args:
        document: The workflow.
        catalogue: Declares the ports.
        ran: Key to the seed of the last run that was queued. A counted seed that no run had yet
            stays: the first run has what is shown.
    """
    edits: list[SetValue] = []
    for path, port in seed_ports(document, catalogue):
        mode, key = seed_mode(document, path, port), seed_key(path, port)
        seed = seed_value(document, path, port, catalogue)
        if mode in (INCREMENT, DECREMENT) and ran.get(key) != seed:
            continue
        if mode != FIXED:
            edits.append(SetValue(path, port, next_seed(mode, seed)))
    return edits


def set_modes(paths: Iterable[tuple[str, str]], mode: str) -> Together:
    """The edit that gives seeds a mode."""
    value: Any = ABSENT if mode == FIXED else mode
    what = f"seed: {MODES[mode].lower()}"
    edits = [SetEntry("seeds", seed_key(path, port), value, what=what) for path, port in paths]
    return Together(what, edits)


def moving_seeds(document: Document, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Path and port of every seed that is not fixed."""
    ports = seed_ports(document, catalogue)
    return [each for each in ports if seed_mode(document, *each) != FIXED]


def fix_seeds(document: Document) -> None:
    """Fix every seed of a document that is not open yet, so that it makes the picture again."""
    document.view.seeds.clear()


def randomise_seeds(document: Document, catalogue: Catalogue) -> None:
    """Let every seed of a document that is not open yet be drawn anew for each run."""
    for path, port in seed_ports(document, catalogue):
        document.view.seeds[seed_key(path, port)] = RANDOMISE


@dataclass(eq=False)
class RandomiseNewSeeds(GraphEdit):
    """Make an edit; the seeds of the nodes that it adds are drawn anew for each run.

    Args:
        edit: The edit.
        catalogue: Declares the ports.
    """

    edit: GraphEdit
    catalogue: Catalogue

    @property
    def name(self) -> str:
        return self.edit.name

    def changes(self, document: Document) -> Iterator[Change]:
        added: list[NodeAdded] = []
        for change in self.edit.changes(document):
            yield change
            added += [change] if isinstance(change, NodeAdded) else []
        for change in added:
            for port in _ports(change.node, self.catalogue):
                key = seed_key(change.path, port)
                if _is_seed(change.node, port, self.catalogue) and key not in document.view.seeds:
                    yield EntryChanged("seeds", key, ABSENT, RANDOMISE)


def _is_seed(node: Node, port: str, catalogue: Catalogue) -> bool:
    declared = input_spec(node, port, catalogue)
    return declared is not None and isinstance(declared.widget, SeedWidget)


def _ports(node: Node, catalogue: Catalogue) -> list[str]:
    if isinstance(node, Subgraph):
        return list(node.inputs)
    spec = catalogue.get(node.type)
    return [port.name for port in spec.inputs] if spec is not None else []
