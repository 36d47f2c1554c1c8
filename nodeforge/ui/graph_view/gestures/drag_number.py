"""The gesture that changes a number by dragging its row."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from nodeforge.graph.edits import SetValue
from nodeforge.spec import INTEGER, NumberWidget, PortSpec, SeedWidget
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.gestures.pan_and_select import selection_after_click
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import ParameterRow

PIXELS = 4.0
"""Pixels per step."""


class DragNumber(Gesture):
    """Drag right to increase; Shift is ten times finer, Ctrl ten times coarser."""

    def __init__(self, session, start: QPointF, node_item: NodeItem, row: ParameterRow) -> None:
        super().__init__(session, start)
        self._box, self._row = node_item, row
        self._last = start.x()
        self._value = float(row.value)
        self._token = object()
        self._steps = len(session.document.history)

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        pace = (
            0.1
            if modifiers & Modifiers.ShiftModifier
            else 10
            if modifiers & Modifiers.ControlModifier
            else 1
        )
        steps = (place.x() - self._last) / PIXELS * pace
        self._last = place.x()
        self._value = within(self._value + steps * step_of(self._row.spec), self._row.spec)
        value = rounded(self._value, self._row.spec, fine=pace < 1)
        self.session.perform(SetValue(self._box.path, self._row.port, value, gesture=self._token))

    def click(self, modifiers: Modifiers) -> None:
        self.session.select_items(
            selection_after_click(set(self.session.selected_items()), self._box, modifiers)
        )

    def cancel(self) -> None:
        if len(self.session.document.history) > self._steps:
            self.session.document.undo()


def is_number(row: ParameterRow) -> bool:
    """Whether the row's value can be changed by dragging."""
    number = isinstance(row.value, int | float) and not isinstance(row.value, bool)
    return number and not row.linked and isinstance(row.spec.widget, NumberWidget | SeedWidget)


def step_of(spec: PortSpec) -> float:
    """The size of one step."""
    step = getattr(spec.widget, "step", None)
    if step:
        return step
    if spec.type == INTEGER:
        return 1
    low, high = getattr(spec.widget, "minimum", None), getattr(spec.widget, "maximum", None)
    return (high - low) / 200 if low is not None and high is not None else 0.1


def within(value: float, spec: PortSpec) -> float:
    low, high = getattr(spec.widget, "minimum", None), getattr(spec.widget, "maximum", None)
    if low is not None:
        value = max(low, value)
    return value if high is None else min(high, value)


def rounded(value: float, spec: PortSpec, *, fine: bool) -> int | float:
    """Round to whole steps, or to a tenth of a step for a fine drag."""
    if spec.type == INTEGER:
        step = getattr(spec.widget, "step", None) or 1
        return round(value) if fine else int(within(round(value / step) * step, spec))
    step = step_of(spec) * (0.1 if fine else 1)
    return within(float(f"{round(value / step) * step:.6g}"), spec)
