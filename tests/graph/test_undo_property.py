"""Whatever is done can be undone, and done again."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    ABSENT,
    AddNodes,
    Broadcast,
    Collapse,
    Expose,
    Fold,
    InsertOnLink,
    JoinBroadcasts,
    Link,
    Move,
    Paste,
    Pin,
    Recolour,
    RemoveNodes,
    Rename,
    SetEntry,
    SetExposed,
    SetMode,
    SetPorts,
    SetValue,
    StopBroadcast,
    Through,
    Together,
    Unexpose,
    Unlink,
    Unpack,
    extract,
)
from nodeforge.graph.model import Input, Mode, Node, Output, Subgraph
from nodeforge.graph.paths import inside, join, split
from support.graphs import documents, inputs, outputs, paths
from support.small_catalogue import CATALOGUE


class Chooser:
    """Makes random edits that suit a document."""

    def __init__(self, document: Document, seed: int) -> None:
        self.document = document
        self.random = random.Random(seed)

    def some(self) -> list[str]:
        """Nodes beside each other."""
        group = split(self.one())[0]
        names = sorted(self.document.group(group).nodes)
        if not names:
            return []
        count = self.random.randint(1, len(names))
        return [join(group, name) for name in self.random.sample(names, count)]

    def one(self) -> str:
        return self.random.choice(paths(self.document.graph) or ["nobody"])

    def group(self) -> str:
        groups = [
            p for p in paths(self.document.graph) if isinstance(self.document.node(p), Subgraph)
        ]
        return self.random.choice(["", *groups])

    def end(self) -> Input:
        path = self.one()
        ports = inputs(self.document.node(path)) if path != "nobody" else []
        port, _, item = self.random.choice(ports or ["x"]).partition("[")
        return Input(path, port, int(item[:-1]) if item else None)

    def start(self, path: str) -> Output:
        ports = outputs(self.document.node(path)) if path != "nobody" else []
        return Output(path, self.random.choice(ports or ["y"]))

    def linked(self) -> Input:
        group = self.group()
        ends = sorted(self.document.group(group).links, key=str)
        return inside(group, self.random.choice(ends)) if ends else self.end()

    def edit(self):
        pick, rng = self.random.choice, self.random
        some, end = self.some, self.end()
        beside = [p for p in paths(self.document.graph) if split(p)[0] == split(end.node)[0]]
        nodes = [Node(pick(["values.sum", "graph.reroute"])) for _ in range(rng.randint(1, 3))]
        made = pick(
            [
                lambda: AddNodes(nodes, [(1.0, 2.0)], self.group()),
                lambda: RemoveNodes(some()),
                lambda: RemoveNodes(some(), heal=CATALOGUE),
                lambda: RemoveNodes([self.one(), self.one()]),
                lambda: Link(self.start(pick(beside or ["nobody"])), end),
                lambda: Unlink(self.linked()),
                lambda: SetValue(self.one(), pick("ab"), pick([1, 1.0, True, ABSENT, [1]])),
                lambda: Move(
                    {path: (rng.random(), 1.0) for path in some()}, gesture=pick([None, 1])
                ),
                lambda: Rename(self.one(), pick(["", "title"]), gesture=1),
                lambda: Recolour(some(), pick(["#123456", None])),
                lambda: Fold(some(), pick([True, False])),
                lambda: SetMode(some(), pick(list(Mode))),
                lambda: Pin(some(), pick([True, False])),
                lambda: SetEntry(pick(["notes", "assets", "lock"]), pick("xy"), pick([{}, ABSENT])),
                lambda: Paste(
                    extract(self.document, some()), self.group(), keep_inputs=pick([True, False])
                ),
                lambda: Collapse(some(), title=pick(["", "My box"])),
                lambda: Unpack(self.group()),
                lambda: SetPorts(self.group(), {}, {}),
                lambda: Expose(end.node, end.port),
                lambda: Broadcast(self.one(), CATALOGUE),
                lambda: StopBroadcast(self.one()),
                lambda: JoinBroadcasts(some(), CATALOGUE),
                lambda: Unexpose(self.group(), pick(["in_0", "a", "value"])),
                lambda: SetExposed(self.group(), {pick(["in_0", "a"]): {"label": pick("xy")}}),
                lambda: InsertOnLink(self.linked(), nodes[0], Through("a", "value"), (1, 1)),
                lambda: Together("two", [Pin(some()), SetMode(some(), Mode.MUTE)]),
            ]
        )
        return made()


def check(document: Document, seeds: list[int]) -> None:
    first = copy.deepcopy(document)
    states = []
    for seed in seeds:
        before = copy.deepcopy(document)
        try:
            document.perform(Chooser(document, seed).edit())
        except RequestError:
            assert document == before
        states.append(copy.deepcopy(document))
    assert document.history.bytes >= 0
    steps = len(document.history)
    while document.undo():
        pass
    assert document == first
    while document.redo():
        pass
    assert len(document.history) == steps
    assert not states or document == states[-1]
    if steps:
        assert 0 < document.history.bytes < 2_000_000


@settings(max_examples=50, deadline=None)
@given(documents(), st.lists(st.integers(0, 2**32), max_size=12))
def test_undo_all_gives_the_first_document_and_redo_all_the_last(document, seeds):
    check(document, seeds)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(documents(), st.lists(st.integers(0, 2**32), max_size=40))
def test_undo_all_gives_the_first_document_and_redo_all_the_last_at_length(document, seeds):
    check(document, seeds)
