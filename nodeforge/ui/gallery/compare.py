"""Two pictures in one frame, with a line between them that is dragged."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from nodeforge.ui.pictures import read_small

_LARGEST = 2048


class Split(QWidget):
    """The first picture left of the line, the second right of it."""

    def __init__(self, first: QImage, second: QImage) -> None:
        super().__init__()
        self._first, self._second = first, second
        self.share = 0.5
        self.setMinimumSize(320, 320)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName("Two pictures; left and right arrows move the line between them")

    def move_to(self, share: float) -> None:
        """Put the line at `share` of the width, 0..1."""
        self.share = min(max(share, 0.0), 1.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = self._box()
        line = box.left() + self.share * box.width()
        left = QRectF(box.topLeft(), QPointF(line, box.bottom()))
        for image, clip in (
            (self._first, left),
            (self._second, QRectF(QPointF(line, box.top()), box.bottomRight())),
        ):
            painter.setClipRect(clip)
            painter.drawImage(box, image)
        painter.setClipping(False)
        painter.setPen(QPen(self.palette().highlight().color(), 2))
        painter.drawLine(QPointF(line, box.top()), QPointF(line, box.bottom()))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._follow(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        step = {Qt.Key.Key_Left: -0.05, Qt.Key.Key_Right: 0.05}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.move_to(self.share + step)

    def _follow(self, event: QMouseEvent) -> None:
        box = self._box()
        self.move_to((event.position().x() - box.left()) / max(1.0, box.width()))

    def _box(self) -> QRectF:
        whole = QSizeF(self._first.size() if not self._first.isNull() else self._second.size())
        if whole.isEmpty():
            whole = QSizeF(1, 1)
        size = whole.scaled(QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio)
        box = QRectF(QPointF(), size)
        box.moveCenter(QPointF(self.width() / 2, self.height() / 2))
        return box


class CompareDialog(QDialog):
    """Two files side by side."""

    def __init__(self, first: Path, second: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare")
        self.resize(900, 760)
        self.split = Split(read_small(first, _LARGEST), read_small(second, _LARGEST))
        names, column = QHBoxLayout(), QVBoxLayout(self)
        names.addWidget(QLabel(first.name))
        names.addWidget(QLabel(second.name, alignment=Qt.AlignmentFlag.AlignRight))
        column.addLayout(names)
        column.addWidget(self.split, 1)
