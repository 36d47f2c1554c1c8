"""The Scale image and Canvas size dialogs."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QToolButton,
    QWidget,
)

from nodeforge.canvas import LONGEST_SIDE
from nodeforge.imaging import Method

_KINDS = {
    Method.LANCZOS: "Lanczos: sharpest",
    Method.BICUBIC: "Bicubic: smooth",
    Method.BILINEAR: "Bilinear: soft",
    Method.AREA: "Area: plain averages",
    Method.NEAREST: "Nearest: pixel art",
}
_PLACES = ((0.0, "left", "top"), (0.5, "middle", "middle"), (1.0, "right", "bottom"))


class ImageScale(NamedTuple):
    """The size to scale the image to, pixels, and the resampling method."""

    width: int
    height: int
    method: Method


class CanvasSize(NamedTuple):
    """The canvas size, pixels, and the anchor of the picture, 0..1."""

    width: int
    height: int
    across: float
    down: float


class ExpandDialog(QDialog):
    """Asks for the pixels to add at each side of a picture."""

    SIDES = ("Left", "Top", "Right", "Bottom")

    def __init__(self, parent: QWidget, size: tuple[int, int], pixels: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Expand picture")
        self._size = size
        form = QFormLayout(self)
        self.sides: dict[str, QCheckBox] = {}
        self.pixels = _pixels("Pixels", pixels)
        form.addRow("&Pixels", self.pixels)
        row = QHBoxLayout()
        for side in self.SIDES:
            self.sides[side] = QCheckBox(side)
            self.sides[side].toggled.connect(self._show)
            row.addWidget(self.sides[side])
        form.addRow("Sides", row)
        self.summary = QLabel()
        self.summary.setProperty("role", "dim")
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.buttons.button(kinds.Ok).setText("Expand")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.pixels.valueChanged.connect(self._show)
        form.addRow(self.summary)
        form.addRow(self.buttons)
        self.sides["Right"].setChecked(True)
        self.pixels.selectAll()
        self._show()

    def value(self) -> tuple[int, int, int, int]:
        """Pixels to add at left, top, right and bottom."""
        pixels = self.pixels.value()
        left, top, right, bottom = (
            pixels if self.sides[side].isChecked() else 0 for side in self.SIDES
        )
        return left, top, right, bottom

    def _show(self) -> None:
        """Show the resulting size, or why it is not possible."""
        left, top, right, bottom = self.value()
        width, height = self._size[0] + left + right, self._size[1] + top + bottom
        possible = max(width, height) <= LONGEST_SIDE and (width, height) != self._size
        now = f"{self._size[0]} × {self._size[1]}"
        text = f"{now} becomes {width} × {height} px, once a candidate is accepted."
        if not possible:
            text = f"Choose a side. Each side may be up to {LONGEST_SIDE} px."
        self.summary.setText(text)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(possible)


class _BaseSizeDialog(QDialog):
    """Width and height fields that keep the proportions while linked."""

    def __init__(self, parent: QWidget, title: str, size: tuple[int, int], linked: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._size = size
        self.form = QFormLayout(self)
        self.width_box, self.height_box = _pixels("Width", size[0]), _pixels("Height", size[1])
        self.keep_proportions = QCheckBox("Keep proportions", checked=linked)
        self.form.addRow("&Width", self.width_box)
        self.form.addRow("&Height", self.height_box)
        self.form.addRow("", self.keep_proportions)
        self.width_box.valueChanged.connect(lambda value: self._follow(value, 0))
        self.height_box.valueChanged.connect(lambda value: self._follow(value, 1))
        self.keep_proportions.toggled.connect(
            lambda on: on and self._follow(self.width_box.value(), 0)
        )
        self.summary = QLabel()
        self.summary.setProperty("role", "dim")

    def finish(self) -> None:
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.form.addRow(self.summary)
        self.form.addRow(self.buttons)
        self.width_box.selectAll()
        self._show()

    def entered_size(self) -> tuple[int, int]:
        return self.width_box.value(), self.height_box.value()

    def _follow(self, value: int, side: int) -> None:
        if self.keep_proportions.isChecked():
            other, fields = self._size[1 - side], (self.width_box, self.height_box)
            _set(fields[1 - side], max(1, round(value * other / self._size[side])))
        self._show()

    def _show(self) -> None:
        """Show the resulting size, or why it is not possible."""
        width, height = self.entered_size()
        fits = max(width, height) <= LONGEST_SIDE
        limit = f"Each side may be up to {LONGEST_SIDE} px."
        now = f"{self._size[0]} × {self._size[1]}"
        self.summary.setText(f"{now} becomes {width} × {height} px." if fits else limit)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(fits)


class ScaleDialog(_BaseSizeDialog):
    """Asks for the size to scale the image to, in pixels or per cent."""

    def __init__(self, parent: QWidget, size: tuple[int, int]) -> None:
        super().__init__(parent, "Scale image", size, linked=True)
        self.percent = QDoubleSpinBox(minimum=0.01, maximum=10_000, value=100, suffix=" %")
        self.percent.setAccessibleName("Percent")
        self.percent.valueChanged.connect(self._scale)
        self.resampling = QComboBox()
        self.resampling.setAccessibleName("Resampling")
        for method, text in _KINDS.items():
            self.resampling.addItem(text, method)
        self.form.insertRow(2, "&Percent", self.percent)
        self.form.addRow("&Resampling", self.resampling)
        self.finish()

    def value(self) -> ImageScale:
        return ImageScale(*self.entered_size(), list(_KINDS)[self.resampling.currentIndex()])

    def _scale(self, percent: float) -> None:
        for field, side in zip((self.width_box, self.height_box), self._size, strict=True):
            _set(field, max(1, round(side * percent / 100)))
        self._show()

    def _show(self) -> None:
        super()._show()
        _set(self.percent, 100 * self.width_box.value() / self._size[0])


class CanvasSizeDialog(_BaseSizeDialog):
    """Asks for the canvas size and the anchor of the picture."""

    def __init__(self, parent: QWidget, size: tuple[int, int]) -> None:
        super().__init__(parent, "Canvas size", size, linked=False)
        self.anchors = QButtonGroup(self)
        places = QWidget()
        grid = QGridLayout(places)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        for row, (_, _, down) in enumerate(_PLACES):
            for column, (_, across, _) in enumerate(_PLACES):
                button = QToolButton(checkable=True, text="•")
                button.setFixedSize(QSize(24, 24))
                button.setToolTip(f"The picture stays at the {_spelled(down, across)}")
                button.setAccessibleName(f"Anchor {_spelled(down, across)}")
                self.anchors.addButton(button, 3 * row + column)
                grid.addWidget(button, row, column)
        grid.setColumnStretch(3, 1)
        self.anchors.button(4).setChecked(True)
        self.form.addRow("Picture stays at", places)
        self.finish()

    def value(self) -> CanvasSize:
        row, column = divmod(self.anchors.checkedId(), 3)
        return CanvasSize(*self.entered_size(), _PLACES[column][0], _PLACES[row][0])


def _spelled(down: str, across: str) -> str:
    return down if down == across else f"{down} {across}"


def _pixels(name: str, value: int) -> QSpinBox:
    """A size field without an upper limit; the dialog explains the limit instead."""
    box = QSpinBox(minimum=1, maximum=100 * LONGEST_SIDE, value=value, suffix=" px")
    box.setAccessibleName(name)
    return box


def _set(field: QSpinBox | QDoubleSpinBox, value: float) -> None:
    field.blockSignals(True)
    if isinstance(field, QSpinBox):
        field.setValue(int(value))
    else:
        field.setValue(value)
    field.blockSignals(False)
