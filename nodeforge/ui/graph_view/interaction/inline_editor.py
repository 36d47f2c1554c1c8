"""Editing a parameter where it stands: one small editor at a time, one step to undo."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QPlainTextEdit, QWidget

from nodeforge.graph.edits import Rename, SetEntry, SetValue
from nodeforge.spec import (
    FLOAT,
    ChoiceWidget,
    NumberWidget,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)
from nodeforge.ui.common.theme import NORMAL, SMALL
from nodeforge.ui.graph_view.gestures.drag_number import rounded, step_of, within
from nodeforge.ui.graph_view.interaction.arithmetic import calculate
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, FrameBox
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.node_layout import PAD, ROW, TITLE, Row
from nodeforge.ui.graph_view.session import Desk


class Editor(QObject):
    """Opens over a row or a title; Enter and a click elsewhere keep, Escape does not."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.widget: QWidget | None = None
        self.menu: QMenu | None = None
        self._keep = lambda _text: None
        self._number: Row | None = None
        desk.viewer.looked.connect(self.close)

    def edit_row(self, box: NodeBox, row: Row) -> None:
        """Edit a parameter: a menu, a switch, a number, a text."""
        widget = row.spec.widget
        if isinstance(widget, ToggleWidget):
            self._set(box, row, not row.value)
        elif isinstance(widget, ChoiceWidget):
            self._choose(box, row, widget)
        elif isinstance(widget, TextWidget) and widget.multiline:
            rect = QRectF(PAD, row.y + ROW, box.face.width - 2 * PAD, row.height - ROW)
            self._type_lines(box, rect, str(row.value or ""), lambda t: self._set(box, row, t))
        else:
            rect = QRectF(box.face.width / 3, row.y, box.face.width * 2 / 3 - 4, ROW)
            text = "" if row.value is None else str(row.value)
            self._type_line(box, rect, text, lambda t: self._take(box, row, t))
            self._number = row if isinstance(widget, NumberWidget | SeedWidget) else None

    def edit_name(self, item: NodeBox | FrameBox) -> None:
        """Edit a title, or a note's text."""
        if isinstance(item, NodeBox):
            rect = QRectF(28, 3, item.face.width - 32, TITLE - 6)
            title = self.desk.document.node(item.path).title or item.face.title
            self._type_line(item, rect, title, lambda t: self._rename(item, t))
        elif item.table == BACKDROPS:
            rect = QRectF(6, 3, item.body().width() - 12, TITLE - 6)
            self._type_line(item, rect, item.text, lambda t: self._retitle(item, "title", t))
        else:
            rect = QRectF(4, 4, item.body().width() - 8, item.body().height() - 8)
            self._type_lines(item, rect, item.text, lambda t: self._retitle(item, "text", t))

    def close(self, *, keep: bool = True) -> None:
        """End the editing."""
        widget, self.widget = self.widget, None
        if widget is None:
            return
        text = widget.toPlainText() if isinstance(widget, QPlainTextEdit) else widget.text()  # pyright: ignore
        widget.removeEventFilter(self)
        widget.hide()
        widget.deleteLater()
        self.desk.viewer.setFocus()
        if keep:
            self._keep(text)

    # what is kept

    def _set(self, box: NodeBox, row: Row, value: Any) -> None:
        if value != row.value or type(value) is not type(row.value):
            self.desk.ask(SetValue(box.path, row.port, value))

    def _take(self, box: NodeBox, row: Row, text: str) -> None:
        is_text = isinstance(row.spec.widget, TextWidget)
        if row.spec.optional and not is_text and not text.strip():
            self._set(box, row, None)
            return
        if not isinstance(row.spec.widget, NumberWidget | SeedWidget):
            self._set(box, row, text)
            return
        number = calculate(text)
        if number is None:
            self.desk.refuse(f"'{text}' is not a number.")
            return
        number = within(number, row.spec)
        self._set(box, row, float(number) if row.spec.type == FLOAT else round(number))

    def _rename(self, box: NodeBox, text: str) -> None:
        title = text.strip()
        if title != box.face.title:
            self.desk.ask(Rename(box.path, title))

    def _retitle(self, frame: FrameBox, key: str, text: str) -> None:
        if text != frame.text:
            entry = frame.entry if isinstance(frame.entry, dict) else {}
            what = f"edit {frame.table.removesuffix('s')}"
            self.desk.ask(SetEntry(frame.table, frame.path, {**entry, key: text}, what=what))

    def _claim(self, event: QKeyEvent) -> bool:
        """Keys that end the editing are ours before they are shortcuts; Ctrl+Enter keeps, then
        runs what was typed."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.close()
        elif enter or event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            event.accept()
            return True
        return False

    def _turn(self, row: Row, by: int) -> None:
        """One step up or down, by the wheel."""
        line = self.widget
        number = calculate(line.text()) if isinstance(line, QLineEdit) else None
        if isinstance(line, QLineEdit) and number is not None:
            value = within(number + by * step_of(row.spec), row.spec)
            line.setText(str(rounded(value, row.spec, fine=False)))

    # widgets

    def _choose(self, box: NodeBox, row: Row, widget: ChoiceWidget) -> None:
        self.close()
        self.menu = menu = QMenu(self.desk.viewer)
        group = QActionGroup(menu)
        for option in widget.options:
            action = QAction(
                widget.label(option), menu, checkable=True, checked=option == row.value
            )
            action.triggered.connect(lambda _=False, o=option: self._set(box, row, o))
            group.addAction(action)
            menu.addAction(action)
        viewport = self.desk.viewer.viewport()
        menu.popup(
            viewport.mapToGlobal(
                self._rect(box, QRectF(PAD, row.y + ROW, 1, 1)).topLeft().toPoint()
            )
        )

    def _type_line(self, item: NodeBox | FrameBox, rect: QRectF, text: str, keep) -> None:
        line = QLineEdit(text, self.desk.viewer.viewport())
        line.selectAll()
        line.setStyleSheet("QLineEdit { padding: 0 4px; border-radius: 4px; min-height: 0; }")
        self._show(line, item, rect, keep)

    def _type_lines(self, item: NodeBox | FrameBox, rect: QRectF, text: str, keep) -> None:
        lines = QPlainTextEdit(text, self.desk.viewer.viewport())
        lines.setTabChangesFocus(True)
        lines.selectAll()
        lines.setStyleSheet("QPlainTextEdit { padding: 0; border-radius: 4px; }")
        lines.setToolTip("Ctrl+Enter keeps, Escape does not")
        self._show(lines, item, rect.adjusted(0, 0, 0, 24), keep)

    def _show(self, widget: QWidget, item: NodeBox | FrameBox, rect: QRectF, keep) -> None:
        self.close()
        self.widget, self._keep, self._number = widget, keep, None
        zoom = self.desk.viewer.zoom
        size = NORMAL if isinstance(item, FrameBox) or rect.top() < TITLE else SMALL
        font = self.desk.theme.font(size)
        font.setPixelSize(max(SMALL, round(size * zoom)))
        widget.setFont(font)
        place = self._rect(item, rect).toRect()
        place.setHeight(max(place.height(), 20))
        place.setWidth(max(place.width(), 96))
        widget.setGeometry(place)
        widget.installEventFilter(self)
        widget.show()
        widget.setFocus()

    def _rect(self, item: NodeBox | FrameBox, rect: QRectF) -> QRectF:
        """In pixels of the view."""
        look = self.desk.viewer.viewportTransform()
        return look.mapRect(rect.translated(QPointF(item.pos())))

    def eventFilter(self, watched, event) -> bool:  # noqa: N802
        if watched is not self.widget:
            return False
        if event.type() == QEvent.Type.FocusOut:
            if event.reason() not in (
                Qt.FocusReason.ActiveWindowFocusReason,
                Qt.FocusReason.PopupFocusReason,
            ):
                self.close()
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            return self._claim(event)
        if event.type() == QEvent.Type.Wheel and self._number is not None:
            self._turn(self._number, 1 if event.angleDelta().y() > 0 else -1)
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.close(keep=False)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            lines = isinstance(watched, QPlainTextEdit)
            if not lines or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.close()
                return True
        return False
