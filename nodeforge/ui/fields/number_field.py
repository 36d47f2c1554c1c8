"""The number field: a line edit that accepts expressions, and a slider."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSlider, QWidget

from nodeforge.spec import NumberWidget, unset_text
from nodeforge.spec.arithmetic import evaluate
from nodeforge.ui.common.number_text import format_number, format_percent, out_of_range
from nodeforge.ui.fields.field import MIXED, Field, ignore_wheel

_NOTCHES = 1000
_WIDE = 100
"""Ratio of maximum to minimum from which the slider is logarithmic."""
_LONG, _FRAME = "auto: 1024", 20
"""A text that the box has room for, and pixels around it."""


class NumberLineEdit(QLineEdit):
    """A line edit for numbers; arrow keys and the wheel (with focus) step the value."""

    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        sign = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        if sign is None:
            super().keyPressEvent(event)
            return
        coarse = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        self.stepped.emit(sign * (10 if coarse else 1))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if not self.hasFocus():
            event.ignore()
            return
        self.stepped.emit(1 if event.angleDelta().y() > 0 else -1)
        event.accept()


class NumberField(Field):
    """An integer or float within a range, with a slider if both limits are given.

    With `optional`, an empty text is None. With `percent`, shares are written and typed as per
    cent: 0.43 is ``43 %``.
    """

    def __init__(
        self, widget: NumberWidget, *, whole: bool, optional: bool = False, percent: bool = False
    ) -> None:
        super().__init__()
        self._percent = percent
        self._optional = optional
        self._low, self._high = widget.minimum, widget.maximum
        soft = widget.soft_maximum
        self._end = soft if soft is not None and widget.allows(soft) else self._high
        """Where the slider ends; None for no slider."""
        self._step = widget.step or (1.0 if whole else 0.1)
        self._whole = whole
        self._value: float | None = None
        self._empty = unset_text(widget)
        self._unset = self._empty
        self._help = ""
        self._box = NumberLineEdit()
        self._box.editingFinished.connect(self._typed)
        self._box.stepped.connect(self._stepped)
        self._box.setMinimumWidth(self._box.fontMetrics().horizontalAdvance(_LONG) + _FRAME)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._slider = self._make_slider()
        if self._slider is not None:
            row.addWidget(self._slider, 3)
        row.addWidget(self._box, 2)

    def editor(self) -> QWidget:
        return self._box

    def set_label(self, name: str) -> None:
        super().set_label(name)
        if self._slider is not None:
            self._slider.setAccessibleName(f"{name}, slider")

    def show_value(self, value: Any) -> None:
        self._mark("")
        if value is MIXED or not isinstance(value, int | float):
            self._value = None
            self._box.setPlaceholderText("several values" if value is MIXED else self._unset)
            self._box.setText("" if value is MIXED or value is None else str(value))
            self._turn_slider(0)
            return
        self._value = value
        text = self._text_of(value)
        if self._box.text() != text:
            self._box.setText(text)
        self._turn_slider(self._to_notch(value))

    def set_auto(self, text: str) -> None:
        self._unset = f"auto: {text}" if text else self._empty
        if self._value is None and self._box.placeholderText() != "several values":
            self._box.setPlaceholderText(self._unset)

    def _turn_slider(self, notch: int) -> None:
        """Move the slider without emitting `edited`."""
        if self._slider is not None and not self._slider.isSliderDown():
            self._slider.blockSignals(True)
            self._slider.setValue(notch)
            self._slider.blockSignals(False)

    def _make_slider(self) -> QSlider | None:
        if self._low is None or self._end is None or self._end - self._low > 2**31:
            return None
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, _NOTCHES)
        slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        slider.setAccessibleName("slider")
        slider.sliderPressed.connect(self.new_gesture)
        slider.valueChanged.connect(self._slid)
        ignore_wheel(slider)
        return slider

    @property
    def _is_wide(self) -> bool:
        assert self._low is not None
        assert self._end is not None
        return self._low > 0 and self._end / self._low >= _WIDE

    def _to_notch(self, value: float) -> int:
        if self._low is None or self._end is None:
            return 0
        if self._end <= self._low:
            return 0
        value = min(max(value, self._low), self._end)
        share = (value - self._low) / (self._end - self._low)
        if self._is_wide:
            share = math.log(value / self._low) / math.log(self._end / self._low)
        return round(share * _NOTCHES)

    def _slid(self, notch: int) -> None:
        assert self._low is not None
        assert self._end is not None
        share = notch / _NOTCHES
        value = self._low + share * (self._end - self._low)
        if self._is_wide:
            value = self._low * (self._end / self._low) ** share
        value = self._low + round((value - self._low) / self._step) * self._step
        self._set_value(value)

    def _stepped(self, times: int) -> None:
        if self._box.isModified():
            self._typed()
        self._set_value((self._value or 0) + times * self._step)

    def _typed(self) -> None:
        text = self._box.text()
        if not self._box.isModified() or (self._value is None and not text):
            return
        self._box.setModified(False)
        if self._optional and not text.strip():
            self.new_gesture()
            self.edited.emit(None, [])
            return
        try:
            value = self._value_of(text)
        except ValueError:
            self._mark("Not a number. Expressions such as 512*1.5 are allowed.")
            return
        self.new_gesture()
        self._set_value(value)
        if self._value is not None:
            self.show_value(self._value)
        if cut := out_of_range(value, self._low, self._high, self._text_of):
            self.refused.emit(f"{self._box.accessibleName()}: {cut}".removeprefix(": "))

    def _mark(self, error: str) -> None:
        """Show that the text is wrong, and why; an empty `error` that it is right."""
        if bool(error) == bool(self._box.property("wrong")):
            return
        if error:
            self._help = self._box.toolTip()
        self._box.setProperty("wrong", bool(error))
        self._box.setToolTip(error or self._help)
        self._box.style().polish(self._box)

    def _set_value(self, value: float) -> None:
        value = value if self._low is None else max(value, self._low)
        value = value if self._high is None else min(value, self._high)
        given: float = round(value) if self._whole else round(float(value), 6)
        if given != self._value:
            self.edited.emit(given, [])
        elif self._value is not None:
            self._box.setText(self._text_of(self._value))

    def _text_of(self, value: float) -> str:
        return format_percent(value) if self._percent else format_number(value)

    def _value_of(self, text: str) -> float:
        return evaluate(text.replace("%", "")) / 100 if self._percent else evaluate(text)
