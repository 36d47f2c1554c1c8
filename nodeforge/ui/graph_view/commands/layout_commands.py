"""Commands that align, distribute and lay out nodes, and zoom commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nodeforge.graph.edits import Move, Together
from nodeforge.graph.edits.base import count
from nodeforge.graph.paths import split
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.scene.auto_layout import layered_layout
from nodeforge.ui.graph_view.session import GraphSession

Side = Literal["left", "right", "top", "bottom", "centre", "middle"]
"""``centre`` aligns horizontally (one below the other), ``middle`` vertically."""


class LayoutCommands:
    """Mixin with layout and zoom commands."""

    session: GraphSession

    def align(self, side: Side) -> None:
        """Align the selected nodes."""
        node_items = self._chosen_boxes()
        if len(node_items) < 2:
            return
        bodies = {node_item.path: node_item.body() for node_item in node_items}
        left = min(body.left() for body in bodies.values())
        right = max(body.right() for body in bodies.values())
        top = min(body.top() for body in bodies.values())
        bottom = max(body.bottom() for body in bodies.values())
        places = {}
        for path, body in bodies.items():
            x, y = body.x(), body.y()
            match side:
                case "left":
                    x = left
                case "right":
                    x = right - body.width()
                case "top":
                    y = top
                case "bottom":
                    y = bottom - body.height()
                case "centre":
                    x = (left + right - body.width()) / 2
                case "middle":
                    y = (top + bottom - body.height()) / 2
            places[path] = (x, y)
        self._move(places, f"align {count(places)}")

    def distribute(self, axis: Literal["across", "down"]) -> None:
        """Space the selected nodes evenly; the outer two stay."""
        node_items = self._chosen_boxes()
        if len(node_items) < 3:
            return
        across = axis == "across"
        bodies = {node_item.path: node_item.body() for node_item in node_items}
        order = sorted(bodies, key=lambda p: bodies[p].x() if across else bodies[p].y())
        sizes = [bodies[p].width() if across else bodies[p].height() for p in order]
        first, last = bodies[order[0]], bodies[order[-1]]
        span = last.right() - first.left() if across else last.bottom() - first.top()
        room = (span - sum(sizes)) / (len(order) - 1)
        place = first.left() if across else first.top()
        places = {}
        for path, size in zip(order, sizes, strict=True):
            body = bodies[path]
            places[path] = (place, body.y()) if across else (body.x(), place)
            place += size + room
        self._move(places, f"distribute {count(places)}")

    def auto_layout(self) -> None:
        """Lay out the selected nodes, or all if none is selected."""
        scene = self.session.scene
        node_items = self._chosen_boxes()
        if len(node_items) == 1:
            self.session.refuse("one node is selected. Select more to lay them out, or none.")
            return
        whole = not node_items
        node_items = node_items or list(scene.node_items.values())
        if not node_items:
            return
        node_items.sort(key=lambda node_item: (node_item.pos().x(), node_item.pos().y()))
        sizes = {
            node_item.path: (node_item.layout.width, node_item.layout.room)
            for node_item in node_items
        }
        links = [(start.node, end.node) for end, start in scene.links.items()]
        left = min(node_item.pos().x() for node_item in node_items)
        top = min(node_item.pos().y() for node_item in node_items)
        places = {
            path: (left + x, top + y) for path, (x, y) in layered_layout(sizes, links).items()
        }
        self._move(places, "lay out the graph" if whole else f"lay out {count(places)}")
        if whole:
            self.zoom_all()

    def _chosen_boxes(self) -> list[NodeItem]:
        return [self.session.scene.node_items[path] for path in self.session.selected_paths()]

    def _move(self, places: Mapping[str, tuple[float, float]], what: str) -> None:
        whole = {path: (round(x), round(y)) for path, (x, y) in places.items()}
        self.session.perform(Together(what, [Move(whole)]))

    def zoom_all(self) -> None:
        """Zoom to all items."""
        scene = self.session.scene
        items = [*scene.node_items.values(), *scene.frame_items.values()]
        self.session.viewer.zoom_to(self.session.viewer.bounding_rect_of(items))

    def zoom_start(self) -> None:
        """Zoom to all items, or at a readable zoom to the start of the graph."""
        scene = self.session.scene
        items = [*scene.node_items.values(), *scene.frame_items.values()]
        texts = [
            node_item.body()
            for node_item in scene.node_items.values()
            if any(row.long for row in node_item.layout.rows)
        ]
        self.session.viewer.zoom_to_initial([item.body() for item in items], texts)

    def zoom_selection(self) -> None:
        """Zoom to the selection, or to all items if nothing is selected."""
        chosen = [item for item in self.session.selected_items() if hasattr(item, "body")]
        if chosen:
            self.session.viewer.zoom_to(self.session.viewer.bounding_rect_of(chosen))
        else:
            self.zoom_all()

    def center_on(self, path: str) -> None:
        """Open the graph of the node at `path`, select the node and centre it."""
        self.session.open(split(path)[0])
        node_item = self.session.scene.node_items.get(path)
        if node_item is None:
            return
        self.session.select_items([node_item])
        viewer = self.session.viewer
        if viewer.zoom < 0.5:
            viewer.zoom_by(1.0 / viewer.zoom)
        viewer.centerOn(node_item.body().center())
        viewer.view_changed.emit()
