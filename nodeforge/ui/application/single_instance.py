"""Single instance: a second start sends its file to the window that is already open."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE = 500
"""Milliseconds to wait for the running instance."""


def server_name(home: Path) -> str:
    """The local socket's name for a home folder."""
    return "nodeforge-" + hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:16]


def send_to_running_instance(home: Path, file: Path | None) -> bool:
    """Send `file` to the instance running on `home`; returns whether there is one."""
    socket = QLocalSocket()
    socket.connectToServer(server_name(home))
    if not socket.waitForConnected(_PATIENCE):
        return False
    message = {"open": str(file.absolute()) if file else ""}
    socket.write(json.dumps(message).encode() + b"\n")
    return socket.waitForBytesWritten(_PATIENCE)


class SingleInstanceServer(QObject):
    """Listens for files from later starts."""

    file_requested = Signal(str)
    """The path of a file to open; empty to only raise the window."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        if not self._server.listen(server_name(home)):
            QLocalServer.removeServer(server_name(home))  # left by a window that died
            self._server.listen(server_name(home))

    def close(self) -> None:
        """Stop listening. A socket destroyed while connected would emit signals to objects that are
        being destroyed.
        """
        self._server.close()
        for socket in self._server.findChildren(QLocalSocket):
            socket.blockSignals(True)
            socket.abort()

    def _accept(self) -> None:
        socket = self._server.nextPendingConnection()
        if socket is not None:
            socket.readyRead.connect(lambda: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            return
        try:
            message = json.loads(bytes(socket.readLine().data()))
            self.file_requested.emit(str(message["open"]))
        except (ValueError, KeyError, TypeError):
            return  # not a message of NodeForge
