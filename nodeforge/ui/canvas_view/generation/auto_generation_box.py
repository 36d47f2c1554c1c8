"""The generation box while the mask chooses it: thought over once painting pauses."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from nodeforge.canvas import Change, What
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.generation_form import Wishes
from nodeforge.ui.canvas_view.generation.generation_source import chosen_box
from nodeforge.ui.canvas_view.session import Studio

_PAUSE = 200
"""Milliseconds after the last change."""


class AutoBox(QObject):
    """Tells the studio which box suits the masks."""

    def __init__(self, studio: Studio, wishes: Wishes) -> None:
        super().__init__()
        self._studio, self._wishes = studio, wishes
        self._box: Box | None = None
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._think)
        self._end = studio.canvas.subscribe(self._hear)
        wishes.value_changed.connect(lambda _: self._pause.start())
        wishes.form_changed.connect(self._pause.start)
        studio.auto_box = lambda: self._box
        self._pause.start(0)

    def close(self) -> None:
        self._pause.stop()
        self._end()

    def _think(self) -> None:
        box = chosen_box(self._studio.canvas.state, self._wishes.strength, self._wishes.native)
        if box != self._box:
            self._box = box
            self._studio.shown_changed.emit()

    def _hear(self, changes: tuple[Change, ...]) -> None:
        state = self._studio.canvas.state
        for change in changes:
            paint = change.what is What.PIXELS and state.has(change.layer)
            if not (paint and not state.layer(change.layer).is_mask):
                self._pause.start()
