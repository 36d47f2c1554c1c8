"""Runs long operations in a background thread, with a progress dialog."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QProgressDialog, QWidget

from nodeforge.errors import RequestError

_DIALOG_DELAY = 300
"""Milliseconds until the progress dialog is shown."""
_INTERVAL = 15

ReportProgress = Callable[[float], None]
Result = TypeVar("Result")


class _CancelledError(RequestError):
    """The user has cancelled the operation."""


def run_in_background(
    parent: QWidget, text: str, work: Callable[[ReportProgress], Result]
) -> Result | None:
    """Run `work` in a background thread and return its result; None if the user cancels.

    The window is blocked meanwhile but repainted; exceptions of `work` are raised here. `work` gets
    a function to report its progress, 0..1, and must create no Qt objects.
    """
    dialog = QProgressDialog(text, "Cancel", 0, 100, parent)
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setWindowTitle(text.rstrip("…"))
    dialog.setMinimumDuration(_DIALOG_DELAY)
    dialog.setAutoReset(False)
    share, cancelled = [0.0], [False]

    def report(done: float) -> None:
        if cancelled[0]:
            raise _CancelledError("was cancelled.")
        share[0] = done

    def poll() -> None:
        cancelled[0] = dialog.wasCanceled()
        dialog.setValue(min(round(share[0] * 100), 99))
        if made.done():
            loop.quit()

    loop, clock = QEventLoop(), QTimer()
    clock.setInterval(_INTERVAL)
    clock.timeout.connect(poll)
    dialog.setValue(0)
    with ThreadPoolExecutor(1, "background-task") as thread:
        made = thread.submit(work, report)
        clock.start()
        loop.exec()
    clock.stop()
    dialog.close()
    dialog.deleteLater()
    try:
        return made.result()
    except _CancelledError:
        return None
