"""How a cell of a grid, or a candidate on the wall, is painted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
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
        _paint_picture(painter, picture, face, palette)
        caption = QRect(frame.left() + 6, frame.bottom() - CAPTION, frame.width() - 12, CAPTION)
        _paint_caption(painter, caption, face, palette)
        if face.star is not None:
            _paint_star(painter, star_rect(option.rect), face.star, palette)
        _paint_frame(painter, frame, option)
        painter.restore()

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


def _paint_picture(painter: QPainter, place: QRect, face: CellFace, palette: QPalette) -> None:
    pixmap = _pixmap(face, place.size())
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


def _pixmap(face: CellFace, size: QSize) -> QPixmap | None:
    if face.preview is not None:
        return QPixmap.fromImage(face.preview)
    if face.path is None:
        return None
    try:
        changed = os.stat(face.path).st_mtime_ns  # noqa: PTH116 - of every visible cell
    except OSError:
        return None
    longest = max(64, 1 << (max(size.width(), size.height()) - 1).bit_length())
    return _thumbnail(str(face.path), changed, longest)


@lru_cache(maxsize=600)
def _thumbnail(path: str, changed: int, longest: int) -> QPixmap:
    """The picture in a file, no larger than is shown."""
    del changed
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > longest:
        reader.setScaledSize(size.scaled(longest, longest, Qt.AspectRatioMode.KeepAspectRatio))
    return QPixmap.fromImage(reader.read())
