"""Pens, brushes, fonts and icons of the theme, created once for all items."""

from __future__ import annotations

import functools

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)

from nodeforge.ui.common import icons
from nodeforge.ui.common.theme import NORMAL, RADIUS, SMALL, Theme

CATEGORY_ICONS = {
    "models": "package",
    "text": "text-t",
    "latent": "stack",
    "sampling": "faders",
    "image": "image",
    "video": "film-strip",
    "audio": "music-note",
    "mask": "circle-half",
    "inpaint": "paint-brush",
    "values": "hash",
    "graph": "git-branch",
    "subgraph": "tree-structure",
    "control": "selection",
}
NO_PEN = QPen(Qt.PenStyle.NoPen)


class Pens:
    """Pens, brushes, fonts and icons for painting nodes."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.body = QBrush(theme.raised)
        self.edge = QPen(theme.line, 1)
        self.selected = QPen(theme.accent, 2)
        self.text = QPen(theme.text)
        self.dim = QPen(theme.dim)
        self.error = QPen(theme.error)
        self.warn = QPen(theme.warn)
        self.field = QBrush(theme.panel)
        self.title_font: QFont = theme.font(NORMAL, bold=True)
        self.font: QFont = theme.font(SMALL)
        self.title_metrics = QFontMetricsF(self.title_font)
        self.metrics = QFontMetricsF(self.font)
        self._tints: dict[str, QBrush] = {}
        self._port_styles: dict[str, tuple[QBrush, QPen]] = {}
        self._icons: dict[tuple[str, str, float], QPixmap] = {}

    def category_brush(self, category: str, colour: str = "") -> QBrush:
        """The title bar's brush: the category's colour, or the user's (``#rrggbb``)."""
        key = colour or category
        if key not in self._tints:
            strong = QColor(colour) if colour else self.theme.category_colour(category)
            share = 0.3 if self.theme.is_dark else 0.24
            self._tints[key] = QBrush(mix(self.theme.raised, strong, share))
        return self._tints[key]

    def port_style(self, type: str) -> tuple[QBrush, QPen]:
        """The brush of a port of a type, and the pen for its hollow form."""
        if type not in self._port_styles:
            colour = self.theme.port_colour(type)
            self._port_styles[type] = QBrush(colour), QPen(colour, 2)
        return self._port_styles[type]

    def icon(self, name: str, colour: QColor, ratio: float) -> QPixmap:
        """A 16 px icon, drawn for `ratio` device pixels a scene unit."""
        ratio = min(8.0, max(1.0, round(ratio * 2) / 2))
        key = name, colour.name(QColor.NameFormat.HexArgb), ratio
        if key not in self._icons:
            self._icons[key] = _draw_icon(name, colour, ratio)
        return self._icons[key]

    def elide(self, text: str, room: float, *, title: bool = False) -> str:
        metrics = self.title_metrics if title else self.metrics
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)


def _draw_icon(name: str, colour: QColor, ratio: float) -> QPixmap:
    side = round(icons.SIZE * ratio)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    icons.draw(painter, name, QRectF(0, 0, side, side), colour)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def mix(base: QColor, other: QColor, share: float) -> QColor:
    """`base` with `share` (0..1) of `other`."""
    pairs = zip(base.getRgbF()[:3], other.getRgbF()[:3], strict=True)
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in pairs))


@functools.lru_cache(1024)
def rounded_bar(width: float, height: float, *, top: bool, radius: float = RADIUS) -> QPainterPath:
    """A rectangle with its upper (or lower) corners rounded."""
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    path.addRoundedRect(QRectF(0, 0, width, height), radius, radius)
    path.addRect(QRectF(0, radius if top else 0, width, height - radius))
    return path.simplified()
