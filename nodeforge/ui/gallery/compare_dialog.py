"""Compares two pictures: side by side, split, blink or difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, QTimer
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from nodeforge.ui.common.icons import icon

BESIDE, SPLIT, BLINK, DIFFERENCE = "beside", "split", "blink", "difference"
_MODES = {
    SPLIT: ("columns", "Split", "Drag the line, or move it with the left and right arrows"),
    BLINK: ("eye", "Blink", "One, then the other, twice a second; Space stops and steps"),
    DIFFERENCE: ("intersect", "Difference", "What differs, amplified; black is equal"),
    BESIDE: ("squares-four", "Side by side", "One, the other, and what differs"),
}
_SETTINGS_WIDTH = 300
_BLINK_MS = 500
_STRONGER = 4
_GAP = 8


class ComparisonView(QWidget):
    """Shows two pictures side by side, split, alternating, or as their difference.

    Args:
        first, second: The pictures.
        mode: How they are shown first.
        stronger: How many times as strong their difference is shown.
    """

    def __init__(
        self, first: QImage, second: QImage, mode: str = SPLIT, stronger: int = _STRONGER
    ) -> None:
        super().__init__()
        self._first, self._second, self._stronger = first, second, stronger
        self._differs = QImage()
        self.names = "", ""
        """What the pictures are called, where they are side by side."""
        self.mode = mode
        self.share = 0.5
        self.shows_second = False
        self._blink_timer = QTimer(self)
        self._blink_timer.setInterval(_BLINK_MS)
        self._blink_timer.timeout.connect(self.toggle)
        self.setMinimumSize(320, 320)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Two pictures")
        self.show_mode(mode)

    def show_mode(self, mode: str) -> None:
        """Set the mode: `BESIDE`, `SPLIT`, `BLINK` or `DIFFERENCE`."""
        self.mode = mode
        split = mode == SPLIT
        self.setCursor(Qt.CursorShape.SplitHCursor if split else Qt.CursorShape.ArrowCursor)
        self._blink_timer.start() if mode == BLINK else self._blink_timer.stop()
        if mode in (BESIDE, DIFFERENCE) and self._differs.isNull():
            self._differs = difference(self._first, self._second, self._stronger)[0]
        self.update()

    def move_to(self, share: float) -> None:
        """Move the split line to a share of the width, 0..1."""
        self.share = min(max(share, 0.0), 1.0)
        self.update()

    def toggle(self) -> None:
        """Show the other picture."""
        self.shows_second = not self.shows_second
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = self._box()
        match self.mode:
            case "beside":
                self._paint_beside(painter)
            case "split":
                self._paint_split(painter, box)
            case "blink":
                painter.drawImage(box, self._second if self.shows_second else self._first)
            case _:
                painter.drawImage(box, self._differs)

    def _paint_beside(self, painter: QPainter) -> None:
        images = self._first, self._second, self._differs
        names = *self.names, f"difference × {self._stronger}"
        width = (self.width() - _GAP * (len(images) - 1)) / len(images)
        line = self.fontMetrics().height()
        painter.setPen(self.palette().text().color())
        for place, (image, name) in enumerate(zip(images, names, strict=True)):
            part = QRectF(place * (width + _GAP), 0, width, self.height())
            box = self._fitted(part.adjusted(0, line + _GAP, 0, 0))
            painter.drawImage(box, image)
            part = QRectF(part.left(), box.top() - line - _GAP, width, line)
            shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(width))
            painter.drawText(part, Qt.AlignmentFlag.AlignCenter, shown)

    def _paint_split(self, painter: QPainter, box: QRectF) -> None:
        line = box.left() + self.share * box.width()
        left = QRectF(box.topLeft(), QPointF(line, box.bottom()))
        right = QRectF(QPointF(line, box.top()), box.bottomRight())
        for image, clip in ((self._first, left), (self._second, right)):
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
        if step is not None and self.mode == SPLIT:
            self.move_to(self.share + step)
        elif event.key() == Qt.Key.Key_Space and self.mode == BLINK:
            self._blink_timer.stop()
            self.toggle()
        else:
            super().keyPressEvent(event)

    def _follow(self, event: QMouseEvent) -> None:
        if self.mode == SPLIT:
            box = self._box()
            self.move_to((event.position().x() - box.left()) / max(1.0, box.width()))

    def _box(self) -> QRectF:
        return self._fitted(QRectF(self.rect()))

    def _fitted(self, within: QRectF) -> QRectF:
        """The box of a picture that is as large as there is room."""
        whole = QSizeF(self._first.size() if not self._first.isNull() else self._second.size())
        if whole.isEmpty():
            whole = QSizeF(1, 1)
        box = QRectF(QPointF(), whole.scaled(within.size(), Qt.AspectRatioMode.KeepAspectRatio))
        box.moveCenter(within.center())
        return box


class CompareDialog(QDialog):
    """A dialog that compares two pictures, and the settings that made them.

    Args:
        first: Name and image of the first picture.
        second: Name and image of the second picture.
        settings: What differs in their workflows, one line each.
        parent: The window.
        title: What the dialog is for.
        heading: What stands above the lines.
        mode: How the pictures are shown first.
        stronger: How many times as strong their difference is shown.
    """

    def __init__(
        self,
        first: tuple[str, QImage],
        second: tuple[str, QImage],
        settings: Sequence[str] = (),
        parent: QWidget | None = None,
        *,
        title: str = "Compare",
        heading: str = "Settings that differ",
        mode: str = SPLIT,
        stronger: int = _STRONGER,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(QSize(1100, 800).boundedTo(self.screen().availableSize() * 0.9))
        pictures = first[1], second[1]
        self.pair = ComparisonView(*pictures, mode, stronger)
        self.pair.names = first[0], second[0]
        self._fact = QLabel(difference_text(*pictures))
        self._fact.setProperty("role", "dim")
        self._names, modes, column = QWidget(), QHBoxLayout(), QVBoxLayout(self)
        names = QHBoxLayout(self._names)
        names.setContentsMargins(0, 0, 0, 0)
        names.addWidget(QLabel(first[0]))
        names.addWidget(QLabel(second[0], alignment=Qt.AlignmentFlag.AlignRight))
        self._names.setVisible(mode != BESIDE)
        self.buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        for key, (each, (name, text, tip)) in enumerate(_MODES.items(), 1):
            button = QPushButton(icon(name), text, checkable=True, checked=each == mode)
            button.setToolTip(f"{tip} ({key})")
            button.setShortcut(str(key))
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, each=each: self._show(each))
            group.addButton(button)
            modes.addWidget(button)
            self.buttons[each] = button
        modes.addStretch(1)
        modes.addWidget(self._fact)
        column.addWidget(self._names)
        beside = QHBoxLayout()
        beside.addWidget(self.pair, 1)
        beside.addWidget(self._settings(heading, settings))
        column.addLayout(beside, 1)
        column.addLayout(modes)
        self.pair.setFocus()

    def _settings(self, text: str, lines: Sequence[str]) -> QWidget:
        """What differs beside the pictures, to be read and copied."""
        self.settings = QPlainTextEdit("\n".join(lines), readOnly=True)
        self.settings.setAccessibleName(text)
        self.settings.setFixedWidth(_SETTINGS_WIDTH)
        heading = QLabel(text)
        heading.setProperty("role", "heading")
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(heading)
        column.addWidget(self.settings, 1)
        return part

    def _show(self, mode: str) -> None:
        self.pair.show_mode(mode)
        self._names.setVisible(mode != BESIDE)
        self.pair.setFocus()


def difference(
    first: QImage, second: QImage, stronger: int = _STRONGER
) -> tuple[QImage, np.ndarray]:
    """The difference image, so many times as strong, and the differences: uint8 (height, width).

    The second picture is scaled to the size of the first.
    """
    if first.isNull() or second.isNull():
        return QImage(), np.zeros((1, 1), np.uint8)
    smooth = Qt.TransformationMode.SmoothTransformation
    if second.size() != first.size():
        second = second.scaled(first.size(), Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    one, other = _pixels(first), _pixels(second)
    apart = np.abs(one.astype(np.int16) - other).astype(np.uint8)
    shown = np.minimum(apart.astype(np.uint16) * stronger, 255).astype(np.uint8)
    height, width = shown.shape[:2]
    image = QImage(shown.tobytes(), width, height, width * 3, QImage.Format.Format_RGB888)
    return image.copy(), apart.max(axis=2)


def difference_text(first: QImage, second: QImage) -> str:
    """Describe the difference of two pictures."""
    if first.isNull() or second.isNull():
        return "A file is no longer there."
    apart = difference(first, second)[1]
    if not apart.any():
        return "The pictures are equal."
    share = (apart > 0).mean() * 100
    return f"{share:.1f} % of the pixels differ, by {int(apart.max())} of 255 at most"


def _pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height, line = image.width(), image.height(), image.bytesPerLine()
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(height, line)
    return raw[:, : width * 3].reshape(height, width, 3).copy()  # the bytes are the image's
