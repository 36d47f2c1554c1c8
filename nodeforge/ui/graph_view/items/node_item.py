"""A node of the document as an item in NodeGraphQt's scene, painted in one go."""

from __future__ import annotations

from collections.abc import Iterator

from NodeGraphQt.constants import Z_VAL_NODE
from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyle, QStyleOptionGraphicsItem, QWidget

from nodeforge.graph.model import Mode
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_layout import Face, PortFace, Row
from nodeforge.ui.graph_view.items.node_painting import paint_box, set_text
from nodeforge.ui.graph_view.items.pens import Ink
from nodeforge.ui.graph_view.items.port_item import REACH, PortDot
from nodeforge.ui.graph_view.items.status_icons import NOTHING, WORDS, NodeState

HANDLE = 12.0


class NodeBox(AbstractNodeItem):
    """The node at `path`. `wear` gives it its looks; it holds nothing of the document itself."""

    def __init__(self, path: str, ink: Ink, face: Face) -> None:
        super().__init__(path)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsMovable, False)
        self.id = self.path = path
        self.ink = ink
        self.colour = ""
        self.state: NodeState = NOTHING
        self.fade = 1.0
        """How much of the tick of a node that has just run is left."""
        self.problem = ""
        self.thumb: QPixmap | None = None
        self.badges: list[tuple[str, QColor]] = []
        self.hovered_port: PortFace | None = None
        self.dots: dict[tuple[bool, str], PortDot] = {}
        self.wear(face)

    def wear(self, face: Face) -> list[LinkLine]:
        """Take on new looks; the links that stay are moved along.

        Returns:
            Links whose port is gone: they are not in the scene any more.
        """
        self.prepareGeometryChange()
        self.face = face
        self._width, self._height = face.width, face.height
        wanted = {(port.is_input, port.name): port for port in face.ports}
        lost = [line for key in self.dots.keys() - wanted.keys() for line in self._drop(key)]
        for key, port in wanted.items():
            if key in self.dots:
                self.dots[key].settle(port, face.width)
            else:
                self.dots[key] = PortDot(self, port)
        self.dots = {key: self.dots[key] for key in wanted}
        self.say()
        self.redraw_links()
        return lost

    def _drop(self, key: tuple[bool, str]) -> list[LinkLine]:
        dot = self.dots.pop(key)
        lines = list(dot.connected_pipes)
        for line in lines:
            line.delete()
        dot.setParentItem(None)  # pyright: ignore[reportArgumentType]
        if scene := dot.scene():
            scene.removeItem(dot)
        return lines

    def say(self) -> None:
        """Set the texts and icons anew."""
        self.badges = list(self._badges())
        self.copy = set_text(
            self.face, self.ink, self.state, len(self.badges), self.state.message or self.problem
        )
        self.setToolTip("")
        self.update()

    def _badges(self) -> Iterator[tuple[str, QColor]]:
        """From right to left."""
        theme, kind = self.ink.theme, self.state.kind
        colours = {"will_run": theme.dim, "running": theme.accent, "error": theme.error}
        if kind:
            colour = QColor(colours.get(kind, theme.ok))
            colour.setAlphaF(self.fade)
            yield kind, colour
        if self.face.missing:
            yield "missing", theme.error
        if self.problem:
            yield "problem", theme.warn
        if self.face.mode is not Mode.ACTIVE:
            yield self.face.mode.value, theme.text

    def tip(self, badge: str) -> str:
        """What the icon `badge` means here."""
        words = WORDS[badge]
        more = {"error": self.state.message, "problem": self.problem}.get(badge)
        return f"{words}: {more}" if more else words

    @property
    def inputs(self) -> list[PortDot]:
        return [dot for (is_input, _), dot in self.dots.items() if is_input]

    @property
    def outputs(self) -> list[PortDot]:
        return [dot for (is_input, _), dot in self.dots.items() if not is_input]

    @property
    def lines(self) -> Iterator[LinkLine]:
        """The links at its ports."""
        return (line for dot in self.dots.values() for line in dot.connected_pipes)

    def dot(self, name: str, *, is_input: bool) -> PortDot | None:
        return self.dots.get((is_input, name))

    def place(self, x: float, y: float) -> None:
        """Put it there, with its links."""
        if self.pos() != QPointF(x, y):
            self.setPos(x, y)
            self.redraw_links()

    def redraw_links(self) -> None:
        for line in self.lines:
            line.draw_path()

    def set_thumb(self, image: QImage | None) -> None:
        self.thumb = None if image is None or image.isNull() else QPixmap.fromImage(image)

    def dot_at(self, place: QPointF) -> PortDot | None:
        """The port at a place in the item's own coordinates."""
        near = [
            (abs(place.x() - dot.pos().x()) + abs(place.y() - dot.pos().y()), order, dot)
            for order, dot in enumerate(self.dots.values())
            if dot.boundingRect().translated(dot.pos()).contains(place)
        ]
        return min(near)[2] if near else None

    def row_at(self, place: QPointF) -> Row | None:
        inside = 0 <= place.x() <= self._width and not self.face.collapsed
        return self.face.row_at(place.y()) if inside else None

    def badge_at(self, place: QPointF) -> str:
        """The kind of icon in the title bar there; empty if there is none."""
        index = int((self._width - 6 - place.x()) // 20)
        in_title = 0 <= place.y() < 28 and 0 <= index < len(self.badges)
        return self.badges[index][0] if in_title else ""

    def handle_at(self, place: QPointF) -> bool:
        """Whether the corner that resizes the picture is there."""
        if self.face.thumb is None:
            return False
        x, y, width, height = self.face.thumb
        corner = QRectF(x + width - HANDLE, y + height - HANDLE, HANDLE + 4, HANDLE + 4)
        return corner.contains(place)

    def hover(self, port: PortFace | None) -> None:
        if port is not self.hovered_port:
            self.hovered_port = port
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(-REACH, -2, self._width + 2 * REACH, self._height + 4)

    def body(self) -> QRectF:
        """The box in the scene."""
        return QRectF(self.pos().x(), self.pos().y(), self._width, self._height)

    def itemChange(self, change, value):  # noqa: N802
        if change == QGraphicsItem.GraphicsItemChange.ItemSelectedHasChanged:
            self.setZValue(Z_VAL_NODE + (1 if value else 0))
        return QGraphicsItem.itemChange(self, change, value)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # pyright: ignore
        paint_box(painter, self, selected, zoom)

    def mousePressEvent(self, event) -> None:  # noqa: N802
        event.ignore()

    def cursor_over(self, place: QPointF) -> Qt.CursorShape | None:
        """The mouse cursor for a place, where it should say what a drag does."""
        if self.handle_at(place):
            return Qt.CursorShape.SizeFDiagCursor
        if self.dot_at(place):
            return Qt.CursorShape.CrossCursor
        return None
