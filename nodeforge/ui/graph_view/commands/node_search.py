"""Search popups of the graph view: add a node (also at a dropped link), find a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget

from nodeforge.errors import RequestError
from nodeforge.graph.edits import AddNodes, GraphEdit, Link, Paste, Together
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input, Output, Subgraph
from nodeforge.graph.paths import split
from nodeforge.graph.ports import title_of
from nodeforge.spec import NodeSpec, PortSpec, fits
from nodeforge.ui.common.formatting import plain_text
from nodeforge.ui.graph_view.commands.search_popup import SearchEntry, SearchPopup
from nodeforge.ui.graph_view.items.port_item import GraphPortItem
from nodeforge.ui.graph_view.session import GraphSession
from nodeforge.ui.library.node_use import NodeUse, shipped_links
from nodeforge.ui.library.ranking import by_use, search_texts


class NodeSearch:
    """Opens the search popups and adds or shows the chosen node."""

    def __init__(self, session: GraphSession, parent: QWidget) -> None:
        self.session = session
        nothing = "No compatible node."
        self.popup = SearchPopup(parent, session.theme, "Add a node", nothing)
        self.finder = SearchPopup(
            parent, session.theme, "Find a node", "This workflow has no nodes."
        )
        self._place = QPointF()
        self._port_item: GraphPortItem | None = None
        self.inserted: Callable[[str, QPointF], bool] = lambda *_: False
        """Puts a node of a type into the link at a scene position, or into the selected one."""
        self.popup.chosen.connect(self._add)
        session.link_dropped.connect(self.open_for_port)

    def open_at(self, place: QPointF) -> None:
        """Offer all node types; the chosen one is added at a view position."""
        self._open(place, None)

    def open_for_port(self, port_item: GraphPortItem, place: QPointF) -> None:
        """Offer compatible node types; the chosen one is linked to `port_item`."""
        self._open(place, port_item)

    def _open(self, place: QPointF, port_item: GraphPortItem | None) -> None:
        self._port_item = port_item
        self._place = self.session.viewer.to_scene(place)
        specs = [
            spec
            for spec in self.session.node_types()
            if port_item is None or compatible_port(spec, port_item) is not None
        ]
        use = self.session.node_use
        specs = by_use(specs, use, lambda spec: relevance(spec, port_item) if port_item else 0)
        self.popup.open([search_entry(spec, use) for spec in specs], place.toPoint())

    def _add(self, type_id: str) -> None:
        port_item, self._port_item = self._port_item, None
        x, y = self._place.x(), self._place.y()
        if port_item is None and self.inserted(type_id, self._place):
            return
        if port_item is not None:
            x, y = x - (220 if port_item.is_input else 0), y - 40
        try:
            add = self.session.adding(type_id, (x, y))
        except RequestError as error:
            self.session.refuse(f"{error.fact} {error.way_out}".strip())
            return
        spec = next(each for each in self.session.node_types() if each.type == type_id)
        if port_item is None:
            self.session.perform_adding(add, spec.title)
        else:
            port = compatible_port(spec, port_item)
            assert port is not None
            edits = self.session.with_broadcasts(_linked(add, port_item, port), add)
            self.session.perform(Together(f"add {spec.title.lower()}", edits))
        self.session.node_use.added(type_id)
        self.session.select_paths(add.paths)
        self.session.reveal(add.paths)

    def open_finder(self, place: QPointF, go) -> None:
        """Offer all nodes, also in subgraphs; `go` is called with the chosen path."""
        self.finder.chosen.disconnect() if self.finder.receivers("2chosen(QString)") else None
        self.finder.chosen.connect(go)
        entries = []
        for path, node in every_node(self.session.document.graph).items():
            spec = self.session.catalogue.get(node.type)
            kind = "Subgraph" if isinstance(node, Subgraph) else spec.title if spec else node.type
            title = title_of(node, split(path)[1], self.session.catalogue)
            words = " ".join(str(v) for v in node.values.values() if isinstance(v, str))[:500]
            texts = [(title, 2.0), (path, 1.5), (kind, 1.2), (words, 0.6)]
            entries.append(SearchEntry(path, title, words or kind, split(path)[0] or path, texts))
        self.finder.open(entries, place.toPoint())


def _linked(add: AddNodes | Paste, port_item: GraphPortItem, port: PortSpec) -> Iterator[GraphEdit]:
    """Edits that add the node, then the link to it."""
    yield add
    there, here = add.paths[0], port_item.node_item.path
    if port_item.is_input:
        end = Input(
            here, port_item.layout.name, _next_item(port_item) if port_item.layout.many else None
        )
        yield Link(Output(there, port.name), end)
    else:
        end = Input(there, port.name, 0 if port.many else None)
        yield Link(Output(here, port_item.layout.name), end)


def _next_item(port_item: GraphPortItem) -> int:
    taken = {line.end.item for line in port_item.connected_pipes}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def compatible_port(spec: NodeSpec, port_item: GraphPortItem) -> PortSpec | None:
    """The first port that can be linked to `port_item`; one of the same type comes first."""
    kind = port_item.layout.type
    if port_item.is_input:
        found = [port for port in spec.outputs if fits(port.type, kind)]
    else:
        found = [port for port in spec.inputs if fits(kind, port.type)]
    return next((p for p in found if p.type == kind), next(iter(found), None))


def relevance(spec: NodeSpec, port_item: GraphPortItem) -> float:
    """How well a node type fits a dropped link: 2 by a port of its type that it needs, or by its
    first output; 1 by another of its type; 0 by one that takes any. The more often shipped
    workflows have it there, the more is added, less than 1.
    """
    kind = port_item.layout.type
    ports = spec.outputs if port_item.is_input else spec.inputs
    if not any(port.type == kind for port in ports):
        return 0
    often = _usual(spec, port_item)
    more = often / (often + 1)
    if port_item.is_input:
        return more + (2 if ports[0].type == kind else 1)
    return more + (2 if any(port.type == kind and port.required for port in ports) else 1)


def _usual(spec: NodeSpec, port_item: GraphPortItem) -> int:
    """How often shipped workflows link a port to a node type."""
    here = port_item.node_item.layout.type, port_item.layout.name
    count = 0
    for link, often in shipped_links().items():
        start, end = (link.source, link.output), (link.target, link.into)
        near, far = (end, start) if port_item.is_input else (start, end)
        if near == here and far[0] == spec.type:
            count += often
    return count


def search_entry(spec: NodeSpec, use: NodeUse) -> SearchEntry:
    side = f"★ {spec.category}" if spec.type in use.favourites else spec.category
    return SearchEntry(spec.type, spec.title, plain_text(spec.summary), side, search_texts(spec))
