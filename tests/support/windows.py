"""The main window with a worker process that does nothing."""

import subprocess
import sys

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from nodeforge.settings import Settings
from nodeforge.ui.window.main_window import MainWindow


def quiet_worker(settings: Settings, device: str) -> subprocess.Popen[bytes]:
    """A process that reads what it is sent and never answers, as a worker that still imports."""
    pipe = subprocess.PIPE
    code = "import sys; sys.stdin.buffer.read()"
    command = [sys.executable, "-S", "-E", "-c", code]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def close_without_asking(window: MainWindow) -> None:
    for opened in window.workspace.documents:
        opened.mark_saved()
    window.runner.jobs.current = None
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
