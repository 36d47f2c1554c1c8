"""Inline editing of parameters, titles and notes in the graph view."""

from __future__ import annotations

from contextlib import suppress
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
from nodeforge.spec.arithmetic import ExpressionError, evaluate
from nodeforge.ui.common.focus import return_focus
from nodeforge.ui.common.number_text import out_of_range
from nodeforge.ui.common.theme import NORMAL, SMALL
from nodeforge.ui.graph_view.gestures.drag_number import rounded, step_of, within
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, FrameItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import PAD, ROW, TITLE, ParameterRow
from nodeforge.ui.graph_view.session import GraphSession


class InlineEditor(QObject):
    """Shows an editor over a row or title; Enter and focus loss accept, Escape cancels."""

    def __init__(self, session: GraphSession) -> None:
        super().__init__()
        self.session = session
        self.widget: QWidget | None = None
        self.menu: QMenu | None = None
        self._keep = lambda _text: None
        self._number: ParameterRow | None = None
        session.viewer.view_changed.connect(self.close)

    def edit_row(self, node_item: NodeItem, row: ParameterRow) -> None:
        """Edit a parameter with a menu, a toggle, a line or a text editor."""
        widget = row.spec.widget
        if isinstance(widget, ToggleWidget):
            self._set(node_item, row, not row.value)
        elif isinstance(widget, ChoiceWidget):
            self._choose(node_item, row, widget)
        elif isinstance(widget, TextWidget) and widget.multiline:
            rect = QRectF(PAD, row.y + ROW, node_item.layout.width - 2 * PAD, row.height - ROW)
            self._type_lines(
                node_item, rect, str(row.value or ""), lambda t: self._set(node_item, row, t)
            )
        else:
            rect = QRectF(
                node_item.layout.width / 3, row.y, node_item.layout.width * 2 / 3 - 4, ROW
            )
            text = "" if row.value is None else str(row.value)
            self._type_line(node_item, rect, text, lambda t: self._take(node_item, row, t))
            self._number = row if isinstance(widget, NumberWidget | SeedWidget) else None

    def edit_name(self, item: NodeItem | FrameItem) -> None:
        """Edit a title, or a note's text."""
        if isinstance(item, NodeItem):
            rect = QRectF(28, 3, item.layout.width - 32, TITLE - 6)
            title = self.session.document.node(item.path).title or item.layout.title
            self._type_line(item, rect, title, lambda t: self._rename(item, t))
        elif item.table == BACKDROPS:
            rect = QRectF(6, 3, item.body().width() - 12, TITLE - 6)
            self._type_line(item, rect, item.text, lambda t: self._retitle(item, "title", t))
        else:
            rect = QRectF(4, 4, item.body().width() - 8, item.body().height() - 8)
            self._type_lines(item, rect, item.text, lambda t: self._retitle(item, "text", t))

    def close(self, *, keep: bool = True) -> None:
        """Close the editor."""
        widget, self.widget = self.widget, None
        if widget is None:
            return
        text = widget.toPlainText() if isinstance(widget, QPlainTextEdit) else widget.text()  # pyright: ignore
        widget.removeEventFilter(self)
        return_focus(widget, self.session.viewer)
        widget.hide()
        widget.deleteLater()
        if keep:
            self._keep(text)

    # writing values

    def _set(self, node_item: NodeItem, row: ParameterRow, value: Any) -> None:
        if value != row.value or type(value) is not type(row.value):
            self.session.perform(SetValue(node_item.path, row.port, value))

    def _take(self, node_item: NodeItem, row: ParameterRow, text: str) -> None:
        is_text = isinstance(row.spec.widget, TextWidget)
        if row.spec.optional and not is_text and not text.strip():
            self._set(node_item, row, None)
            return
        if not isinstance(row.spec.widget, NumberWidget | SeedWidget):
            self._set(node_item, row, text)
            return
        try:
            number = evaluate(text)
        except ExpressionError as error:
            self.session.refuse(f"'{text}' {error}.")
            return
        low, high = (getattr(row.spec.widget, name, None) for name in ("minimum", "maximum"))
        if cut := out_of_range(number, low, high):
            self.session.refuse(f"{row.label}: {cut}")
        number = within(number, row.spec)
        self._set(node_item, row, float(number) if row.spec.type == FLOAT else round(number))

    def _rename(self, node_item: NodeItem, text: str) -> None:
        title = text.strip()
        if title != node_item.layout.title:
            self.session.perform(Rename(node_item.path, title))

    def _retitle(self, frame: FrameItem, key: str, text: str) -> None:
        if text != frame.text:
            entry = frame.entry if isinstance(frame.entry, dict) else {}
            what = f"edit {frame.table.removesuffix('s')}"
            self.session.perform(SetEntry(frame.table, frame.path, {**entry, key: text}, what=what))

    def _override_shortcut(self, event: QKeyEvent) -> bool:
        """Override shortcuts for keys that end editing; Ctrl+Enter accepts the text, then runs."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.close()
        elif enter or event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            event.accept()
            return True
        return False

    def _turn(self, row: ParameterRow, by: int) -> None:
        """Step the number by the wheel."""
        line = self.widget
        if not isinstance(line, QLineEdit):
            return
        with suppress(ExpressionError):  # it is told when the text is taken
            value = within(evaluate(line.text()) + by * step_of(row.spec), row.spec)
            line.setText(str(rounded(value, row.spec, fine=False)))

    # widgets

    def _choose(self, node_item: NodeItem, row: ParameterRow, widget: ChoiceWidget) -> None:
        self.close()
        self.menu = menu = QMenu(self.session.viewer)
        group = QActionGroup(menu)
        for option in widget.options:
            action = QAction(
                widget.label(option), menu, checkable=True, checked=option == row.value
            )
            action.triggered.connect(lambda _=False, o=option: self._set(node_item, row, o))
            group.addAction(action)
            menu.addAction(action)
        viewport = self.session.viewer.viewport()
        menu.popup(
            viewport.mapToGlobal(
                self._rect(node_item, QRectF(PAD, row.y + ROW, 1, 1)).topLeft().toPoint()
            )
        )

    def _type_line(self, item: NodeItem | FrameItem, rect: QRectF, text: str, keep) -> None:
        line = QLineEdit(text, self.session.viewer.viewport())
        line.selectAll()
        line.setStyleSheet("QLineEdit { padding: 0 4px; border-radius: 4px; min-height: 0; }")
        self._show(line, item, rect, keep)

    def _type_lines(self, item: NodeItem | FrameItem, rect: QRectF, text: str, keep) -> None:
        lines = QPlainTextEdit(text, self.session.viewer.viewport())
        lines.setTabChangesFocus(True)
        lines.selectAll()
        lines.setStyleSheet("QPlainTextEdit { padding: 0; border-radius: 4px; }")
        lines.setToolTip("Ctrl+Enter keeps, Escape does not")
        self._show(lines, item, rect.adjusted(0, 0, 0, 24), keep)

    def _show(self, widget: QWidget, item: NodeItem | FrameItem, rect: QRectF, keep) -> None:
        self.close()
        self.widget, self._keep, self._number = widget, keep, None
        zoom = self.session.viewer.zoom
        size = NORMAL if isinstance(item, FrameItem) or rect.top() < TITLE else SMALL
        font = self.session.theme.font(size)
        font.setPixelSize(max(SMALL, round(size * zoom)))
        widget.setFont(font)
        place = self._rect(item, rect).toRect()
        place.setHeight(max(place.height(), 20))
        place.setWidth(max(place.width(), 96))
        widget.setGeometry(place)
        widget.installEventFilter(self)
        widget.show()
        widget.setFocus()

    def _rect(self, item: NodeItem | FrameItem, rect: QRectF) -> QRectF:
        """A rectangle of an item in view pixels."""
        look = self.session.viewer.viewportTransform()
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
            return self._override_shortcut(event)
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
