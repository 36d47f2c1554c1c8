"""The graph scene: items of the shown graph, updated from the document's changes.

Changes only tell which items to update; these are then set from the document's current state, so
the order of changes within a batch does not matter.
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
from nodeforge.graph.edits.broadcast import broadcasting
from nodeforge.graph.model import Graph, Input, Mode, Node, Output
from nodeforge.graph.paths import inside, join, split, within
from nodeforge.spec import ANY, Catalogue
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, NOTES, FrameItem
from nodeforge.ui.graph_view.items.link_item import LinkItem, LinkStyle
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import DisplayState, NodeLayout, layout_node
from nodeforge.ui.graph_view.items.pens import Pens
from nodeforge.ui.graph_view.scene.auto_layout import layered_layout
from nodeforge.ui.graph_view.scene.run_display import RunDisplay


@dataclass
class _ChangedParts:
    """The items that a batch of changes may affect."""

    nodes: set[str] = field(default_factory=set)
    ends: set[Input] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    frames: set[tuple[str, str]] = field(default_factory=set)


class GraphScene:
    """Keeps the items of a QGraphicsScene in step with the graph at `path`."""

    def __init__(
        self, scene: QGraphicsScene, document: Document, catalogue: Catalogue, pens: Pens
    ) -> None:
        self.graphics_scene, self.document, self.catalogue, self.pens = (
            scene,
            document,
            catalogue,
            pens,
        )
        self.path = ""
        self.node_items: dict[str, NodeItem] = {}
        self.link_items: dict[Input, LinkItem] = {}
        self.frame_items: dict[tuple[str, str], FrameItem] = {}
        self.links: dict[Input, Output] = {}
        self.link_style = LinkStyle.CURVED
        self._at: defaultdict[str, set[Input]] = defaultdict(set)
        self.run_display = RunDisplay(self)
        self._free_positions: dict[str, tuple[float, float]] = {}

    @property
    def graph(self) -> Graph:
        return self.document.group(self.path)

    def show(self, path: str) -> None:
        """Show the subgraph at `path`; an empty path is the root."""
        self.document.group(path)
        self._clear()
        self.path = path
        graph = self.graph
        changed = _ChangedParts(
            nodes={join(path, name) for name in graph.nodes},
            ends={inside(path, end) for end in graph.links},
            frames={(table, key) for table in (BACKDROPS, NOTES) for key in self._keys(table)},
        )
        self._update(changed)

    def _clear(self) -> None:
        for line in self.link_items.values():
            line.delete()
        for item in (*self.node_items.values(), *self.frame_items.values()):
            item.delete()
        for table in (self.node_items, self.link_items, self.frame_items, self.links, self._at):
            table.clear()
        self._free_positions.clear()

    def _keys(self, table: str) -> list[str]:
        return [key for key in self.document.table(table) if split(key)[0] == self.path]

    def nearest_existing(self, path: str) -> str:
        """`path`, or its nearest existing parent."""
        while path:
            try:
                self.document.group(path)
            except NoSuchNodeError:
                path = split(path)[0]
            else:
                return path
        return ""

    # changes of the document

    def apply_changes(self, changes: Iterable[Change]) -> None:
        """Update the items affected by `changes`."""
        changed = _ChangedParts()
        for change in changes:
            self._collect(change, changed)
        self._update(changed)

    def _collect(self, change: Change, changed: _ChangedParts) -> None:
        match change:
            case LinkAdded() | LinkRemoved():
                if split(change.input.node)[0] == self.path:
                    changed.ends.add(change.input)
                else:
                    self._collect_node(change.input.node, changed)
            case EntryChanged(table="positions"):
                if split(change.key)[0] == self.path:
                    changed.places.add(change.key)
            case EntryChanged(table="colours" | "collapsed"):
                if change.key in self.node_items:
                    changed.nodes.add(change.key)
            case EntryChanged(table="broadcasts"):
                self._collect_node(change.key.partition(".")[0], changed)
            case EntryChanged(table="backdrops" | "notes"):
                if split(change.key)[0] == self.path:
                    changed.frames.add((change.table, change.key))
            case EntryChanged():
                pass
            case NodeAdded() | NodeRemoved() | ValueChanged() | FieldChanged():
                self._collect_node(change.path, changed)

    def _collect_node(self, path: str, changed: _ChangedParts) -> None:
        """Collect the shown node that is at `path` or contains it."""
        if shown := self.shown_at(path):
            changed.nodes.add(shown)

    def shown_at(self, path: str) -> str:
        """The path of the node in the shown graph that is at `path` or contains it; empty for
        none."""
        prefix = f"{self.path}/" if self.path else ""
        if not path.startswith(prefix) or path == self.path:
            return ""
        return prefix + path[len(prefix) :].partition("/")[0]

    def _update(self, changed: _ChangedParts) -> None:
        graph = self.graph
        self._update_links(graph, changed)
        fresh = self._update_nodes(graph, changed)
        for path in fresh:
            changed.ends |= self._at[path]
        for end in changed.ends:
            self._add_link(end)
        self._update_positions(graph, changed.places | fresh)
        for key in changed.frames:
            self._update_frame(*key)

    def _update_links(self, graph: Graph, changed: _ChangedParts) -> None:
        """Remove outdated links and collect the nodes at both ends."""
        for end in changed.ends:
            local = Input(split(end.node)[1], end.port, end.item)
            start = graph.links.get(local)
            now = start and within(self.path, start)
            before = self.links.pop(end, None)
            if before is not None:
                changed.nodes |= {end.node, before.node}
                self._at[end.node].discard(end)
                self._at[before.node].discard(end)
                if before != now:
                    self._remove_link(end)
            if now is not None:
                changed.nodes |= {end.node, now.node}
                self.links[end] = now
                self._at[end.node].add(end)
                self._at[now.node].add(end)

    def _update_nodes(self, graph: Graph, changed: _ChangedParts) -> set[str]:
        """Add, remove and update nodes; returns those whose links must be redrawn."""
        fresh: set[str] = set()
        for path in sorted(changed.nodes):
            node = graph.nodes.get(split(path)[1])
            node_item = self.node_items.get(path)
            if node is None:
                if node_item is not None:
                    self._remove(path)
            elif node_item is None:
                self._add(path, node)
                fresh.add(path)
            elif self.update_node(path):
                fresh.add(path)
        return fresh

    def _add(self, path: str, node: Node) -> None:
        node_item = NodeItem(path, self.pens, self._layout(path, node))
        self.node_items[path] = node_item
        self.run_display.apply_to(node_item)
        node_item.colour = self._colour(path)
        node_item.update_texts()
        self.graphics_scene.addItem(node_item)

    def _remove(self, path: str) -> None:
        for end in list(self._at[path]):
            self._remove_link(end)
        self.node_items.pop(path).delete()

    def update_node(self, path: str) -> bool:
        """Update a node; returns whether its ports have changed."""
        node_item = self.node_items[path]
        before = node_item.port_items.keys()
        node_item.colour = self._colour(path)
        lost = node_item.set_layout(self._layout(path, self.document.node(path)))
        for line in lost:
            self.link_items.pop(line.end, None)
        for line in node_item.link_items:
            self._colour_line(line)
        return before != node_item.port_items.keys() or bool(lost)

    def _layout(self, path: str, node: Node) -> NodeLayout:
        at = self._at[path]
        display = DisplayState(
            collapsed=bool(self.document.view.collapsed.get(path)),
            broadcasts=bool(broadcasting(self.document, path)),
            linked=[end for end in at if end.node == path],
            linked_outputs={self.links[end].port for end in at if self.links[end].node == path},
            thumb=self.run_display.thumb_shape(path),
            thumb_height=self.run_display.thumb_heights.get(path),
            message=bool(self.run_display.state(path).message),
            auto=self.run_display.auto_values_of(path, node),
        )
        return layout_node(split(path)[1], node, self.catalogue, display)

    def _colour(self, path: str) -> str:
        colour = self.document.view.colours.get(path)
        return colour if isinstance(colour, str) else ""

    def _add_link(self, end: Input) -> None:
        """Add a link, if both its nodes exist."""
        start = self.links.get(end)
        if start is None or end in self.link_items:
            return
        into, out_of = self.node_items.get(end.node), self.node_items.get(start.node)
        if into is None or out_of is None:
            return
        target = into.port_item(end.port, is_input=True)
        source = out_of.port_item(start.port, is_input=False)
        assert target is not None
        assert source is not None
        line = LinkItem(end, start, target, source, self.link_style)
        self.link_items[end] = line
        self._colour_line(line)
        self.graphics_scene.addItem(line)

    def _colour_line(self, line: LinkItem) -> None:
        source, target = line.source, line.target
        kind = source.layout.type if source.layout.type != ANY else target.layout.type
        muted = Mode.MUTE in (source.node_item.layout.mode, target.node_item.layout.mode)
        quiet = str(line.start) in self.document.view.broadcasts
        line.set_style(self.pens.theme.port_colour(kind), muted, quiet=quiet)

    def _remove_link(self, end: Input) -> None:
        line = self.link_items.pop(end, None)
        if line is not None:
            line.delete()

    def _update_positions(self, graph: Graph, paths: Collection[str]) -> None:
        positions = self.document.view.positions
        node_items = [node_item for path in paths if (node_item := self.node_items.get(path))]
        if any(
            node_item.path not in positions and node_item.path not in self._free_positions
            for node_item in node_items
        ):
            self._find_positions(graph)
        for node_item in node_items:
            node_item.move_to(
                *(positions.get(node_item.path) or self._free_positions[node_item.path])
            )

    def _find_positions(self, graph: Graph) -> None:
        """Lay out nodes without a stored position below the others."""
        positions = self.document.view.positions
        loose = {
            path: node_item.layout
            for path, node_item in self.node_items.items()
            if path not in positions and path not in self._free_positions
        }
        taken = [
            positions[path][1] + node_item.layout.room + 60
            for path, node_item in self.node_items.items()
            if path in positions
        ]
        links = [(start.node, end.node) for end, start in self.links.items()]
        sizes = {path: (layout.width, layout.room) for path, layout in loose.items()}
        top = max(taken, default=0.0)
        for path, (x, y) in layered_layout(sizes, links).items():
            self._free_positions[path] = (x, y + top)

    def _update_frame(self, table: str, key: str) -> None:
        entry = self.document.table(table).get(key)
        frame = self.frame_items.get((table, key))
        if entry is None:
            if frame is not None:
                self.frame_items.pop((table, key)).delete()
        elif frame is None:
            self.frame_items[table, key] = frame = FrameItem(table, key, entry, self.pens)
            self.graphics_scene.addItem(frame)
        else:
            frame.set_entry(entry)

    def set_link_style(self, style: LinkStyle) -> None:
        """Set how all links are drawn."""
        self.link_style = style
        for line in self.link_items.values():
            line.set_link_style(style)

    def show_links_of(self, node_items: Collection[NodeItem | None]) -> None:
        """Show the links of these nodes plainly, also hidden and quiet ones."""
        for line in self.link_items.values():
            ends = line.source.node_item, line.target.node_item
            line.set_near(any(end in node_items for end in ends))

    def set_pens(self, pens: Pens) -> None:
        """Set the pens of all items."""
        self.pens = pens
        for frame in self.frame_items.values():
            frame.pens = pens
            frame.update()
        for path, node_item in self.node_items.items():
            node_item.pens = pens
            self.update_node(path)
