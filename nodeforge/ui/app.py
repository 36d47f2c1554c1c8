"""Starts the window."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from nodeforge.settings import load_settings
from nodeforge.ui import single, theme
from nodeforge.ui.crash import CrashReports
from nodeforge.ui.icons import icon
from nodeforge.ui.main_window import MainWindow
from nodeforge.ui.workspace import Workspace


class _Alarm(QObject):
    """Brings a report from whatever thread to the window's."""

    raised = Signal(str, str)


def main(file: Path | None = None) -> int:
    """Open the window, on `file` where one is given; returns the exit code.

    Raises:
        RequestError: the settings cannot be read.
    """
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    app = make_app()
    if single.hand_over(settings.home, file):
        return 0
    alarm = _Alarm()
    raise_alarm = alarm.raised.emit
    reports = CrashReports(settings.home / "logs", lambda path, text: raise_alarm(str(path), text))
    reports.install()
    first = single.FirstWindow(settings.home)
    workspace = Workspace(settings, window_store(settings.home))
    theme.apply(app, workspace.theme)
    window = MainWindow(workspace)
    alarm.raised.connect(partial(show_crash, window), Qt.ConnectionType.QueuedConnection)
    first.asked.connect(partial(_come_forward, window))
    window.show()
    if file is not None:
        window.files.open(file)
    code = app.exec()
    first.close()
    return code


def make_app() -> QApplication:
    """The application, named so that systems group its windows."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("NodeForge")
    app.setDesktopFileName("nodeforge")
    app.setWindowIcon(icon("tree-structure", "accent"))
    return app


def window_store(home: Path) -> QSettings:
    """What the window remembers, in an ini file of the home."""
    return QSettings(str(home / "window.ini"), QSettings.Format.IniFormat)


def show_crash(window: MainWindow, path: str, report: str) -> QMessageBox:
    """Say that we made a mistake, once at a time; the workflow stays open."""
    box = QMessageBox(window)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Something went wrong")
    box.setText("NodeForge made a mistake. Your workflow is still open; save it to be safe.")
    box.setInformativeText(f"A report without your prompts is in\n{path}")
    box.setDetailedText(report)
    copy = QPushButton("Copy report")
    box.addButton(copy, QMessageBox.ButtonRole.ActionRole)
    copy.clicked.disconnect()  # it would close the box
    copy.clicked.connect(lambda: QApplication.clipboard().setText(report))
    box.addButton(QMessageBox.StandardButton.Close)
    box.setModal(False)
    box.show()
    return box


def _come_forward(window: MainWindow, file: str) -> None:
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()
    if file:
        window.files.open(Path(file))
