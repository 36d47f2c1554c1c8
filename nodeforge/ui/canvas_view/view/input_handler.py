"""Handles mouse, tablet, wheel and key events of the canvas view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import (
    QEnterEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)

from nodeforge.ui.canvas_view.tools import (
    CLICK,
    ColourPickerTool,
    MoveTool,
    PointerEvent,
    StrokeTool,
)
from nodeforge.ui.canvas_view.view.viewport import Viewport

Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
Middle = Qt.MouseButton.MiddleButton
Modifiers = Qt.KeyboardModifier
Drag = Callable[[QPointF], None]

_NOTCH = 1.0015
"""Zoom factor per eighth of a degree of wheel rotation."""
_ERASER = QPointingDevice.PointerType.Eraser
_COMPARE = Qt.Key.Key_Backslash


class InputHandler(QObject):
    """Passes input events to the current tool, or pans, rotates and zooms the view.

    The left button goes to the tool. Space and drag or the middle button pan, with Shift they
    rotate. A right drag changes brush size and hardness, a right click opens the context menu.
    While Alt is held, painting tools pick a colour.
    """

    def __init__(self, view: Viewport) -> None:
        super().__init__()
        self._view = view
        self._button = Qt.MouseButton.NoButton
        self._drag: Drag | None = None
        self._picking = False
        self._space = False
        self._pen_down = False
        self._last = QPointF()
        self._start = QPointF()
        self._start_size_hardness = (0.0, 0.0)
        self._moved = False

    @property
    def position(self) -> QPointF:
        """The last mouse position in the view."""
        return self._last

    # the mouse

    def enter(self, event: QEnterEvent) -> None:
        """The mouse may be over the view without having moved there, as when it is first shown."""
        self._last = event.position()
        self.show_cursor()

    def press(self, event: QMouseEvent) -> None:
        if self._button != Qt.MouseButton.NoButton:
            return
        self._button, self._start, self._moved = event.button(), event.position(), False
        self._begin(event.button(), self._pointer_event(event.position(), event.modifiers()))

    def move(self, event: QMouseEvent) -> None:
        self._to(self._pointer_event(event.position(), event.modifiers()))

    def release(self, event: QMouseEvent) -> None:
        if event.button() == self._button:
            self._end(self._pointer_event(event.position(), event.modifiers()))

    def double_click(self, event: QMouseEvent) -> None:
        """Handle the second press of a double-click, which is also a press."""
        self.press(event)
        if event.button() == Left and not self._space:
            self._view.session.tool.double_click(
                self._pointer_event(event.position(), event.modifiers())
            )

    # the pen

    def tablet(self, event: QTabletEvent) -> None:
        """Accept all tablet events, so that Qt synthesises no mouse events from them."""
        pointer = self._pointer_event(
            event.position(),
            event.modifiers(),
            event.pressure(),
            event.pointerType() is _ERASER,
        )
        kinds = type(event.type())
        if event.type() is kinds.TabletPress and self._button == Qt.MouseButton.NoButton:
            self._button, self._start, self._moved = event.button(), event.position(), False
            self._pen_down = True
            self._begin(event.button(), pointer)
        elif event.type() is kinds.TabletMove:
            self._to(pointer)
        elif event.type() is kinds.TabletRelease and self._pen_down:
            self._pen_down = False
            self._end(pointer)
        event.accept()

    # wheel and touchpad

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom with the wheel; pan with two fingers on a touchpad (with Ctrl: zoom)."""
        fingers = event.phase() != Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull()
        if fingers and not event.modifiers() & Modifiers.ControlModifier:
            self._view.pan(QPointF(event.pixelDelta()))
        else:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self._view.zoom_to(self._view.camera.zoom * _NOTCH**turned, event.position())
        event.accept()

    def gesture(self, event: QNativeGestureEvent) -> bool:
        """Handle pinch and rotate gestures of a touchpad."""
        match event.gestureType():
            case Qt.NativeGestureType.ZoomNativeGesture:
                zoom = self._view.camera.zoom * (1 + event.value())
                self._view.zoom_to(zoom, event.position())
            case Qt.NativeGestureType.RotateNativeGesture:
                camera = self._view.camera
                camera.rotate_to(camera.rotation + event.value(), event.position())
                self._view.update_draft()
            case _:
                return False
        return True

    # keys

    def key(self, event: QKeyEvent, down: bool) -> bool:
        """Handle held keys (Space pans, backslash shows the original), Escape and arrows."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = down
                self.show_cursor()
            return True
        if event.key() == Qt.Key.Key_Escape and down:
            return self._view.session.cancel()
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        tool = self._view.session.tool
        if down and isinstance(tool, MoveTool) and event.key() in steps:
            tool.nudge(0, steps[Qt.Key(event.key())])
            return True
        if event.key() == _COMPARE and not event.isAutoRepeat():
            self._view.candidate_overlay.set_hidden(down)
            return True
        return False

    def focus_lost(self) -> None:
        """Reset held keys when the view loses the focus."""
        self._space = False
        self._view.candidate_overlay.set_hidden(False)
        self.show_cursor()

    def show_cursor(self) -> None:
        view = self._view
        if self._space or self._drag is not None:
            held = self._drag is not None
            shape = Qt.CursorShape.ClosedHandCursor if held else Qt.CursorShape.OpenHandCursor
        elif self._picking:
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = view.session.tool.cursor_at(
                self._pointer_event(self._last, Modifiers.NoModifier)
            )
        view.setCursor(shape)
        hover = isinstance(view.session.tool, StrokeTool) and shape == Qt.CursorShape.BlankCursor
        view.overlay.brush_position = self._last if hover and view.underMouse() else None
        view.update_brush()

    # from a press to a release

    def _begin(self, button: Qt.MouseButton, pointer: PointerEvent) -> None:
        view, tool = self._view, self._view.session.tool
        self._last = pointer.view_position
        if button == Middle or (button == Left and self._space):
            self._drag = self._turn if pointer.has(Modifiers.ShiftModifier) else self._pan
            self.show_cursor()
        elif button == Right:
            self._start_size_hardness = self._brush_size_hardness()
            self._drag = self._size if tool.has_option("size") else None
        elif button == Left:
            self._picking = tool.picks_colour and pointer.has(Modifiers.AltModifier)
            (self._picker if self._picking else tool).press(pointer)
        view.setFocus(Qt.FocusReason.MouseFocusReason)

    def _to(self, pointer: PointerEvent) -> None:
        view = self._view
        if self._drag is not None:
            self._moved |= (pointer.view_position - self._start).manhattanLength() >= CLICK
            if self._moved:
                self._drag(pointer.view_position)
        elif self._button == Left:
            (self._picker if self._picking else view.session.tool).drag(pointer)
        else:
            view.session.tool.hover(pointer)
        self._last = pointer.view_position
        view.cursor_moved.emit(pointer.position)
        if self._drag is None:
            self._hover(pointer)

    def _end(self, pointer: PointerEvent) -> None:
        view, button = self._view, self._button
        self._button = Qt.MouseButton.NoButton
        if button == Left and self._drag is None:
            (self._picker if self._picking else view.session.tool).release(pointer)
        elif button == Right and not self._moved:
            view.menu_requested.emit(view.mapToGlobal(pointer.view_position.toPoint()))
        self._drag, self._picking = None, False
        self._last = pointer.view_position
        self.show_cursor()

    def _hover(self, pointer: PointerEvent) -> None:
        view = self._view
        if isinstance(view.session.tool, StrokeTool):
            view.overlay.brush_position = (
                None if pointer.has(Modifiers.AltModifier) else pointer.view_position
            )
            view.update_brush()
        elif self._button == Qt.MouseButton.NoButton and not self._space:
            view.setCursor(view.session.tool.cursor_at(pointer))

    def _pan(self, at: QPointF) -> None:
        self._view.pan(at - self._last)

    def _turn(self, at: QPointF) -> None:
        camera = self._view.camera
        camera.rotate_to(camera.rotation + (at.x() - self._last.x()) * 0.4)
        self._view.update_draft()

    def _size(self, at: QPointF) -> None:
        """Change the brush: right is larger, up is harder."""
        tool, way = self._view.session.tool, at - self._start
        size, hardness = self._start_size_hardness
        tool.set("size", max(1.0, size + way.x() / self._view.camera.zoom))
        if tool.has_option("hardness"):
            tool.set("hardness", min(max(hardness - way.y() / 200, 0.0), 1.0))
        self._view.overlay.brush_position = self._start
        self._view.update_brush()

    def _brush_size_hardness(self) -> tuple[float, float]:
        tool = self._view.session.tool
        size, hardness = (
            tool.value(name) if tool.has_option(name) else 0.0 for name in ("size", "hardness")
        )
        return size, hardness

    @property
    def _picker(self) -> ColourPickerTool:
        picker = self._view.session.tools["picker"]
        assert isinstance(picker, ColourPickerTool)
        return picker

    def _pointer_event(
        self, at: QPointF, keys: Modifiers, pressure: float = 1.0, eraser: bool = False
    ) -> PointerEvent:
        camera = self._view.camera
        return PointerEvent(camera.to_canvas(at), at, camera.zoom, keys, pressure, eraser)
