"""The QGraphicsView of a graph (a NodeGraphQt viewer): zoom, pan, background, hit tests.

Events go to the `GraphInputHandler`. NodeGraphQt's own mouse handling is not used: it tracks
modifier keys by key events and edits its own links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from NodeGraphQt.widgets.viewer import NodeViewer
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPixmapCache,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QStyleOptionGraphicsItem

from nodeforge.ui.common.theme import Theme
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.port_item import GraphPortItem
from nodeforge.ui.graph_view.scene.background_grid import BackgroundGrid
from nodeforge.ui.graph_view.scene.graph_scene import GraphScene
from nodeforge.ui.graph_view.scene.hit_test import Hit, find_hit
from nodeforge.ui.graph_view.scene.overview import Overview, bounding_rect, initial_view

FAR = 0.35
"""Zoom below which the overview is painted."""
LEAST, MOST = 0.02, 4.0
READABLE = 0.7
"""Minimum zoom at which a workflow is opened, even if not all of it is visible."""
MARGIN = 24
"""Margin around fitted items, scene units."""
REACH = 6
"""Radius of the hit test for links, pixels."""
WHOLE = 200_000.0
"""Half the side of the scene."""
EDGE = 12.0
"""Pixels between the view's edge and what is revealed."""
PIXMAPS = 128 * 1024
"""Pixmap cache limit, KiB; Qt's default holds less than one screen of nodes."""


class InputHandler(Protocol):
    """Handles the viewer's events; see `GraphInputHandler`."""

    @property
    def gesture(self) -> object: ...
    def press(self, event: QMouseEvent) -> None: ...
    def move(self, event: QMouseEvent) -> None: ...
    def release(self, event: QMouseEvent) -> None: ...
    def double_click(self, event: QMouseEvent) -> None: ...
    def leave(self) -> None: ...
    def key(self, event: QKeyEvent) -> bool: ...
    def key_up(self, event: QKeyEvent) -> None: ...
    def release_keys(self) -> None: ...
    def show_tooltip(self, event: QHelpEvent) -> None: ...
    def dragged_over(self, event) -> bool: ...
    def dropped(self, event) -> bool: ...
    def preview_items(self) -> Iterable[QGraphicsItem]: ...


