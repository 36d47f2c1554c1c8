"""The items that show one graph of the document, kept equal to it change by change.

A batch of changes only tells where to look: what is shown is then made equal to the document as
it is now, so the order of changes within a batch does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from PySide6.QtWidgets import QGraphicsScene

from nodeforge.graph.changes import (
    Change,
    EntryChanged,
    FieldChanged,
    LinkAdded,
    LinkRemoved,
    NodeAdded,
    NodeRemoved,
    ValueChanged,
)
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.model import Graph, Input, Mode, Node, Output
from nodeforge.graph.paths import inside, join, split, within
from nodeforge.spec import ANY, Catalogue
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, NOTES, FrameBox
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.node_layout import Face, Looks, face_of
from nodeforge.ui.graph_view.items.pens import Ink
from nodeforge.ui.graph_view.scene.auto_layout import layered
from nodeforge.ui.graph_view.scene.run_display import RunLooks


@dataclass
class _Look:
    """Where a batch of changes may have changed what is shown."""

    nodes: set[str] = field(default_factory=set)
    ends: set[Input] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    frames: set[tuple[str, str]] = field(default_factory=set)


class Picture:
    """The graph at `path` in `scene`."""

    def __init__(
        self, scene: QGraphicsScene, document: Document, catalogue: Catalogue, ink: Ink
    ) -> None:
        self.scene, self.document, self.catalogue, self.ink = scene, document, catalogue, ink
        self.path = ""
        self.boxes: dict[str, NodeBox] = {}
        self.lines: dict[Input, LinkLine] = {}
        self.frames: dict[tuple[str, str], FrameBox] = {}
        self.links: dict[Input, Output] = {}
        self._at: defaultdict[str, set[Input]] = defaultdict(set)
        self.run = RunLooks(self)
        self._free_places: dict[str, tuple[float, float]] = {}

    @property
    def graph(self) -> Graph:
        return self.document.group(self.path)

    def show(self, path: str) -> None:
        """Show the graph of the subgraph at `path`; the root for an empty path."""
        self.document.group(path)
        self._clear()
        self.path = path
        graph = self.graph
        look = _Look(
            nodes={join(path, name) for name in graph.nodes},
            ends={inside(path, end) for end in graph.links},
            frames={(table, key) for table in (BACKDROPS, NOTES) for key in self._keys(table)},
        )
        self._settle(look)

    def _clear(self) -> None:
        for line in self.lines.values():
            line.delete()
        for item in (*self.boxes.values(), *self.frames.values()):
            item.delete()
        for table in (self.boxes, self.lines, self.frames, self.links, self._at):
            table.clear()
        self._free_places.clear()

    def _keys(self, table: str) -> list[str]:
        return [key for key in self.document.table(table) if split(key)[0] == self.path]

    def nearest(self, path: str) -> str:
        """`path`, or the nearest subgraph around it that is there."""
        while path:
            try:
                self.document.group(path)
            except NoSuchNodeError:
                path = split(path)[0]
            else:
                return path
        return ""

    # what changes

    def follow(self, changes: Iterable[Change]) -> None:
        """Show the document as it is after `changes`."""
        look = _Look()
        for change in changes:
            self._note(change, look)
        self._settle(look)

    def _note(self, change: Change, look: _Look) -> None:
        match change:
            case LinkAdded() | LinkRemoved():
                if split(change.input.node)[0] == self.path:
                    look.ends.add(change.input)
                else:
                    self._note_node(change.input.node, look)
            case EntryChanged(table="positions"):
                if split(change.key)[0] == self.path:
                    look.places.add(change.key)
            case EntryChanged(table="colours" | "collapsed"):
                if change.key in self.boxes:
                    look.nodes.add(change.key)
            case EntryChanged(table="backdrops" | "notes"):
                if split(change.key)[0] == self.path:
                    look.frames.add((change.table, change.key))
            case EntryChanged():
                pass
            case NodeAdded() | NodeRemoved() | ValueChanged() | FieldChanged():
                self._note_node(change.path, look)

    def _note_node(self, path: str, look: _Look) -> None:
        """The node shown that is at `path` or holds it."""
        prefix = f"{self.path}/" if self.path else ""
        if path.startswith(prefix) and path != self.path:
            look.nodes.add(prefix + path[len(prefix) :].partition("/")[0])

    def _settle(self, look: _Look) -> None:
        graph = self.graph
        self._settle_links(graph, look)
        fresh = self._settle_nodes(graph, look)
        for path in fresh:
            look.ends |= self._at[path]
        for end in look.ends:
            self._draw(end)
        self._settle_places(graph, look.places | fresh)
        for key in look.frames:
            self._settle_frame(*key)

    def _settle_links(self, graph: Graph, look: _Look) -> None:
        """Take away what no longer holds; the nodes at both ends are looked at again."""
        for end in look.ends:
            local = Input(split(end.node)[1], end.port, end.item)
            start = graph.links.get(local)
            now = start and within(self.path, start)
            before = self.links.pop(end, None)
            if before is not None:
                look.nodes |= {end.node, before.node}
                self._at[end.node].discard(end)
                self._at[before.node].discard(end)
                if before != now:
                    self._erase(end)
            if now is not None:
                look.nodes |= {end.node, now.node}
                self.links[end] = now
                self._at[end.node].add(end)
                self._at[now.node].add(end)

    def _settle_nodes(self, graph: Graph, look: _Look) -> set[str]:
        """Add, remove and dress nodes; those whose links must be drawn again."""
        fresh: set[str] = set()
        for path in sorted(look.nodes):
            node = graph.nodes.get(split(path)[1])
            box = self.boxes.get(path)
            if node is None:
                if box is not None:
                    self._remove(path)
            elif box is None:
                self._add(path, node)
                fresh.add(path)
            elif self.dress(path):
                fresh.add(path)
        return fresh

    def _add(self, path: str, node: Node) -> None:
        box = NodeBox(path, self.ink, self._face(path, node))
        self.boxes[path] = box
        self.run.dress(box)
        box.colour = self._colour(path)
        box.say()
        self.scene.addItem(box)

    def _remove(self, path: str) -> None:
        for end in list(self._at[path]):
            self._erase(end)
        self.boxes.pop(path).delete()

    def dress(self, path: str) -> bool:
        """Give a node its looks anew; whether ports came or went."""
        box = self.boxes[path]
        before = box.dots.keys()
        box.colour = self._colour(path)
        lost = box.wear(self._face(path, self.document.node(path)))
        for line in lost:
            self.lines.pop(line.end, None)
        for line in box.lines:
            self._colour_line(line)
        return before != box.dots.keys() or bool(lost)

    def _face(self, path: str, node: Node) -> Face:
        at = self._at[path]
        looks = Looks(
            collapsed=bool(self.document.view.collapsed.get(path)),
            linked=[end for end in at if end.node == path],
            linked_outputs={self.links[end].port for end in at if self.links[end].node == path},
            thumb=self.run.thumb_shape(path),
            thumb_height=self.run.thumb_heights.get(path),
            message=bool(self.run.state(path).message),
        )
        return face_of(split(path)[1], node, self.catalogue, looks)

    def _colour(self, path: str) -> str:
        colour = self.document.view.colours.get(path)
        return colour if isinstance(colour, str) else ""

    def _draw(self, end: Input) -> None:
        """Show a link, if both its nodes are there."""
        start = self.links.get(end)
        if start is None or end in self.lines:
            return
        into, out_of = self.boxes.get(end.node), self.boxes.get(start.node)
        if into is None or out_of is None:
            return
        target = into.dot(end.port, is_input=True)
        source = out_of.dot(start.port, is_input=False)
        assert target is not None
        assert source is not None
        line = LinkLine(end, start, target, source)
        self.lines[end] = line
        self._colour_line(line)
        self.scene.addItem(line)

    def _colour_line(self, line: LinkLine) -> None:
        source, target = line.out_of, line.into
        kind = source.face.type if source.face.type != ANY else target.face.type
        muted = Mode.MUTE in (source.box.face.mode, target.box.face.mode)
        line.paint_as(self.ink.theme.port_colour(kind), muted)

    def _erase(self, end: Input) -> None:
        line = self.lines.pop(end, None)
        if line is not None:
            line.delete()

    def _settle_places(self, graph: Graph, paths: Collection[str]) -> None:
        positions = self.document.view.positions
        boxes = [box for path in paths if (box := self.boxes.get(path))]
        if any(box.path not in positions and box.path not in self._free_places for box in boxes):
            self._find_places(graph)
        for box in boxes:
            box.place(*(positions.get(box.path) or self._free_places[box.path]))

    def _find_places(self, graph: Graph) -> None:
        """Places for the nodes that the document gives none: laid out below all that have one."""
        positions = self.document.view.positions
        loose = {
            path: box.face
            for path, box in self.boxes.items()
            if path not in positions and path not in self._free_places
        }
        taken = [
            positions[path][1] + box.face.height + 60
            for path, box in self.boxes.items()
            if path in positions
        ]
        links = [(start.node, end.node) for end, start in self.links.items()]
        sizes = {path: (face.width, face.height) for path, face in loose.items()}
        top = max(taken, default=0.0)
        for path, (x, y) in layered(sizes, links).items():
            self._free_places[path] = (x, y + top)

    def _settle_frame(self, table: str, key: str) -> None:
        entry = self.document.table(table).get(key)
        frame = self.frames.get((table, key))
        if entry is None:
            if frame is not None:
                self.frames.pop((table, key)).delete()
        elif frame is None:
            self.frames[table, key] = frame = FrameBox(table, key, entry, self.ink)
            self.scene.addItem(frame)
        else:
            frame.wear(entry)

    def wear(self, ink: Ink) -> None:
        """Change the colours of all."""
        self.ink = ink
        for frame in self.frames.values():
            frame.ink = ink
            frame.update()
        for path, box in self.boxes.items():
            box.ink = ink
            self.dress(path)
