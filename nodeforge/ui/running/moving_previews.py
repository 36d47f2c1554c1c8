"""Plays previews of videos that are being denoised, wherever their node's picture is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage

from nodeforge.ui.documents.open_document import OpenDocument

_LEAST_MS = 33
"""A picture of the window is flushed no more often."""


@dataclass
class _Preview:
    opened: OpenDocument
    frames: Sequence[QImage]
    rate: float
    shown: int = 0


class MovingPreviews(QObject):
    """Shows the frames of previews one after another, by a clock that never restarts.

    So the next preview of a node goes on where the last was, without a jump.

    Args:
        clock: Seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._previews: dict[tuple[str, str], _Preview] = {}
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.show_due)

    def play(
        self, opened: OpenDocument, node: str, frames: Sequence[QImage], rate: float
    ) -> QImage:
        """Play the preview of a node from now on; returns the frame that is due."""
        preview = _Preview(opened, frames, rate)
        preview.shown = self._due(preview)
        self._previews[opened.id, node] = preview
        fastest = max(each.rate for each in self._previews.values())
        self._timer.start(max(_LEAST_MS, round(1000 / fastest)))
        return frames[preview.shown]

    def stop(self, opened: OpenDocument, node: str | None = None) -> None:
        """Leave the preview of a node, or of all of a document, as it is."""
        for key in [
            key for key in self._previews if key[0] == opened.id and node in (None, key[1])
        ]:
            del self._previews[key]
        if not self._previews:
            self._timer.stop()

    def show_due(self) -> None:
        """Show the frames that are due by now."""
        for (_, node), preview in list(self._previews.items()):
            due = self._due(preview)
            if due != preview.shown:
                preview.shown = due
                preview.opened.show_picture(node, preview.frames[due])

    def _due(self, preview: _Preview) -> int:
        return int(self._clock() * preview.rate) % len(preview.frames)
