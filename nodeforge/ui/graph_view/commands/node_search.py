"""The search popup for adding nodes, whole or fitted to a link, and for finding them."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget

from nodeforge.graph.edits import AddNodes, GraphEdit, Link, Together
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input, Node, Output, Subgraph
from nodeforge.graph.paths import split
from nodeforge.graph.ports import title_of
from nodeforge.spec import NodeSpec, PortSpec, fits
from nodeforge.ui.common.formatting import plain
from nodeforge.ui.graph_view.commands.search_popup import Entry, SearchPopup
from nodeforge.ui.graph_view.items.port_item import PortDot
from nodeforge.ui.graph_view.session import Desk


class Adding:
    """Opens the popup, and does what was chosen there."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        self.desk = desk
        nothing = "No node fits this link."
        self.popup = SearchPopup(parent, desk.theme, "Add a node", nothing)
        self.finder = SearchPopup(parent, desk.theme, "Find a node", "This workflow has no nodes.")
        self._place = QPointF()
        self._dot: PortDot | None = None
        self.popup.chosen.connect(self._add)
        desk.nodes_offered.connect(self.offer)

    def ask(self, place: QPointF) -> None:
        """Offer all node types; what is chosen is added at `place` (pixels of the view)."""
        self._open(place, None)

    def offer(self, dot: PortDot, place: QPointF) -> None:
        """Offer what fits to `dot`, to be linked at once."""
        self._open(place, dot)

    def _open(self, place: QPointF, dot: PortDot | None) -> None:
        self._dot = dot
        self._place = self.desk.viewer.at(place)
        specs = [
            spec
            for spec in self.desk.catalogue.values()
            if dot is None or fitting_port(spec, dot) is not None
        ]
        specs.sort(key=lambda spec: (spec.category, spec.title))
        self.popup.open([entry_of(spec) for spec in specs], place.toPoint())

    def _add(self, type_id: str) -> None:
        spec = self.desk.catalogue[type_id]
        node = Node(type_id)
        dot, self._dot = self._dot, None
        x, y = self._place.x(), self._place.y()
        if dot is None:
            add = AddNodes([node], [(round(x), round(y))], self.desk.group)
            self.desk.ask(add)
        else:
            port = fitting_port(spec, dot)
            assert port is not None
            place = (round(x - (220 if dot.is_input else 0)), round(y - 40))
            add = AddNodes([node], [place], self.desk.group)
            title = spec.title.lower()
            self.desk.ask(Together(f"add {title}", _linked(add, dot, port)))
        self.desk.choose_paths(add.paths)

    def find(self, place: QPointF, go) -> None:
        """Offer all nodes of the workflow, inside subgraphs too; `go` gets the path chosen."""
        self.finder.chosen.disconnect() if self.finder.receivers("2chosen(QString)") else None
        self.finder.chosen.connect(go)
        entries = []
        for path, node in every_node(self.desk.document.graph).items():
            spec = self.desk.catalogue.get(node.type)
            kind = "Group" if isinstance(node, Subgraph) else spec.title if spec else node.type
            title = title_of(node, split(path)[1], self.desk.catalogue)
            words = " ".join(str(v) for v in node.values.values() if isinstance(v, str))[:500]
            entries.append(Entry(path, title, words or kind, split(path)[0] or path, kind))
        self.finder.open(entries, place.toPoint())


def _linked(add: AddNodes, dot: PortDot, port: PortSpec) -> Iterator[GraphEdit]:
    """The node, then its link: its path is known once it is added."""
    yield add
    there, here = add.paths[0], dot.box.path
    if dot.is_input:
        end = Input(here, dot.face.name, _next_item(dot) if dot.face.many else None)
        yield Link(Output(there, port.name), end)
    else:
        end = Input(there, port.name, 0 if port.many else None)
        yield Link(Output(here, dot.face.name), end)


def _next_item(dot: PortDot) -> int:
    taken = {line.end.item for line in dot.connected_pipes}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def fitting_port(spec: NodeSpec, dot: PortDot) -> PortSpec | None:
    """The first port of a node type that `dot` can be linked to; one of just its type first."""
    kind = dot.face.type
    if dot.is_input:
        found = [port for port in spec.outputs if fits(port.type, kind)]
    else:
        found = [port for port in spec.inputs if fits(kind, port.type)]
    return next((p for p in found if p.type == kind), next(iter(found), None))


def entry_of(spec: NodeSpec) -> Entry:
    ports = " ".join(port.name for port in (*spec.inputs, *spec.outputs))
    return Entry(spec.type, spec.title, plain(spec.summary), spec.category, f"{spec.doc} {ports}")
