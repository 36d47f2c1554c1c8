"""Room for a node that is put into a link: what follows moves right, what it covers moves down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QPointF, QRectF

from nodeforge.graph.edits import GraphEdit, Move, SetEntry
from nodeforge.graph.model import Input
from nodeforge.ui.graph_view.items.frame_item import entry_with
from nodeforge.ui.graph_view.scene.auto_layout import ACROSS, DOWN
from nodeforge.ui.graph_view.scene.graph_scene import GraphScene


def make_way(
    scene: GraphScene, end: Input, node: QRectF, path: str = "", beside: Iterable[Input] = ()
) -> tuple[tuple[int, int], list[GraphEdit]]:
    """Where a node goes that is put into the link to `end`, and the edits that make way.

    Args:
        scene: The shown graph.
        end: The link's end.
        node: Where the node was dropped, with room for its picture, scene coordinates.
        path: The node's path, if it is in the graph already.
        beside: Where other links end that the node takes: it goes to the left of them all.
    """
    line = scene.link_items[end]
    source, target = line.source.node_item.room(), line.target.node_item.room()
    node, shift = QRectF(node), 0.0
    others = (scene.link_items[each].target.node_item.room() for each in beside)
    first = min((target, *others), key=QRectF.left)
    if source.right() < first.left() < min(node.left(), target.left()):
        target = first
        node.moveLeft(source.right() + ACROSS)
    if source.right() < target.left():
        node.moveLeft(max(node.left(), source.right() + ACROSS))
        shift = max(0.0, node.right() + ACROSS - target.left())
    rooms = {p: item.room() for p, item in scene.node_items.items() if p != path}
    after = {
        p: r.translated(shift, 0) if r.left() >= target.left() else r for p, r in rooms.items()
    }
    after |= _pushed_down(node, after)
    moved = {p: r.topLeft().toTuple() for p, r in after.items() if r != rooms[p]}
    edits: list[GraphEdit] = [Move({p: (round(x), round(y)) for p, (x, y) in moved.items()})]
    for (table, key), frame in scene.frame_items.items():
        body = frame.body()
        if body.left() >= target.left():
            body.translate(shift, 0)
        elif body.contains(line.target.node_item.body()):
            body.setWidth(body.width() + shift)
        if body != frame.body():
            edits.append(SetEntry(table, key, entry_with(frame.entry, body)))
    return (round(node.left()), round(node.top())), edits if moved else edits[1:]


def _pushed_down(node: QRectF, rooms: Mapping[str, QRectF]) -> dict[str, QRectF]:
    """Where the rectangles go that `node` would cover, and those that these would cover."""
    settled, moved = [node], {}
    for path, rect in sorted(rooms.items(), key=lambda each: each[1].top()):
        while covering := [each.bottom() for each in settled if each.intersects(rect)]:
            rect = QRectF(QPointF(rect.left(), max(covering) + DOWN), rect.size())
            moved[path] = rect
        if path in moved:
            settled.append(rect)
    return moved
