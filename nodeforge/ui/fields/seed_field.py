"""The seed field: a number, random and next buttons, and how it changes when a run is queued."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from nodeforge.spec import NumberWidget, SeedWidget
from nodeforge.ui.common.icons import icon
from nodeforge.ui.documents.seeds import MODES, random_seed
from nodeforge.ui.fields.field import Field, ignore_wheel
from nodeforge.ui.fields.number_field import NumberField


class SeedField(Field):
    """Edits a seed, and how it changes when a run is queued."""

    mode_chosen = Signal(str)

    def __init__(self, widget: SeedWidget, mode: str) -> None:
        super().__init__()
        self._number = NumberField(NumberWidget(widget.minimum, widget.maximum, 1), whole=True)
        self._number.edited.connect(self._passed_on)
        self._number.refused.connect(self.refused)
        self._value: Any = 0
        self._modes = QComboBox()
        for name, text in MODES.items():
            self._modes.addItem(text, name)
        self._modes.setCurrentIndex(list(MODES).index(mode))
        self._modes.setToolTip(
            "What happens to the seed when a run is queued; the seed shown is that of the last run"
        )
        self._modes.activated.connect(lambda _: self.mode_chosen.emit(self._modes.currentData()))
        ignore_wheel(self._modes)
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._modes)
        row.addWidget(self._number, 1)
        row.addWidget(_button("dice-five", "Random seed", self._draw))
        row.addWidget(_button("plus", "Next seed", self._next))

    def editor(self) -> QWidget:
        return self._number.editor()

    def set_label(self, name: str) -> None:
        self._number.set_label(name)
        self._modes.setAccessibleName(f"{name} in the next run")

    def show_value(self, value: Any) -> None:
        self._value = value
        self._number.show_value(value)

    def show_mode(self, mode: str) -> None:
        """Show the mode without emitting a signal."""
        self._modes.setCurrentIndex(list(MODES).index(mode))

    def _passed_on(self, value: Any, before: list[Any]) -> None:
        self.gesture = self._number.gesture
        self.edited.emit(value, before)

    def _draw(self) -> None:
        self.new_gesture()
        self.edited.emit(random_seed(), [])

    def _next(self) -> None:
        self.new_gesture()
        self.edited.emit((self._value if isinstance(self._value, int) else 0) + 1, [])


def _button(name: str, text: str, do: Any) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.clicked.connect(do)
    return button
