"""The edit that scales a canvas together with its guides and generation box."""

from __future__ import annotations

from nodeforge.canvas import CanvasEdit, State
from nodeforge.graph.document import Document
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.session import CanvasSession


class ScaleEdit(CanvasEdit):
    """Replaces the canvas by a scaled one; also scales guides and generation box.

    Args:
        made: The scaled state.
    """

    def __init__(self, session: CanvasSession, made: State) -> None:
        super().__init__(session.canvas, "scale image", lambda _: made)
        self._session = session
        before = session.canvas.state
        scale_x, scale_y = made.width / before.width, made.height / before.height
        self._guides_and_box = _GuidesAndBox.of(session).scaled(scale_x, scale_y)

    def _turn(self, document: Document, state: State) -> None:
        now = _GuidesAndBox.of(self._session)
        super()._turn(document, state)
        self._guides_and_box.apply(self._session)
        self._guides_and_box = now


class _GuidesAndBox:
    """Guides and generation box, which are not part of the canvas state."""

    def __init__(self, scale_x: list[float], scale_y: list[float], box: Box | None) -> None:
        self.horizontal, self.vertical, self.box = scale_x, scale_y, box

    @classmethod
    def of(cls, session: CanvasSession) -> _GuidesAndBox:
        return cls(list(session.snapping.horizontal), list(session.snapping.vertical), session.box)

    def scaled(self, scale_x: float, scale_y: float) -> _GuidesAndBox:
        box = self.box
        if box is not None:
            left, top = round(box.left * scale_x), round(box.top * scale_y)
            right, bottom = round(box.right * scale_x), round(box.bottom * scale_y)
            box = Box(left, top, max(right - left, 1), max(bottom - top, 1))
        return _GuidesAndBox(
            _scaled(self.horizontal, scale_y), _scaled(self.vertical, scale_x), box
        )

    def apply(self, session: CanvasSession) -> None:
        session.snapping.horizontal, session.snapping.vertical = self.horizontal, self.vertical
        session.set_box(self.box)
        session.snapping.changed.emit()


def _scaled(places: list[float], factor: float) -> list[float]:
    return [round(place * factor) for place in places]
