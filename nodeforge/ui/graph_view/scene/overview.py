"""The scene from afar: boxes and lines in a few calls, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QLineF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from nodeforge.graph.model import Mode
from nodeforge.ui.graph_view.items.node_item import NodeBox
from nodeforge.ui.graph_view.items.node_layout import TITLE
from nodeforge.ui.graph_view.items.pens import NO_PEN, Ink, mix
from nodeforge.ui.graph_view.scene.graph_scene import Picture

MIDDLE = 0.25
"""From this zoom on, pictures in nodes are painted."""


class Overview:
    """What is painted below `FAR`; collected again after `forget`."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._bars: dict[str, list[QRectF]] | None = None
        self._bodies: list[QRectF] = []
        self._chosen: list[QRectF] = []
        self._lines: dict[str, list[QLineF]] = {}
        self._frames: list[tuple[QRectF, QColor]] = []
        self._states: dict[str, list[QRectF]] = {}
        self._thumbs: list[NodeBox] = []

    def forget(self) -> None:
        """Something moved, came, went or changed its colour."""
        self._bars = None

    def paint(self, painter: QPainter, zoom: float) -> None:
        """Paint all, in scene coordinates."""
        if self._bars is None:
            self._collect()
        ink = self._picture.ink
        for rect, colour in self._frames:
            painter.fillRect(rect, colour)
        for colour, lines in self._lines.items():
            pen = QPen(QColor(colour))
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(lines)
        painter.setPen(NO_PEN)
        painter.setBrush(ink.body)
        painter.drawRects(self._bodies)
        for colour, bars in (self._bars or {}).items():
            painter.setBrush(QColor(colour))
            painter.drawRects(bars)
        for box in self._thumbs if zoom >= MIDDLE else ():
            if box.thumb is not None and box.face.thumb is not None:
                rect = QRectF(*box.face.thumb).translated(box.pos())
                painter.drawPixmap(rect, box.thumb, QRectF(box.thumb.rect()))
        self._outline(painter, ink, zoom)

    def _outline(self, painter: QPainter, ink: Ink, zoom: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, rects in (*self._states.items(), (ink.theme.accent.name(), self._chosen)):
            painter.setPen(QPen(QColor(colour), 2 / zoom))
            painter.drawRects(rects)

    def _collect(self) -> None:
        picture = self._picture
        bars: defaultdict[str, list[QRectF]] = defaultdict(list)
        states: defaultdict[str, list[QRectF]] = defaultdict(list)
        lines: defaultdict[str, list[QLineF]] = defaultdict(list)
        self._bodies, self._chosen, self._thumbs = [], [], []
        for box in picture.boxes.values():
            body = box.body()
            self._bodies.append(body)
            bar = QRectF(body.x(), body.y(), body.width(), min(TITLE * 1.5, body.height()))
            bars[_tint(box)].append(bar)
            if box.isSelected():
                self._chosen.append(body)
            elif colour := _state_colour(box):
                states[colour].append(body)
            if box.thumb is not None:
                self._thumbs.append(box)
        for line in picture.lines.values():
            ends = QLineF(line.out_of.centre(), line.into.centre())
            lines[line.colour.name()].append(ends)
        self._frames = [
            (frame.body(), mix(picture.ink.theme.window, frame.colour, 0.2))
            for frame in picture.frames.values()
        ]
        self._bars, self._states, self._lines = bars, states, lines


def _tint(box: NodeBox) -> str:
    theme = box.ink.theme
    if box.face.mode is not Mode.ACTIVE:
        return theme.line.name()
    if box.face.missing:
        return theme.error.name()
    strong = QColor(box.colour) if box.colour else theme.category_colour(box.face.category)
    return mix(theme.raised, strong, 0.6).name()


def _state_colour(box: NodeBox) -> str:
    theme = box.ink.theme
    kinds = {"error": theme.error, "running": theme.accent}
    if box.state.kind in kinds:
        return kinds[box.state.kind].name()
    if box.problem:
        return theme.warn.name()
    if box.state.kind in ("cached", "on_disk", "done"):
        return mix(theme.raised, theme.ok, 0.5).name()
    return ""


def bounds(rects: Iterable[QRectF]) -> QRectF:
    """The rectangle around all."""
    whole = QRectF()
    for rect in rects:
        whole |= rect
    return whole


def first_look(bodies: Sequence[QRectF], whole: QRectF, size: QSizeF) -> QRectF:
    """A part of `whole`, of this size, with which to begin: the left, where most nodes lie.

    In a direction in which `whole` is smaller, its middle is the part's.
    """
    if whole.height() <= size.height():
        tops = [whole.center().y() - size.height() / 2]
    else:
        lowest = whole.bottom() - size.height()
        tops = sorted({min(body.top(), lowest) for body in bodies})
    fits = whole.width() <= size.width()
    left = whole.center().x() - size.width() / 2 if fits else whole.left()
    looks = [QRectF(left, top, size.width(), size.height()) for top in tops]
    strip = [body for body in bodies if left <= body.left() and body.right() <= left + size.width()]
    return max(looks, key=lambda look: sum(map(look.contains, strip)))
