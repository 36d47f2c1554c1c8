"""Lining nodes up, spreading them evenly, laying out the graph; and what part of it is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from nodeforge.graph.edits import Move, Together
from nodeforge.graph.edits.base import count
from nodeforge.graph.paths import split
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.scene.auto_layout import layered
from nodeforge.ui.graph_view.session import Desk

Side = Literal["left", "right", "top", "bottom", "centre", "middle"]
"""``centre`` is one below the other, ``middle`` one beside the other."""


class Arranging:
    """Commands on where nodes are, and on what is seen."""

    desk: Desk

    def align(self, side: Side) -> None:
        """Line the chosen nodes up."""
        boxes = self._chosen_boxes()
        if len(boxes) < 2:
            return
        bodies = {box.path: box.body() for box in boxes}
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
        """Put the same room between the chosen nodes; the outer two stay."""
        boxes = self._chosen_boxes()
        if len(boxes) < 3:
            return
        across = axis == "across"
        bodies = {box.path: box.body() for box in boxes}
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
        """Lay out the chosen nodes, or all if fewer than two are chosen."""
        picture = self.desk.picture
        boxes = self._chosen_boxes()
        whole = len(boxes) < 2
        boxes = list(picture.boxes.values()) if whole else boxes
        if not boxes:
            return
        boxes.sort(key=lambda box: (box.pos().x(), box.pos().y()))
        sizes = {box.path: (box.face.width, box.face.height) for box in boxes}
        links = [(start.node, end.node) for end, start in picture.links.items()]
        left = min(box.pos().x() for box in boxes)
        top = min(box.pos().y() for box in boxes)
        places = {path: (left + x, top + y) for path, (x, y) in layered(sizes, links).items()}
        self._move(places, "lay out the graph" if whole else f"lay out {count(places)}")
        if whole:
            self.zoom_all()

    def _chosen_boxes(self) -> list[NodeBox]:
        return [self.desk.picture.boxes[path] for path in self.desk.chosen_paths()]

    def _move(self, places: Mapping[str, tuple[float, float]], what: str) -> None:
        whole = {path: (round(x), round(y)) for path, (x, y) in places.items()}
        self.desk.ask(Together(what, [Move(whole)]))

    def zoom_all(self) -> None:
        """Show everything."""
        picture = self.desk.picture
        items = [*picture.boxes.values(), *picture.frames.values()]
        self.desk.viewer.zoom_to(self.desk.viewer.around(items))

    def zoom_start(self) -> None:
        """Show everything, or as much as can be read: the start."""
        picture = self.desk.picture
        items = [*picture.boxes.values(), *picture.frames.values()]
        self.desk.viewer.zoom_to_start([item.body() for item in items])

    def zoom_selection(self) -> None:
        """Show what is chosen, or everything if nothing is."""
        chosen = [item for item in self.desk.chosen() if hasattr(item, "body")]
        if chosen:
            self.desk.viewer.zoom_to(self.desk.viewer.around(chosen))
        else:
            self.zoom_all()

    def center_on(self, path: str) -> None:
        """Show the node at `path`, in whatever graph it is, and choose it."""
        self.desk.open(split(path)[0])
        box = self.desk.picture.boxes.get(path)
        if box is None:
            return
        self.desk.choose([box])
        viewer = self.desk.viewer
        if viewer.zoom < 0.5:
            viewer.zoom_by(1.0 / viewer.zoom)
        viewer.centerOn(box.body().center())
        viewer.looked.emit()
