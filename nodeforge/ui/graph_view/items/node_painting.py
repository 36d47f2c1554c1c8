"""How a node is painted, at two levels of detail; farther away the viewer paints an overview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen, QPixmap, QTextLayout, QTextOption

from nodeforge.graph.model import Mode
from nodeforge.spec import Role
from nodeforge.ui.common.theme import RADIUS
from nodeforge.ui.graph_view.items.node_layout import (
    LINES,
    PAD,
    ROW,
    STRIP,
    TITLE,
    Face,
    PortFace,
    Row,
)
from nodeforge.ui.graph_view.items.pens import CATEGORY_ICONS, NO_PEN, Ink, bar, mix
from nodeforge.ui.graph_view.items.status_icons import ICONS, NodeState, spoken

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.items.node_item import NodeBox

NEAR = 0.5
"""From this zoom on, ports and parameters are painted."""
DOT = 5.0
ICON = 16.0
FADED = 0.45

Text = tuple[QPointF, str]


@dataclass
class Copy:
    """The texts of a node, shortened and placed."""

    title: Text
    dim: list[Text]
    bright: list[Text]
    pale: list[Text]
    fields: list[QRectF]
    strip: Text | None = None


def set_text(face: Face, ink: Ink, state: NodeState, badges: int, message: str) -> Copy:
    """Place what `face` says. `badges` is how many icons stand at the right of the title."""
    base = TITLE / 2 + (ink.title_metrics.ascent() - ink.title_metrics.descent()) / 2
    right = face.width - PAD - badges * (ICON + 4)
    copy = Copy((QPointF(), ""), [], [], [], [])
    if state.seconds is not None and state.kind != "running":
        time = spoken(state.seconds)
        wide = ink.metrics.horizontalAdvance(time)
        copy.dim.append((QPointF(right - wide, base), time))
        right -= wide + 4
    left = PAD + ICON + 6
    copy.title = (QPointF(left, base), ink.elide(face.title, right - left - 2, title=True))
    if not face.collapsed and face.role is not Role.REROUTE:
        _set_ports(face, ink, copy)
        for row in face.rows:
            _set_row(row, face.width, ink, copy)
        if face.missing:
            y = face.height - (STRIP + 4 if face.strip is not None else 0) - 12
            words = face.type if face.title != face.type else "no pack declares this type"
            copy.dim.append((QPointF(PAD + 4, y), ink.elide(words, face.width - 2 * PAD - 4)))
    if face.strip is not None:
        y = _line(face.strip, STRIP, ink)
        copy.strip = QPointF(PAD, y), ink.elide(message, face.width - 2 * PAD)
    return copy


def _line(top: float, height: float, ink: Ink) -> float:
    return top + height / 2 + (ink.metrics.ascent() - ink.metrics.descent()) / 2


def _set_ports(face: Face, ink: Ink, copy: Copy) -> None:
    params = {row.port for row in face.rows}
    for port in face.ports:
        if port.is_input and port.name in params:
            continue
        y = _line(port.y - ROW / 2, ROW, ink)
        text = ink.elide(port.label, face.width / 2 - 20)
        x = 12.0 if port.is_input else face.width - 12 - ink.metrics.horizontalAdvance(text)
        (copy.bright if port.known else copy.pale).append((QPointF(x, y), text))


def _set_row(row: Row, width: float, ink: Ink, copy: Copy) -> None:
    y = _line(row.y, ROW, ink)
    label = ink.elide(row.label, width * 0.55)
    copy.dim.append((QPointF(12, y), label))
    words = copy.dim if row.linked or row.value is None else copy.bright
    if row.long:
        top = row.y + ROW
        copy.fields.append(QRectF(PAD, top, width - 2 * PAD, LINES * 16 + 4))
        for index, line in enumerate(wrap(row.text, width - 2 * PAD - 12, LINES, ink)):
            copy.bright.append((QPointF(PAD + 6, _line(top + 2 + index * 16, 16, ink)), line))
        return
    room = width - 24 - ink.metrics.horizontalAdvance(label) - 12
    text = ink.elide(row.text.replace("\n", " "), room)
    x = width - 12 - ink.metrics.horizontalAdvance(text)
    words.append((QPointF(x, y), text))


def wrap(text: str, width: float, lines: int, ink: Ink) -> list[str]:
    """The first `lines` lines of `text`, broken at words; the last one says if there is more."""
    found: list[str] = []
    for paragraph in text[:2000].split("\n"):
        layout = QTextLayout(paragraph, ink.font)
        layout.setTextOption(_wrapping())
        layout.beginLayout()
        start = 0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            start = line.textStart()
            if len(found) == lines - 1:
                found.append(ink.elide(paragraph[start:], width))
                return found
            found.append(paragraph[start : start + line.textLength()].rstrip())
        layout.endLayout()
    return found


def _wrapping() -> QTextOption:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    return option


def paint_box(painter: QPainter, box: NodeBox, selected: bool, zoom: float) -> None:
    """The whole node."""
    faded = box.face.mode is not Mode.ACTIVE
    if faded:  # nothing shines through
        painter.setPen(NO_PEN)
        painter.setBrush(box.ink.theme.window)
        painter.drawRoundedRect(QRectF(0, 0, box.face.width, box.face.height), RADIUS, RADIUS)
        painter.setOpacity(FADED)
    _body(painter, box, selected, near=zoom >= NEAR)
    if box.face.role is not Role.REROUTE:
        _title(painter, box, zoom)
    if box.thumb is not None and box.face.thumb is not None:
        _picture(painter, box.thumb, QRectF(*box.face.thumb))
    if zoom >= NEAR:
        _inside(painter, box)
    if box.state.progress is not None:
        _progress(painter, box)
    if faded:
        painter.setOpacity(1.0)


def _body(painter: QPainter, box: NodeBox, selected: bool, *, near: bool) -> None:
    face, ink = box.face, box.ink
    rect = QRectF(0, 0, face.width, face.height)
    painter.setPen(NO_PEN)
    painter.setBrush(ink.body)
    if near:
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    else:
        painter.drawRect(rect)
    if face.missing:
        painter.setBrush(QBrush(mix(ink.theme.raised, ink.theme.error, 0.4), HATCH))
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    if face.role is not Role.REROUTE:
        painter.setBrush(ink.tint(face.category, box.colour))
        height = min(TITLE, face.height)
        if not near:
            painter.drawRect(QRectF(0, 0, face.width, height))
        elif face.height <= TITLE:
            painter.drawRoundedRect(rect, RADIUS, RADIUS)
        else:
            painter.drawPath(bar(face.width, TITLE, top=True))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_frame(box, selected))
    if near:
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
    else:
        painter.drawRect(rect)


HATCH = Qt.BrushStyle.BDiagPattern


def _frame(box: NodeBox, selected: bool) -> QPen:
    ink = box.ink
    if selected:
        return ink.chosen
    if box.state.kind == "error" or box.face.missing:
        return QPen(ink.theme.error, 1.5)
    if box.problem:
        return QPen(ink.theme.warn, 1.5)
    if box.state.kind == "running":
        return QPen(ink.theme.accent, 1.5)
    if box.face.mode is not Mode.ACTIVE:
        return QPen(ink.theme.dim, 1, Qt.PenStyle.DashLine)
    return ink.edge


def _title(painter: QPainter, box: NodeBox, zoom: float) -> None:
    face, ink = box.face, box.ink
    ratio = zoom * painter.device().devicePixelRatioF()
    y = (TITLE - ICON) / 2
    name = CATEGORY_ICONS.get(face.category, "cube")
    painter.drawPixmap(QPointF(PAD, y), ink.icon(name, ink.theme.text, ratio))
    x = face.width - PAD - ICON
    for badge, colour in box.badges:
        painter.drawPixmap(QPointF(x, y), ink.icon(ICONS[badge], colour, ratio))
        x -= ICON + 4
    painter.setFont(ink.title_font)
    painter.setPen(ink.text)
    painter.drawText(*box.copy.title)


def _picture(painter: QPainter, picture: QPixmap, rect: QRectF) -> None:
    painter.drawPixmap(rect, picture, QRectF(picture.rect()))


def _inside(painter: QPainter, box: NodeBox) -> None:
    copy, ink = box.copy, box.ink
    if copy.fields:
        painter.setPen(NO_PEN)
        painter.setBrush(ink.field)
        for rect in copy.fields:
            painter.drawRoundedRect(rect, 4, 4)
    painter.setFont(ink.font)
    for pen, texts in ((ink.dim, copy.dim), (ink.text, copy.bright), (ink.error, copy.pale)):
        painter.setPen(pen)
        for place, text in texts:
            painter.drawText(place, text)
    if copy.strip is not None and box.face.strip is not None:
        _message(painter, box, box.face.strip, copy.strip)
    for port in box.face.ports:
        _port(painter, port, box)


def _message(painter: QPainter, box: NodeBox, top: float, text: Text) -> None:
    theme = box.ink.theme
    painter.setPen(NO_PEN)
    painter.setBrush(mix(theme.raised, theme.error, 0.3))
    painter.drawRect(QRectF(1, top, box.face.width - 2, STRIP))
    painter.setPen(box.ink.text)
    painter.drawText(*text)


def _port(painter: QPainter, port: PortFace, box: NodeBox) -> None:
    brush, pen = box.ink.dot(port.type)
    hollow = port.optional and not port.linked
    if not port.known:
        pen, hollow = box.ink.error, True
    painter.setPen(pen if hollow else NO_PEN)
    painter.setBrush(box.ink.body if hollow else brush)
    x = 0.0 if port.is_input else box.face.width
    size = DOT - 1 if hollow else DOT
    if box.hovered_port is port:
        size += 2
    if port.many:
        painter.drawRoundedRect(QRectF(x - size, port.y - size, 2 * size, 2 * size), 1, 1)
    else:
        painter.drawEllipse(QPointF(x, port.y), size, size)


def _progress(painter: QPainter, box: NodeBox) -> None:
    face = box.face
    share = max(0.0, min(1.0, box.state.progress or 0.0))
    painter.setPen(NO_PEN)
    painter.setBrush(box.ink.theme.line)
    painter.drawRect(QRectF(2, face.height - 4, face.width - 4, 3))
    painter.setBrush(box.ink.theme.accent)
    painter.drawRect(QRectF(2, face.height - 4, (face.width - 4) * share, 3))
