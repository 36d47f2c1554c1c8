"""The real window, offscreen, on a home of its own; a Qt warning fails a test (pyproject)."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from nodeforge.settings import Settings
from nodeforge.ui import theme
from nodeforge.ui.app import window_store
from nodeforge.ui.main_window import MainWindow
from nodeforge.ui.workspace import Workspace

Opener = Callable[..., MainWindow]


def quiet_worker(settings: Settings, device: str) -> subprocess.Popen[bytes]:
    """A process that reads what it is sent and never answers, as a worker that still imports."""
    pipe = subprocess.PIPE
    code = "import sys; sys.stdin.buffer.read()"
    command = [sys.executable, "-S", "-E", "-c", code]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def open_window(qtbot, qapp: QApplication, home: Path) -> Iterator[Opener]:
    """Opens windows on one home, one after another."""
    windows: list[MainWindow] = []

    def open_one(spawn=quiet_worker, settings: Settings | None = None) -> MainWindow:
        workspace = Workspace(settings or Settings(home=home), window_store(home))
        theme.apply(qapp, workspace.theme)
        window = MainWindow(workspace, spawn)
        windows.append(window)
        window.resize(1600, 1000)
        window.show()
        qtbot.waitExposed(window)
        qapp.processEvents()
        return window

    yield open_one
    for window in windows:
        close_without_asking(window)


@pytest.fixture
def window(open_window: Opener) -> MainWindow:
    return open_window()


def close_without_asking(window: MainWindow) -> None:
    for opened in window.workspace.documents:
        opened.recovered = False
        opened.document.history.mark_saved()
    window.runner.jobs.current = None
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
