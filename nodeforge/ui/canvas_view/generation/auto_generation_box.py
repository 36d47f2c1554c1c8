"""Computes the automatic generation box from the masks, after a pause in painting."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from nodeforge.canvas import Change, ChangeKind
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.session import CanvasSession

_PAUSE = 200
"""Milliseconds after the last change until the box is computed."""


class AutoGenerationBox(QObject):
    """Provides the session's automatic generation box."""

    def __init__(self, session: CanvasSession, form: GenerationForm) -> None:
        super().__init__()
        self._session, self._form = session, form
        self._box: Box | None = None
        self._pause = QTimer(self, singleShot=True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._update)
        self._end = session.canvas.subscribe(self._on_canvas_changed)
        form.value_changed.connect(lambda _: self._pause.start())
        form.form_changed.connect(self._pause.start)
        session.auto_box = lambda: self._box
        self._pause.start(0)

    def close(self) -> None:
        self._pause.stop()
        self._end()

    def _update(self) -> None:
        box = self._form.box_for(self._session.canvas.state)
        if box != self._box:
            self._box = box
            self._session.overlay_changed.emit()

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        state = self._session.canvas.state
        for change in changes:
            paint = change.kind is ChangeKind.PIXELS and state.has(change.layer)
            if not (paint and not state.layer(change.layer).is_mask):
                self._pause.start()
