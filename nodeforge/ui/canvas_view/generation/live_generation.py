"""Live: repaints the box while it is painted on."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.canvas import Change, What
from nodeforge.ui.canvas_view.generation.generator import Generator, Round
from nodeforge.ui.canvas_view.session import Studio

PAUSE = 60
"""Milliseconds from the last change to the run of it."""
_DRAWING = 350
"""The same, from the first change of a stroke that is still being drawn."""
STEPS = 4


class Live(QObject):
    """Keeps one round going for what the canvas shows now.

    What is out of date is cancelled; only while a stroke is being drawn it may end, so that
    pictures come in a long stroke, too, and the next round begins from what is drawn by then.
    """

    changed = Signal()

    def __init__(self, studio: Studio, generator: Generator) -> None:
        super().__init__()
        self._studio, self._generator = studio, generator
        self.on = False
        self._round: Round | None = None
        self._stale = False
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._begin)
        self._end = studio.canvas.subscribe(self._hear)
        generator.ended.connect(self._ended)
        generator.wishes.value_changed.connect(lambda _: self._touch())
        generator.wishes.form_changed.connect(self._touch)
        studio.box_changed.connect(self._touch)

    def close(self) -> None:
        self.on = False
        self._pause.stop()
        self._end()

    def switch(self, on: bool) -> None:
        self.on = on
        if on:
            self._touch()
        else:
            self._pause.stop()
            if self._round is not None:
                self._generator.cancel(self._round)
        self.changed.emit()

    def _hear(self, changes: tuple[Change, ...]) -> None:
        if self.on and any(change.what is not What.ACTIVE for change in changes):
            self._touch()

    def _touch(self) -> None:
        if not self.on:
            return
        drawing = self._studio.tool.busy
        if self._round is not None:
            self._stale = True
            if not drawing:
                self._generator.cancel(self._round)
        elif not (drawing and self._pause.isActive()):
            self._pause.start(_DRAWING if drawing else PAUSE)

    def _begin(self) -> None:
        if not self.on or self._round is not None:
            return
        values = self._generator.wishes.asked()
        for name in values:
            if name.endswith(".steps"):
                values[name] = min(int(values[name]), STEPS)
            elif name.endswith(".batch"):
                values[name] = 1
        self._stale = False
        self._round = self._generator.start(values, live=True)

    def _ended(self, made: Round) -> None:
        if made is not self._round:
            return
        self._round = None
        if self.on and self._stale:
            self._pause.start(PAUSE)
