"""Handles mouse, key, tooltip and drop events of the graph view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QGraphicsItem, QToolTip

from nodeforge.errors import RequestError
from nodeforge.ui.common.formatting import tooltip_html
from nodeforge.ui.graph_view.gestures import (
    CutLinks,
    DragNumber,
    DrawLink,
    Gesture,
    MoveItems,
    Pan,
    ResizeFrame,
    ResizePicture,
    RubberBand,
    is_number,
)
from nodeforge.ui.graph_view.gestures.pan_and_select import selection_after_click
from nodeforge.ui.graph_view.interaction.menu_request import MenuRequest
from nodeforge.ui.graph_view.interaction.tooltips import tooltip_text
from nodeforge.ui.graph_view.items.frame_item import FrameItem
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import ParameterRow
from nodeforge.ui.graph_view.items.node_painting import NEAR
from nodeforge.ui.graph_view.scene.hit_test import Hit
from nodeforge.ui.graph_view.session import GraphSession

NODE_MIME = "application/x-nodeforge-node"
"""MIME type of a dragged node type; the data is its id."""

Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
Middle = Qt.MouseButton.MiddleButton
Modifiers = Qt.KeyboardModifier
Action = Callable[[QPointF, Modifiers], None]


class GraphInputHandler(QObject):
    """Starts gestures and calls commands for the input events of a `GraphSession`."""

    menu_requested = Signal(object)
    search_requested = Signal(QPointF)
    row_requested = Signal(object, object)
    rename_requested = Signal(object)

    def __init__(self, session: GraphSession, keys: Mapping[str, Callable[[], object]]) -> None:
        super().__init__()
        self.session = session
        self.gesture: Gesture | None = None
        self.node_dropped: Callable[[str, QPointF], bool] = lambda *_: False
        self.link_opened: Callable[[LinkItem, QPointF], object] = lambda *_: None
        self.last_position = QPointF()
        """The last mouse position, view pixels."""
        self.touched = False
        """Whether the user has pressed a button or a key that was used."""
        self._button = Qt.MouseButton.NoButton
        self._space = False
        self._hovered: NodeItem | None = None
        self._keys = {QKeySequence(key).toString(): call for key, call in keys.items()}
        self.unassigned_keys: set[str] = set()
        """Default shortcuts that the user has removed; they are ignored."""
        session.viewer.input_handler = self

    # the mouse

    def press(self, event: QMouseEvent) -> None:
        self.touched = True
        self.last_position = event.position()
        self.session.show_hint("")
        if self.gesture is not None:
            self.cancel()
            return
        self.gesture = self._begin(event.button(), event.position(), event.modifiers())
        self._button = event.button()
        if isinstance(self.gesture, Pan):
            self.session.viewer.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def _begin(
        self, button: Qt.MouseButton, place: QPointF, modifiers: Modifiers
    ) -> Gesture | None:
        if button == Middle or (button == Left and self._space):
            return Pan(self.session, place)
        if button == Right:
            if modifiers & Modifiers.ControlModifier:
                return CutLinks(self.session, place)
            return _Menu(self, place)
        if button != Left:
            return None
        hit = self.session.viewer.hit_test(place.toPoint())
        match hit.item:
            case NodeItem():
                return self._on_box(hit.item, hit, place, modifiers)
            case FrameItem() if hit.item.handle_at(hit.place):
                return ResizeFrame(self.session, place, hit.item)
            case FrameItem() if hit.item.accepts_press_at(hit.place):
                return MoveItems(self.session, place, hit.item, modifiers)
            case LinkItem():
                self.session.select_items(
                    selection_after_click(set(self.session.selected_items()), hit.item, modifiers)
                )
                return None
        return RubberBand(self.session, place, modifiers)

    def _on_box(
        self, node_item: NodeItem, hit: Hit, place: QPointF, modifiers: Modifiers
    ) -> Gesture:
        if hit.port_item is not None:
            return DrawLink(self.session, place, hit.port_item)
        if node_item.handle_at(hit.place):
            return ResizePicture(self.session, place, node_item)
        row = self.row_under(node_item, hit)
        if row is not None and is_number(row) and not modifiers & Modifiers.AltModifier:
            return DragNumber(self.session, place, node_item, row)
        return MoveItems(self.session, place, node_item, modifiers)

    def row_under(self, node_item: NodeItem, hit: Hit) -> ParameterRow | None:
        """The parameter under the mouse, if the zoom shows parameters."""
        return node_item.row_at(hit.place) if self.session.viewer.zoom >= NEAR else None

    def move(self, event: QMouseEvent) -> None:
        self.last_position = event.position()
        if self.gesture is not None:
            self._do(self.gesture, self.gesture.drag, event)
        elif not event.buttons():
            self._hover(event.position())

    def _hover(self, place: QPointF) -> None:
        hit = self.session.viewer.hit_test(place.toPoint())
        node_item = hit.item if isinstance(hit.item, NodeItem) else None
        if self._hovered is not None and self._hovered is not node_item:
            self._hovered.hover(None)
        if self._hovered is not node_item:
            self._hovered = node_item
            self.show_links()
        shape = None
        if node_item is not None:
            node_item.hover(hit.port_item.layout if hit.port_item else None)
            shape = node_item.cursor_over(hit.place)
            row = self.row_under(node_item, hit)
            if shape is None and row is not None and is_number(row):
                shape = Qt.CursorShape.SizeHorCursor
        elif isinstance(hit.item, FrameItem) and hit.item.handle_at(hit.place):
            shape = Qt.CursorShape.SizeFDiagCursor
        self._point(shape)

    def _point(self, shape: Qt.CursorShape | None) -> None:
        if self._space:
            shape = Qt.CursorShape.OpenHandCursor
        self.session.viewer.viewport().setCursor(shape or Qt.CursorShape.ArrowCursor)

    def release(self, event: QMouseEvent) -> None:
        self.last_position = event.position()
        if self.gesture is None or event.button() != self._button:
            return
        gesture, self.gesture = self.gesture, None
        self._do(gesture, gesture.drop, event)
        self._point(None)

    def _do(self, gesture: Gesture, what: Action, event: QMouseEvent) -> None:
        """Continue a gesture; cancel it if its items no longer exist."""
        try:
            what(event.position(), event.modifiers())
        except RequestError as error:
            self.gesture = None
            gesture.cancel()
            self.session.refuse(error.fact)

    def cancel(self) -> bool:
        """Cancel the current gesture; returns whether there was one."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()
        return gesture is not None

    def leave(self) -> None:
        if self._hovered is not None:
            self._hovered.hover(None)
            self._hovered = None
            self.show_links()

    def show_links(self) -> None:
        """Show hidden links of the hovered and the selected nodes."""
        chosen = [item for item in self.session.selected_items() if isinstance(item, NodeItem)]
        self.session.scene.show_links_of([self._hovered, *chosen])

    def double_click(self, event: QMouseEvent) -> None:
        if event.button() != Left:
            return
        self.last_position = event.position()
        hit = self.session.viewer.hit_test(event.position().toPoint())
        match hit.item:
            case NodeItem() if hit.port_item is None:
                self._open(hit.item, hit)
            case LinkItem():
                self.link_opened(hit.item, hit.place)
            case FrameItem() if hit.item.accepts_press_at(hit.place):
                self.rename_requested.emit(hit.item)
            case None | FrameItem():
                self.search_requested.emit(event.position())

    def _open(self, node_item: NodeItem, hit: Hit) -> None:
        row = self.row_under(node_item, hit)
        if row is not None and not row.linked:
            self.row_requested.emit(node_item, row)
        elif node_item.layout.is_group:
            self.session.open(node_item.path)
        elif hit.place.y() < 28:
            self.rename_requested.emit(node_item)

    def request_menu(self, place: QPointF) -> None:
        """Select the item at a position and request its context menu."""
        hit = self.session.viewer.hit_test(place.toPoint())
        if hit.item is not None and not hit.item.isSelected():
            self.session.select_items({hit.item})
        viewer = self.session.viewer
        self.menu_requested.emit(
            MenuRequest(
                hit.item.path if isinstance(hit.item, NodeItem) else "",
                self._input_under(hit),
                hit.item.path if isinstance(hit.item, FrameItem) else "",
                isinstance(hit.item, LinkItem),
                viewer.to_scene(place),
                viewer.viewport().mapToGlobal(place.toPoint()),
            )
        )

    def _input_under(self, hit: Hit) -> str:
        """The input or parameter under the mouse; empty for none."""
        if not isinstance(hit.item, NodeItem):
            return ""
        if hit.port_item is not None:
            return hit.port_item.layout.name if hit.port_item.is_input else ""
        row = self.row_under(hit.item, hit)
        return row.port if row is not None else ""

    # keys

    def key(self, event: QKeyEvent) -> bool:
        """Handle a key press; returns whether it was used."""
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
        call = self._keys.get(pressed) if pressed not in self.unassigned_keys else None
        if call is not None:
            self.touched = True
            call()
        return call is not None

    def key_up(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.release_keys()

    def release_keys(self) -> None:
        self._space = False
        self._point(None)

    # tooltips and drops

    def show_tooltip(self, event: QHelpEvent) -> None:
        """Show the tooltip of the item under the mouse."""
        viewer = self.session.viewer
        words = tooltip_text(viewer.hit_test(event.pos()), near=viewer.zoom >= NEAR)
        QToolTip.showText(event.globalPos(), tooltip_html(words), viewer.viewport())

    def dragged_over(self, event) -> bool:
        """Whether the dragged data can be dropped."""
        if not event.mimeData().hasFormat(NODE_MIME):
            return False
        self.last_position = event.position()
        return True

    def dropped(self, event) -> bool:
        if not event.mimeData().hasFormat(NODE_MIME):
            return False
        self.last_position = event.position()
        type_id = bytes(event.mimeData().data(NODE_MIME).data()).decode("utf-8", "replace")
        return self.node_dropped(type_id, self.session.viewer.to_scene(event.position()))

    def preview_items(self) -> Iterable[QGraphicsItem]:
        return self.gesture.preview_items() if self.gesture is not None else ()


class _Menu(Gesture):
    """Opens the context menu on a right click; ignores drags."""

    def __init__(self, input_handler: GraphInputHandler, start: QPointF) -> None:
        super().__init__(input_handler.session, start)
        self._input_handler = input_handler

    def click(self, modifiers: Modifiers) -> None:
        self._input_handler.request_menu(self.start)
