"""What gestures and commands work on: the document, its picture, and what is chosen."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from PySide6.QtCore import QObject, QPointF, Signal

from nodeforge.errors import RequestError
from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import GraphEdit, free_item
from nodeforge.graph.linking import can_link
from nodeforge.graph.model import Input, Output
from nodeforge.graph.paths import join
from nodeforge.spec import Catalogue
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.graph_view.items.frame_item import FrameBox
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.pens import Ink
from nodeforge.ui.graph_view.items.port_item import PortDot
from nodeforge.ui.graph_view.scene.graph_scene import Picture
from nodeforge.ui.graph_view.scene.graph_viewer import Viewer

Item = NodeBox | FrameBox | LinkLine


class Desk(QObject):
    """One document, the graph of it that is shown, and the selection there."""

    choice_changed = Signal()
    opened = Signal(str)
    redrawn = Signal()
    """The document has changed, and the picture with it."""
    refused = Signal(str)
    hinted = Signal(str, QPointF)
    nodes_offered = Signal(object, QPointF)
    """A link was dropped on nothing: its port, and where (pixels of the view)."""

    def __init__(self, document: Document, catalogue: Catalogue, theme: Theme) -> None:
        super().__init__()
        self.document, self.catalogue, self.theme = document, catalogue, theme
        self.viewer = Viewer(theme)
        self.picture = Picture(self.viewer.scene(), document, catalogue, Ink(theme))
        self.viewer.watch(self.picture)
        self.viewer.may_link = self.may_link
        self._seen: dict[str, tuple[float, QPointF]] = {}
        self._end = document.subscribe(self._follow)
        self.picture.show("")

    def close(self) -> None:
        """Listen to the document no longer."""
        end, self._end = self._end, lambda: None
        end()

    # the selection

    def chosen(self) -> list[Item]:
        return [i for i in self.viewer.scene().selectedItems() if isinstance(i, Item)]

    def chosen_paths(self) -> list[str]:
        """The nodes chosen, in the order of the document."""
        boxes, group = self.picture.boxes, self.group
        paths = (join(group, name) for name in self.picture.graph.nodes)
        return [path for path in paths if path in boxes and boxes[path].isSelected()]

    def choose(self, items: Iterable[Item]) -> None:
        """Choose these and nothing else."""
        wanted = set(items)
        before = set(self.chosen())
        if wanted == before:
            return
        scene = self.viewer.scene()
        scene.blockSignals(True)
        for item in before - wanted:
            item.setSelected(False)
        for item in wanted - before:
            item.setSelected(True)
        scene.blockSignals(False)
        self.viewer.forget_overview()
        self.viewer.viewport().update()
        self.choice_changed.emit()

    def choose_paths(self, paths: Collection[str]) -> None:
        self.choose(box for path in paths if (box := self.picture.boxes.get(path)))

    # the document

    def ask(self, edit: GraphEdit) -> bool:
        """Make an edit; whether it could be made. Why not is told by `refused`."""
        try:
            self.document.perform(edit)
        except RequestError as error:
            self.refuse(f"{error.fact} {error.way_out}".strip())
            return False
        return True

    def refuse(self, why: str) -> None:
        self.refused.emit(why[:1].upper() + why[1:])

    def hint(self, text: str, place: QPointF | None = None) -> None:
        """Show a few words near the mouse; none take them away."""
        self.hinted.emit(text, place or QPointF())

    def offer_nodes(self, dot: PortDot, place: QPointF) -> None:
        self.nodes_offered.emit(dot, place)

    def may_link(self, one: PortDot, other: PortDot) -> str | None:
        """Why two ports may not be linked, or None if they may."""
        if one.is_input == other.is_input:
            side = "inputs" if one.is_input else "outputs"
            return f"Both are {side}: a link goes from an output to an input."
        output, end = ends(self.document, one, other)
        return can_link(self.document, output, end, self.catalogue)

    def open(self, path: str) -> None:
        """Show the graph of the subgraph at `path`; each remembers what part was seen."""
        if path == self.picture.path:
            return
        viewer = self.viewer
        self._seen[self.picture.path] = viewer.zoom, viewer.seen().center()
        had = bool(self.chosen())
        self.picture.show(path)
        if had:
            self.choice_changed.emit()
        zoom, centre = self._seen.get(path, (0.0, QPointF()))
        if zoom:
            viewer.zoom_by(zoom / viewer.zoom)
            viewer.centerOn(centre)
        else:
            viewer.zoom_to_start([box.body() for box in self.picture.boxes.values()])
        self.opened.emit(path)

    def _follow(self, changes: tuple[Change, ...]) -> None:
        path = self.picture.nearest(self.picture.path)
        if path != self.picture.path:
            self.open(path)
            return
        before = {path for path, box in self.picture.boxes.items() if box.isSelected()}
        self.picture.follow(changes)
        self.viewer.forget_overview()
        if before != set(self.chosen_paths()):
            self.choice_changed.emit()
        self.redrawn.emit()

    @property
    def group(self) -> str:
        """The path of the graph that is shown."""
        return self.picture.path


def ends(document, one: PortDot, other: PortDot) -> tuple[Output, Input]:
    """The link that joins two ports; a list port gets it at its first free place."""
    into, out_of = (one, other) if one.is_input else (other, one)
    path, port = into.box.path, into.face.name
    end = free_item(document, path, port) if into.face.many else Input(path, port)
    return Output(out_of.box.path, out_of.face.name), end
