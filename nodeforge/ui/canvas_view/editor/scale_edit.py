"""Edits of the canvas' shape that guides and the generation box follow, also when undone."""

from __future__ import annotations

from nodeforge.canvas import CanvasEdit, State
from nodeforge.graph.document import Document
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.session import Studio


class ScaleEdit(CanvasEdit):
    """The whole picture in another size.

    Args:
        made: What comes of the state that the canvas has.
    """

    def __init__(self, studio: Studio, made: State) -> None:
        super().__init__(studio.canvas, "scale image", lambda _: made)
        self._studio = studio
        before = studio.canvas.state
        across, down = made.width / before.width, made.height / before.height
        self._aids = _Aids.of(studio).scaled(across, down)

    def _turn(self, document: Document, state: State) -> None:
        now = _Aids.of(self._studio)
        super()._turn(document, state)
        self._aids.put(self._studio)
        self._aids = now


class _Aids:
    """What lies over the canvas and is no part of it: guides and the generation box."""

    def __init__(self, across: list[float], down: list[float], box: Box | None) -> None:
        self.across, self.down, self.box = across, down, box

    @classmethod
    def of(cls, studio: Studio) -> _Aids:
        return cls(list(studio.snap.across), list(studio.snap.down), studio.box)

    def scaled(self, across: float, down: float) -> _Aids:
        box = self.box
        if box is not None:
            left, top = round(box.left * across), round(box.top * down)
            right, bottom = round(box.right * across), round(box.bottom * down)
            box = Box(left, top, max(right - left, 1), max(bottom - top, 1))
        return _Aids(_times(self.across, down), _times(self.down, across), box)

    def put(self, studio: Studio) -> None:
        studio.snap.across, studio.snap.down = self.across, self.down
        studio.set_box(self.box)
        studio.snap.changed.emit()


def _times(places: list[float], factor: float) -> list[float]:
    return [round(place * factor) for place in places]
