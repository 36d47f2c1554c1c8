"""The colour panel: colour pad, foreground and background colour, hex field, swatches."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions
from nodeforge.ui.common.icons import icon

_STRIP = 14
_GAP = 6


class ColourPad(QWidget):
    """Saturation and value pad with a hue strip below."""

    chosen = Signal(QColor)

    def __init__(self) -> None:
        super().__init__()
        self._hue, self._saturation, self._value = 0.0, 0.0, 0.0
        self._in_strip = False
        self.setMinimumSize(120, 96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName("Colour")

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(200, 112)

    def show_colour(self, colour: QColor) -> None:
        hue, saturation, value, _ = colour.getHsvF()
        if hue >= 0:  # grey has none: the last one stays
            self._hue = hue
        self._saturation, self._value = saturation, value
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        pad, strip = self._pad(), self._strip()
        across = QLinearGradient(pad.topLeft(), pad.topRight())
        across.setColorAt(0, QColor("white"))
        across.setColorAt(1, QColor.fromHsvF(self._hue, 1, 1))
        down = QLinearGradient(pad.topLeft(), pad.bottomLeft())
        down.setColorAt(0, QColor(0, 0, 0, 0))
        down.setColorAt(1, QColor("black"))
        hues = QLinearGradient(strip.topLeft(), strip.topRight())
        for sixth in range(7):
            hues.setColorAt(sixth / 6, QColor.fromHsvF(sixth / 6 % 1, 1, 1))
        for rect, fill in ((pad, across), (pad, down), (strip, hues)):
            painter.setBrush(fill)
            painter.drawRoundedRect(rect, 4, 4)
        place = QPointF(
            pad.left() + self._saturation * pad.width(),
            pad.bottom() - self._value * pad.height(),
        )
        _ring(painter, place)
        _ring(painter, QPointF(strip.left() + self._hue * strip.width(), strip.center().y()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._in_strip = event.position().y() > self._pad().bottom() + _GAP / 2
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        pad, at = self._pad(), event.position()
        share = min(max((at.x() - pad.left()) / pad.width(), 0.0), 1.0)
        if self._in_strip:
            self._hue = min(share, 0.9999)
        else:
            self._saturation = share
            self._value = 1 - min(max((at.y() - pad.top()) / pad.height(), 0.0), 1.0)
        self.update()
        self.chosen.emit(QColor.fromHsvF(self._hue, self._saturation, self._value))

    def _pad(self) -> QRectF:
        return QRectF(6, 2, self.width() - 12, self.height() - _STRIP - _GAP - 4)

    def _strip(self) -> QRectF:
        return QRectF(6, self.height() - _STRIP - 2, self.width() - 12, _STRIP)


class ColourPanel(QWidget):
    """Edits the foreground and background colour and the swatches."""

    def __init__(self, tool_options: ToolOptions) -> None:
        super().__init__()
        self._tool_options = tool_options
        self.pad = ColourPad()
        self.pad.chosen.connect(tool_options.set_foreground)
        self._pair = ForegroundBackground(tool_options)
        self.hex = QLineEdit()
        self.hex.setAccessibleName("Colour as hex")
        self.hex.setFixedWidth(88)
        self.hex.editingFinished.connect(self._typed)
        row = QHBoxLayout()
        row.addWidget(self._pair)
        row.addWidget(self.hex)
        row.addWidget(_button("swap", "Swap the colours", tool_options.swap_colours))
        row.addWidget(
            _button(
                "plus", "Add to swatches", lambda: tool_options.add_swatch(tool_options.foreground)
            )
        )
        row.addStretch(1)
        self._swatches = QGridLayout()
        self._swatches.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 4)
        column.setSpacing(6)
        column.addWidget(self.pad)
        column.addLayout(row)
        column.addLayout(self._swatches)
        column.addStretch(1)
        tool_options.colours_changed.connect(self._show)
        self._shown: list[str] = []
        self._show()

    def _show(self) -> None:
        self.pad.show_colour(self._tool_options.foreground)
        self.hex.setText(self._tool_options.foreground.name())
        if self._shown != self._tool_options.swatches:
            self._shown = list(self._tool_options.swatches)
            self._fill()

    def _fill(self) -> None:
        while self._swatches.count():
            item = self._swatches.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None:
                widget.deleteLater()
        for number, name in enumerate(self._shown):
            self._swatches.addWidget(_Swatch(self._tool_options, name), number // 8, number % 8)

    def _typed(self) -> None:
        colour = QColor(self.hex.text().strip())
        if colour.isValid():
            self._tool_options.set_foreground(colour)
        self.hex.setText(self._tool_options.foreground.name())


class ForegroundBackground(QWidget):
    """Shows the foreground over the background colour; a click swaps them."""

    def __init__(self, tool_options: ToolOptions) -> None:
        super().__init__()
        self._tool_options = tool_options
        self.setFixedSize(40, 32)
        self.setToolTip("Foreground and background colour; click to swap (Shift+X), D resets")
        tool_options.colours_changed.connect(self.update)
        self.setAccessibleName("Foreground and background colour")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().mid().color(), 1))
        for colour, rect in (
            (self._tool_options.background, QRectF(15, 9, 22, 20)),
            (self._tool_options.foreground, QRectF(3, 2, 22, 20)),
        ):
            painter.setBrush(colour)
            painter.drawRect(rect)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._tool_options.swap_colours()


class _Swatch(QWidget):
    def __init__(self, tool_options: ToolOptions, name: str) -> None:
        super().__init__()
        self._tool_options, self._name = tool_options, name
        self.setMinimumSize(16, 16)
        self.setMaximumHeight(16)
        self.setToolTip(name)
        self.setAccessibleName(f"Swatch {name}")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setPen(QPen(self.palette().mid().color(), 1))
        painter.setBrush(QColor(self._name))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        right = event.button() is Qt.MouseButton.RightButton
        (self._tool_options.set_background if right else self._tool_options.set_foreground)(
            QColor(self._name)
        )


def _ring(painter: QPainter, at: QPointF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, radius in ((QColor(0, 0, 0, 150), 6), (QColor("white"), 5)):
        painter.setPen(QPen(colour, 1.5))
        painter.drawEllipse(at, radius, radius)
    painter.setPen(Qt.PenStyle.NoPen)


def _button(name: str, text: str, do: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon(name))
    button.setToolTip(text)
    button.setAccessibleName(text)
    button.clicked.connect(lambda: do())
    return button


class ColourButton(ForegroundBackground):
    """The colours in the tool bar; a click opens the colour panel beside them."""

    def __init__(self, tool_options: ToolOptions) -> None:
        super().__init__(tool_options)
        self.setToolTip("Colours: click to choose. Shift+X swaps them, D resets them")
        self.setAccessibleName("Colours")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.popup: QMenu | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self.popup is None:
            self.popup = QMenu(self)
            action = QWidgetAction(self.popup)
            action.setDefaultWidget(ColourPanel(self._tool_options))
            self.popup.addAction(action)
        self.popup.popup(self.mapToGlobal(QPoint(self.width() + 4, 0)))
