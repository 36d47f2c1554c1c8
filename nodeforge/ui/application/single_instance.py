"""Single instance: a second start sends its file to the window that is already open."""

from __future__ import annotations

import hashlib
import json
import os
import socket as sockets
import stat
import struct
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE = 500
"""Milliseconds to wait for the running instance."""


def server_name(home: Path) -> str:
    """The local socket of a home folder; empty where there is no safe place for it.

    On POSIX a path in a folder that belongs to the user with mode 0700, so that nobody else can
    listen there; on Windows the name of a pipe that only the user may open.
    """
    name = "nodeforge-" + hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:16]
    if sys.platform == "win32":
        return name
    folder = _private_folder()
    return str(folder / name) if folder else ""


def send_to_running_instance(home: Path, file: Path | None) -> bool:
    """Send `file` to the instance running on `home`; returns whether there is one."""
    if not (name := server_name(home)):
        return False
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_PATIENCE) or not _is_own_peer(socket):
        return False
    message = {"open": str(file.absolute()) if file else ""}
    socket.write(json.dumps(message).encode() + b"\n")
    return socket.waitForBytesWritten(_PATIENCE)


def _private_folder() -> Path | None:
    """A folder for sockets that only the user may enter; None where there is none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = Path(tempfile.gettempdir()) / f"nodeforge-{os.getuid()}"
    folder = Path(runtime) / "nodeforge" if runtime and Path(runtime).is_dir() else own
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    return folder if private and found.st_uid == os.getuid() else None


def _is_own_peer(socket: QLocalSocket) -> bool:
    """Whether the process at the other end runs as the same user, where the system tells."""
    option = getattr(sockets, "SO_PEERCRED", None)
    if option is None:
        return True  # the folder's mode is the protection
    try:
        with sockets.socket(fileno=os.dup(int(socket.socketDescriptor()))) as same:
            _, user, _ = struct.unpack("3i", same.getsockopt(sockets.SOL_SOCKET, option, 12))
    except OSError:
        return False
    return user == os.getuid()


class SingleInstanceServer(QObject):
    """Listens for files from later starts."""

    file_requested = Signal(str)
    """The path of a file to open; empty to only raise the window."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        name = server_name(home)
        if name and not self._server.listen(name):
            QLocalServer.removeServer(name)  # left by a window that died
            self._server.listen(name)

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
        if socket is not None and not _is_own_peer(socket):
            socket.abort()
        elif socket is not None:
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
