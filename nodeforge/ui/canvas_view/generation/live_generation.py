"""Live generation: generates while the user paints."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.canvas import Change, ChangeKind
from nodeforge.ui.canvas_view.generation.generation_run import GenerationRun
from nodeforge.ui.canvas_view.generation.generator import Generator
from nodeforge.ui.canvas_view.session import CanvasSession

PAUSE = 60
"""Milliseconds from the last change until a generation starts."""
_DRAWING = 350
"""The same during a stroke, from its first change."""
STEPS = 4


class LiveGeneration(QObject):
    """Keeps one generation running for the current canvas.

    Outdated generations are cancelled, except during a stroke: then they may finish, so that a
    long stroke is updated, too, and the next generation starts from the stroke so far.
    """

    changed = Signal()

    def __init__(self, session: CanvasSession, generator: Generator) -> None:
        super().__init__()
        self._session, self._generator = session, generator
        self.enabled = False
        self._round: GenerationRun | None = None
        self._outdated = False
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._begin)
        self._end = session.canvas.subscribe(self._on_canvas_changed)
        generator.ended.connect(self._ended)
        generator.form.value_changed.connect(lambda _: self._request_run())
        generator.form.form_changed.connect(self._request_run)
        session.box_changed.connect(self._request_run)

    def close(self) -> None:
        self.enabled = False
        self._pause.stop()
        self._end()

    def set_enabled(self, on: bool) -> None:
        self.enabled = on
        if on:
            self._request_run()
        else:
            self._pause.stop()
            if self._round is not None:
                self._generator.cancel(self._round)
        self.changed.emit()

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        if self.enabled and any(change.kind is not ChangeKind.ACTIVE for change in changes):
            self._request_run()

    def _request_run(self) -> None:
        if not self.enabled:
            return
        drawing = self._session.tool.busy
        if self._round is not None:
            self._outdated = True
            if not drawing:
                self._generator.cancel(self._round)
        elif not (drawing and self._pause.isActive()):
            self._pause.start(_DRAWING if drawing else PAUSE)

    def _begin(self) -> None:
        if not self.enabled or self._round is not None:
            return
        self._outdated = False
        self._round = self._generator.start(self._quick_values(), live=True)

    def _quick_values(self) -> dict[str, Any]:
        """The form's values, for one picture in few steps."""
        form = self._generator.form
        values = form.current_values()
        for name, value in values.items():
            path, _, port = name.rpartition(".")
            if port == "steps":
                steps = value or form.auto_values().get(path, {}).get(port, STEPS)
                values[name] = min(int(steps), STEPS)
            elif port == "batch":
                values[name] = 1
        return values

    def _ended(self, made: GenerationRun) -> None:
        if made is not self._round:
            return
        self._round = None
        if self.enabled and self._outdated:
            self._pause.start(PAUSE)
