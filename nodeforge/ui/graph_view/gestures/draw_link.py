"""The gesture that draws, moves and detaches links."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.graph.edits import Expose, GraphEdit, Link, Together, Unlink
from nodeforge.spec import type_name
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.items.link_item import LinkItem, LinkPreview
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.port_item import GraphPortItem
from nodeforge.ui.graph_view.session import link_ends


class DrawLink(Gesture):
    """Draws a link from a port; from a linked input, moves the existing link.

    An input dropped on the title bar of an open subgraph is exposed as a port of it.
    """

    def __init__(self, session, start: QPointF, port_item: GraphPortItem) -> None:
        super().__init__(session, start)
        self._detached_link = _last_line(port_item) if port_item.is_input else None
        self._dot: GraphPortItem = self._detached_link.source if self._detached_link else port_item
        self._target: GraphPortItem | None = None
        self._reason: str | None = None
        self._preview: LinkPreview | None = None

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        if self._preview is None:
            self._begin()
        self._update_target(place)
        end = self._target.centre() if self._target else self.session.viewer.to_scene(place)
        points = (end, self._dot.centre()) if self._dot.is_input else (self._dot.centre(), end)
        refused = self.session.theme.error if self._reason else None
        assert self._preview is not None
        self._preview.draw(*points, refused)
        exposing = f"Release to expose “{self._dot.layout.label}” on the subgraph"
        hint = self._reason or (exposing if self._exposes(place) else "")
        self.session.show_hint(hint, place, refused=bool(self._reason))

    def _exposes(self, place: QPointF) -> bool:
        """Whether an input is dropped on the title bar of the open subgraph, above the view."""
        loose = self._dot.is_input and self._detached_link is None
        return loose and bool(self.session.graph_path) and place.y() < 0

    def _begin(self) -> None:
        self._preview = LinkPreview(self.session.theme.port_colour(self._dot.layout.type))
        self.session.viewer.scene().addItem(self._preview)
        if self._detached_link is not None:
            self._detached_link.setVisible(False)

    def _update_target(self, place: QPointF) -> None:
        """Update the target port and whether it can be linked."""
        port_item, self._reason = self._port_at(place)
        if port_item is self._target:
            return
        if self._target is not None:
            self._target.node_item.hover(None)
        self._target = port_item
        if port_item is not None:
            port_item.node_item.hover(port_item.layout)

    def _port_at(self, place: QPointF) -> tuple[GraphPortItem | None, str | None]:
        """The port under the mouse, and why it cannot be linked.

        Over a node's body it is the first free port that fits; no port and a reason if none does.
        """
        hit = self.session.viewer.hit_test(place.toPoint())
        if hit.port_item is self._dot or not isinstance(hit.item, NodeItem):
            return None, None
        if hit.port_item is not None:
            return hit.port_item, self.session.link_error(self._dot, hit.port_item)
        return self._port_on(hit.item)

    def _port_on(self, node_item: NodeItem) -> tuple[GraphPortItem | None, str | None]:
        title, dot = node_item.layout.title, self._dot
        if node_item is dot.node_item:
            return None, "A node cannot be linked to itself. Drop the link on another node."
        port_items = node_item.outputs if dot.is_input else node_item.inputs
        if not port_items:
            side = "outputs" if dot.is_input else "inputs"
            return None, f"“{title}” has no {side}."
        refusals = {each: self.session.link_error(dot, each) for each in port_items}
        fitting = [each for each, refusal in refusals.items() if refusal is None]
        free = [each for each in fitting if each.layout.many or not each.connected_pipes]
        if fitting:
            return (free or fitting)[0], None
        same = [each for each in port_items if each.layout.type == dot.layout.type]
        if same:  # it would fit, but for a ring
            return None, refusals[same[0]]
        kind = type_name(dot.layout.type)
        if dot.is_input:
            return None, f"No output of “{title}” is of the type {kind}."
        return None, f"No input of “{title}” takes the type {kind}."

    def finish(self, place: QPointF, modifiers: Modifiers) -> None:
        self._update_target(place)
        target, reason, pulled = self._target, self._reason, self._detached_link
        self._clean_up()
        if self._exposes(place):
            self.session.perform(Expose(self._dot.node_item.path, self._dot.layout.name))
        elif reason is not None:
            self.session.refuse(reason)
        elif target is not None:
            self._link(target)
        elif pulled is not None:
            self.session.perform(Unlink(pulled.end))
        else:
            self.session.request_nodes(self._dot, place)

    def _link(self, target: GraphPortItem) -> None:
        output, end = link_ends(self.session.document, self._dot, target)
        if self._detached_link is None:
            self.session.perform(Link(output, end))
            return
        old = self._detached_link.end
        if (end.node, end.port) == (old.node, old.port):
            return
        edits: list[GraphEdit] = [Unlink(old), Link(output, end)]
        self.session.perform(Together(f"move link to {end}", edits))

    def _clean_up(self) -> None:
        if self._target is not None:
            self._target.node_item.hover(None)
        if self._preview is not None:
            self.session.viewer.scene().removeItem(self._preview)
            self._preview = None
        if self._detached_link is not None:
            self._detached_link.reset()
        self.session.show_hint("")

    def click(self, modifiers: Modifiers) -> None:
        self.session.select_items({self._dot.node_item})

    def cancel(self) -> None:
        self._clean_up()

    def preview_items(self) -> Iterable[QGraphicsItem]:
        return (self._preview,) if self._preview is not None else ()


def _last_line(port_item: GraphPortItem) -> LinkItem | None:
    return max(port_item.connected_pipes, key=lambda line: line.end.item or 0, default=None)
