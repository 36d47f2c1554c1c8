"""Shows a file in the system's file manager, selected if possible."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

_MANAGER = "org.freedesktop.FileManager1"
_REPLY_TIMEOUT = 5000
"""Milliseconds to wait for the file manager, which may have to start."""


def show_in_file_manager(path: Path, parent: QObject) -> None:
    """Show `path` in the file manager; if it cannot be selected, open its folder.

    Args:
        parent: A QObject that outlives the file manager's reply.
    """
    path = path.absolute()
    if not path.exists() or not _select(path, parent):
        _open_folder(path)


def _select(path: Path, parent: QObject) -> bool:
    """Ask the system to select the file; returns whether that was possible."""
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
