"""What menus, keys and the palette can do with what is chosen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF

from nodeforge.errors import RequestError
from nodeforge.graph.edits import (
    AddNodes,
    Collapse,
    Fold,
    GraphEdit,
    InsertOnLink,
    Pin,
    Recolour,
    RemoveNodes,
    SetEntry,
    SetMode,
    Together,
    Unlink,
    Unpack,
)
from nodeforge.graph.edits.base import count
from nodeforge.graph.edits.links import ports_through
from nodeforge.graph.model import Mode, Node
from nodeforge.graph.paths import split
from nodeforge.spec import UnknownNodeTypeError
from nodeforge.ui.graph_view.commands import clipboard
from nodeforge.ui.graph_view.items.frame_item import (
    BACKDROPS,
    NOTES,
    FrameBox,
    entry_with,
    free_key,
)
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_layout import Looks, face_of
from nodeforge.ui.graph_view.scene.auto_layout import DOWN
from nodeforge.ui.graph_view.scene.overview import bounds
from nodeforge.ui.graph_view.session import Desk


class Commands:
    """Edits of what is chosen on the desk. Each is one step to undo."""

    desk: Desk

    def place_for_new(self) -> QPointF:
        """Where something new goes when nobody says: the middle of what is seen."""
        return self.desk.viewer.seen().center()

    def add_node(self, type_id: str, position: tuple[float, float] | None = None) -> str:
        """Add a node to what is shown, and choose it; its path, empty if there is no such type."""
        try:
            spec = self.desk.catalogue[type_id]
        except UnknownNodeTypeError as error:
            self.desk.refuse(f"{error.fact} {error.way_out}")
            return ""
        node = Node(spec.type)
        x, y = position or self._free_place(node)
        add = AddNodes([node], [(round(x), round(y))], self.desk.group)
        self.desk.ask(add)
        self.desk.choose_paths(add.paths)
        if position is None:
            self.desk.viewer.reveal(self.desk.picture.boxes[add.paths[0]].body())
        return add.paths[0]

    def _free_place(self, node: Node) -> tuple[float, float]:
        """Where `node` lies on no other: in the middle of what is seen, or below that."""
        face = face_of("", node, self.desk.catalogue, Looks())
        centre = self.place_for_new()
        wish = QRectF(centre.x() - face.width / 2, centre.y() - 40, face.width, face.height)
        bodies = [box.body() for box in self.desk.picture.boxes.values()]
        for body in sorted(bodies, key=lambda body: body.top()):
            if body.intersects(wish):
                wish.moveTop(body.bottom() + DOWN)
        return wish.x(), wish.y()

    def drop_node(self, type_id: str, place: QPointF) -> bool:
        """Add a node at a place of the scene: into a link, if one lies there and it fits."""
        line = self.desk.viewer.line_under(place)
        if line is not None and type_id in self.desk.catalogue:
            node = Node(type_id)
            through = ports_through(self.desk.document, line.end, node, self.desk.catalogue)
            if through is not None:
                at = (round(place.x() - 110), round(place.y() - 14))
                insert = InsertOnLink(line.end, node, through, at)
                done = self.desk.ask(insert)
                self.desk.choose_paths([insert.path])
                return done
        return bool(self.add_node(type_id, (place.x() - 110, place.y() - 14)))

    def delete_selected(self, heal: bool = True) -> None:
        """Delete what is chosen; with `heal`, links go on past deleted nodes where types allow."""
        desk = self.desk
        paths = desk.chosen_paths()
        frames = [item for item in desk.chosen() if isinstance(item, FrameBox)]
        ends = [item.end for item in desk.chosen() if isinstance(item, LinkLine)]
        edits: list[GraphEdit] = [Unlink(end) for end in ends]
        if paths:
            edits.append(RemoveNodes(paths, desk.catalogue if heal else None))
        edits += clipboard.removal(frames)
        if not edits:
            return
        if len(edits) == 1 and paths:
            desk.ask(edits[0])
            return
        names = [*paths, *(str(end) for end in ends), *(frame.path for frame in frames)]
        what = count(paths) if len(names) == len(paths) else f"{len(names)} items"
        desk.ask(Together(f"remove {what}" if len(names) > 1 else f"remove {names[0]}", edits))

    def select_all(self) -> None:
        picture = self.desk.picture
        self.desk.choose([*picture.boxes.values(), *picture.frames.values()])

    # copies

    def copy(self) -> None:
        """Put what is chosen on the clipboard, as a workflow."""
        if (fragment := clipboard.fragment_of(self.desk)) is not None:
            clipboard.put_on_clipboard(fragment)

    def cut(self) -> None:
        self.copy()
        self.delete_selected(heal=False)

    def paste(self, keep_inputs: bool = False, at: QPointF | None = None) -> list[str]:
        """Add what is on the clipboard; with `keep_inputs`, fed by what fed the originals."""
        try:
            fragment = clipboard.from_clipboard()
        except RequestError as error:
            self.desk.refuse(f"{error.fact} {error.way_out}".strip())
            return []
        shift = (at or self.place_for_paste()) - clipboard.corner(fragment)
        offset = (round(shift.x()), round(shift.y()))
        return clipboard.paste_into(self.desk, fragment, offset, keep_inputs=keep_inputs, what="")

    def place_for_paste(self) -> QPointF:
        return self.place_for_new()

    def duplicate(self, keep_inputs: bool = False) -> list[str]:
        """Copy what is chosen, beside it."""
        fragment = clipboard.fragment_of(self.desk)
        if fragment is None:
            return []
        what = f"duplicate {count(self.desk.chosen_paths())}"
        return clipboard.paste_into(
            self.desk, fragment, (32, 32), keep_inputs=keep_inputs, what=what
        )

    # how nodes take part

    def mute(self) -> None:
        """Leave the chosen nodes out of runs, or let them take part again."""
        self._toggle_mode(Mode.MUTE)

    def bypass(self) -> None:
        """Let the chosen nodes pass on what they get, or do their work again."""
        self._toggle_mode(Mode.BYPASS)

    def _toggle_mode(self, mode: Mode) -> None:
        paths = self.desk.chosen_paths()
        if paths:
            every = all(self.desk.document.node(path).mode is mode for path in paths)
            self.desk.ask(SetMode(paths, Mode.ACTIVE if every else mode))

    def collapse(self) -> None:
        """Show only the titles of the chosen nodes, or all of them again."""
        paths = self.desk.chosen_paths()
        if paths:
            folded = self.desk.document.view.collapsed
            self.desk.ask(Fold(paths, not all(folded.get(path) for path in paths)))

    def pin(self) -> None:
        """Keep the results of the chosen nodes in the cache, or no longer."""
        paths = self.desk.chosen_paths()
        if paths:
            self.desk.ask(Pin(paths, not all(self.desk.document.node(p).pin for p in paths)))

    def colour(self, colour: str | None) -> None:
        """Give the chosen nodes and frames a colour (``#rrggbb``), or the theme's again."""
        edits: list[GraphEdit] = []
        if paths := self.desk.chosen_paths():
            edits.append(Recolour(paths, colour))
        for frame in (item for item in self.desk.chosen() if isinstance(item, FrameBox)):
            entry = {**frame.entry} if isinstance(frame.entry, dict) else {}
            entry.pop("colour", None)
            edits.append(
                SetEntry(frame.table, frame.path, entry | ({"colour": colour} if colour else {}))
            )
        if edits:
            self.desk.ask(edits[0] if len(edits) == 1 else Together("colour items", edits))

    # subgraphs, backdrops, notes

    def group(self, title: str = "") -> str:
        """Put the chosen nodes into a subgraph; its path."""
        paths = self.desk.chosen_paths()
        if not paths:
            self.desk.refuse("choose the nodes to group first.")
            return ""
        edit = Collapse(paths, title)
        if not self.desk.ask(edit):
            return ""
        self.desk.choose_paths([edit.path])
        return edit.path

    def ungroup(self) -> list[str]:
        """Put the nodes of the chosen subgraphs where these were; their paths."""
        groups = [p for p in self.desk.chosen_paths() if self.desk.picture.boxes[p].face.is_group]
        unpacks = [Unpack(path) for path in groups]
        if not unpacks:
            self.desk.refuse("choose a group to unpack first.")
            return []
        self.desk.ask(unpacks[0] if len(unpacks) == 1 else Together("unpack groups", unpacks))
        paths = [path for unpack in unpacks for path in unpack.paths]
        self.desk.choose_paths(paths)
        return paths

    def open_selected(self) -> None:
        """Show what is inside the chosen subgraph."""
        for path in self.desk.chosen_paths():
            if self.desk.picture.boxes[path].face.is_group:
                self.desk.open(path)
                return

    def go_up(self) -> None:
        """Show the graph around the one that is shown."""
        if self.desk.group:
            inner = self.desk.group
            self.desk.open(split(inner)[0])
            self.desk.choose_paths([inner])

    def backdrop(self, title: str = "") -> str:
        """Put a backdrop behind the chosen nodes, or in the middle of what is seen; its key."""
        boxes = [self.desk.picture.boxes[path] for path in self.desk.chosen_paths()]
        if boxes:
            rect = bounds(box.body() for box in boxes).adjusted(-24, -48, 24, 24)
        else:
            centre = self.place_for_new()
            rect = bounds([]).adjusted(-160, -100, 160, 100).translated(centre)
        return self._add_frame(BACKDROPS, {"title": title}, rect, "add a backdrop")

    def note(self, text: str = "", at: QPointF | None = None) -> str:
        """Add a note; its key."""
        rect = bounds([]).adjusted(0, 0, 220, 120).translated(at or self.place_for_new())
        return self._add_frame(NOTES, {"text": text}, rect, "add a note")

    def _add_frame(self, table: str, entry: dict, rect, what: str) -> str:
        key = free_key(self.desk.document.table(table), self.desk.group, table)
        self.desk.ask(SetEntry(table, key, entry_with(entry, rect), what=what))
        if frame := self.desk.picture.frames.get((table, key)):
            self.desk.choose([frame])
        return key
