"""A window whose canvas is in front."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from nodeforge.settings import Settings
from nodeforge.ui.application.app import window_store
from nodeforge.ui.common import theme
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.window.main_window import MainWindow
from support.canvas_driver import CanvasDriver, driver_in
from support.windows import close_without_asking, quiet_worker


@pytest.fixture(scope="module")
def canvas_window(qapp: QApplication, tmp_path_factory) -> Iterator[MainWindow]:
    """One window for all tests of a module: it takes a second to open."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODEFORGE_HOME", str(home))
        workspace = Workspace(Settings(home=home), window_store(home))
        theme.apply(qapp, workspace.theme)
        window = MainWindow(workspace, quiet_worker)
        window.resize(1600, 1000)
        window.show()
        yield window
        close_without_asking(window)


@pytest.fixture
def driver(canvas_window: MainWindow) -> Iterator[CanvasDriver]:
    made = driver_in(canvas_window)
    made.session.tool_options.reset_colours()
    yield made
    canvas_window.workspace.close(made.tab.opened)
