"""The overlay of the canvas view: candidate, guides, selection, generation box, tool, brush."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from nodeforge.ui.canvas_view.rendering.camera import Camera
from nodeforge.ui.canvas_view.rendering.candidate_overlay import CandidateOverlay
from nodeforge.ui.canvas_view.rendering.marching_ants import MarchingAnts
from nodeforge.ui.canvas_view.rendering.mask_outlines import MaskOutlines
from nodeforge.ui.canvas_view.rendering.outline_painting import DARK, LIGHT, draw_corners
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools import StrokeTool
from nodeforge.ui.canvas_view.tools.rect_handles import paint_rect
from nodeforge.ui.common.theme import Theme

_GUIDE = QColor("#29c6d6")


class CanvasOverlay:
    """Draws the overlay of one view.

    Args:
        candidate_overlay: The shown candidate.
    """

    def __init__(
        self,
        session: CanvasSession,
        candidate_shown: CandidateOverlay,
        marching_ants: MarchingAnts,
        theme: Theme,
    ) -> None:
        self._session, self._candidate_overlay, self._marching_ants = (
            session,
            candidate_shown,
            marching_ants,
        )
        self.theme = theme
        self._mask_outlines = MaskOutlines(session.canvas)
        self.brush_position: QPointF | None = None
        """Centre of the brush outline, view pixels."""

    def paint(self, painter: QPainter, camera: Camera, ratio: float) -> None:
        transform = camera.transform()
        if not self._drawing():  # the stroke must be visible
            self._candidate_overlay.paint(painter, camera, ratio)
        self._paint_guides(painter, camera)
        if not self.masks_tinted():
            self._mask_outlines.paint(painter, transform)
        self._marching_ants.paint(painter, transform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_box(painter, camera)
        self._session.tool.paint(painter, camera)
        self._paint_brush(painter, camera)

    def masks_tinted(self) -> bool:
        """Whether masks are shown as tints: while a mask is active and no candidate is shown."""
        active = self._session.canvas.active
        candidate_shown = self._candidate_overlay.image is not None and not self._drawing()
        return active is not None and active.is_mask and not candidate_shown

    def brush_rect(self, camera: Camera) -> QRectF:
        """The rectangle of the brush outline."""
        if self.brush_position is None:
            return QRectF()
        half = self._radius(camera) + 3
        return QRectF(
            self.brush_position.x() - half, self.brush_position.y() - half, 2 * half, 2 * half
        )

    def _drawing(self) -> bool:
        tool = self._session.tool
        return isinstance(tool, StrokeTool) and tool.busy

    def _paint_guides(self, painter: QPainter, camera: Camera) -> None:
        snap = self._session.snapping
        if not (snap.horizontal or snap.vertical):
            return
        painter.setPen(QPen(_GUIDE, 1))
        far = max(camera.size.width(), camera.size.height()) / camera.zoom * 2 + 1e4
        for height in snap.horizontal:
            ends = QPointF(-far, height), QPointF(far, height)
            painter.drawLine(*(camera.to_view(end) for end in ends))
        for place in snap.vertical:
            ends = QPointF(place, -far), QPointF(place, far)
            painter.drawLine(*(camera.to_view(end) for end in ends))

    def _paint_box(self, painter: QPainter, camera: Camera) -> None:
        box = self._session.shown_box()
        if box is None:
            return
        rect, transform = QRectF(*box), camera.transform()
        chosen = self._session.box is not None
        if self._session.tool.name == "box":
            paint_rect(painter, rect, transform, self.theme.accent, dashed=not chosen)
            return
        polygon = transform.map(QPolygonF(rect))
        if chosen:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for pen in (QPen(DARK, 3), QPen(self.theme.accent, 1.5)):
                painter.setPen(pen)
                painter.drawPolygon(polygon)
        else:  # corners alone: dashes are for selections
            draw_corners(painter, polygon, self.theme.accent)

    def _paint_brush(self, painter: QPainter, camera: Camera) -> None:
        if self.brush_position is None or not isinstance(self._session.tool, StrokeTool):
            return
        radius = self._radius(camera)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen, wide in ((QPen(DARK, 1), radius + 1), (QPen(LIGHT, 1), radius)):
            painter.setPen(pen)
            painter.drawEllipse(self.brush_position, wide, wide)
        if radius < 4:  # too small to be found: a cross around it
            for x, y in ((8, 0), (-8, 0), (0, 8), (0, -8)):
                far, near = QPointF(x, y), QPointF(x, y) * 0.6
                painter.setPen(QPen(DARK, 3))
                painter.drawLine(self.brush_position + near, self.brush_position + far)
                painter.setPen(QPen(LIGHT, 1))
                painter.drawLine(self.brush_position + near, self.brush_position + far)

    def _radius(self, camera: Camera) -> float:
        tool = self._session.tool
        return tool.value("size") / 2 * camera.zoom if tool.has_option("size") else 0.0
