"""The picture and the document never disagree, whatever is edited, undone and redone."""

import contextlib
import copy
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from nodeforge.errors import RequestError
from nodeforge.formats import read, write
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    ABSENT,
    AddNodes,
    Collapse,
    Detach,
    Fold,
    InsertOnLink,
    Link,
    Move,
    Paste,
    Recolour,
    RemoveNodes,
    Rename,
    SetEntry,
    SetMode,
    SetPorts,
    SetValue,
    Through,
    Unlink,
    Unpack,
    extract,
)
from nodeforge.graph.model import Input, Mode, Node, Output, Subgraph
from nodeforge.graph.paths import inside, join, split
from nodeforge.ui.common import theme
from nodeforge.ui.graph_view import GraphView
from support.graphs import documents, inputs, outputs, paths
from support.small_catalogue import CATALOGUE
from tests.ui.graph_view.conftest import agree

TYPES = ["values.sum", "graph.reroute", "gone.unknown", "image.grid", "graph.note"]


class Pointer:
    """Does random things: edits of the document, undo and redo, commands of the view."""

    def __init__(self, view: GraphView, seed: int) -> None:
        self.view, self.document = view, view.document
        self.random = random.Random(seed)

    def act(self) -> None:
        document, view, pick = self.document, self.view, self.random.choice
        roll = self.random.random()
        if roll < 0.12:
            document.undo()
        elif roll < 0.2:
            document.redo()
        elif roll < 0.3:
            view.open(self.group())
        elif roll < 0.5:
            view.select(self.some(view.path))
            pick(COMMANDS)(view)
        else:
            with contextlib.suppress(RequestError):
                document.perform(self.edit())

    def some(self, group: str) -> list[str]:
        names = sorted(self.document.group(group).nodes)
        count = self.random.randint(0, len(names))
        return [join(group, name) for name in self.random.sample(names, count)]

    def one(self) -> str:
        return self.random.choice(paths(self.document.graph) or ["nobody"])

    def group(self) -> str:
        found = paths(self.document.graph)
        groups = [path for path in found if isinstance(self.document.node(path), Subgraph)]
        return self.random.choice(["", *groups])

    def end(self) -> Input:
        path = self.one()
        node = self.document.node(path) if path != "nobody" else None
        ports = inputs(node) if node and node.type in KNOWN else []
        port, _, item = self.random.choice(ports or ["x"]).partition("[")
        return Input(path, port, int(item[:-1]) if item else None)

    def start(self, path: str) -> Output:
        node = self.document.node(path) if path != "nobody" else None
        ports = outputs(node) if node and node.type in KNOWN else []
        return Output(path, self.random.choice(ports or ["y"]))

    def linked(self) -> Input:
        group = self.group()
        ends = sorted(self.document.group(group).links, key=str)
        return inside(group, self.random.choice(ends)) if ends else self.end()

    def edit(self):
        pick, rng, document = self.random.choice, self.random, self.document
        end, group = self.end(), self.group()
        beside = [p for p in paths(document.graph) if split(p)[0] == split(end.node)[0]]
        nodes = [Node(pick(TYPES)) for _ in range(rng.randint(1, 3))]
        return pick(
            [
                lambda: AddNodes(nodes, [(1.0, 2.0)], group),
                lambda: RemoveNodes(self.some(group), heal=pick([None, CATALOGUE])),
                lambda: Detach(self.some(group), CATALOGUE),
                lambda: Link(self.start(pick(beside or ["nobody"])), end),
                lambda: Unlink(self.linked()),
                lambda: SetValue(self.one(), pick("ab"), pick([1, 1.0, True, ABSENT, "é"])),
                lambda: Move({path: (rng.randint(0, 9), 1.0) for path in self.some(group)}),
                lambda: Rename(self.one(), pick(["", "title"])),
                lambda: Recolour(self.some(group), pick(["#123456", None])),
                lambda: Fold(self.some(group), pick([True, False])),
                lambda: SetMode(self.some(group), pick(list(Mode))),
                lambda: SetEntry(
                    pick(["backdrops", "notes"]),
                    join(group, pick(["note:1", "backdrop:1"])),
                    pick([{}, ABSENT, {"rect": [0, 0, 99, 99], "text": "t"}, {"rect": "x"}]),
                ),
                lambda: Paste(
                    extract(document, self.some(group)), group, keep_inputs=pick([True, False])
                ),
                lambda: Collapse(self.some(group), title=pick(["", "My box"])),
                lambda: Unpack(group),
                lambda: SetPorts(group, {}, {}),
                lambda: InsertOnLink(self.linked(), nodes[0], Through("a", "value"), (1, 1)),
            ]
        )()


KNOWN = {
    *("values.sum", "values.integer", "graph.reroute", "image.invert", "image.grid"),
    *("latent.blend", "graph.switch", "graph.note", "gone.unknown", "subgraph"),
}

COMMANDS = [
    GraphView.delete_selected,
    GraphView.duplicate,
    GraphView.mute,
    GraphView.bypass,
    GraphView.collapse,
    GraphView.group,
    GraphView.ungroup,
    GraphView.backdrop,
    GraphView.note,
    GraphView.auto_layout,
    GraphView.go_up,
    lambda view: view.align("left"),
    lambda view: view.distribute("down"),
    lambda view: view.colour("#aa3311"),
]


def check(document: Document, seeds: list[int]) -> None:
    first = copy.deepcopy(document)
    view = GraphView(document, CATALOGUE, theme.DARK)
    view.resize(640, 480)
    try:
        agree(view)
        for seed in seeds:
            Pointer(view, seed).act()
            agree(view)
        assert write(read(write(document))) == write(document)
        while document.undo():
            agree(view)
        assert document == first
        while document.redo():
            pass
        agree(view)
        view.grab()
    finally:
        view.session.close()
        view.deleteLater()
        QApplication.processEvents()


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.lists(st.integers(0, 2**32), max_size=12))
def test_the_picture_is_the_document_after_any_edits(qapp, document, seeds):
    check(document, seeds)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.lists(st.integers(0, 2**32), max_size=30))
def test_the_picture_is_the_document_after_many_edits(qapp, document, seeds):
    check(document, seeds)
