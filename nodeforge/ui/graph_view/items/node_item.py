"""The graphics item of a node."""

from __future__ import annotations

from collections.abc import Iterator

from NodeGraphQt.constants import Z_VAL_NODE
from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyle, QStyleOptionGraphicsItem, QWidget

from nodeforge.graph.model import Mode
from nodeforge.lint import Severity
from nodeforge.ui.documents.node_problems import NO_PROBLEMS
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_layout import NodeLayout, ParameterRow, PortLayout
from nodeforge.ui.graph_view.items.node_painting import paint_node, place_texts
from nodeforge.ui.graph_view.items.pens import Pens
from nodeforge.ui.graph_view.items.port_item import REACH, GraphPortItem
from nodeforge.ui.graph_view.items.status_icons import NO_STATE, STATUS_TEXTS, NodeState

HANDLE = 12.0


class NodeItem(AbstractNodeItem):
    """The item of the node at `path`; `set_layout` updates what it shows."""

    def __init__(self, path: str, pens: Pens, layout: NodeLayout) -> None:
        super().__init__(path)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsMovable, False)
        self.id = self.path = path
        self.pens = pens
        self.colour = ""
        self.state: NodeState = NO_STATE
        self.fade = 1.0
        """Opacity of the "done" icon, which fades out."""
        self.problems = NO_PROBLEMS
        self.thumb: QPixmap | None = None
        self.beside: QPixmap | None = None
        """What is shown left of `split`, of nodes that compare two pictures."""
        self.clip_length = ""
        """How long it plays, of nodes whose picture is of a video or a sound."""
        self.split = 0.5
        """Share of the thumbnail's width."""
        self.badges: list[tuple[str, QColor]] = []
        self.hovered_port: PortLayout | None = None
        self.port_items: dict[tuple[bool, str], GraphPortItem] = {}
        self.set_layout(layout)

    def set_layout(self, layout: NodeLayout) -> list[LinkItem]:
        """Set the layout; links of remaining ports are moved.

        Returns:
            Links whose port no longer exists; they are removed from the scene.
        """
        self.prepareGeometryChange()
        self.layout = layout
        self._width, self._height = layout.width, layout.height
        wanted = {(port.is_input, port.name): port for port in layout.ports}
        lost = [line for key in self.port_items.keys() - wanted.keys() for line in self._drop(key)]
        for key, port in wanted.items():
            if key in self.port_items:
                self.port_items[key].set_layout(port, layout.width)
            else:
                self.port_items[key] = GraphPortItem(self, port)
        self.port_items = {key: self.port_items[key] for key in wanted}
        self.update_texts()
        self.redraw_links()
        return lost

    def _drop(self, key: tuple[bool, str]) -> list[LinkItem]:
        port_item = self.port_items.pop(key)
        lines = list(port_item.connected_pipes)
        for line in lines:
            line.delete()
        port_item.setParentItem(None)  # pyright: ignore[reportArgumentType]
        if scene := port_item.scene():
            scene.removeItem(port_item)
        return lines

    def update_texts(self) -> None:
        """Update texts and icons."""
        self.badges = list(self._badges())
        self.texts = place_texts(
            self.layout, self.pens, self.state, len(self.badges), self.state.message or self.problem
        )
        self.setToolTip("")
        self.update()

    @property
    def problem(self) -> str:
        """What the linter says of it, but for hints alone."""
        return self.problems.text if self.problems.is_loud else ""

    def _badges(self) -> Iterator[tuple[str, QColor]]:
        """Icons in the title bar, from right to left."""
        theme, kind = self.pens.theme, self.state.kind
        colours = {"will_run": theme.dim, "running": theme.accent, "error": theme.error}
        if kind:
            colour = QColor(colours.get(kind, theme.ok))
            colour.setAlphaF(self.fade)
            yield kind, colour
        if self.layout.missing:
            yield "missing", theme.error
        if self.problem:
            serious = self.problems.severity is Severity.ERROR
            yield "problem", theme.error if serious else theme.warn
        elif self.problems.text:
            yield "hint", theme.dim
        if self.layout.broadcasts:
            yield "broadcast", theme.text
        if self.layout.mode is not Mode.ACTIVE:
            yield self.layout.mode.value, theme.text

    def badge_tooltip(self, badge: str) -> str:
        """The tooltip of an icon in the title bar."""
        words = STATUS_TEXTS[badge]
        more = {
            "error": self.state.message,
            "problem": self.problem,
            "hint": self.problems.text,
        }.get(badge)
        return f"{words}: {more}" if more else words

    @property
    def inputs(self) -> list[GraphPortItem]:
        return [port_item for (is_input, _), port_item in self.port_items.items() if is_input]

    @property
    def outputs(self) -> list[GraphPortItem]:
        return [port_item for (is_input, _), port_item in self.port_items.items() if not is_input]

    @property
    def link_items(self) -> Iterator[LinkItem]:
        """Links at its ports."""
        return (
            line for port_item in self.port_items.values() for line in port_item.connected_pipes
        )

    def port_item(self, name: str, *, is_input: bool) -> GraphPortItem | None:
        return self.port_items.get((is_input, name))

    def move_to(self, x: float, y: float) -> None:
        """Move the item with its links."""
        if self.pos() != QPointF(x, y):
            self.setPos(x, y)
            self.redraw_links()

    def redraw_links(self) -> None:
        for line in self.link_items:
            line.draw_path()

    def set_thumb(
        self, image: QImage | None, beside: QImage | None = None, clip_length: str = ""
    ) -> None:
        self.clip_length = clip_length
        self.thumb, self.beside = (
            None if each is None or each.isNull() else QPixmap.fromImage(each)
            for each in (image, beside)
        )

    def split_at(self, place: QPointF) -> bool:
        """Divide compared pictures under the mouse; returns whether they are there."""
        if self.beside is None or self.layout.thumb is None:
            return False
        rect = QRectF(*self.layout.thumb)
        if not rect.contains(place):
            return False
        split = (place.x() - rect.x()) / rect.width()
        if split != self.split:
            self.split = split
            self.update()
        return True

    def port_item_at(self, place: QPointF) -> GraphPortItem | None:
        """The port at a position in item coordinates."""
        near = [
            (
                abs(place.x() - port_item.pos().x()) + abs(place.y() - port_item.pos().y()),
                order,
                port_item,
            )
            for order, port_item in enumerate(self.port_items.values())
            if port_item.boundingRect().translated(port_item.pos()).contains(place)
        ]
        return min(near)[2] if near else None

    def row_at(self, place: QPointF) -> ParameterRow | None:
        inside = 0 <= place.x() <= self._width and not self.layout.collapsed
        return self.layout.row_at(place.y()) if inside else None

    def badge_at(self, place: QPointF) -> str:
        """The icon of the title bar at a position; empty for none."""
        index = int((self._width - 6 - place.x()) // 20)
        in_title = 0 <= place.y() < 28 and 0 <= index < len(self.badges)
        return self.badges[index][0] if in_title else ""

    def handle_at(self, place: QPointF) -> bool:
        """Whether the thumbnail's resize handle is at a position."""
        if self.layout.thumb is None:
            return False
        x, y, width, height = self.layout.thumb
        corner = QRectF(x + width - HANDLE, y + height - HANDLE, HANDLE + 4, HANDLE + 4)
        return corner.contains(place)

    def hover(self, port: PortLayout | None) -> None:
        if port is not self.hovered_port:
            self.hovered_port = port
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(-REACH, -2, self._width + 2 * REACH, self._height + 4)

    def body(self) -> QRectF:
        """The rectangle in scene coordinates."""
        return QRectF(self.pos().x(), self.pos().y(), self._width, self._height)

    def room(self) -> QRectF:
        """The rectangle to keep free for it in layouts, scene coordinates."""
        return QRectF(self.pos().x(), self.pos().y(), self._width, self.layout.room)

    def itemChange(self, change, value):  # noqa: N802
        if change == QGraphicsItem.GraphicsItemChange.ItemSelectedHasChanged:
            self.setZValue(Z_VAL_NODE + (1 if value else 0))
        return QGraphicsItem.itemChange(self, change, value)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # pyright: ignore
        paint_node(painter, self, selected, zoom)

    def mousePressEvent(self, event) -> None:  # noqa: N802
        event.ignore()

    def cursor_over(self, place: QPointF) -> Qt.CursorShape | None:
        """The cursor for a position, or None for the default."""
        if self.handle_at(place):
            return Qt.CursorShape.SizeFDiagCursor
        if self.split_at(place):
            return Qt.CursorShape.SplitHCursor
        if self.port_item_at(place):
            return Qt.CursorShape.CrossCursor
        return None
