"""The host's process on the other machine: behind a private Unix socket, without any terminal.

`attach` finds it, or starts it, and relays bytes between its own pipes and that socket. Whoever may
log in as that person may connect; there is no port.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from nodeforge import __version__
from nodeforge.engine.protocol import Frame, ProtocolError, read_frame, write_frames
from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.host import Host, Keep
from nodeforge.engine.remote.line import Line, closed
from nodeforge.settings import Settings, load_settings

_SILENT = 60.0
"""Seconds without a sign of life after which a client is taken for gone."""
_STARTS = 60.0
"""Seconds that a host may take to start."""
_BUFFER = 2**16


def attach(settings: Settings, device: str, keep: float) -> None:
    """Relay this process' standard streams to the host, which is started if need be.

    Raises:
        MachineError: it does not start.
    """
    if not hasattr(socket, "AF_UNIX") or sys.platform == "win32":
        raise MachineError("only Linux and macOS can be used from another machine.")
    connection = _connected(settings, device, keep)
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    replies.write(messages.GREETING)
    replies.flush()
    back = threading.Thread(target=_relay_back, args=(connection, replies), daemon=True)
    back.start()
    with contextlib.suppress(OSError):
        while data := os.read(requests.fileno(), _BUFFER):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    back.join(1.0)


def _relay_back(connection: socket.socket, replies: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := connection.recv(_BUFFER):
            replies.write(data)
            replies.flush()
    os._exit(0)  # the main thread waits for input, which nothing else ends


def _connected(settings: Settings, device: str, keep: float) -> socket.socket:
    from filelock import FileLock

    folder = _folder(settings)
    # The length of a socket's path is limited to about 100 bytes; that of a name in it is not met.
    os.chdir(folder)
    name = _socket_name(device)
    with FileLock(folder / f"{name}.lock", timeout=_STARTS):
        connection = _try_connect(name)
        if connection is not None:
            return connection
        process = _start(folder, device, keep)
        end = time.monotonic() + _STARTS
        while time.monotonic() < end:
            if (connection := _try_connect(name)) is not None:
                return connection
            if process.poll() is not None:
                break
            time.sleep(0.05)
    log = _log(folder, device)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
    raise MachineError(f"the host did not start: {said}.", place=str(log))


def _try_connect(name: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(name)
    except OSError:
        connection.close()
        return None
    return connection


def _start(folder: Path, device: str, keep: float) -> subprocess.Popen[bytes]:
    """The host, which outlives this process and its terminal."""
    with _log(folder, device).open("wb") as log:
        command = [sys.executable, "-P", "-m", "nodeforge.engine.remote.detached"]
        return subprocess.Popen(
            [*command, "--device", device, "--keep", str(keep)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def _folder(settings: Settings) -> Path:
    """A folder that nobody else may enter.

    Raises:
        MachineError: it cannot be made, or belongs to another person.
    """
    folder = settings.worker_folder / "hosts"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    except OSError as error:
        raise MachineError(
            f"cannot be made private: {error.strerror}.", place=str(folder)
        ) from error
    return folder


def _socket_name(device: str) -> str:
    return f"{re.sub(r'[^a-z0-9]', '-', device)}.sock"


def _log(folder: Path, device: str) -> Path:
    return folder / f"{_socket_name(device)}.log"


class DetachedHost:
    """Listens on the socket, and serves one client at a time.

    Args:
        settings: Folders of this machine.
        device: What its worker computes on.
        keep: Seconds without a client until it ends itself.
    """

    def __init__(self, settings: Settings, device: str, keep: float) -> None:
        self._settings, self._device = settings, device
        self._session = ""
        self._line: Line | None = None
        self._host: Host | None = None
        self._of = ""
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._keep = Keep(keep, self._end)

    def serve(self) -> None:
        """Accept clients until it ends itself."""
        folder = _folder(self._settings)
        os.chdir(folder)
        name = _socket_name(self._device)
        Path(name).unlink(missing_ok=True)
        os.umask(0o077)
        self._listening.bind(name)
        Path(name).chmod(0o700)
        self._listening.listen()
        with contextlib.suppress(OSError):  # it is closed as the process ends
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _end(self) -> None:
        Path(_socket_name(self._device)).unlink(missing_ok=True)
        if self._host is not None:
            self._host.close()
        os._exit(0)

    def _serve(self, connection: socket.socket) -> None:
        """Serve a client until its line ends; its session is kept for a while."""
        connection.settimeout(_SILENT)
        stream: Any = connection.makefile("rwb")
        line: Line | None = None
        try:
            hello = read_frame(stream)
            if hello is None or messages.HELLO not in hello.header:
                return
            line = self._begin(connection, stream, hello.header)
            if line is not None:
                line.listen(stream)
        except (OSError, ProtocolError, KeyError, TypeError) as error:
            print(f"a client's line has ended: {error!r}", file=sys.stderr)  # the log
        finally:
            if line is not None:
                line.disconnect(stream)
                self._left(connection)
            closed(stream)
            connection.close()

    def _begin(self, connection: socket.socket, stream: Any, hello: dict[str, Any]) -> Line | None:
        """The line of a client that is welcome."""
        with self._lock:
            if refused := self._refusal(hello):
                write_frames(stream, [Frame({messages.REFUSED: refused})])
                return None
            is_new = hello["session"] != self._session
            if self._connection is not None:  # the client's old line, which is not known to be dead
                with contextlib.suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)
            if is_new:
                self._renew(hello)
            assert self._line is not None
            self._connection = connection
            self._keep.stop()
            welcome = {"seen": self._line.seen, "new": is_new, "pid": os.getpid()}
            write_frames(stream, [Frame({messages.WELCOME: welcome, "version": __version__})])
            self._line.connect(stream, hello["seen"])
            return self._line

    def _refusal(self, hello: dict[str, Any]) -> str:
        if hello.get(messages.HELLO) != messages.PROTOCOL or hello.get("version") != __version__:
            return f"version {__version__}"
        is_other = hello["session"] != self._session
        if is_other and self._connection is not None:
            return f"in use by {self._of}"
        return ""

    def _renew(self, hello: dict[str, Any]) -> None:
        """Serve another client: its runs begin anew, the worker stays with what it has loaded."""
        if self._line is not None:
            self._line.close()
        if self._host is not None:
            self._host.stop_runs()
        self._session, self._of = hello["session"], str(hello.get("of", ""))
        line = Line(self._receive)
        self._line = line
        if self._host is None:
            self._host = Host(self._settings, self._device, self._send)
            self._host.start()

    def _send(self, frame: Frame, passing: bool) -> None:
        if self._line is not None:
            self._line.send(frame, passing=passing)

    def _receive(self, frame: Frame) -> None:
        if self._host is not None:
            self._host.receive(frame)

    def _left(self, connection: socket.socket) -> None:
        with self._lock:
            if self._connection is connection:
                self._connection = None
                self._keep.start()


def main() -> None:
    parser = argparse.ArgumentParser(prog="nodeforge.engine.remote.detached")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", type=float, default=messages.KEEP)
    arguments = parser.parse_args()
    DetachedHost(load_settings(), arguments.device, arguments.keep).serve()


if __name__ == "__main__":
    main()
