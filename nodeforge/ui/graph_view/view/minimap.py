"""The minimap of the graph view."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from nodeforge.ui.graph_view.items.pens import mix
from nodeforge.ui.graph_view.scene.overview import Overview, bounding_rect
from nodeforge.ui.graph_view.session import GraphSession

SIZE = (180, 120)
PAUSE = 100
"""Milliseconds within which changes are collected."""


class Minimap(QWidget):
    """Shows the whole graph and the visible part; a click or drag moves the view."""

    def __init__(self, session: GraphSession, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._overview = Overview(session.scene)
        self._map: QPixmap | None = None
        self._look = QTransform()
        self.setFixedSize(*SIZE)
        self.setAccessibleName("Minimap")
        self.setToolTip("Press to go there")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._refresh)
        session.viewer.scene().changed.connect(self._later)
        session.opened.connect(self._later)
        session.viewer.view_changed.connect(self.update)

    def _later(self, *_: object) -> None:
        if not self._timer.isActive() and self.isVisible():
            self._timer.start()

    def _refresh(self) -> None:
        self._map = None
        self._overview.invalidate()
        self.update()

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._refresh()

    def _draw(self) -> QPixmap:
        scene, ratio = self._session.scene, self.devicePixelRatioF()
        made = QPixmap(self.size() * ratio)
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        whole = bounding_rect(
            i.body() for i in (*scene.node_items.values(), *scene.frame_items.values())
        )
        if whole.isEmpty():
            return made
        whole.adjust(-60, -60, 60, 60)
        zoom = min(self.width() / whole.width(), self.height() / whole.height())
        self._look = QTransform.fromTranslate(self.width() / 2, self.height() / 2)
        self._look.scale(zoom, zoom)
        self._look.translate(-whole.center().x(), -whole.center().y())
        painter = QPainter(made)
        painter.setTransform(self._look)
        self._overview.paint(painter, zoom)
        painter.end()
        return made

    def paintEvent(self, event) -> None:  # noqa: N802
        theme = self._session.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(mix(theme.window, theme.panel, 0.6))
        painter.setPen(QPen(theme.line, 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        if self._map is None:
            self._map = self._draw()
        painter.drawPixmap(0, 0, self._map)
        seen = self._look.mapRect(self._session.viewer.visible_rect())
        seen = seen.intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.accent, 1.5))
        painter.drawRect(seen)

    def mousePressEvent(self, event) -> None:  # noqa: N802
        self._go(event.position())

    def mouseMoveEvent(self, event) -> None:  # noqa: N802
        if event.buttons():
            self._go(event.position())

    def _go(self, place: QPointF) -> None:
        back, possible = self._look.inverted()
        if possible:
            self._session.viewer.centerOn(back.map(place))
            self._session.viewer.view_changed.emit()
