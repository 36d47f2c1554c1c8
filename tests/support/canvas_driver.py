"""A canvas in the main window, and simulated mouse and pen input."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPointingDevice, QTabletEvent
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import Canvas, LayerKind, State, Tiles, composite, pictured
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.imaging import Bytes
from nodeforge.ui.canvas_view import CanvasTab
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.window.main_window import MainWindow

NO_KEYS = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
Point = tuple[float, float]


def white(width: int = 320, height: int = 288) -> State:
    """A white paint layer; the canvas is larger than a tile."""
    state = State(width, height)
    pixels = np.full((height, width, 4), 255, np.uint8)
    return with_new(state, new_layer(state, LayerKind.PAINT, tiles=Tiles.of(pixels)))


def shown(canvas: Canvas) -> Bytes:
    """What the canvas shows, RGBA."""
    return composite(pictured(canvas.state), canvas.box)


class Pointer:
    """Presses, drags and taps on the view, at places of the canvas."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view

    def at(self, place: Point) -> QPointF:
        return self.view.camera.to_view(QPointF(*place))

    def send(self, kind: QEvent.Type, place: Point, keys=NO_KEYS, button=LEFT) -> None:
        at, none = self.at(place), Qt.MouseButton.NoButton
        now = none if kind is QEvent.Type.MouseMove else button
        held = none if kind is QEvent.Type.MouseButtonRelease else button
        far = self.view.mapToGlobal(at)
        QApplication.sendEvent(self.view, QMouseEvent(kind, at, far, now, held, keys))

    def press(self, place: Point, keys=NO_KEYS, button=LEFT) -> None:
        self.send(QEvent.Type.MouseButtonPress, place, keys, button)

    def move(self, place: Point, keys=NO_KEYS, button=LEFT) -> None:
        self.send(QEvent.Type.MouseMove, place, keys, button)

    def release(self, place: Point, keys=NO_KEYS, button=LEFT) -> None:
        self.send(QEvent.Type.MouseButtonRelease, place, keys, button)

    def drag(self, places: Sequence[Point], keys=NO_KEYS, button=LEFT) -> None:
        self.press(places[0], keys, button)
        for place in places[1:]:
            self.move(place, keys, button)
        self.release(places[-1], keys, button)

    def double_click(self, place: Point) -> None:
        self.click(place)
        self.send(QEvent.Type.MouseButtonDblClick, place)
        self.release(place)

    def click(self, place: Point, keys=NO_KEYS) -> None:
        self.drag([place], keys)

    def pen(self, places: Sequence[tuple[float, float, float]], eraser: bool = False) -> None:
        """A stroke of a pen through places with their pressures."""
        kinds = QEvent.Type
        for index, (x, y, pressure) in enumerate(places):
            self._pen(kinds.TabletMove if index else kinds.TabletPress, (x, y), pressure, eraser)
        x, y, _ = places[-1]
        self._pen(kinds.TabletRelease, (x, y), 0.0, eraser)

    def _pen(self, kind: QEvent.Type, place: Point, pressure: float, eraser: bool) -> None:
        at = self.at(place)
        types, none = QPointingDevice.PointerType, Qt.MouseButton.NoButton
        device = QPointingDevice(
            "pen",
            7,
            QPointingDevice.DeviceType.Stylus,
            types.Eraser if eraser else types.Pen,
            QPointingDevice.Capability.Pressure,
            1,
            3,
        )
        held = none if kind is QEvent.Type.TabletRelease else LEFT
        now = none if kind is QEvent.Type.TabletMove else LEFT
        far = QPointF(self.view.mapToGlobal(at))
        event = QTabletEvent(kind, device, at, far, pressure, 0, 0, 0, 0, 0, NO_KEYS, now, held)
        QApplication.sendEvent(self.view, event)


class CanvasDriver:
    """The canvas in front of a window, and the pointer."""

    def __init__(self, window, tab: CanvasTab) -> None:
        assert tab.editor is not None
        self.window, self.tab, self.editor = window, tab, tab.editor
        self.view, self.session = tab.editor.view, tab.editor.session
        self.canvas = self.session.canvas
        self.document = tab.opened.document
        self.pointer = Pointer(self.view)

    def tool(self, name: str, **options) -> None:
        """Take a tool, and set it."""
        self.session.select_tool(name)
        for option, value in options.items():
            self.session.tool.set(option, value)

    def pixels(self) -> Bytes:
        return shown(self.canvas)

    def undo(self) -> None:
        self.window.commands.run("edit.undo")

    def do(self, name: str) -> None:
        self.window.commands.run(name)


def driver_in(window: MainWindow, state: State | None = None) -> CanvasDriver:
    """A new document whose canvas holds `state`, in front."""
    window.workspace.new()
    opened = window.workspace.current
    assert opened is not None
    opened.set_canvas(Canvas(state or white()))
    window.area.show_view("canvas")
    window.activateWindow()
    QApplication.processEvents()
    assert window.area.canvas is not None
    return CanvasDriver(window, window.area.canvas)
