"""The canvas start page: open, paste or drop a picture, or create an empty canvas."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from nodeforge.canvas import LONGEST_SIDE
from nodeforge.ui.common.icons import icon

_SIZES = ((512, 512), (768, 512), (1024, 1024), (1344, 768), (2048, 2048))


class CanvasStartPage(QWidget):
    """Offers to open or paste a picture, or to create an empty canvas."""

    open_requested = Signal()
    paste_requested = Signal()
    new_requested = Signal(int, int, bool)
    """Width and height in pixels, and whether the background is transparent."""
    back_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.width_box, self.height_box = _size_box("Width"), _size_box("Height")
        self.background = QComboBox()
        self.background.setAccessibleName("Background")
        self.background.addItem("White", False)
        self.background.addItem("Transparent", True)
        column = QVBoxLayout(self)
        column.addStretch(2)
        title = QLabel("Paint on a picture, and let a model change it")
        title.setProperty("role", "title")
        text = QLabel(
            "Drop a picture here, or begin with an empty canvas. Mark what should change, say "
            "what should be there, and press Generate."
        )
        text.setProperty("role", "dim")
        for label in (title, text):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addSpacing(12)
        column.addLayout(_row(self._first_buttons()))
        column.addSpacing(8)
        column.addLayout(_row(self._new_canvas()))
        column.addLayout(_row([_size_button(self, size) for size in _SIZES]))
        self.back = QPushButton("Back to the canvas")
        self.back.setFlat(True)
        self.back.clicked.connect(self.back_requested)
        self.back.hide()
        column.addLayout(_row([self.back]))
        column.addStretch(3)

    def _first_buttons(self) -> list[QWidget]:
        first = QPushButton("Open a picture…")
        first.setProperty("primary", True)
        first.setIcon(icon("folder-open", "on_accent"))
        first.clicked.connect(self.open_requested)
        second = QPushButton("Paste a picture")
        second.setIcon(icon("clipboard"))
        second.clicked.connect(self.paste_requested)
        return [first, second]

    def _new_canvas(self) -> list[QWidget]:
        new = QPushButton("New canvas")
        new.setIcon(icon("plus"))
        new.clicked.connect(lambda: self.begin(self.width_box.value(), self.height_box.value()))
        return [self.width_box, QLabel("×"), self.height_box, self.background, new]

    def begin(self, width: int, height: int) -> None:
        """Ask for a canvas of this size with the chosen background."""
        self.new_requested.emit(width, height, self.background.currentData())


def _size_box(name: str) -> QSpinBox:
    box = QSpinBox(minimum=1, maximum=LONGEST_SIDE, value=1024, suffix=" px")
    box.setAccessibleName(name)
    box.setMinimumWidth(96)
    return box


def _size_button(page: CanvasStartPage, size: tuple[int, int]) -> QWidget:
    button = QPushButton(f"{size[0]} × {size[1]}")
    button.setFlat(True)
    button.clicked.connect(lambda: page.begin(*size))
    return button


def _row(widgets: list[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
