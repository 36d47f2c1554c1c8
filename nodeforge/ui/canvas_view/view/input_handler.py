"""Mouse, pen, wheel and keys over the canvas: which go to the tool, and which move the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)

from nodeforge.ui.canvas_view.tools import CLICK, MoveTool, PickerTool, StrokeTool, Touch

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.view.canvas_view import CanvasView

Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
Middle = Qt.MouseButton.MiddleButton
Keys = Qt.KeyboardModifier
Drag = Callable[[QPointF], None]

_NOTCH = 1.0015
"""What an eighth of a degree of the wheel zooms by."""
_ERASER = QPointingDevice.PointerType.Eraser
_COMPARE = Qt.Key.Key_Backslash


class Hands(QObject):
    """Turns events of a view into what a tool understands.

    A left press goes to the tool, with Space, or the middle button, it pans (with Shift, too,
    it turns the view); a right drag sets a brush's size and hardness, a right click asks for
    the menu. While Alt is held, tools that paint pick a colour.
    """

    def __init__(self, view: CanvasView) -> None:
        super().__init__()
        self._view = view
        self._button = Qt.MouseButton.NoButton
        self._drag: Drag | None = None
        self._picking = False
        self._space = False
        self._pen_down = False
        self._last = QPointF()
        self._start = QPointF()
        self._sized = (0.0, 0.0)
        self._moved = False

    @property
    def at(self) -> QPointF:
        """Where the mouse was last on the view."""
        return self._last

    # the mouse

    def press(self, event: QMouseEvent) -> None:
        if self._button != Qt.MouseButton.NoButton:
            return
        self._button, self._start, self._moved = event.button(), event.position(), False
        self._begin(event.button(), self._touch(event.position(), event.modifiers()))

    def move(self, event: QMouseEvent) -> None:
        self._to(self._touch(event.position(), event.modifiers()))

    def release(self, event: QMouseEvent) -> None:
        if event.button() == self._button:
            self._end(self._touch(event.position(), event.modifiers()))

    def double(self, event: QMouseEvent) -> None:
        """The second press of two comes as this: it is a press, too."""
        self.press(event)
        if event.button() == Left and not self._space:
            self._view.studio.tool.double(self._touch(event.position(), event.modifiers()))

    # the pen

    def tablet(self, event: QTabletEvent) -> None:
        """A pen's events are all taken, so that none comes again as one of the mouse."""
        touch = self._touch(
            event.position(),
            event.modifiers(),
            event.pressure(),
            event.pointerType() is _ERASER,
        )
        kinds = type(event.type())
        if event.type() is kinds.TabletPress and self._button == Qt.MouseButton.NoButton:
            self._button, self._start, self._moved = event.button(), event.position(), False
            self._pen_down = True
            self._begin(event.button(), touch)
        elif event.type() is kinds.TabletMove:
            self._to(touch)
        elif event.type() is kinds.TabletRelease and self._pen_down:
            self._pen_down = False
            self._end(touch)
        event.accept()

    # wheel and touchpad

    def wheel(self, event: QWheelEvent) -> None:
        """The wheel zooms; two fingers on a touchpad pan, with Ctrl they zoom."""
        fingers = event.phase() != Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull()
        if fingers and not event.modifiers() & Keys.ControlModifier:
            self._view.pan(QPointF(event.pixelDelta()))
        else:
            turned = event.angleDelta().y() or event.angleDelta().x()
            self._view.zoom_to(self._view.camera.zoom * _NOTCH**turned, event.position())
        event.accept()

    def gesture(self, event: QNativeGestureEvent) -> bool:
        """Two fingers on a touchpad: apart they zoom, round each other they turn."""
        match event.gestureType():
            case Qt.NativeGestureType.ZoomNativeGesture:
                zoom = self._view.camera.zoom * (1 + event.value())
                self._view.zoom_to(zoom, event.position())
            case Qt.NativeGestureType.RotateNativeGesture:
                camera = self._view.camera
                camera.turn_to(camera.turn + event.value(), event.position())
                self._view.hurry()
            case _:
                return False
        return True

    # keys

    def key(self, event: QKeyEvent, down: bool) -> bool:
        """Keys that are held: Space to pan, backslash to see the original."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = down
                self.show_cursor()
            return True
        if event.key() == Qt.Key.Key_Escape and down:
            return self._view.studio.cancel()
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        tool = self._view.studio.tool
        if down and isinstance(tool, MoveTool) and event.key() in steps:
            tool.nudge(0, steps[Qt.Key(event.key())])
            return True
        if event.key() == _COMPARE and not event.isAutoRepeat():
            self._view.staged.hide(down)
            return True
        return False

    def let_go(self) -> None:
        """The keyboard is somewhere else: no key is held."""
        self._space = False
        self._view.staged.hide(False)
        self.show_cursor()

    def show_cursor(self) -> None:
        view = self._view
        if self._space or self._drag is not None:
            held = self._drag is not None
            shape = Qt.CursorShape.ClosedHandCursor if held else Qt.CursorShape.OpenHandCursor
        elif self._picking:
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = view.studio.tool.cursor_at(self._touch(self._last, Keys.NoModifier))
        view.setCursor(shape)
        hover = isinstance(view.studio.tool, StrokeTool) and shape == Qt.CursorShape.BlankCursor
        view.overlay.brush_at = self._last if hover and view.underMouse() else None
        view.update_brush()

    # what a press becomes

    def _begin(self, button: Qt.MouseButton, touch: Touch) -> None:
        view, tool = self._view, self._view.studio.tool
        self._last = touch.at
        if button == Middle or (button == Left and self._space):
            self._drag = self._turn if touch.has(Keys.ShiftModifier) else self._pan
            self.show_cursor()
        elif button == Right:
            self._sized = self._brush_looks()
            self._drag = self._size if tool.has_option("size") else None
        elif button == Left:
            self._picking = tool.picks and touch.has(Keys.AltModifier)
            (self._picker if self._picking else tool).press(touch)
        view.setFocus(Qt.FocusReason.MouseFocusReason)

    def _to(self, touch: Touch) -> None:
        view = self._view
        if self._drag is not None:
            self._moved |= (touch.at - self._start).manhattanLength() >= CLICK
            if self._moved:
                self._drag(touch.at)
        elif self._button == Left:
            (self._picker if self._picking else view.studio.tool).drag(touch)
        else:
            view.studio.tool.hover(touch)
        self._last = touch.at
        view.pointed.emit(touch.place)
        if self._drag is None:
            self._hover(touch)

    def _end(self, touch: Touch) -> None:
        view, button = self._view, self._button
        self._button = Qt.MouseButton.NoButton
        if button == Left and self._drag is None:
            (self._picker if self._picking else view.studio.tool).release(touch)
        elif button == Right and not self._moved:
            view.menu_asked.emit(view.mapToGlobal(touch.at.toPoint()))
        self._drag, self._picking = None, False
        self._last = touch.at
        self.show_cursor()

    def _hover(self, touch: Touch) -> None:
        view = self._view
        if isinstance(view.studio.tool, StrokeTool):
            view.overlay.brush_at = None if touch.has(Keys.AltModifier) else touch.at
            view.update_brush()
        elif self._button == Qt.MouseButton.NoButton and not self._space:
            view.setCursor(view.studio.tool.cursor_at(touch))

    def _pan(self, at: QPointF) -> None:
        self._view.pan(at - self._last)

    def _turn(self, at: QPointF) -> None:
        camera = self._view.camera
        camera.turn_to(camera.turn + (at.x() - self._last.x()) * 0.4)
        self._view.hurry()

    def _size(self, at: QPointF) -> None:
        """To the right larger, upwards harder."""
        tool, way = self._view.studio.tool, at - self._start
        size, hardness = self._sized
        tool.set("size", max(1.0, size + way.x() / self._view.camera.zoom))
        if tool.has_option("hardness"):
            tool.set("hardness", min(max(hardness - way.y() / 200, 0.0), 1.0))
        self._view.overlay.brush_at = self._start
        self._view.update_brush()

    def _brush_looks(self) -> tuple[float, float]:
        tool = self._view.studio.tool
        size, hardness = (
            tool.value(name) if tool.has_option(name) else 0.0 for name in ("size", "hardness")
        )
        return size, hardness

    @property
    def _picker(self) -> PickerTool:
        picker = self._view.studio.tools["picker"]
        assert isinstance(picker, PickerTool)
        return picker

    def _touch(self, at: QPointF, keys: Keys, pressure: float = 1.0, eraser: bool = False) -> Touch:
        camera = self._view.camera
        return Touch(camera.to_canvas(at), at, camera.zoom, keys, pressure, eraser)
