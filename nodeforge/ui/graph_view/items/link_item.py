"""Graphics items of links, of the link being drawn, and of the cut stroke."""

from __future__ import annotations

from enum import StrEnum

from NodeGraphQt.constants import Z_VAL_NODE, Z_VAL_NODE_WIDGET
from NodeGraphQt.qgraphics.pipe import PipeItem
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPathItem

from nodeforge.graph.model import Input, Output
from nodeforge.ui.graph_view.items.port_item import GraphPortItem

THIN, WIDTH, WIDE = 1.0, 1.6, 3.5
Z_VALUE = Z_VAL_NODE + 2
"""Above all nodes, also selected ones: behind a node, a link looks as if it ended at its ports."""


class LinkStyle(StrEnum):
    """How links are drawn; hidden ones are shown at nodes that are selected or hovered."""

    CURVED = "curved"
    STRAIGHT = "straight"
    HIDDEN = "hidden"


def link_path(start: QPointF, end: QPointF, style: LinkStyle = LinkStyle.CURVED) -> QPainterPath:
    """The path of a link from an output to an input."""
    if style is LinkStyle.STRAIGHT:
        path = QPainterPath(start)
        path.lineTo(end)
        return path
    outermost_input = max(28.0, min(abs(end.x() - start.x()) / 2, 120.0))
    if end.x() < start.x():
        outermost_input = max(outermost_input, min(120.0, (start.x() - end.x()) / 3))
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(outermost_input, 0), end - QPointF(outermost_input, 0), end)
    return path


class LinkItem(PipeItem):
    """The item of the link into `end`; both ends are addressed from the root."""

    paint = QGraphicsPathItem.paint  # pyright: ignore[reportAssignmentType]

    def __init__(
        self,
        end: Input,
        start: Output,
        into: GraphPortItem,
        out_of: GraphPortItem,
        style: LinkStyle = LinkStyle.CURVED,
    ) -> None:
        QGraphicsPathItem.__init__(self)
        self.setZValue(Z_VALUE)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIsSelectable, True)
        self.end, self.start = end, start
        self._input_port, self._output_port = into, out_of
        self._into, self._out_of = into, out_of
        self._colour = QColor()
        self._dimmed = self._marked = self._quiet = False
        self._style, self._near = style, False
        into.add_pipe(self)
        out_of.add_pipe(self)
        self.draw_path()

    @property
    def target(self) -> GraphPortItem:
        return self._into

    @property
    def source(self) -> GraphPortItem:
        return self._out_of

    def draw_path(self, start_port=None, end_port=None, cursor_pos=None) -> None:
        """Update the path from the ports; NodeGraphQt's arguments are ignored."""
        self.setPath(link_path(self._out_of.centre(), self._into.centre(), self._style))

    def set_link_style(self, style: LinkStyle) -> None:
        self._style = style
        self.draw_path()
        self.reset()

    def set_near(self, near: bool) -> None:
        """Whether one of its nodes is selected or hovered, so that it is shown also if hidden."""
        if near != self._near:
            self._near = near
            self.reset()

    def set_style(self, colour: QColor, dimmed: bool, *, quiet: bool = False) -> None:
        """Set the colour; `dimmed` links (muted nodes) are dashed and pale, `quiet` ones (of an
        output that broadcasts) thin and pale unless one of their nodes is near."""
        self._colour, self._dimmed, self._quiet = colour, dimmed, quiet
        self.reset()

    def set_highlighted(self, marked: bool) -> None:
        """Highlight the link, as a drop target or to be removed."""
        if marked != self._marked:
            self._marked = marked
            self.reset()

    @property
    def colour(self) -> QColor:
        return self._colour

    def reset(self) -> None:
        wide = self._marked or self.isSelected()
        colour = QColor(self._colour)
        quiet = self._quiet and not self._near
        colour.setAlpha(255 if wide else 70 if quiet else 110 if self._dimmed else 255)
        pen = QPen(colour, WIDE if wide else THIN if quiet else WIDTH)
        if self._dimmed:
            pen.setDashPattern([4, 3])
        self.setPen(pen)
        self.setVisible(self._style is not LinkStyle.HIDDEN or wide or self._near)

    activate = highlight = reset

    def itemChange(self, change, value):  # noqa: N802
        made = QGraphicsPathItem.itemChange(self, change, value)
        if change == QGraphicsItem.GraphicsItemChange.ItemSelectedHasChanged:
            self.reset()
        return made


class LinkPreview(QGraphicsPathItem):
    """The link being drawn."""

    def __init__(self, colour: QColor) -> None:
        super().__init__()
        self.setZValue(Z_VAL_NODE_WIDGET + 1)
        self._colour = colour

    def draw(self, start: QPointF, end: QPointF, refused: QColor | None) -> None:
        """Draw from output to input; in the colour `refused` if the link is not possible."""
        pen = QPen(refused or self._colour, 2.5)
        if refused is not None:
            pen.setStyle(Qt.PenStyle.DashLine)
        self.setPen(pen)
        self.setPath(link_path(start, end))


class CutStroke(QGraphicsPathItem):
    """The stroke of the Cut links gesture."""

    def __init__(self, colour: QColor) -> None:
        super().__init__()
        self.setZValue(Z_VAL_NODE_WIDGET + 2)
        pen = QPen(colour, 1.5, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        self.setPen(pen)
