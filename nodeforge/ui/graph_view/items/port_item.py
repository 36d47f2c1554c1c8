"""The graphics item of a port: a position for hit tests and links; the node paints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from NodeGraphQt.constants import Z_VAL_PORT, PortTypeEnum
from NodeGraphQt.qgraphics.port import PortItem
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.ui.graph_view.items.node_layout import PortLayout

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.items.node_item import NodeItem

REACH = 11.0
"""Radius of a port's hit area, scene units."""


class GraphPortItem(PortItem):
    """A port of a `NodeItem`."""

    def __init__(self, node_item: NodeItem, layout: PortLayout) -> None:
        QGraphicsItem.__init__(self, node_item)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents, True)
        self.setZValue(Z_VAL_PORT)
        self._pipes = []
        self._hovered = False
        self._locked = False
        self._display_name = True
        self._port_type = (PortTypeEnum.IN if layout.is_input else PortTypeEnum.OUT).value
        self.set_layout(layout, node_item.layout.width)

    def set_layout(self, layout: PortLayout, width: float) -> None:
        """Set position and type from `layout`, on a node of this width."""
        self.layout = layout
        self._name = layout.name
        self._multi_connection = layout.many or not layout.is_input
        self.setPos(0.0 if layout.is_input else width, layout.y)

    @property
    def node_item(self) -> NodeItem:
        return self.parentItem()  # pyright: ignore[reportReturnType]

    @property
    def is_input(self) -> bool:
        return self.layout.is_input

    def centre(self) -> QPointF:
        """The end point of links, scene coordinates."""
        return self.parentItem().pos() + self.pos()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(-REACH, -REACH, 2 * REACH, 2 * REACH)

    def redraw_connected_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.draw_path()
