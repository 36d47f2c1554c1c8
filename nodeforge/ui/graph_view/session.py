"""The graph session: document, graph scene, viewer and selection, shared by all commands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from PySide6.QtCore import QObject, QPointF, Signal

from nodeforge.errors import RequestError
from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    AddNodes,
    GraphEdit,
    InsertOnLink,
    JoinBroadcasts,
    Paste,
    Together,
    free_item,
)
from nodeforge.graph.edits.pass_through import Passed, links_through
from nodeforge.graph.linking import can_link
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import join
from nodeforge.graph.upgrade import upgrade
from nodeforge.spec import Catalogue, NodeSpec
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.seeds import RandomiseNewSeeds
from nodeforge.ui.graph_view.items.frame_item import FrameItem
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.pens import Pens
from nodeforge.ui.graph_view.items.port_item import GraphPortItem
from nodeforge.ui.graph_view.scene.graph_scene import GraphScene
from nodeforge.ui.graph_view.scene.graph_viewer import GraphViewer
from nodeforge.ui.graph_view.scene.overview import bounding_rect
from nodeforge.ui.library.node_use import NodeUse
from nodeforge.ui.library.saved_subgraphs import PREFIX, SavedSubgraphs

Item = NodeItem | FrameItem | LinkItem


class GraphSession(QObject):
    """The state of one graph view: the document, the shown graph, and the selection."""

    selection_changed = Signal()
    opened = Signal(str)
    document_changed = Signal()
    """The document has changed and the scene is updated."""
    refused = Signal(str)
    hint_changed = Signal(str, QPointF, bool)
    """A hint, its view position, and whether it says why something is refused."""
    link_dropped = Signal(object, QPointF)
    """A link was dropped on empty space: its port item and the view position."""

    def __init__(
        self,
        document: Document,
        catalogue: Catalogue,
        theme: Theme,
        node_use: NodeUse | None = None,
        saved_subgraphs: SavedSubgraphs | None = None,
    ) -> None:
        super().__init__()
        self.saved_subgraphs = saved_subgraphs
        self.presets: Callable[[NodeSpec], dict[str, Any]] = lambda _: {}
        """Gives the values with which a node of a type starts, besides its defaults."""
        self.node_use = node_use or NodeUse()
        self.document, self.catalogue, self.theme = document, catalogue, theme
        self.viewer = GraphViewer(theme)
        self.scene = GraphScene(self.viewer.scene(), document, catalogue, Pens(theme))
        self.viewer.set_overview_scene(self.scene)
        self.viewer.link_error = self.link_error
        self._seen: dict[str, tuple[float, QPointF]] = {}
        self._end = document.subscribe(self._on_changes)
        self.scene.show("")

    def close(self) -> None:
        """Disconnect from the document."""
        end, self._end = self._end, lambda: None
        end()

    # the selection

    def selected_items(self) -> list[Item]:
        return [i for i in self.viewer.scene().selectedItems() if isinstance(i, Item)]

    def selected_paths(self) -> list[str]:
        """Paths of the selected nodes, in document order."""
        node_items, group = self.scene.node_items, self.graph_path
        paths = (join(group, name) for name in self.scene.graph.nodes)
        return [path for path in paths if path in node_items and node_items[path].isSelected()]

    def select_items(self, items: Iterable[Item]) -> None:
        """Select these items and no others."""
        wanted = set(items)
        before = set(self.selected_items())
        if wanted == before:
            return
        scene = self.viewer.scene()
        scene.blockSignals(True)
        for item in before - wanted:
            item.setSelected(False)
        for item in wanted - before:
            item.setSelected(True)
        scene.blockSignals(False)
        self.viewer.invalidate_overview()
        self.viewer.viewport().update()
        self.selection_changed.emit()

    def select_paths(self, paths: Collection[str]) -> None:
        self.select_items(
            node_item for path in paths if (node_item := self.scene.node_items.get(path))
        )

    def reveal(self, paths: Collection[str]) -> None:
        """Scroll so that these nodes are seen, with room for their pictures."""
        self.viewer.reveal(
            bounding_rect(
                self.scene.node_items[p].room() for p in paths if p in self.scene.node_items
            )
        )

    # node types

    def node_types(self) -> list[NodeSpec]:
        """All that can be added: the catalogue's types and the kept subgraphs."""
        saved = self.saved_subgraphs.specs(self.catalogue) if self.saved_subgraphs else []
        return [*saved, *self.catalogue.values()]

    def adding(self, type_id: str, place: tuple[float, float]) -> AddNodes | Paste:
        """The edit that adds a node of a type, or a kept subgraph, to the shown graph.

        Args:
            place: The node's upper left corner, scene units.

        Raises:
            RequestError: no pack declares the type, or the kept subgraph cannot be read.
        """
        x, y = round(place[0]), round(place[1])
        if self.saved_subgraphs is not None and type_id.startswith(PREFIX):
            made = self.saved_subgraphs.read(type_id)
            upgrade(made, self.catalogue)
            made.view.positions[next(iter(made.graph.nodes))] = [0, 0]
            return Paste(made, self.graph_path, (x, y))
        return AddNodes([self.new_node(type_id)], [(x, y)], self.graph_path)

    def new_node(self, type_id: str) -> Node:
        """A node of a type, with the only model there is where it needs one."""
        spec = self.catalogue[type_id]
        return Node(spec.type, self.presets(spec), version=spec.version)

    def insert_on_link(
        self,
        insert: InsertOnLink,
        passed: list[Passed],
        way: Iterable[GraphEdit] = (),
    ) -> bool:
        """Put a new node into a link and the links beside it, as one step, and select it."""

        def edits() -> Iterator[GraphEdit]:
            yield insert
            yield from links_through(insert.path, passed)
            yield from way
            yield JoinBroadcasts([insert.path], self.catalogue)

        done = self.perform(Together(insert.name, edits()))
        if done:
            self.node_use.added(insert.node.type)
            self.select_paths([insert.path])
            self.reveal([insert.path])
        return done

    def perform_adding(self, add: AddNodes | Paste, title: str) -> bool:
        """Add nodes, linked to what broadcasts here."""
        if isinstance(add, AddNodes) and not self.document.view.broadcasts:
            return self.perform(add)
        return self.perform(Together(f"add {title}", self.with_broadcasts([add], add)))

    def with_broadcasts(
        self, edits: Iterable[GraphEdit], add: AddNodes | Paste
    ) -> Iterator[GraphEdit]:
        """`edits`, of which `add` is one, then the links to what broadcasts here."""
        yield from edits
        yield JoinBroadcasts(add.paths, self.catalogue)

    # the document

    def perform(self, edit: GraphEdit) -> bool:
        """Make an edit; if it cannot be made, emit `refused` and return False."""
        if isinstance(edit, AddNodes | InsertOnLink | Together):
            edit = RandomiseNewSeeds(edit, self.catalogue)
        try:
            self.document.perform(edit)
        except RequestError as error:
            self.refuse(f"{error.fact} {error.way_out}".strip())
            return False
        return True

    def refuse(self, why: str) -> None:
        self.refused.emit(why[:1].upper() + why[1:])

    def show_hint(self, text: str, place: QPointF | None = None, *, refused: bool = False) -> None:
        """Show a hint near the mouse; an empty text hides it."""
        self.hint_changed.emit(text, place or QPointF(), refused)

    def request_nodes(self, port_item: GraphPortItem, place: QPointF) -> None:
        self.link_dropped.emit(port_item, place)

    def link_error(self, one: GraphPortItem, other: GraphPortItem) -> str | None:
        """The reason why two ports cannot be linked, or None."""
        if one.is_input == other.is_input:
            side = "inputs" if one.is_input else "outputs"
            return f"Both are {side}: a link goes from an output to an input."
        output, end = link_ends(self.document, one, other)
        return can_link(self.document, output, end, self.catalogue)

    def open(self, path: str) -> None:
        """Show a subgraph; each graph keeps its own view position."""
        if path == self.scene.path:
            return
        viewer = self.viewer
        self._seen[self.scene.path] = viewer.zoom, viewer.visible_rect().center()
        had = bool(self.selected_items())
        self.scene.show(path)
        if had:
            self.selection_changed.emit()
        zoom, centre = self._seen.get(path, (0.0, QPointF()))
        if zoom:
            viewer.zoom_by(zoom / viewer.zoom)
            viewer.centerOn(centre)
        else:
            viewer.zoom_to_initial(
                [node_item.body() for node_item in self.scene.node_items.values()]
            )
        self.opened.emit(path)

    def _on_changes(self, changes: tuple[Change, ...]) -> None:
        path = self.scene.nearest_existing(self.scene.path)
        if path != self.scene.path:
            self.open(path)
            return
        before = {
            path for path, node_item in self.scene.node_items.items() if node_item.isSelected()
        }
        self.scene.apply_changes(changes)
        self.viewer.invalidate_overview()
        if before != set(self.selected_paths()):
            self.selection_changed.emit()
        self.document_changed.emit()

    @property
    def graph_path(self) -> str:
        """The path of the shown graph."""
        return self.scene.path


def link_ends(document, one: GraphPortItem, other: GraphPortItem) -> tuple[Output, Input]:
    """The ends of a link between two ports; a list port uses its first free item."""
    into, out_of = (one, other) if one.is_input else (other, one)
    path, port = into.node_item.path, into.layout.name
    end = free_item(document, path, port) if into.layout.many else Input(path, port)
    return Output(out_of.node_item.path, out_of.layout.name), end
