"""The curve beside steps, sampler and guidance: how near a measured model comes by steps."""

from __future__ import annotations

import html
import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from nodeforge.lint.measured import MeasuredLoop
from nodeforge.models import CurvePoint
from nodeforge.ui.common import theme as themes
from nodeforge.ui.common.formatting import duration
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.values.sampling_labels import SAMPLER_LABELS

_HEIGHT = 116
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 18, 20, 18
_STEPS, _SECONDS = 24, 38
"""Pixels of a label below and above; those without room are left out."""
_FAINT = 0.5
"""Opacity of the curves of the other samplers."""
_DOT, _CHOSEN_DOT = 2.5, 4.5


class MeasuredCurve(QWidget):
    """Paints the distance by steps of a loop's sampler, with the chosen number marked.

    Args:
        workspace: Its theme.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._found: MeasuredLoop | None = None
        self._steps: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Distance to the converged picture by steps")
        workspace.theme_changed.connect(self.update)
        self.hide()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(220, _HEIGHT)

    def show_loop(self, found: MeasuredLoop | None, steps: int | None) -> None:
        """Show what was measured; None hides it.

        Args:
            found: Of the loop's model and sampler.
            steps: The loop's.
        """
        self._found, self._steps = found, steps
        self.setVisible(found is not None)
        if found is not None:
            self.setAccessibleDescription(summary(found, steps))
            self.setToolTip(tooltip(found, steps))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        if self._found is None:
            return
        theme, found = self._workspace.theme, self._found
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(themes.SMALL))
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)
        self._paint_axes(painter, theme, area)
        faint = QColor(theme.dim)
        faint.setAlphaF(_FAINT)
        for name in found.measurement.conditions.samplers:
            if name != found.sampler:
                curve = found.measurement.curve(name)
                self._paint_line(painter, QPen(faint, 1.5), area, curve)
        self._paint_line(painter, QPen(theme.accent, 2), area, found.curve)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.accent)
        for point in found.curve:
            painter.drawEllipse(self._place(area, point.steps, point.distance), _DOT, _DOT)
        self._paint_chosen(painter, theme, area)
        painter.end()

    def _paint_axes(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        painter.setPen(QPen(theme.line, 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.topRight())
        painter.setPen(theme.dim)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for share, text in ((0.0, "0 %"), (1.0, "100 %")):
            y = area.bottom() - share * area.height()
            painter.drawText(QRectF(0, y - 8, _LEFT - 4, 16), right, text)
        assert self._found is not None
        curve = self._found.curve
        below = [(point.steps, f"{point.steps}") for point in curve]
        above = [(point.steps, _short(point.seconds)) for point in curve if point.seconds]
        self._paint_labels(painter, area, below, area.bottom() + 2, _STEPS)
        self._paint_labels(painter, area, above, 2, _SECONDS)

    def _paint_labels(
        self,
        painter: QPainter,
        area: QRectF,
        labels: list[tuple[int, str]],
        top: float,
        width: float,
    ) -> None:
        """Paint labels at their steps, from the last to the first, where they have room."""
        free = math.inf
        for steps, text in reversed(labels):
            x = self._place(area, steps, 0).x()
            if x + width / 2 <= free:
                box = QRectF(x - width / 2, top, width, _BOTTOM - 2)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
                free = x - width / 2

    def _paint_line(
        self, painter: QPainter, pen: QPen, area: QRectF, curve: tuple[CurvePoint, ...]
    ) -> None:
        painter.setPen(pen)
        places = [self._place(area, point.steps, point.distance) for point in curve]
        if len(places) > 1:
            painter.drawPolyline(places)

    def _paint_chosen(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        assert self._found is not None
        if self._steps is None or (distance := self._found.distance(self._steps)) is None:
            return
        place = self._place(area, self._steps, distance)
        painter.setPen(QPen(theme.text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(place.x(), area.top()), QPointF(place.x(), area.bottom()))
        painter.setPen(QPen(theme.accent, 2))
        painter.setBrush(theme.text)
        painter.drawEllipse(place, _CHOSEN_DOT, _CHOSEN_DOT)

    def _place(self, area: QRectF, steps: int, distance: float) -> QPointF:
        """Where a number of steps (on a logarithmic axis) and a distance are."""
        assert self._found is not None
        first, last = self._found.curve[0].steps, self._found.curve[-1].steps
        across = math.log(steps / first) / math.log(last / first) if last > first else 0.5
        across, up = max(0.0, min(1.0, across)), max(0.0, min(1.0, distance))
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())


def summary(found: MeasuredLoop, steps: int | None) -> str:
    """The chosen number of steps, in words."""
    label, of = SAMPLER_LABELS[found.sampler], found.measurement.conditions
    where = f"measured on {of.device} at {of.width} × {of.height}, guidance {of.guidance:g}"
    distance = found.distance(steps) if steps else None
    if steps is None or distance is None:
        return f"{label}, {where}."
    seconds = found.seconds(steps)
    time = f", in {duration(seconds)}" if seconds else ""
    return (
        f"{label}: after {steps} steps the picture differs from the converged one by "
        f"{distance:.0%} of what another seed does{time}; {where}."
    )


def tooltip(found: MeasuredLoop, steps: int | None) -> str:
    """The curve as a table, with the chosen number of steps in words above."""
    rows = "".join(
        f"<tr><td align=right>{point.steps} steps</td><td align=right>{point.distance:.0%}</td>"
        f"<td align=right>{duration(point.seconds) if point.seconds else ''}</td></tr>"
        for point in found.curve
    )
    text = html.escape(summary(found, steps))
    others = [name for name in found.measurement.conditions.samplers if name != found.sampler]
    drawn = [SAMPLER_LABELS[name] for name in others if found.measurement.curve(name)]
    thin = f"<p>Thin lines: {html.escape(', '.join(drawn))}.</p>" if drawn else ""
    return f"<p>{text}</p><table cellspacing=6>{rows}</table>{thin}"


def _short(seconds: float) -> str:
    """A time that fits above the axis."""
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(round(seconds))
