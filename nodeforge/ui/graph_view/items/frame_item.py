"""Frame items: backdrops behind nodes, and notes; entries of the document's view tables.

An entry is ``{"rect": [x, y, width, height], "title" or "text": ..., "colour": "#rrggbb"}``; its
key is a path like a node's, with a colon that no node's id has: ``group/backdrop:2``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from NodeGraphQt.constants import Z_VAL_BACKDROP
from NodeGraphQt.qgraphics.node_abstract import AbstractNodeItem
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyle, QStyleOptionGraphicsItem, QWidget

from nodeforge.ui.common.theme import RADIUS
from nodeforge.ui.graph_view.items.pens import NO_PEN, Pens, mix

BACKDROPS, NOTES = "backdrops", "notes"
TITLE = 28.0
HANDLE = 16.0
LEAST = (80.0, 56.0)
COLOURS = {BACKDROPS: "#5b7fb5", NOTES: "#e8b339"}


def rect_of(entry: Any) -> QRectF:
    """The rectangle of an entry; a default if the file holds none."""
    rect = entry.get("rect") if isinstance(entry, dict) else None
    if isinstance(rect, list) and len(rect) == 4 and all(type(n) in (int, float) for n in rect):
        x, y, width, height = map(float, rect)
        return QRectF(x, y, max(width, LEAST[0]), max(height, LEAST[1]))
    return QRectF(0, 0, 240, 160)


def entry_with(entry: Any, rect: QRectF) -> dict[str, Any]:
    """The entry with another rectangle."""
    kept = entry if isinstance(entry, dict) else {}
    return {**kept, "rect": [round(n) for n in rect.getRect()]}  # pyright: ignore


def free_key(table: Collection[str], group: str, kind: str) -> str:
    """An unused key for a new entry in the graph `group`."""
    prefix = f"{group}/" if group else ""
    stem = kind.removesuffix("s")
    number = 1
    while f"{prefix}{stem}:{number}" in table:
        number += 1
    return f"{prefix}{stem}:{number}"


class FrameItem(AbstractNodeItem):
    """The graphics item of a backdrop or a note."""

    def __init__(self, table: str, key: str, entry: Any, pens: Pens) -> None:
        super().__init__(key)
        self.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsMovable, False)
        self.setZValue(Z_VAL_BACKDROP if table == BACKDROPS else 0)
        self.id = self.path = key
        self.table = table
        self.pens = pens
        self.set_entry(entry)

    def set_entry(self, entry: Any) -> None:
        """Show `entry`."""
        self.prepareGeometryChange()
        self.entry = entry
        rect = rect_of(entry)
        self._width, self._height = rect.width(), rect.height()
        self.setPos(rect.topLeft())
        self.update()

    @property
    def text(self) -> str:
        key = "title" if self.table == BACKDROPS else "text"
        words = self.entry.get(key, "") if isinstance(self.entry, dict) else ""
        return words if isinstance(words, str) else ""

    @property
    def colour(self) -> QColor:
        named = self.entry.get("colour") if isinstance(self.entry, dict) else None
        colour = QColor(named) if isinstance(named, str) else QColor()
        return colour if colour.isValid() else QColor(COLOURS[self.table])

    def body(self) -> QRectF:
        """The rectangle in scene coordinates."""
        return QRectF(self.pos().x(), self.pos().y(), self._width, self._height)

    def move_to(self, x: float, y: float) -> None:
        self.setPos(x, y)

    def resize_to(self, width: float, height: float) -> None:
        self.prepareGeometryChange()
        self._width, self._height = max(width, LEAST[0]), max(height, LEAST[1])
        self.update()

    def handle_at(self, place: QPointF) -> bool:
        return place.x() > self._width - HANDLE and place.y() > self._height - HANDLE

    def accepts_press_at(self, place: QPointF) -> bool:
        """Whether a press at this position acts on the frame (title, note or handle)."""
        return self.table == NOTES or place.y() < TITLE or self.handle_at(place)

    def mousePressEvent(self, event) -> None:  # noqa: N802
        event.ignore()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        theme = self.pens.theme
        selected = bool(option.state & QStyle.StateFlag.State_Selected)  # pyright: ignore
        rect = QRectF(0, 0, self._width, self._height)
        share = 0.22 if self.table == NOTES else 0.12
        painter.setBrush(mix(theme.window, self.colour, share))
        edge = mix(theme.window, self.colour, 0.5)
        painter.setPen(self.pens.selected if selected else QPen(edge, 1))
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
        painter.setFont(self.pens.title_font if self.table == BACKDROPS else self.pens.font)
        painter.setPen(self.pens.text)
        if self.table == BACKDROPS:
            painter.drawText(
                QRectF(12, 0, self._width - 24, TITLE),
                Qt.AlignmentFlag.AlignVCenter,
                self.pens.elide(self.text or "Backdrop", self._width - 24, title=True),
            )
        else:
            painter.drawText(rect.adjusted(12, 8, -12, -8), Qt.TextFlag.TextWordWrap, self.text)
        self._paint_handle(painter)

    def _paint_handle(self, painter: QPainter) -> None:
        painter.setPen(NO_PEN)
        painter.setBrush(mix(self.pens.theme.window, self.colour, 0.6))
        x, y = self._width - 4, self._height - 4
        painter.drawPolygon([QPointF(x, y - 8), QPointF(x, y), QPointF(x - 8, y)])
