"""Commands on the selected nodes, links and frames of the graph view."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from nodeforge.errors import RequestError
from nodeforge.graph.edits import (
    AddNodes,
    Broadcast,
    Collapse,
    Fold,
    GraphEdit,
    InsertOnLink,
    Paste,
    Pin,
    Recolour,
    RemoveNodes,
    SetEntry,
    SetMode,
    StopBroadcast,
    Together,
    Unlink,
    Unpack,
)
from nodeforge.graph.edits.base import count
from nodeforge.graph.edits.broadcast import broadcasting
from nodeforge.graph.edits.links import ports_through
from nodeforge.graph.edits.pass_through import passed_beside
from nodeforge.graph.model import Mode, Node
from nodeforge.graph.paths import split
from nodeforge.ui.graph_view.commands import clipboard
from nodeforge.ui.graph_view.items.frame_item import (
    BACKDROPS,
    NOTES,
    FrameItem,
    entry_with,
    free_key,
)
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_layout import DisplayState, layout_node
from nodeforge.ui.graph_view.scene.auto_layout import DOWN
from nodeforge.ui.graph_view.scene.make_way import make_way
from nodeforge.ui.graph_view.scene.overview import bounding_rect
from nodeforge.ui.graph_view.session import GraphSession

_REROUTE = "graph.reroute"


class GraphCommands:
    """Mixin with the graph view's edit commands; each is one undo step."""

    session: GraphSession

    def place_for_new(self) -> QPointF:
        """The default position of new items: the centre of the view."""
        return self.session.viewer.visible_rect().center()

    def add_node(self, type_id: str, position: tuple[float, float] | None = None) -> str:
        """Add and select a node, or a kept subgraph; returns its path, empty if that fails."""
        try:
            add = self.session.adding(type_id, (0, 0))
            x, y = position or self._free_place(_node_of(add))
            add = self.session.adding(type_id, (x, y))
        except RequestError as error:
            self.session.refuse(f"{error.fact} {error.way_out}")
            return ""
        self.session.perform_adding(add, type_id.rpartition(".")[2])
        self.session.node_use.added(type_id)
        self.session.select_paths(add.paths)
        self.session.reveal(add.paths)
        return add.paths[0]

    def _free_place(self, node: Node) -> tuple[float, float]:
        """A position where `node` covers no other: the centre of the view, or below."""
        layout = layout_node("", node, self.session.catalogue, DisplayState())
        centre = self.place_for_new()
        wish = QRectF(centre.x() - layout.width / 2, centre.y() - 40, layout.width, layout.room)
        bodies = [node_item.room() for node_item in self.session.scene.node_items.values()]
        for body in sorted(bodies, key=lambda body: body.top()):
            if body.intersects(wish):
                wish.moveTop(body.bottom() + DOWN)
        return wish.x(), wish.y()

    def drop_node(self, type_id: str, place: QPointF) -> bool:
        """Add a node at a scene position; if it fits, insert it into the link there."""
        line = self.session.viewer.link_at(place)
        if line is not None and self.insert_node(type_id, line, place):
            return True
        return bool(self.add_node(type_id, (place.x() - 110, place.y() - 14)))

    def insert_node(self, type_id: str, line: LinkItem, place: QPointF) -> bool:
        """Insert a node at a scene position into a link; returns whether it fits there.

        A node that passes on more than one value takes the places of the links beside it, too.
        """
        session = self.session
        if type_id not in session.catalogue:
            return False
        node = session.new_node(type_id)
        through = ports_through(session.document, line.end, node, session.catalogue)
        if through is None:
            return False
        layout = layout_node("", node, session.catalogue, DisplayState())
        dropped = QRectF(place.x() - 110, place.y() - 14, layout.width, layout.room)
        passed = passed_beside(session.document, line.end, node, through, session.catalogue)
        beside = [end for each in passed for end in each.ends]
        at, way = make_way(session.scene, line.end, dropped, beside=beside)
        return session.insert_on_link(InsertOnLink(line.end, node, through, at), passed, way)

    def add_or_insert(self, type_id: str) -> None:
        """Insert a node into the selected link where it fits; else add it in the view."""
        if not self.insert_in_selected_link(type_id):
            self.add_node(type_id)

    def insert_in_selected_link(self, type_id: str) -> bool:
        """Insert a node into the link that is selected alone; returns whether that was done."""
        line = self.selected_link()
        return line is not None and self.insert_node(
            type_id, line, line.sceneBoundingRect().center()
        )

    def selected_link(self) -> LinkItem | None:
        """The link that is selected alone, or None."""
        items = self.session.selected_items()
        return items[0] if len(items) == 1 and isinstance(items[0], LinkItem) else None

    def add_reroute(self, line: LinkItem, place: QPointF) -> None:
        """Put a reroute into a link at a scene position, and select it."""
        spec = self.session.catalogue[_REROUTE]
        node = Node(spec.type, version=spec.version)
        through = ports_through(self.session.document, line.end, node, self.session.catalogue)
        if through is None:
            self.session.refuse("this link takes no reroute: its ends are of an unknown type.")
            return
        layout = layout_node("", node, self.session.catalogue, DisplayState())
        at = round(place.x() - layout.width / 2), round(place.y() - layout.height / 2)
        insert = InsertOnLink(line.end, node, through, at)
        if self.session.perform(insert):
            self.session.select_paths([insert.path])

    def delete_selected(self, heal: bool = True) -> None:
        """Delete the selection; with `heal`, reconnect links around deleted nodes."""
        session = self.session
        paths = session.selected_paths()
        frames = [item for item in session.selected_items() if isinstance(item, FrameItem)]
        ends = [item.end for item in session.selected_items() if isinstance(item, LinkItem)]
        edits: list[GraphEdit] = [Unlink(end) for end in ends]
        if paths:
            edits.append(RemoveNodes(paths, session.catalogue if heal else None))
        edits += clipboard.remove_frames(frames)
        if not edits:
            return
        if len(edits) == 1 and paths:
            session.perform(edits[0])
            return
        names = [*paths, *(str(end) for end in ends), *(frame.path for frame in frames)]
        what = count(paths) if len(names) == len(paths) else f"{len(names)} items"
        session.perform(
            Together(f"remove {what}" if len(names) > 1 else f"remove {names[0]}", edits)
        )

    def select_all(self) -> None:
        scene = self.session.scene
        self.session.select_items([*scene.node_items.values(), *scene.frame_items.values()])

    # copies

    def copy(self) -> None:
        """Copy the selection to the clipboard."""
        if (fragment := clipboard.selected_fragment(self.session)) is not None:
            clipboard.copy_to_clipboard(fragment)

    def cut(self) -> None:
        self.copy()
        self.delete_selected(heal=False)

    def paste(self, keep_inputs: bool = False, at: QPointF | None = None) -> list[str]:
        """Paste the clipboard; with `keep_inputs`, keep the links to the originals' inputs."""
        try:
            fragment = clipboard.read_clipboard()
        except RequestError as error:
            self.session.refuse(f"{error.fact} {error.way_out}".strip())
            return []
        shift = (at or self.place_for_paste()) - clipboard.corner(fragment)
        offset = (round(shift.x()), round(shift.y()))
        return clipboard.paste_into(
            self.session, fragment, offset, keep_inputs=keep_inputs, what=""
        )

    def place_for_paste(self) -> QPointF:
        return self.place_for_new()

    def duplicate(self, keep_inputs: bool = False) -> list[str]:
        """Duplicate the selection."""
        fragment = clipboard.selected_fragment(self.session)
        if fragment is None:
            return []
        what = f"duplicate {count(self.session.selected_paths())}"
        return clipboard.paste_into(
            self.session, fragment, (32, 32), keep_inputs=keep_inputs, what=what
        )

    # how nodes take part

    def mute(self) -> None:
        """Mute or unmute the selected nodes."""
        self._toggle_mode(Mode.MUTE)

    def bypass(self) -> None:
        """Bypass the selected nodes, or activate them again."""
        self._toggle_mode(Mode.BYPASS)

    def _toggle_mode(self, mode: Mode) -> None:
        paths = self.session.selected_paths()
        if paths:
            every = all(self.session.document.node(path).mode is mode for path in paths)
            self.session.perform(SetMode(paths, Mode.ACTIVE if every else mode))

    def collapse(self) -> None:
        """Collapse or expand the selected nodes."""
        paths = self.session.selected_paths()
        if paths:
            folded = self.session.document.view.collapsed
            self.session.perform(Fold(paths, not all(folded.get(path) for path in paths)))

    def broadcast(self) -> None:
        """Link the model, text encoder and VAE of the selected node to all open inputs, and those
        of nodes added later; or stop that."""
        paths = self.session.selected_paths()
        if len(paths) != 1:
            self.session.refuse("select one node to broadcast its outputs.")
        elif broadcasting(self.session.document, paths[0]):
            self.session.perform(StopBroadcast(paths[0]))
        else:
            self.session.perform(Broadcast(paths[0], self.session.catalogue))

    def pin(self) -> None:
        """Pin or unpin the results of the selected nodes in the cache."""
        paths = self.session.selected_paths()
        if paths:
            self.session.perform(
                Pin(paths, not all(self.session.document.node(p).pin for p in paths))
            )

    def colour(self, colour: str | None) -> None:
        """Set the colour (``#rrggbb``) of the selected nodes and frames; None resets it."""
        edits: list[GraphEdit] = []
        if paths := self.session.selected_paths():
            edits.append(Recolour(paths, colour))
        for frame in (
            item for item in self.session.selected_items() if isinstance(item, FrameItem)
        ):
            entry = {**frame.entry} if isinstance(frame.entry, dict) else {}
            entry.pop("colour", None)
            edits.append(
                SetEntry(frame.table, frame.path, entry | ({"colour": colour} if colour else {}))
            )
        if edits:
            self.session.perform(edits[0] if len(edits) == 1 else Together("colour items", edits))

    # subgraphs, backdrops, notes

    def keep_in_library(self) -> None:
        """Keep the selected subgraph in the library, as a file to add it anywhere."""
        paths = self.session.selected_paths()
        saved = self.session.saved_subgraphs
        if len(paths) != 1 or saved is None:
            self.session.refuse("select one subgraph to keep in the library.")
            return
        try:
            saved.keep(self.session.document, paths[0], self.session.catalogue)
        except RequestError as error:
            self.session.refuse(f"{error.place} {error.fact} {error.way_out}".strip())

    def group(self, title: str = "") -> str:
        """Collapse the selected nodes into a subgraph; returns its path."""
        paths = self.session.selected_paths()
        if not paths:
            self.session.refuse("select the nodes of the subgraph first.")
            return ""
        edit = Collapse(paths, title)
        if not self.session.perform(edit):
            return ""
        self.session.select_paths([edit.path])
        return edit.path

    def ungroup(self) -> list[str]:
        """Unpack the selected subgraphs; returns the paths of their nodes."""
        groups = [
            p
            for p in self.session.selected_paths()
            if self.session.scene.node_items[p].layout.is_group
        ]
        unpacks = [Unpack(path) for path in groups]
        if not unpacks:
            self.session.refuse("select a subgraph to unpack first.")
            return []
        self.session.perform(
            unpacks[0] if len(unpacks) == 1 else Together("unpack subgraphs", unpacks)
        )
        paths = [path for unpack in unpacks for path in unpack.paths]
        self.session.select_paths(paths)
        return paths

    def open_selected(self) -> None:
        """Open the selected subgraph."""
        for path in self.session.selected_paths():
            if self.session.scene.node_items[path].layout.is_group:
                self.session.open(path)
                return

    def go_up(self) -> None:
        """Open the parent graph."""
        if self.session.graph_path:
            inner = self.session.graph_path
            self.session.open(split(inner)[0])
            self.session.select_paths([inner])

    def backdrop(self, title: str = "") -> str:
        """Add a backdrop behind the selected nodes or in the view; returns its key."""
        node_items = [self.session.scene.node_items[path] for path in self.session.selected_paths()]
        if node_items:
            rect = bounding_rect(node_item.body() for node_item in node_items).adjusted(
                -24, -48, 24, 24
            )
        else:
            centre = self.place_for_new()
            rect = bounding_rect([]).adjusted(-160, -100, 160, 100).translated(centre)
        return self._add_frame(BACKDROPS, {"title": title}, rect, "add a backdrop")

    def note(self, text: str = "", at: QPointF | None = None) -> str:
        """Add a note; returns its key."""
        rect = bounding_rect([]).adjusted(0, 0, 220, 120).translated(at or self.place_for_new())
        return self._add_frame(NOTES, {"text": text}, rect, "add a note")

    def _add_frame(self, table: str, entry: dict, rect, what: str) -> str:
        key = free_key(self.session.document.table(table), self.session.graph_path, table)
        self.session.perform(SetEntry(table, key, entry_with(entry, rect), what=what))
        if frame := self.session.scene.frame_items.get((table, key)):
            self.session.select_items([frame])
        return key


def _node_of(add: AddNodes | Paste) -> Node:
    nodes = add.nodes if isinstance(add, AddNodes) else list(add.fragment.graph.nodes.values())
    return nodes[0]
