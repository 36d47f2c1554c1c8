"""Icons of the Phosphor font (from qtawesome), drawn in the colours of the current theme.

The font is read directly: importing qtawesome imports all of Qt and loads fifteen fonts, 0.9 s.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtWidgets import QApplication

SIZE = 16


def icon(name: str, role: str = "text") -> QIcon:
    """An icon by its Phosphor name (``play``, ``warning-circle``, ...).

    Args:
        role: ``text``, ``accent`` or ``on_accent`` of the palette, or a colour (``#rrggbb``).
    """
    return QIcon(_Glyph(name, role))


def draw(painter: QPainter, name: str, rect: QRectF, colour: QColor) -> None:
    """Draw the icon `name` into `rect` with `painter`, in a scene or a widget."""
    font = QFont(_family())
    font.setPixelSize(max(1, round(rect.height())))
    painter.save()
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, chr(_characters()[name]))
    painter.restore()


class _Glyph(QIconEngine):
    """Paints on demand, so that it follows a change of theme."""

    def __init__(self, name: str, role: str) -> None:
        super().__init__()
        _characters()[name]  # a wrong name fails here, not while painting
        self._name, self._role = name, role

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        draw(painter, self._name, QRectF(rect), self._colour(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Glyph(self._name, self._role)

    def _colour(self, mode: QIcon.Mode) -> QColor:
        palette = QApplication.palette()
        if mode is QIcon.Mode.Disabled:
            return palette.placeholderText().color()
        match self._role:
            case "text":
                return palette.text().color()
            case "accent":
                return palette.highlight().color()
            case "on_accent":
                return palette.highlightedText().color()
            case "dim":
                return palette.placeholderText().color()
        return QColor(self._role)


@functools.cache
def _fonts() -> Path:
    spec = importlib.util.find_spec("qtawesome")  # finds it without importing it
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "fonts"


@functools.cache
def _family() -> str:
    font = next(_fonts().glob("phosphor-[0-9]*.ttf"))
    return QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(font)))[0]


@functools.cache
def _characters() -> dict[str, int]:
    raw = json.loads(next(_fonts().glob("phosphor-charmap-*.json")).read_text("utf-8"))
    return {name: int(code, 16) for name, code in raw.items()}
