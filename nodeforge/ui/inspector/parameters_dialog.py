"""A dialog over inputs that are shown elsewhere: which, in which order, and how."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.graph.edits import GraphEdit, Together
from nodeforge.graph.presentation import Presentation
from nodeforge.spec import INTEGER, NumberWidget, PortSpec
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.fields.number_field import NumberField

_KEY = Qt.ItemDataRole.UserRole


class ParametersDialog(QDialog):
    """Chooses, orders and labels inputs; OK is one edit.

    Args:
        records: Key to its record (`nodeforge.graph.presentation`), in order.
        what: Names the edit and the list.
        add, remove: The texts of the two buttons.
    """

    SHOWN = ""
    """What is said over the list."""
    EMPTY = ""
    """What is said instead while nothing is on it."""

    def __init__(
        self,
        opened: OpenDocument,
        records: dict[str, dict[str, Any]],
        what: str,
        buttons: tuple[str, str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._opened = opened
        self._before = {key: dict(record) for key, record in records.items()}
        self._records = {key: dict(record) for key, record in records.items()}
        self.list = QListWidget()
        self.list.setAccessibleName(what)
        self.list.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.label, self.help = QLineEdit(), QLineEdit()
        self._form = QFormLayout()
        self._add_text("&Label", "label", self.label)
        self._add_text("&Help", "help", self.help)
        self._range: list[NumberField] = []
        self.note = QLabel(wordWrap=True)
        self.note.setProperty("role", "dim")
        self._arrange(*buttons)
        for key in self._records:
            self._add_item(key)
        self.list.setCurrentRow(0)
        self._show()
        self.resize(560, 400)

    @abstractmethod
    def _spec(self, key: str) -> PortSpec | None:
        """The input as it is without the record, with its whole range."""

    @abstractmethod
    def _plain_label(self, key: str) -> str:
        """What it is called without a label."""

    @abstractmethod
    def _stands_for(self, key: str) -> str:
        """The node and the input."""

    @abstractmethod
    def _fill_menu(self) -> None:
        """Offer in the button's menu what is not on the list; `_add` puts it there."""

    @abstractmethod
    def _edit_name(self) -> str:
        """What the edit is called in the history."""

    @abstractmethod
    def _edits(self, order: list[str]) -> Iterator[GraphEdit]:
        """What makes the list true, in this order."""

    def _fault(self, _order: list[str]) -> tuple[int, str] | None:
        """A row that cannot be kept, and why."""
        return None

    def _add_text(self, title: str, field: str, editor: QLineEdit) -> None:
        editor.textEdited.connect(lambda text: self._set(field, text.strip()))
        self._form.addRow(title, editor)

    def _arrange(self, add: str, remove: str) -> None:
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.list, 1)
        right = QVBoxLayout()
        right.addLayout(self._form)
        right.addStretch(1)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.addWidget(self.note)
        column.addLayout(row)
        column.addLayout(self._tools(add, remove))
        column.addWidget(buttons)

    def _tools(self, add: str, remove: str) -> QHBoxLayout:
        row = QHBoxLayout()
        self.add = QPushButton(add)
        self.add.setMenu(QMenu(self.add))
        self.add.menu().aboutToShow.connect(self._fill_menu)
        self.remove = QPushButton(remove)
        self.remove.clicked.connect(self._remove)
        self.up, self.down = (QToolButton() for _ in range(2))
        for button, name, text, step in (
            (self.up, "arrow-up", "Move up", -1),
            (self.down, "arrow-down", "Move down", 1),
        ):
            button.setIcon(icon(name))
            button.setToolTip(text)
            button.setAccessibleName(text)
            button.clicked.connect(lambda _=False, step=step: self._move(step))
        for widget in (self.add, self.remove, self.up, self.down):
            row.addWidget(widget)
        row.addStretch(1)
        return row

    def _add_item(self, key: str) -> None:
        item = QListWidgetItem(self._label_of(key))
        item.setData(_KEY, key)
        item.setToolTip(self._stands_for(key))
        self.list.addItem(item)

    def _add(self, key: str, record: dict[str, Any]) -> None:
        """Put an input at the end of the list."""
        self._records[key] = record
        self._add_item(key)
        self.list.setCurrentRow(self.list.count() - 1)

    def _label_of(self, key: str) -> str:
        return Presentation.from_json(self._records[key]).label or self._plain_label(key)

    def _key(self) -> str:
        item = self.list.currentItem()
        return item.data(_KEY) if item is not None else ""

    def _show(self) -> None:
        """Show the record of the chosen input."""
        key = self._key()
        self.note.setText(self.SHOWN if self.list.count() else self.EMPTY)
        record, spec = self._records.get(key, {}), self._spec(key) if key else None
        for field in self._range:
            self._form.removeRow(field)
        self._range = []
        for widget in (self.label, self.help, self.remove, self.up, self.down):
            widget.setEnabled(bool(key))
        shown = Presentation.from_json(record)
        self.label.setText(shown.label)
        self.label.setPlaceholderText(self._plain_label(key) if key else "")
        self.help.setText(shown.help)
        self.help.setPlaceholderText(spec.doc if spec else "")
        if spec is not None and isinstance(spec.widget, NumberWidget):
            for name in ("minimum", "maximum"):
                self._add_end(name, spec, getattr(shown, name))

    def _add_end(self, name: str, spec: PortSpec, value: float | None) -> None:
        assert isinstance(spec.widget, NumberWidget)
        field = NumberField(NumberWidget(), whole=spec.type == INTEGER, optional=True)
        field.set_label(name)
        own = getattr(spec.widget, name)

        def show(number: float | None) -> None:
            field.show_value(number)
            field.editor().setPlaceholderText(f"{own:g}" if own is not None else "no limit")

        def keep(number: float | None, _before: object) -> None:
            self._set(name, number)
            show(number)

        show(value)
        field.edited.connect(keep)
        self._form.addRow(f"&{name.capitalize()}", field)
        self._range.append(field)

    def _set(self, field: str, value: Any) -> None:
        key = self._key()
        record = self._records[key]
        if value in ("", None):
            record.pop(field, None)
        else:
            record[field] = value
        if field == "label":
            self.list.currentItem().setText(self._label_of(key))

    def _move(self, step: int) -> None:
        row = self.list.currentRow()
        if 0 <= row + step < self.list.count():
            self.list.insertItem(row + step, self.list.takeItem(row))
            self.list.setCurrentRow(row + step)

    def _remove(self) -> None:
        key = self._key()
        self.list.takeItem(self.list.currentRow())
        self._records.pop(key, None)
        self._show()

    def accept(self) -> None:
        """Make the edit, unless something on the list is impossible."""
        order = self._order()
        if (fault := self._empty_range(order) or self._fault(order)) is not None:
            row, text = fault
            self.list.setCurrentRow(row)
            self.note.setText(text)
            return
        if order != list(self._before) or self._records != self._before:
            self._opened.perform(Together(self._edit_name(), self._edits(order)))
        super().accept()

    def _empty_range(self, order: list[str]) -> tuple[int, str] | None:
        for row, key in enumerate(order):
            spec, shown = self._spec(key), Presentation.from_json(self._records[key])
            if spec is not None and not shown.fits(spec):
                allowed = spec.widget.allowed if isinstance(spec.widget, NumberWidget) else ""
                return row, (
                    f"“{self._label_of(key)}” takes {allowed}: "
                    "no number is in the range that is given here."
                )
        return None

    def _order(self) -> list[str]:
        return [self.list.item(row).data(_KEY) for row in range(self.list.count())]