class GraphViewer(NodeViewer):
    """The view of the scene; `input_handler` handles its events."""

    view_changed = Signal()
    """The visible part or the zoom has changed."""
    input_handler: InputHandler | None = None

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.link_error: Callable[[GraphPortItem, GraphPortItem], str | None] = lambda *_: None
        self.acyclic = False
        self.overview: Overview | None = None
        self.covered = QRectF()
        """The part of the view that the minimap covers, view pixels."""
        self._background = BackgroundGrid(theme)
        QPixmapCache.setCacheLimit(max(PIXMAPS, QPixmapCache.cacheLimit()))
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setFrameShape(QGraphicsView.Shape.NoFrame)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSceneRect(-WHOLE, -WHOLE, 2 * WHOLE, 2 * WHOLE)
        self.setTransform(QTransform())
        self.centerOn(0, 0)
        self.setAccessibleName("Graph")
        self.scene().changed.connect(self.invalidate_overview)

    def set_overview_scene(self, scene: GraphScene) -> None:
        """Set the scene for the overview."""
        self.overview = Overview(scene)

    def set_theme(self, theme: Theme) -> None:
        """Set the theme."""
        self.theme = theme
        self._background = BackgroundGrid(theme)
        self.invalidate_overview()
        self.viewport().update()

    # zoom and pan

    @property
    def zoom(self) -> float:
        return self.transform().m11()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom around a view position, by default the centre."""
        at = at if at is not None else QPointF(self.viewport().rect().center())
        zoom = min(MOST, max(LEAST, self.zoom * factor))
        if zoom == self.zoom:
            return
        before = self.to_scene(at)
        self.setTransform(QTransform.fromScale(zoom, zoom))
        shift = self.viewportTransform().map(before) - at
        self.pan_by(-shift)
        self.viewport().update()
        self.view_changed.emit()

    def pan_by(self, shift: QPointF) -> None:
        """Scroll the view by an offset in pixels."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() - round(shift.x()))
        down.setValue(down.value() - round(shift.y()))
        self.view_changed.emit()

    def zoom_to(self, rect: QRectF) -> None:
        """Fit a scene rectangle, at a zoom of at most 1."""
        if rect.isEmpty():
            return
        self._look(rect.center(), max(LEAST, self._fitting(rect)))

    def zoom_to_initial(self, bodies: Sequence[QRectF], texts: Sequence[QRectF] = ()) -> None:
        """Fit all items; if they would be too small to read, show the left part.

        Args:
            texts: The nodes that a text is typed in, which are shown rather than others.
        """
        whole = bounding_rect(bodies)
        if whole.isEmpty():
            return
        if self._fitting(whole) >= READABLE:
            self.zoom_to(whole)
            return
        room = QRectF(self.viewport().rect())
        size = room.size() / READABLE - QSizeF(2 * MARGIN, 2 * MARGIN)
        self._look(initial_view(bodies, whole, size, texts).center(), READABLE)

    def reveal(self, rect: QRectF) -> None:
        """Scroll as little as needed to show a rectangle, and not under what covers the view.

        Of a rectangle that is larger than the view, the upper left part is shown.
        """
        view = QRectF(self.viewport().rect()).adjusted(EDGE, EDGE, -EDGE, -EDGE)
        wanted = self.viewportTransform().mapRect(rect)
        shift = QPointF(
            _into(wanted.left(), wanted.right(), view.left(), view.right()),
            _into(wanted.top(), wanted.bottom(), view.top(), view.bottom()),
        )
        wanted.translate(shift)
        if wanted.intersects(self.covered):
            left = QPointF(self.covered.left() - EDGE - wanted.right(), 0)
            up = QPointF(0, self.covered.top() - EDGE - wanted.bottom())
            ways = [way for way in (left, up) if view.contains(wanted.translated(way))]
            shift += min(ways, key=QPointF.manhattanLength, default=QPointF())
        if not shift.isNull():
            self.pan_by(shift)

    def _fitting(self, rect: QRectF) -> float:
        """The zoom, at most 1, that fits a rectangle."""
        view, room = self.viewport().rect(), rect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)
        return min(1.0, view.width() / room.width(), view.height() / room.height())

    def _look(self, centre: QPointF, zoom: float) -> None:
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self.centerOn(centre)
        self.viewport().update()
        self.view_changed.emit()

    def to_scene(self, place: QPointF) -> QPointF:
        """Map a view position to the scene, without rounding."""
        return self.viewportTransform().inverted()[0].map(place)

    def visible_rect(self) -> QRectF:
        """The visible part of the scene."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    # hit tests

    def hit_test(self, place: QPoint) -> Hit:
        """The port, node, link or frame at a view position."""
        at = self.to_scene(QPointF(place))
        return find_hit(self.scene().items(self._near(at)), at, ports=self.zoom >= FAR)

    def node_at(self, place: QPoint) -> str:
        """The path of the node at a view position; empty where there is none."""
        item = self.hit_test(place).item
        return item.path if isinstance(item, NodeItem) else ""

    def link_at(self, place: QPointF) -> LinkItem | None:
        """The link at a scene position."""
        items = self.scene().items(self._near(place))
        return next((item for item in items if isinstance(item, LinkItem)), None)

    def _near(self, place: QPointF) -> QRectF:
        outermost_input = REACH / self.zoom
        return QRectF(
            place.x() - outermost_input,
            place.y() - outermost_input,
            2 * outermost_input,
            2 * outermost_input,
        )

    def _validate_accept_connection(self, from_port: GraphPortItem, to_port: GraphPortItem) -> bool:
        return self.link_error(from_port, to_port) is None

    # painting

    def invalidate_overview(self, *_: object) -> None:
        """Update the overview."""
        if self.overview is not None:
            self.overview.invalidate()
            if self.zoom < FAR:
                self.viewport().update()

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:  # noqa: N802
        painter.save()
        painter.resetTransform()
        self._background.paint(painter, self.viewportTransform(), self.viewport().rect())
        painter.restore()

    def paintEvent(self, event) -> None:  # noqa: N802
        if self.zoom >= FAR or self.overview is None:
            QGraphicsView.paintEvent(self, event)
            return
        painter = QPainter(self.viewport())
        painter.setClipRect(event.rect())
        painter.fillRect(event.rect(), self.theme.window)
        painter.setTransform(self.viewportTransform())
        self.overview.paint(painter, self.zoom)
        self._paint_preview_items(painter)
        painter.end()

    def _paint_preview_items(self, painter: QPainter) -> None:
        """Paint the temporary items of the current gesture."""
        if self.input_handler is not None:
            for item in self.input_handler.preview_items():
                item.paint(painter, QStyleOptionGraphicsItem(), None)

    # events

    def mousePressEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.press(event)
        event.accept()

    def mouseMoveEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.move(event)

    def mouseReleaseEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.release(event)

    def mouseDoubleClickEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.double_click(event)

    def contextMenuEvent(self, event) -> None:  # noqa: N802
        event.accept()

    def keyPressEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is None or not self.input_handler.key(event):
            event.ignore()

    def event(self, event) -> bool:
        busy = self.input_handler is not None and self.input_handler.gesture is not None
        if busy and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # while a gesture lasts, no key is anybody's shortcut
            return True
        return QGraphicsView.event(self, event)

    def keyReleaseEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.key_up(event)
        event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802
        return False if forward else QGraphicsView.focusNextPrevChild(self, forward)

    def focusInEvent(self, event) -> None:  # noqa: N802
        QGraphicsView.focusInEvent(self, event)

    def focusOutEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.release_keys()
        QGraphicsView.focusOutEvent(self, event)

    def leaveEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None:
            self.input_handler.leave()
        QGraphicsView.leaveEvent(self, event)

    def resizeEvent(self, event) -> None:  # noqa: N802
        QGraphicsView.resizeEvent(self, event)
        self.view_changed.emit()

    def wheelEvent(self, event) -> None:  # noqa: N802
        fingers = event.pixelDelta()
        if not fingers.isNull() and event.phase() != Qt.ScrollPhase.NoScrollPhase:
            self.pan_by(QPointF(fingers))
        else:
            self.zoom_by(1.0015 ** event.angleDelta().y(), event.position())
        event.accept()

    def viewportEvent(self, event) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.NativeGesture and isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.zoom_by(1 + event.value(), event.position())
                return True
        elif event.type() == QEvent.Type.ToolTip and self.input_handler is not None:
            self.input_handler.show_tooltip(event)
            return True
        return QGraphicsView.viewportEvent(self, event)

    def dragEnterEvent(self, event) -> None:  # noqa: N802
        self._drag(event)

    def dragMoveEvent(self, event) -> None:  # noqa: N802
        self._drag(event)

    def _drag(self, event) -> None:
        if self.input_handler is not None and self.input_handler.dragged_over(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event) -> None:  # noqa: N802
        if self.input_handler is not None and self.input_handler.dropped(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def bounding_rect_of(self, items) -> QRectF:
        """The bounding rectangle of items, scene coordinates."""
        return bounding_rect(item.body() for item in items)


def _into(low: float, high: float, least: float, most: float) -> float:
    """By how much to move low..high into least..most; if it is longer, `low` goes to `least`."""
    if low < least or high - low > most - least:
        return least - low
    return min(0.0, most - high)
