"""Fields for choices (combo box) and booleans (check box)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from nodeforge.ui.fields.field import MIXED, Field, ignore_wheel
from nodeforge.values.setting_names import AUTO


class ChoiceField(Field):
    """A combo box of options, shown by their `labels` (in the same order).

    A value that is not among the options is kept and shown.
    """

    def __init__(self, options: Sequence[str], labels: Sequence[str] = ()) -> None:
        super().__init__()
        self._options = list(options)
        self._menu = QComboBox()
        for option, label in zip(options, labels or options, strict=True):
            self._menu.addItem(label, option)
        self._menu.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu.setMinimumContentsLength(8)
        self._menu.activated.connect(self._chosen)
        ignore_wheel(self._menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._menu)

    def editor(self) -> QWidget:
        return self._menu

    def show_value(self, value: Any) -> None:
        while self._menu.count() > len(self._options):
            self._menu.removeItem(self._menu.count() - 1)
        if value is MIXED or value is None:
            self._menu.setCurrentIndex(-1)
            self._menu.setPlaceholderText("several values" if value is MIXED else "not set")
            return
        if value not in self._options:
            self._menu.addItem(str(value), value)
        self._menu.setCurrentIndex(self._menu.findData(value))

    def set_auto(self, text: str) -> None:
        if AUTO in self._options:
            place = self._options.index(AUTO)
            self._menu.setItemText(place, f"Auto: {text}" if text else "Auto")

    def _chosen(self, index: int) -> None:
        self.new_gesture()
        self.edited.emit(self._menu.itemData(index), [])


class ToggleField(Field):
    """A check box."""

    def __init__(self) -> None:
        super().__init__()
        self._box = QCheckBox()
        self._box.clicked.connect(self._clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)

    def editor(self) -> QWidget:
        return self._box

    def show_value(self, value: Any) -> None:
        self._box.setTristate(value is MIXED)
        states = Qt.CheckState
        on = states.Checked if value is True else states.Unchecked
        self._box.setCheckState(states.PartiallyChecked if value is MIXED else on)
        self._box.setText("several values" if value is MIXED else "On" if value else "Off")

    def _clicked(self) -> None:
        self.new_gesture()
        self.edited.emit(self._box.checkState() is not Qt.CheckState.Unchecked, [])
