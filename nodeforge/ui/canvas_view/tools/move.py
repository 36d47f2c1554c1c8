"""The Move tool: moves, scales and rotates the selection, the layer or the group."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QTransform
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import Affine, Layer, Tiles, Transform
from nodeforge.errors import RequestError
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.outline_painting import HANDLE
from nodeforge.ui.canvas_view.tools.rect_handles import (
    HANDLES,
    INSIDE,
    Handle,
    handle_at,
    handle_cursor,
    handle_position,
    paint_rect,
    resized,
)
from nodeforge.ui.canvas_view.tools.snapping import Guide
from nodeforge.ui.canvas_view.tools.tool import CLICK, Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext

_HANDLES = QColor("#5b9dff")
_ROTATE_REACH = 3 * HANDLE


class MoveTool(Tool):
    """A move is committed on release. Scaling and rotating stay pending until Enter or a change
    of tool, so that pixels are resampled only once.
    """

    name, title, icon, key = "move", "Move and transform", "arrows-out-cardinal", "V"
    hint = (
        "Drag to move, handles to scale (Shift keeps proportions, Alt the middle), outside a "
        "corner to rotate. Enter applies."
    )
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._transform: Transform | None = None
        self._affine = Affine()
        self._start_affine = Affine()
        self._handle: Handle | None = None
        self._rotating = False
        self._guide: Guide | None = None
        self._start: PointerEvent | None = None
        self._view: QTransform | None = None
        self._cached_bounds: dict[str, tuple[Tiles, Box | None]] = {}

    @property
    def busy(self) -> bool:
        return self._transform is not None

    def press(self, pointer: PointerEvent) -> None:
        self._guide = (
            None if self.busy else self.session.snapping.guide_at(pointer.position, pointer.zoom)
        )
        if self._guide is not None or (self._transform is None and not self._start_transform()):
            return
        self._handle, self._rotating = self._handle_under(pointer)
        self._start, self._start_affine = pointer, self._affine

    def drag(self, pointer: PointerEvent) -> None:
        if self._guide is not None:
            self.session.snapping.move_guide(self._guide, pointer.position)
            return
        if self._transform is None or self._start is None:
            return
        way = pointer.view_position - self._start.view_position
        if self._affine is self._start_affine and way.manhattanLength() < CLICK:
            return
        if self._rotating:
            self._affine = self._rotated(pointer)
        elif self._handle in (None, INSIDE):
            self._affine = self._moved(pointer)
        else:
            self._affine = self._scaled(pointer)
        self._transform.show(self._affine)
        self.session.overlay_changed.emit()

    def release(self, pointer: PointerEvent) -> None:
        self._start = None
        if (
            self._guide is not None
            and min(pointer.view_position.x(), pointer.view_position.y()) < 0
        ):
            self.session.snapping.remove_guide(self._guide)  # back onto its ruler
        self._guide = None
        if self._affine.shift is not None:
            self.commit()

    def double_click(self, pointer: PointerEvent) -> None:
        self.commit()

    def enter(self) -> bool:
        had = self.busy
        self.commit()
        return had

    def commit(self) -> None:
        transform, affine = self._take_transform()
        if transform is not None:
            edit = transform.end(affine)
            if affine != Affine():
                QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)  # a second, if large
                self.session.perform(edit)
                QApplication.restoreOverrideCursor()
        self.session.overlay_changed.emit()

    def cancel(self) -> bool:
        transform, _ = self._take_transform()
        if transform is not None:
            transform.cancel()
        self.session.overlay_changed.emit()
        return transform is not None

    def nudge(self, right: int, down: int) -> None:
        """Move the layer or selection by whole pixels."""
        if self._transform is None and not self._start_transform():
            return
        assert self._transform is not None
        self._affine = self._affine.then(Affine.moved(right, down))
        self._transform.show(self._affine)
        if self._affine.shift is not None:
            self.commit()

    def cursor_at(self, pointer: PointerEvent) -> Qt.CursorShape:
        handle, rotating = self._handle_under(pointer)
        if rotating:
            return Qt.CursorShape.PointingHandCursor
        return handle_cursor(handle if handle is not None else INSIDE)

    def paint(self, painter: QPainter, camera: Camera) -> None:
        rect = self._rect()
        if rect is not None:
            self._view = _qt(self._affine) * camera.transform()
            paint_rect(painter, rect, self._view, _HANDLES, dashed=True)

    def _rect(self) -> QRectF | None:
        """The bounds of the transformed content, before the transform."""
        if self._transform is not None:
            return QRectF(*self._transform.box)
        state = self.session.canvas.state
        layer = self.session.canvas.active
        extent = self._content_bounds(layer) if layer is not None else None
        if state.selection is not None:
            extent = extent and extent.overlap(state.selected())
        return QRectF(*extent) if extent else None

    def _content_bounds(self, layer: Layer) -> Box | None:
        """The bounds of a layer's content, or of all that is in a group."""
        state = self.session.canvas.state
        layers = state.inside(layer.id) if layer.is_group else (layer,)
        found: Box | None = None
        for box in map(self._bounds, layers):
            found = box.around(found) if box is not None else found
        self._cached_bounds = {each.id: self._cached_bounds[each.id] for each in layers}
        return found

    def _bounds(self, layer: Layer) -> Box | None:
        """The bounds of a layer's content, cached until it changes."""
        cached = self._cached_bounds.get(layer.id)
        if cached is None or cached[0] is not layer.tiles:
            cached = self._cached_bounds[layer.id] = layer.tiles, layer.tiles.bounds()
        box = cached[1]
        return box.moved(*layer.offset) if box is not None else None

    def _start_transform(self) -> bool:
        if self.session.canvas.active is None:
            self.session.status_message.emit("There is no layer to move.")
            return False
        try:
            self._transform = Transform(self.session.canvas)
        except RequestError as error:
            self.session.status_message.emit(str(error))
            return False
        self._affine = Affine()
        return True

    def _take_transform(self) -> tuple[Transform | None, Affine]:
        transform, affine = self._transform, self._affine
        self._transform, self._affine, self._start = None, Affine(), None
        return transform, affine

    def _handle_under(self, pointer: PointerEvent) -> tuple[Handle | None, bool]:
        """The handle under the mouse, and whether the mouse is just outside a corner (rotate)."""
        rect = self._rect()
        if rect is None or self._view is None:
            return None, False
        handle = handle_at(rect, self._view, pointer.view_position)
        if handle is not None:
            return handle, False
        corners = (handle_position(rect, handle) for handle in HANDLES if all(handle))
        near = min(_length(self._view.map(corner) - pointer.view_position) for corner in corners)
        return None, near <= _ROTATE_REACH

    def _moved(self, pointer: PointerEvent) -> Affine:
        assert self._start is not None
        by = pointer.position - self._start.position
        if pointer.has(Modifiers.ShiftModifier):
            by = QPointF(by.x(), 0) if abs(by.x()) > abs(by.y()) else QPointF(0, by.y())
        moved = self._start_affine.then(Affine.moved(round(by.x()), round(by.y())))
        rect = _qt(moved).mapRect(self._rect() or QRectF())
        edges = (rect.left(), rect.top(), rect.right(), rect.bottom())
        snap = self.session.snapping.offset(edges, pointer.zoom)
        return moved.then(Affine.moved(round(snap.x()), round(snap.y())))

    def _scaled(self, pointer: PointerEvent) -> Affine:
        """Scale in the local frame, before the rotation."""
        assert self._start is not None
        assert self._handle is not None
        rect = self._rect() or QRectF()
        back = _qt(self._start_affine).inverted()[0]
        by = back.map(pointer.position) - back.map(self._start.position)
        keep, centred = pointer.has(Modifiers.ShiftModifier), pointer.has(Modifiers.AltModifier)
        made = resized(rect, self._handle, by, keep=keep, centred=centred)
        across, down = made.width() / rect.width(), made.height() / rect.height()
        shift = made.topLeft() - QPointF(rect.left() * across, rect.top() * down)
        scale = Affine(xx=across, yy=down, x0=shift.x(), y0=shift.y())
        return scale.then(self._start_affine)

    def _rotated(self, pointer: PointerEvent) -> Affine:
        assert self._start is not None
        middle = _qt(self._start_affine).map((self._rect() or QRectF()).center())
        first, last = self._start.position - middle, pointer.position - middle
        degrees = math.degrees(math.atan2(last.y(), last.x()) - math.atan2(first.y(), first.x()))
        if pointer.has(Modifiers.ShiftModifier):
            degrees = round(degrees / 15) * 15
        return self._start_affine.then(Affine.turned(degrees, middle.x(), middle.y()))


def _qt(affine: Affine) -> QTransform:
    a = affine
    return QTransform(a.xx, a.yx, a.xy, a.yy, a.x0, a.y0)


def _length(way: QPointF) -> float:
    return math.hypot(way.x(), way.y())
