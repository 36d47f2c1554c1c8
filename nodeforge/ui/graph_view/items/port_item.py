"""A port as NodeGraphQt knows it: a place on a node. The node paints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from NodeGraphQt.constants import Z_VAL_PORT, PortTypeEnum
from NodeGraphQt.qgraphics.port import PortItem
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem

from nodeforge.ui.graph_view.items.node_layout import PortFace

if TYPE_CHECKING:
    from nodeforge.ui.graph_view.items.node_item import NodeBox

REACH = 11.0
"""How far from its centre a port takes the mouse, in scene units."""


class PortDot(PortItem):
    """A port of a `NodeBox`, at the centre of what is painted for it."""

    def __init__(self, box: NodeBox, face: PortFace) -> None:
        QGraphicsItem.__init__(self, box)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemHasNoContents, True)
        self.setZValue(Z_VAL_PORT)
        self._pipes = []
        self._hovered = False
        self._locked = False
        self._display_name = True
        self._port_type = (PortTypeEnum.IN if face.is_input else PortTypeEnum.OUT).value
        self.settle(face, box.face.width)

    def settle(self, face: PortFace, width: float) -> None:
        """Take the place and the type of `face`, on a node of this width."""
        self.face = face
        self._name = face.name
        self._multi_connection = face.many or not face.is_input
        self.setPos(0.0 if face.is_input else width, face.y)

    @property
    def box(self) -> NodeBox:
        return self.parentItem()  # pyright: ignore[reportReturnType]

    @property
    def is_input(self) -> bool:
        return self.face.is_input

    def centre(self) -> QPointF:
        """Where links end, in the scene."""
        return self.parentItem().pos() + self.pos()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return QRectF(-REACH, -REACH, 2 * REACH, 2 * REACH)

    def redraw_connected_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.draw_path()
