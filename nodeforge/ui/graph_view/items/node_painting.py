"""Paints nodes at two levels of detail; when zoomed out further, `Overview` is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen, QPixmap, QTextLayout, QTextOption

from nodeforge.graph.model import Mode
from nodeforge.lint import Severity
from nodeforge.spec import Role
from nodeforge.ui.common.picture_badge import paint_badge
from nodeforge.ui.common.theme import RADIUS
from nodeforge.ui.graph_view.items.node_layout import (
    LINES,
    PAD,
    ROW,
    STRIP,
    TITLE,
    NodeLayout,
    ParameterRow,
    PortLayout,
)
from nodeforge.ui.graph_view.items.pens import CATEGORY_ICONS, NO_PEN, Pens, mix, rounded_bar
from nodeforge.ui.graph_view.items.status_icons import STATUS_ICONS, NodeState, format_seconds

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.items.node_item import NodeItem

NEAR = 0.5
"""Zoom from which ports and parameters are painted."""
DOT = 5.0
ICON = 16.0
FADED = 0.45

Text = tuple[QPointF, str]


@dataclass
class NodeTexts:
    """The elided texts of a node with their positions."""

    title: Text
    dim: list[Text]
    bright: list[Text]
    pale: list[Text]
    fields: list[QRectF]
    strip: Text | None = None


def place_texts(
    layout: NodeLayout, pens: Pens, state: NodeState, badges: int, message: str
) -> NodeTexts:
    """Compute the texts of a node; `badges` is the number of icons in the title bar."""
    base = TITLE / 2 + (pens.title_metrics.ascent() - pens.title_metrics.descent()) / 2
    right = layout.width - PAD - badges * (ICON + 4)
    texts = NodeTexts((QPointF(), ""), [], [], [], [])
    if state.seconds is not None and state.kind != "running":
        time = format_seconds(state.seconds)
        wide = pens.metrics.horizontalAdvance(time)
        texts.dim.append((QPointF(right - wide, base), time))
        right -= wide + 4
    left = PAD + ICON + 6
    texts.title = (QPointF(left, base), pens.elide(layout.title, right - left - 2, title=True))
    if not layout.collapsed and layout.role is not Role.REROUTE:
        _set_ports(layout, pens, texts)
        for row in layout.rows:
            _set_row(row, layout.width, pens, texts)
        if layout.missing:
            y = layout.height - (STRIP + 4 if layout.strip is not None else 0) - 12
            words = layout.type if layout.title != layout.type else "no pack declares this type"
            texts.dim.append((QPointF(PAD + 4, y), pens.elide(words, layout.width - 2 * PAD - 4)))
    if layout.strip is not None:
        y = _line(layout.strip, STRIP, pens)
        texts.strip = QPointF(PAD, y), pens.elide(message, layout.width - 2 * PAD)
    return texts


def _line(top: float, height: float, pens: Pens) -> float:
    return top + height / 2 + (pens.metrics.ascent() - pens.metrics.descent()) / 2


def _set_ports(layout: NodeLayout, pens: Pens, texts: NodeTexts) -> None:
    params = {row.port for row in layout.rows}
    for port in layout.ports:
        if port.is_input and port.name in params:
            continue
        y = _line(port.y - ROW / 2, ROW, pens)
        text = pens.elide(port.label, layout.width / 2 - 20)
        x = 12.0 if port.is_input else layout.width - 12 - pens.metrics.horizontalAdvance(text)
        (texts.bright if port.known else texts.pale).append((QPointF(x, y), text))
        taken = {other.y for other in layout.ports if not other.is_input}
        if port.auto and port.y not in taken:
            room = layout.width - 36 - pens.metrics.horizontalAdvance(text)
            said = pens.elide(f"auto: {port.auto}", room)
            x = layout.width - 12 - pens.metrics.horizontalAdvance(said)
            texts.dim.append((QPointF(x, y), said))


def _set_row(row: ParameterRow, width: float, pens: Pens, texts: NodeTexts) -> None:
    y = _line(row.y, ROW, pens)
    label = pens.elide(row.label, width * 0.55)
    texts.dim.append((QPointF(12, y), label))
    words = texts.dim if row.linked or row.value is None else texts.bright
    if row.long:
        top = row.y + ROW
        texts.fields.append(QRectF(PAD, top, width - 2 * PAD, LINES * 16 + 4))
        for index, line in enumerate(wrap(row.text, width - 2 * PAD - 12, LINES, pens)):
            texts.bright.append((QPointF(PAD + 6, _line(top + 2 + index * 16, 16, pens)), line))
        return
    room = width - 24 - pens.metrics.horizontalAdvance(label) - 12
    text = pens.elide(row.text.replace("\n", " "), room)
    x = width - 12 - pens.metrics.horizontalAdvance(text)
    words.append((QPointF(x, y), text))


def wrap(text: str, width: float, lines: int, pens: Pens) -> list[str]:
    """The first `lines` lines of `text`, wrapped at words; the last one is elided."""
    found: list[str] = []
    for paragraph in text[:2000].split("\n"):
        layout = QTextLayout(paragraph, pens.font)
        layout.setTextOption(_wrapping())
        layout.beginLayout()
        start = 0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            start = line.textStart()
            if len(found) == lines - 1:
                found.append(pens.elide(paragraph[start:], width))
                return found
            found.append(paragraph[start : start + line.textLength()].rstrip())
        layout.endLayout()
    return found


def _wrapping() -> QTextOption:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return option


def paint_node(painter: QPainter, node_item: NodeItem, selected: bool, zoom: float) -> None:
    """Paint a node."""
    faded = node_item.layout.mode is not Mode.ACTIVE
    if faded:  # nothing shines through
        painter.setPen(NO_PEN)
        painter.setBrush(node_item.pens.theme.window)
        painter.drawRoundedRect(
            QRectF(0, 0, node_item.layout.width, node_item.layout.height), RADIUS, RADIUS
        )
        painter.setOpacity(FADED)
    _body(painter, node_item, selected, near=zoom >= NEAR)
    if node_item.layout.role is not Role.REROUTE:
        _title(painter, node_item, zoom)
    if node_item.thumb is not None and node_item.layout.thumb is not None:
        rect = QRectF(*node_item.layout.thumb)
        _picture(painter, node_item.thumb, rect)
        if node_item.beside is not None:
            paint_beside(painter, node_item.beside, rect, node_item.split, node_item.pens.selected)
        if node_item.clip_length and zoom >= NEAR:
            paint_badge(painter, rect, node_item.clip_length, node_item.pens.font)
    if zoom >= NEAR:
        _inside(painter, node_item)
    if node_item.state.progress is not None:
        _progress(painter, node_item)
    if faded:
        painter.setOpacity(1.0)


def _body(painter: QPainter, node_item: NodeItem, selected: bool, *, near: bool) -> None:
    layout, pens = node_item.layout, node_item.pens
    rect = QRectF(0, 0, layout.width, layout.height)
    painter.setPen(NO_PEN)
    painter.setBrush(pens.body)
    if near:
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    else:
        painter.drawRect(rect)
    if layout.missing:
        painter.setBrush(QBrush(mix(pens.theme.raised, pens.theme.error, 0.4), HATCH))
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    if layout.role is not Role.REROUTE:
        painter.setBrush(pens.category_brush(layout.category, node_item.colour))
        height = min(TITLE, layout.height)
        if not near:
            painter.drawRect(QRectF(0, 0, layout.width, height))
        elif layout.height <= TITLE:
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        else:
            painter.drawPath(rounded_bar(layout.width, TITLE, top=True))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_frame(node_item, selected))
    if near:
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    else:
        painter.drawRect(rect)


HATCH = Qt.BrushStyle.BDiagPattern


def _frame(node_item: NodeItem, selected: bool) -> QPen:
    pens = node_item.pens
    if selected:
        return pens.selected
    if node_item.state.kind == "error" or node_item.layout.missing:
        return QPen(pens.theme.error, 1.5)
    if node_item.problem:
        return QPen(pens.theme.warn, 1.5)
    if node_item.state.kind == "running":
        return QPen(pens.theme.accent, 1.5)
    if node_item.layout.mode is not Mode.ACTIVE:
        return QPen(pens.theme.dim, 1, Qt.PenStyle.DashLine)
    return pens.edge


def _title(painter: QPainter, node_item: NodeItem, zoom: float) -> None:
    layout, pens = node_item.layout, node_item.pens
    ratio = zoom * painter.device().devicePixelRatioF()
    y = (TITLE - ICON) / 2
    name = CATEGORY_ICONS.get(layout.category, "cube")
    painter.drawPixmap(QPointF(PAD, y), pens.icon(name, pens.theme.text, ratio))
    x = layout.width - PAD - ICON
    for badge, colour in node_item.badges:
        painter.drawPixmap(QPointF(x, y), pens.icon(STATUS_ICONS[badge], colour, ratio))
        x -= ICON + 4
    painter.setFont(pens.title_font)
    painter.setPen(pens.text)
    painter.drawText(*node_item.texts.title)


def _picture(painter: QPainter, picture: QPixmap, rect: QRectF) -> None:
    painter.drawPixmap(rect, picture, QRectF(picture.rect()))


def paint_beside(
    painter: QPainter, picture: QPixmap, rect: QRectF, split: float, line: QPen
) -> None:
    """The left part of `picture` over another one in `rect`, and a line where it ends."""
    left = QRectF(rect.topLeft(), QSizeF(rect.width() * split, rect.height()))
    painter.drawPixmap(left, picture, QRectF(0, 0, picture.width() * split, picture.height()))
    painter.setPen(line)
    painter.drawLine(left.topRight(), left.bottomRight())


def _inside(painter: QPainter, node_item: NodeItem) -> None:
    texts, pens = node_item.texts, node_item.pens
    if texts.fields:
        painter.setPen(NO_PEN)
        painter.setBrush(pens.field)
        for rect in texts.fields:
            painter.drawRoundedRect(rect, 4, 4)
    painter.setFont(pens.font)
    for pen, lines in ((pens.dim, texts.dim), (pens.text, texts.bright), (pens.error, texts.pale)):
        painter.setPen(pen)
        for place, text in lines:
            painter.drawText(place, text)
    if texts.strip is not None and node_item.layout.strip is not None:
        _message(painter, node_item, node_item.layout.strip, texts.strip)
    for port in node_item.layout.ports:
        _port(painter, port, node_item)
    if node_item.problems.ports:
        _port_problems(painter, node_item)


def _message(painter: QPainter, node_item: NodeItem, top: float, text: Text) -> None:
    theme = node_item.pens.theme
    painter.setPen(NO_PEN)
    painter.setBrush(mix(theme.raised, theme.error, 0.3))
    painter.drawRect(QRectF(1, top, node_item.layout.width - 2, STRIP))
    painter.setPen(node_item.pens.text)
    painter.drawText(*text)


def _port(painter: QPainter, port: PortLayout, node_item: NodeItem) -> None:
    brush, pen = node_item.pens.port_style(port.type)
    hollow = port.optional and not port.linked
    if not port.known:
        pen, hollow = node_item.pens.error, True
    painter.setPen(pen if hollow else NO_PEN)
    painter.setBrush(node_item.pens.body if hollow else brush)
    x = 0.0 if port.is_input else node_item.layout.width
    size = DOT - 1 if hollow else DOT
    if node_item.hovered_port is port:
        size += 2
    if port.many:
        painter.drawRoundedRect(QRectF(x - size, port.y - size, 2 * size, 2 * size), 1, 1)
    else:
        painter.drawEllipse(QPointF(x, port.y), size, size)


def _port_problems(painter: QPainter, node_item: NodeItem) -> None:
    """A bar before the name of each input that a problem is about."""
    theme = node_item.pens.theme
    colours = {Severity.ERROR: theme.error, Severity.WARNING: theme.warn, Severity.HINT: theme.dim}
    places = {row.port: row.y for row in node_item.layout.rows}
    places |= {port.name: port.y - ROW / 2 for port in node_item.layout.ports if port.is_input}
    painter.setPen(NO_PEN)
    for name, problems in node_item.problems.ports.items():
        if name in places:
            painter.setBrush(colours[problems.severity])
            painter.drawRoundedRect(QRectF(7.5, places[name] + 5, 2.5, ROW - 10), 1, 1)


def _progress(painter: QPainter, node_item: NodeItem) -> None:
    layout = node_item.layout
    share = max(0.0, min(1.0, node_item.state.progress or 0.0))
    painter.setPen(NO_PEN)
    painter.setBrush(node_item.pens.theme.line)
    painter.drawRect(QRectF(2, layout.height - 4, layout.width - 4, 3))
    painter.setBrush(node_item.pens.theme.accent)
    painter.drawRect(QRectF(2, layout.height - 4, (layout.width - 4) * share, 3))
