"""The main window with a worker process that does nothing."""

import subprocess
import sys

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from nodeforge.settings import Settings
from nodeforge.ui.running.workers.active_run import ActiveRun
from nodeforge.ui.window.main_window import MainWindow


def quiet_worker(settings: Settings, device: str) -> subprocess.Popen[bytes]:
    """A process that reads what it is sent and never answers, as a worker that still imports."""
    pipe = subprocess.PIPE
    code = "import sys; sys.stdin.buffer.read()"
    command = [sys.executable, "-S", "-E", "-c", code]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def active_run(window: MainWindow) -> ActiveRun:
    """What the window runs; with several workers what began first."""
    return next(iter(window.runner.active.runs.values()))


def run_id(window: MainWindow) -> str:
    """The id of that run; empty where nothing runs."""
    return next(iter(window.runner.active.runs), "")


def forget_runs(window: MainWindow) -> None:
    """Have the window know nothing of what it runs: what still comes of it is dropped."""
    for run in window.runner.active.runs.values():
        run.worker.run = None
    window.runner.active.runs.clear()
    window.runner.jobs.running.clear()


def close_without_asking(window: MainWindow) -> None:
    for opened in window.workspace.documents:
        opened.mark_saved()
    forget_runs(window)
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
