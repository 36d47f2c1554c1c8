"""Which gesture a press begins, and what the keys do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QGraphicsItem, QToolTip

from nodeforge.errors import RequestError
from nodeforge.ui.common.formatting import tip
from nodeforge.ui.graph_view.gestures import (
    Band,
    CutLinks,
    DrawLink,
    Gesture,
    MoveItems,
    Pan,
    ResizeFrame,
    ResizePicture,
    TurnNumber,
    is_number,
)
from nodeforge.ui.graph_view.gestures.pan_and_select import clicked
from nodeforge.ui.graph_view.interaction.menu_request import MenuRequest
from nodeforge.ui.graph_view.interaction.tooltips import tip_of
from nodeforge.ui.graph_view.items.frame_item import FrameBox
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.node_layout import Row
from nodeforge.ui.graph_view.items.node_painting import NEAR
from nodeforge.ui.graph_view.scene.hit_test import Hit
from nodeforge.ui.graph_view.session import Desk

NODE_MIME = "application/x-nodeforge-node"
"""What the library drags: a node type's id as text."""

Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
Middle = Qt.MouseButton.MiddleButton
Keys = Qt.KeyboardModifier
Action = Callable[[QPointF, Keys], None]


class Hands(QObject):
    """Mouse and keys over the view of a `Desk`."""

    menu_requested = Signal(object)
    search_requested = Signal(QPointF)
    row_requested = Signal(object, object)
    name_requested = Signal(object)

    def __init__(self, desk: Desk, keys: Mapping[str, Callable[[], object]]) -> None:
        super().__init__()
        self.desk = desk
        self.gesture: Gesture | None = None
        self.dropped_node: Callable[[str, QPointF], bool] = lambda *_: False
        self.last = QPointF()
        """Where the mouse was last, in pixels of the view."""
        self._button = Qt.MouseButton.NoButton
        self._space = False
        self._hovered: NodeBox | None = None
        self._keys = {QKeySequence(key).toString(): call for key, call in keys.items()}
        self.freed: set[str] = set()
        """Keys that the person has taken from their commands."""
        desk.viewer.hands = self

    # the mouse

    def press(self, event: QMouseEvent) -> None:
        self.last = event.position()
        if self.gesture is not None:
            self.cancel()
            return
        self.gesture = self._begin(event.button(), event.position(), event.modifiers())
        self._button = event.button()
        if isinstance(self.gesture, Pan):
            self.desk.viewer.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def _begin(self, button: Qt.MouseButton, place: QPointF, keys: Keys) -> Gesture | None:
        if button == Middle or (button == Left and self._space):
            return Pan(self.desk, place)
        if button == Right:
            if keys & Keys.ControlModifier:
                return CutLinks(self.desk, place)
            return _Menu(self, place)
        if button != Left:
            return None
        hit = self.desk.viewer.hit(place.toPoint())
        match hit.item:
            case NodeBox():
                return self._on_box(hit.item, hit, place, keys)
            case FrameBox() if hit.item.handle_at(hit.place):
                return ResizeFrame(self.desk, place, hit.item)
            case FrameBox() if hit.item.grips_at(hit.place):
                return MoveItems(self.desk, place, hit.item, keys)
            case LinkLine():
                self.desk.choose(clicked(set(self.desk.chosen()), hit.item, keys))
                return None
        return Band(self.desk, place, keys)

    def _on_box(self, box: NodeBox, hit: Hit, place: QPointF, keys: Keys) -> Gesture:
        if hit.dot is not None:
            return DrawLink(self.desk, place, hit.dot)
        if box.handle_at(hit.place):
            return ResizePicture(self.desk, place, box)
        row = self.row_under(box, hit)
        if row is not None and is_number(row) and not keys & Keys.AltModifier:
            return TurnNumber(self.desk, place, box, row)
        return MoveItems(self.desk, place, box, keys)

    def row_under(self, box: NodeBox, hit: Hit) -> Row | None:
        """The parameter under the mouse, if it is near enough to be read."""
        return box.row_at(hit.place) if self.desk.viewer.zoom >= NEAR else None

    def move(self, event: QMouseEvent) -> None:
        self.last = event.position()
        if self.gesture is not None:
            self._do(self.gesture, self.gesture.drag, event)
        elif not event.buttons():
            self._hover(event.position())

    def _hover(self, place: QPointF) -> None:
        hit = self.desk.viewer.hit(place.toPoint())
        box = hit.item if isinstance(hit.item, NodeBox) else None
        if self._hovered is not None and self._hovered is not box:
            self._hovered.hover(None)
        self._hovered = box
        shape = None
        if box is not None:
            box.hover(hit.dot.face if hit.dot else None)
            shape = box.cursor_over(hit.place)
            row = self.row_under(box, hit)
            if shape is None and row is not None and is_number(row):
                shape = Qt.CursorShape.SizeHorCursor
        elif isinstance(hit.item, FrameBox) and hit.item.handle_at(hit.place):
            shape = Qt.CursorShape.SizeFDiagCursor
        self._point(shape)

    def _point(self, shape: Qt.CursorShape | None) -> None:
        if self._space:
            shape = Qt.CursorShape.OpenHandCursor
        self.desk.viewer.viewport().setCursor(shape or Qt.CursorShape.ArrowCursor)

    def release(self, event: QMouseEvent) -> None:
        self.last = event.position()
        if self.gesture is None or event.button() != self._button:
            return
        gesture, self.gesture = self.gesture, None
        self._do(gesture, gesture.drop, event)
        self._point(None)

    def _do(self, gesture: Gesture, what: Action, event: QMouseEvent) -> None:
        """Go on with a gesture, unless what it is about was taken away meanwhile."""
        try:
            what(event.position(), event.modifiers())
        except RequestError as error:
            self.gesture = None
            gesture.cancel()
            self.desk.refuse(error.fact)

    def cancel(self) -> bool:
        """End the gesture in hand as if it had not been begun; whether there was one."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()
        return gesture is not None

    def leave(self) -> None:
        if self._hovered is not None:
            self._hovered.hover(None)
            self._hovered = None

    def double_click(self, event: QMouseEvent) -> None:
        if event.button() != Left:
            return
        self.last = event.position()
        hit = self.desk.viewer.hit(event.position().toPoint())
        match hit.item:
            case NodeBox() if hit.dot is None:
                self._open(hit.item, hit)
            case FrameBox() if hit.item.grips_at(hit.place):
                self.name_requested.emit(hit.item)
            case None | FrameBox():
                self.search_requested.emit(event.position())

    def _open(self, box: NodeBox, hit: Hit) -> None:
        row = self.row_under(box, hit)
        if row is not None and not row.linked:
            self.row_requested.emit(box, row)
        elif box.face.is_group:
            self.desk.open(box.path)
        elif hit.place.y() < 28:
            self.name_requested.emit(box)

    def ask_menu(self, place: QPointF) -> None:
        """Ask for the menu of what lies there, which is chosen first."""
        hit = self.desk.viewer.hit(place.toPoint())
        if hit.item is not None and not hit.item.isSelected():
            self.desk.choose({hit.item})
        viewer = self.desk.viewer
        self.menu_requested.emit(
            MenuRequest(
                hit.item.path if isinstance(hit.item, NodeBox) else "",
                hit.item.path if isinstance(hit.item, FrameBox) else "",
                isinstance(hit.item, LinkLine),
                viewer.at(place),
                viewer.viewport().mapToGlobal(place.toPoint()),
            )
        )

    # keys

    def key(self, event: QKeyEvent) -> bool:
        """Whether a key was for us."""
        if event.key() == Qt.Key.Key_Escape:
            return self.cancel()
        if self.gesture is not None:
            return True
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                self._point(None)
            return True
        pressed = QKeySequence(event.keyCombination()).toString()
        call = self._keys.get(pressed) if pressed not in self.freed else None
        if call is not None:
            call()
        return call is not None

    def key_up(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.forget_keys()

    def forget_keys(self) -> None:
        self._space = False
        self._point(None)

    # tooltips and drops

    def tell(self, event: QHelpEvent) -> None:
        """Say what lies under the mouse."""
        viewer = self.desk.viewer
        words = tip_of(viewer.hit(event.pos()), near=viewer.zoom >= NEAR)
        QToolTip.showText(event.globalPos(), tip(words), viewer.viewport())

    def dragged_over(self, event) -> bool:
        """Whether what is dragged over the view can be dropped."""
        if not event.mimeData().hasFormat(NODE_MIME):
            return False
        self.last = event.position()
        return True

    def dropped(self, event) -> bool:
        if not event.mimeData().hasFormat(NODE_MIME):
            return False
        self.last = event.position()
        type_id = bytes(event.mimeData().data(NODE_MIME).data()).decode("utf-8", "replace")
        return self.dropped_node(type_id, self.desk.viewer.at(event.position()))

    def live_items(self) -> Iterable[QGraphicsItem]:
        return self.gesture.live_items() if self.gesture is not None else ()


class _Menu(Gesture):
    """A click with the right button; a drag with it is nothing."""

    def __init__(self, hands: Hands, start: QPointF) -> None:
        super().__init__(hands.desk, start)
        self._hands = hands

    def click(self, keys: Keys) -> None:
        self._hands.ask_menu(self.start)
