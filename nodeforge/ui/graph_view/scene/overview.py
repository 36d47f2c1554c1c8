"""The overview of a zoomed-out graph, painted as boxes and lines in a few calls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QLineF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from nodeforge.graph.model import Mode
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.items.node_layout import TITLE
from nodeforge.ui.graph_view.items.pens import NO_PEN, Pens, mix
from nodeforge.ui.graph_view.scene.graph_scene import GraphScene

MIDDLE = 0.25
"""Zoom from which thumbnails are painted."""


class Overview:
    """Paints the scene below the zoom `FAR`; collected again after `invalidate`."""

    def __init__(self, scene: GraphScene) -> None:
        self._scene = scene
        self._bars: dict[str, list[QRectF]] | None = None
        self._bodies: list[QRectF] = []
        self._selected: list[QRectF] = []
        self._lines: dict[str, list[QLineF]] = {}
        self._frames: list[tuple[QRectF, QColor]] = []
        self._states: dict[str, list[QRectF]] = {}
        self._thumbs: list[NodeItem] = []

    def invalidate(self) -> None:
        """Collect again at the next paint."""
        self._bars = None

    def paint(self, painter: QPainter, zoom: float) -> None:
        """Paint the overview, in scene coordinates."""
        if self._bars is None:
            self._collect()
        pens = self._scene.pens
        for rect, colour in self._frames:
            painter.fillRect(rect, colour)
        painter.setPen(NO_PEN)
        painter.setBrush(pens.body)
        painter.drawRects(self._bodies)
        for colour, bars in (self._bars or {}).items():
            painter.setBrush(QColor(colour))
            painter.drawRects(bars)
        for node_item in self._thumbs if zoom >= MIDDLE else ():
            if node_item.thumb is not None and node_item.layout.thumb is not None:
                rect = QRectF(*node_item.layout.thumb).translated(node_item.pos())
                painter.drawPixmap(rect, node_item.thumb, QRectF(node_item.thumb.rect()))
        for colour, lines in self._lines.items():
            pen = QPen(QColor(colour))
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLines(lines)
        self._outline(painter, pens, zoom)

    def _outline(self, painter: QPainter, pens: Pens, zoom: float) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, rects in (*self._states.items(), (pens.theme.accent.name(), self._selected)):
            painter.setPen(QPen(QColor(colour), 2 / zoom))
            painter.drawRects(rects)

    def _collect(self) -> None:
        scene = self._scene
        bars: defaultdict[str, list[QRectF]] = defaultdict(list)
        states: defaultdict[str, list[QRectF]] = defaultdict(list)
        lines: defaultdict[str, list[QLineF]] = defaultdict(list)
        self._bodies, self._selected, self._thumbs = [], [], []
        for node_item in scene.node_items.values():
            body = node_item.body()
            self._bodies.append(body)
            bar = QRectF(body.x(), body.y(), body.width(), min(TITLE * 1.5, body.height()))
            bars[_tint(node_item)].append(bar)
            if node_item.isSelected():
                self._selected.append(body)
            elif colour := _state_colour(node_item):
                states[colour].append(body)
            if node_item.thumb is not None:
                self._thumbs.append(node_item)
        for line in scene.link_items.values():
            if not line.isVisible():
                continue
            ends = QLineF(line.source.centre(), line.target.centre())
            lines[line.colour.name()].append(ends)
        self._frames = [
            (frame.body(), mix(scene.pens.theme.window, frame.colour, 0.2))
            for frame in scene.frame_items.values()
        ]
        self._bars, self._states, self._lines = bars, states, lines


def _tint(node_item: NodeItem) -> str:
    theme = node_item.pens.theme
    if node_item.layout.mode is not Mode.ACTIVE:
        return theme.line.name()
    if node_item.layout.missing:
        return theme.error.name()
    strong = (
        QColor(node_item.colour)
        if node_item.colour
        else theme.category_colour(node_item.layout.category)
    )
    return mix(theme.raised, strong, 0.6).name()


def _state_colour(node_item: NodeItem) -> str:
    theme = node_item.pens.theme
    kinds = {"error": theme.error, "running": theme.accent}
    if node_item.state.kind in kinds:
        return kinds[node_item.state.kind].name()
    if node_item.problem:
        return theme.warn.name()
    if node_item.state.kind in ("cached", "on_disk", "done"):
        return mix(theme.raised, theme.ok, 0.5).name()
    return ""


def bounding_rect(rects: Iterable[QRectF]) -> QRectF:
    """The bounding rectangle of all rectangles."""
    whole = QRectF()
    for rect in rects:
        whole |= rect
    return whole


def initial_view(
    bodies: Sequence[QRectF], whole: QRectF, size: QSizeF, texts: Sequence[QRectF] = ()
) -> QRectF:
    """The part of `whole` to show first: at its left, where most nodes are.

    In a direction in which `whole` is smaller than `size`, it is centred.

    Args:
        texts: The nodes that a text is typed in, as prompts; they count before all others.
    """
    if whole.height() <= size.height():
        tops = [whole.center().y() - size.height() / 2]
    else:
        lowest = whole.bottom() - size.height()
        tops = sorted({min(body.top(), lowest) for body in bodies})
    fits = whole.width() <= size.width()
    left = whole.center().x() - size.width() / 2 if fits else whole.left()
    views = [QRectF(left, top, size.width(), size.height()) for top in tops]
    strip = [body for body in bodies if left <= body.left() and body.right() <= left + size.width()]
    return max(
        views,
        key=lambda view: (sum(map(view.contains, texts)), sum(map(view.contains, strip))),
    )
