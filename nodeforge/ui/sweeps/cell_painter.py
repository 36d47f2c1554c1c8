"""How a cell of a grid, or a candidate on the wall, is painted."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QImage, QImageReader, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from nodeforge.engine.queue.states import State
from nodeforge.ui.common.icons import draw
from nodeforge.ui.common.theme import DARK, LIGHT, Theme

FACE = Qt.ItemDataRole.UserRole + 1
"""The item's role that holds a `CellFace`."""
CAPTION = 20
"""Pixels of the line below the picture."""
STAR = 24
"""Pixels of the corner with the star."""
_MARGIN = 4
_BUDGET = 0.02
"""Seconds of a turn of the event loop that pictures may be decoded for, but for the last one."""
_KEPT = 600
"""Pictures that stay decoded."""
_ICONS = {
    State.WAITING: "clock",
    State.RUNNING: "play",
    State.PAUSED: "pause",
    State.FAILED: "x-circle",
    State.CANCELLED: "stop-circle",
}


@dataclass(frozen=True)
class CellFace:
    """What is painted of one job.

    Args:
        state: The job's.
        path: The picture that it has saved.
        preview: Of its last step, while it runs.
        caption: The line below.
        error: Why it failed.
        star: Whether it has a star; None where there are none.
        finished: Whether the picture is a whole one, where others are estimates.
    """

    state: State
    path: Path | None = None
    preview: QImage | None = None
    caption: str = ""
    error: str = ""
    star: bool | None = None
    finished: bool = False


class CellPainter(QStyledItemDelegate):
    """Paints faces: the picture in its own colours, below it a caption, its state in a corner."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        face = index.data(FACE)
        if not isinstance(face, CellFace):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame, picture = frames(option.rect)
        palette = option.palette
        theme = _theme(palette)
        painter.fillRect(option.rect, theme.panel)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.raised)
        painter.drawRoundedRect(frame, 6, 6)
        pixmap = self._pixmap(face, picture.size())
        _paint_picture(painter, picture, face, palette, pixmap)
        caption = QRect(frame.left() + 6, frame.bottom() - CAPTION, frame.width() - 12, CAPTION)
        _paint_caption(painter, caption, face, palette)
        if face.star is not None:
            _paint_star(painter, star_rect(option.rect), face.star, palette)
        _paint_frame(painter, frame, option)
        painter.restore()

    def _pixmap(self, face: CellFace, size: QSize) -> QPixmap | None:
        if face.preview is not None:
            return QPixmap.fromImage(face.preview)
        return None if face.path is None else self.thumbnails.get(face.path, size)

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = index.data(Qt.ItemDataRole.SizeHintRole)
        return size if isinstance(size, QSize) else super().sizeHint(option, index)


def frames(rect: QRect) -> tuple[QRect, QRect]:
    """The frame of a cell inside its item, and the place of the picture inside the frame."""
    frame = rect.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    return frame, frame.adjusted(4, 4, -4, -CAPTION - 2)


def star_rect(rect: QRect) -> QRect:
    """The corner that a click on the star must hit."""
    frame, _ = frames(rect)
    return QRect(frame.right() - STAR - 2, frame.top() + 4, STAR, STAR)


def _theme(palette: QPalette) -> Theme:
    return DARK if palette.window().color().lightness() < 128 else LIGHT


def _paint_picture(
    painter: QPainter, place: QRect, face: CellFace, palette: QPalette, pixmap: QPixmap | None
) -> None:
    if pixmap is None or pixmap.isNull():
        _paint_empty(painter, place, face, palette)
        return
    size = pixmap.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    target = QRect(place.topLeft(), size)
    target.moveCenter(place.center())
    painter.drawPixmap(target, pixmap)


def _paint_empty(painter: QPainter, place: QRect, face: CellFace, palette: QPalette) -> None:
    colour = palette.placeholderText().color()
    error = _theme(palette).error
    side = min(24, place.height() // 2)
    mark = QRectF(0, 0, side, side)
    mark.moveCenter(QRectF(place).center())
    if face.error:
        mark.moveTop(place.top() + 4)
        text = place.adjusted(2, side + 8, -2, 0)
        painter.setPen(error)
        wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignHCenter
        painter.drawText(text, wrap, face.error)
    if name := _ICONS.get(face.state):
        draw(painter, name, mark, error if face.error else colour)


def _paint_caption(painter: QPainter, place: QRect, face: CellFace, palette: QPalette) -> None:
    if face.state is State.DONE and face.finished:
        mark = QRectF(place.left(), place.center().y() - 6, 14, 14)
        draw(painter, "check-circle", mark, palette.highlight().color())
        place = place.adjusted(18, 0, 0, 0)
    elif face.preview is not None:
        mark = QRectF(place.left(), place.center().y() - 6, 14, 14)
        draw(painter, "play", mark, palette.highlight().color())
        place = place.adjusted(18, 0, 0, 0)
    painter.setPen(palette.placeholderText().color())
    text = painter.fontMetrics().elidedText(
        face.caption, Qt.TextElideMode.ElideRight, place.width()
    )
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def _paint_star(painter: QPainter, place: QRect, on: bool, palette: QPalette) -> None:
    """On a disk, so that it is seen on any picture."""
    disk = palette.window().color()
    disk.setAlpha(190)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(disk)
    painter.drawEllipse(place)
    colour = palette.highlight().color() if on else palette.placeholderText().color()
    draw(painter, "star-fill" if on else "star", QRectF(place).adjusted(4, 4, -4, -4), colour)


def _paint_frame(painter: QPainter, frame: QRect, option: QStyleOptionViewItem) -> None:
    states = QStyle.StateFlag
    selected = bool(option.state & states.State_Selected)
    if selected or option.state & states.State_MouseOver:
        palette = option.palette
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(palette.highlight() if selected else palette.mid(), 2))
        painter.drawRoundedRect(frame, 6, 6)


class Thumbnails(QObject):
    """Pictures of files, no larger than they are shown, decoded a few at a time.

    A wall that comes into view has dozens: those that a turn of the event loop has no time for are
    painted in the next.
    """

    wanted = Signal()
    """There are pictures that have not been decoded yet."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._made: OrderedDict[tuple[str, int, int], QPixmap] = OrderedDict()
        self._spent = 0.0
        self._next = QTimer(self, singleShot=True)
        self._next.setInterval(0)
        self._next.timeout.connect(self._begin_turn)
        self._lacking = False

    def get(self, path: Path, size: QSize) -> QPixmap | None:
        """The picture in a file; None where it is not there, or not decoded yet."""
        try:
            changed = os.stat(path).st_mtime_ns  # noqa: PTH116 - of every visible cell
        except OSError:
            return None
        longest = max(64, 1 << (max(size.width(), size.height()) - 1).bit_length())
        key = str(path), changed, longest
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        self._next.start()
        if self._spent > _BUDGET:
            self._lacking = True
            return None
        start = time.monotonic()
        self._made[key] = _decoded(str(path), longest)
        self._spent += time.monotonic() - start
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return self._made[key]

    def _begin_turn(self) -> None:
        self._spent, lacking = 0.0, self._lacking
        self._lacking = False
        if lacking:
            self.wanted.emit()


def _decoded(path: str, longest: int) -> QPixmap:
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > longest:
        reader.setScaledSize(size.scaled(longest, longest, Qt.AspectRatioMode.KeepAspectRatio))
    return QPixmap.fromImage(reader.read())
