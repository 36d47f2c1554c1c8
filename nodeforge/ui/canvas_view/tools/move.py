"""Move and transform: the selection or the layer, dragged, scaled and turned by handles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTransform
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import Affine, Layer, Tiles, Transform
from nodeforge.errors import RequestError
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.rendering.outline_painting import HANDLE
from nodeforge.ui.canvas_view.tools.rect_handles import (
    GRIPS,
    INSIDE,
    Grip,
    cursor_of,
    grip_at,
    grip_place,
    paint_rect,
    resized,
)
from nodeforge.ui.canvas_view.tools.snapping import Guide
from nodeforge.ui.canvas_view.tools.tool import CLICK, Keys, Tool, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.rendering.camera import Camera
    from nodeforge.ui.canvas_view.session import Studio

_HANDLES = QColor("#5b9dff")
_TURN_REACH = 3 * HANDLE


class MoveTool(Tool):
    """A move alone is a step at once; scaling and turning go on until Enter, or another tool,
    so that however often they are changed, pixels are drawn anew only once.
    """

    name, title, icon, key = "move", "Move and transform", "arrows-out-cardinal", "V"
    hint = (
        "Drag to move, handles to scale (Shift keeps proportions, Alt the middle), outside a "
        "corner to turn. Enter applies."
    )
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._lifted: Transform | None = None
        self._affine = Affine()
        self._began = Affine()
        self._grip: Grip | None = None
        self._turning = False
        self._guide: Guide | None = None
        self._start: Touch | None = None
        self._view: QTransform | None = None
        self._bounded: tuple[Tiles, Box | None] | None = None

    @property
    def busy(self) -> bool:
        return self._lifted is not None

    def press(self, touch: Touch) -> None:
        self._guide = None if self.busy else self.studio.snap.near(touch.place, touch.zoom)
        if self._guide is not None or (self._lifted is None and not self._lift()):
            return
        self._grip, self._turning = self._hold_at(touch)
        self._start, self._began = touch, self._affine

    def drag(self, touch: Touch) -> None:
        if self._guide is not None:
            self.studio.snap.move(self._guide, touch.place)
            return
        if self._lifted is None or self._start is None:
            return
        way = touch.at - self._start.at
        if self._affine is self._began and way.manhattanLength() < CLICK:
            return
        if self._turning:
            self._affine = self._turned(touch)
        elif self._grip in (None, INSIDE):
            self._affine = self._moved(touch)
        else:
            self._affine = self._scaled(touch)
        self._lifted.show(self._affine)
        self.studio.shown_changed.emit()

    def release(self, touch: Touch) -> None:
        self._start = None
        if self._guide is not None and min(touch.at.x(), touch.at.y()) < 0:
            self.studio.snap.remove(self._guide)  # back onto its ruler
        self._guide = None
        if self._affine.shift is not None:
            self.settle()

    def double(self, touch: Touch) -> None:
        self.settle()

    def enter(self) -> bool:
        had = self.busy
        self.settle()
        return had

    def settle(self) -> None:
        lifted, affine = self._let_go()
        if lifted is not None:
            edit = lifted.end(affine)
            if affine != Affine():
                QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)  # a second, if large
                self.studio.perform(edit)
                QApplication.restoreOverrideCursor()
        self.studio.shown_changed.emit()

    def cancel(self) -> bool:
        lifted, _ = self._let_go()
        if lifted is not None:
            lifted.cancel()
        self.studio.shown_changed.emit()
        return lifted is not None

    def nudge(self, right: int, down: int) -> None:
        """Move by whole pixels."""
        if self._lifted is None and not self._lift():
            return
        assert self._lifted is not None
        self._affine = self._affine.then(Affine.moved(right, down))
        self._lifted.show(self._affine)
        if self._affine.shift is not None:
            self.settle()

    def cursor_at(self, touch: Touch) -> Qt.CursorShape:
        grip, turning = self._hold_at(touch)
        if turning:
            return Qt.CursorShape.PointingHandCursor
        return cursor_of(grip if grip is not None else INSIDE)

    def paint(self, painter: QPainter, camera: Camera) -> None:
        rect = self._rect()
        if rect is not None:
            self._view = _qt(self._affine) * camera.transform()
            paint_rect(painter, rect, self._view, _HANDLES, dashed=True)

    def _rect(self) -> QRectF | None:
        """Around what is or would be lifted, before it is transformed."""
        if self._lifted is not None:
            return QRectF(*self._lifted.box)
        state = self.studio.canvas.state
        layer = self.studio.canvas.active
        extent = self._bounds(layer) if layer is not None else None
        if state.selection is not None:
            extent = extent and extent.overlap(state.selected())
        return QRectF(*extent) if extent else None

    def _bounds(self, layer: Layer) -> Box | None:
        """Around what a layer shows; thought over only once it has changed."""
        if self._bounded is None or self._bounded[0] is not layer.tiles:
            self._bounded = layer.tiles, layer.tiles.bounds()
        box = self._bounded[1]
        return box.moved(*layer.offset) if box is not None else None

    def _lift(self) -> bool:
        if self.studio.canvas.active is None:
            self.studio.said.emit("There is no layer to move.")
            return False
        try:
            self._lifted = Transform(self.studio.canvas)
        except RequestError as error:
            self.studio.said.emit(str(error))
            return False
        self._affine = Affine()
        return True

    def _let_go(self) -> tuple[Transform | None, Affine]:
        lifted, affine = self._lifted, self._affine
        self._lifted, self._affine, self._start = None, Affine(), None
        return lifted, affine

    def _hold_at(self, touch: Touch) -> tuple[Grip | None, bool]:
        """The handle under the mouse, and whether it is just outside of a corner."""
        rect = self._rect()
        if rect is None or self._view is None:
            return None, False
        grip = grip_at(rect, self._view, touch.at)
        if grip is not None:
            return grip, False
        corners = (grip_place(rect, grip) for grip in GRIPS if all(grip))
        near = min(_length(self._view.map(corner) - touch.at) for corner in corners)
        return None, near <= _TURN_REACH

    def _moved(self, touch: Touch) -> Affine:
        assert self._start is not None
        by = touch.place - self._start.place
        if touch.has(Keys.ShiftModifier):
            by = QPointF(by.x(), 0) if abs(by.x()) > abs(by.y()) else QPointF(0, by.y())
        moved = self._began.then(Affine.moved(round(by.x()), round(by.y())))
        rect = _qt(moved).mapRect(self._rect() or QRectF())
        edges = (rect.left(), rect.top(), rect.right(), rect.bottom())
        snap = self.studio.snap.shift(edges, touch.zoom)
        return moved.then(Affine.moved(round(snap.x()), round(snap.y())))

    def _scaled(self, touch: Touch) -> Affine:
        """Scaled in its own upright frame, before what was turned already."""
        assert self._start is not None
        assert self._grip is not None
        rect = self._rect() or QRectF()
        back = _qt(self._began).inverted()[0]
        by = back.map(touch.place) - back.map(self._start.place)
        keep, centred = touch.has(Keys.ShiftModifier), touch.has(Keys.AltModifier)
        made = resized(rect, self._grip, by, keep=keep, centred=centred)
        across, down = made.width() / rect.width(), made.height() / rect.height()
        shift = made.topLeft() - QPointF(rect.left() * across, rect.top() * down)
        scale = Affine(xx=across, yy=down, x0=shift.x(), y0=shift.y())
        return scale.then(self._began)

    def _turned(self, touch: Touch) -> Affine:
        assert self._start is not None
        middle = _qt(self._began).map((self._rect() or QRectF()).center())
        first, last = self._start.place - middle, touch.place - middle
        degrees = math.degrees(math.atan2(last.y(), last.x()) - math.atan2(first.y(), first.x()))
        if touch.has(Keys.ShiftModifier):
            degrees = round(degrees / 15) * 15
        return self._began.then(Affine.turned(degrees, middle.x(), middle.y()))


def _qt(affine: Affine) -> QTransform:
    a = affine
    return QTransform(a.xx, a.yx, a.xy, a.yy, a.x0, a.y0)


def _length(way: QPointF) -> float:
    return math.hypot(way.x(), way.y())
