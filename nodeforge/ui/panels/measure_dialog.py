"""The dialog that says how long a measurement takes, and the line that shows how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.formatting import duration, plural
from nodeforge.ui.common.icons import icon
from nodeforge.ui.running.idle_measuring import IdleMeasuring
from nodeforge.values.sampling_labels import SAMPLER_LABELS

if TYPE_CHECKING:
    from nodeforge.engine.measurements.measuring import Forecast, Measuring

_WIDTH = 440
_HOW = (
    "It is run while you do nothing in this window. It stops as soon as you press a key, move the "
    "mouse or run something, and goes on when you pause. What was measured is kept at once."
)


class MeasureDialog(QDialog):
    """Says what is measured and how long that takes, once some steps were tried.

    Args:
        idle: What measures; its probe runs.
        measuring: The measurement.
        parent: The window.
    """

    started = Signal()

    def __init__(self, idle: IdleMeasuring, measuring: Measuring, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Measure “{measuring.model.name}”")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self._idle, self._measuring = idle, measuring
        self.what = QLabel(what_text(measuring), wordWrap=True)
        self.time = QLabel(wordWrap=True)
        self.time.setProperty("role", "heading")
        how = QLabel(_HOW, wordWrap=True)
        how.setProperty("role", "dim")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = QPushButton("Measure")
        self.start.setProperty("primary", True)
        self.buttons.addButton(self.start, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(12)
        for part in (self.what, self.time, how, self.buttons):
            column.addWidget(part)
        idle.changed.connect(self._show)
        idle.ended.connect(self._ended)
        self._show()

    def reject(self) -> None:
        self._idle.cancel()
        super().reject()

    def _accept(self) -> None:
        self.accept()
        self.started.emit()

    def _show(self) -> None:
        if self._idle.measuring is not self._measuring:
            return
        forecast = self._measuring.forecast
        self.start.setEnabled(forecast is not None)
        self.time.setText(time_text(forecast) if forecast else "Trying a few steps…")

    def _ended(self, measuring: Measuring, why: str) -> None:
        if measuring is self._measuring:
            self.start.setEnabled(False)
            self.time.setText(why or "Everything is measured.")


class MeasureProgress(QWidget):
    """How far a measurement is, with a button that cancels it; hidden while there is none.

    Args:
        idle: What measures.
    """

    def __init__(self, idle: IdleMeasuring) -> None:
        super().__init__()
        self._idle = idle
        self.text = QLabel()
        self.text.setAccessibleName("Measurement of a model")
        self.cancel = QToolButton()
        self.cancel.setIcon(icon("x"))
        self.cancel.setAccessibleName("Cancel the measurement")
        self.cancel.setToolTip("Cancel the measurement; what was measured is kept")
        self.cancel.clicked.connect(idle.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.text)
        row.addWidget(self.cancel)
        idle.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        measuring = self._idle.measuring
        self.setVisible(self._idle.is_agreed)
        if measuring is None or not self._idle.is_agreed:
            return
        known = measuring.measurement
        state = "" if self._idle.is_running else ", waits until you pause"
        self.text.setText(
            f"Measuring {measuring.model.name} {len(known.cells)}/{known.wanted}{state}"
        )
        if forecast := measuring.forecast:
            self.text.setToolTip(time_text(forecast))


def what_text(measuring: Measuring) -> str:
    """What is measured, in words."""
    of = measuring.measurement.conditions
    samplers = ", ".join(SAMPLER_LABELS[name] for name in of.samplers)
    steps = ", ".join(map(str, of.steps))
    return (
        f"How near {samplers} come to the converged picture with {steps} steps, and how long "
        f"that takes here: {plural(len(of.prompts), 'prompt')}, {of.width} × {of.height}, "
        f"guidance {of.guidance:g}."
    )


def time_text(forecast: Forecast) -> str:
    """What is left, in words."""
    if not forecast.runs:
        return "Everything is measured."
    return f"About {duration(forecast.seconds)} in {plural(forecast.runs, 'run')}."
