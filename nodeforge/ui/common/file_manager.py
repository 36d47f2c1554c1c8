"""Showing a file in the system's own program for files, selected where that can be asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

_MANAGER = "org.freedesktop.FileManager1"
_REPLY_TIMEOUT = 5000
"""Milliseconds that a file manager may take to answer, as it may have to start."""


def show_in_file_manager(path: Path, parent: QObject) -> None:
    """Show `path` in its folder; where it cannot be selected there, or is gone, the folder alone.

    Args:
        parent: Lives until the file manager has answered.
    """
    path = path.absolute()
    if not path.exists() or not _select(path, parent):
        _open_folder(path)


def _select(path: Path, parent: QObject) -> bool:
    """Whether somebody was asked to select the file."""
    if sys.platform == "darwin":
        return _start(["open", "-R", str(path)])
    if sys.platform == "win32":
        return _start(f'explorer /select,"{path}"')  # reads its own line: no list of arguments
    return _ask_file_manager(path, parent)


def _start(command: list[str] | str) -> bool:
    try:
        subprocess.Popen(command)
    except OSError:
        return False
    return True


def _ask_file_manager(path: Path, parent: QObject) -> bool:
    """Ask by D-Bus, without waiting: https://www.freedesktop.org/wiki/Specifications/file-manager-interface/"""
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    place = "/" + _MANAGER.replace(".", "/")
    message = QDBusMessage.createMethodCall(_MANAGER, place, _MANAGER, "ShowItems")
    message.setArguments([[path.as_uri()], ""])
    watcher = QDBusPendingCallWatcher(bus.asyncCall(message, _REPLY_TIMEOUT), parent)

    def answered() -> None:
        if watcher.isError():
            _open_folder(path)
        watcher.deleteLater()

    watcher.finished.connect(answered)
    return True


def _open_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
