"""The real window, offscreen, on a home of its own; a Qt warning fails a test (pyproject)."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication

from nodeforge.settings import Settings
from nodeforge.ui.application.app import window_store
from nodeforge.ui.application.garbage_collector import GarbageCollector
from nodeforge.ui.common import theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow
from support.windows import close_without_asking, quiet_worker

Opener = Callable[..., MainWindow]


@pytest.fixture(autouse=True, scope="session")
def collected_in_the_windows_thread(qapp: QApplication) -> Iterator[None]:
    """As in the app: a window of the last test must not be destroyed by a worker's thread."""
    garbage_collector = GarbageCollector(qapp)
    yield
    garbage_collector.deleteLater()
    qapp.clipboard().clear()  # what Python made for it must not outlive Python
    gc.collect()  # while there is an application
    gc.enable()


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
