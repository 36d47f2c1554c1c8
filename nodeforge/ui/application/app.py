"""Entry point of the window: creates the application and the main window."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
)

from nodeforge.settings import load_settings
from nodeforge.ui.application import single_instance
from nodeforge.ui.application.askpass import use_for_ssh
from nodeforge.ui.application.crash_reports import CrashReports
from nodeforge.ui.application.file_dialogs import use_platform_dialogs
from nodeforge.ui.application.garbage_collector import GarbageCollector
from nodeforge.ui.common import theme
from nodeforge.ui.common.icons import icon
from nodeforge.ui.common.preference_store import PreferenceStore

if TYPE_CHECKING:
    from nodeforge.ui.window.main_window import MainWindow

_FRAME = QSize(16, 48)
"""Room for the frame and title bar that a desktop adds, pixels."""


class _CrashSignal(QObject):
    """Passes a crash report from any thread to the main thread."""

    raised = Signal(str, str)


def main(file: Path | None = None) -> int:
    """Open the window, on `file` where one is given; returns the exit code.

    Raises:
        RequestError: the settings cannot be read.
    """
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    app = make_app()
    if single_instance.send_to_running_instance(settings.home, file):
        return 0
    use_for_ssh()
    crash_signal = _CrashSignal()
    emit_crash = crash_signal.raised.emit
    reports = CrashReports(settings.home / "logs", lambda path, text: emit_crash(str(path), text))
    reports.install()  # before all else that may fail
    GarbageCollector(app)
    first = single_instance.SingleInstanceServer(settings.home)
    # only here: a second start needs none of it, and has returned
    from nodeforge.ui.documents.workspace import Workspace
    from nodeforge.ui.window.main_window import MainWindow

    workspace = Workspace(settings, window_store(settings.home))
    theme.apply(app, workspace.theme)
    window = MainWindow(workspace)
    crash_signal.raised.connect(partial(show_crash, window), Qt.ConnectionType.QueuedConnection)
    first.file_requested.connect(partial(_raise_window, window))
    show_within_screen(window)
    if file is not None:
        window.files.open(file)
    code = app.exec()
    first.close()
    return code


def show_within_screen(window: MainWindow) -> None:
    """Show the window; where its frame would not fit on the screen, it is maximised."""
    room = window.screen().availableSize() - _FRAME
    size = window.size()
    if size.width() > room.width() or size.height() > room.height():
        window.resize(size.boundedTo(room))
        window.showMaximized()
    else:
        window.show()


def make_app() -> QApplication:
    """Create the QApplication, with a name that desktops group windows by."""
    use_platform_dialogs()
    app = QApplication(sys.argv[:1])
    app.setApplicationName("NodeForge")
    app.setDesktopFileName("nodeforge")
    app.setWindowIcon(icon("tree-structure", "accent"))
    return app


def window_store(home: Path) -> PreferenceStore:
    """The store of window settings: an ini file in the home folder."""
    return PreferenceStore(home / "window.ini")


def show_crash(window: MainWindow, path: str, report: str) -> QDialog:
    """Show a crash report; the workflow stays open."""
    dialog = QDialog(window)
    dialog.setWindowTitle("Something went wrong")
    dialog.resize(640, 400)
    text = QLabel(
        "NodeForge had an internal error. Your workflow is still open; save it to be safe.\n"
        f"A report without your prompts is in {path}",
        wordWrap=True,
    )
    details = QPlainTextEdit(report, readOnly=True)
    details.setAccessibleName("Report")
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    copy = buttons.addButton("Copy report", QDialogButtonBox.ButtonRole.ActionRole)
    copy.clicked.connect(lambda: QApplication.clipboard().setText(report))
    buttons.rejected.connect(dialog.close)
    column = QVBoxLayout(dialog)
    for part in (text, details, buttons):
        column.addWidget(part)
    dialog.show()
    return dialog


def _raise_window(window: MainWindow, file: str) -> None:
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()
    if file:
        window.files.open(Path(file))
