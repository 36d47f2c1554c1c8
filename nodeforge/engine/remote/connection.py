"""Keeps a line to another machine: opens it, and opens it again where it breaks."""

from __future__ import annotations

import contextlib
import getpass
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from nodeforge import __version__
from nodeforge.engine.protocol import Frame, ProtocolError, read_frame, write_frames
from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import Address, Machine, MachineError
from nodeforge.engine.remote.line import Line, closed
from nodeforge.engine.remote.ssh import AwayError, start_ssh, told_failure

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to open the line again; the last for all that follow."""
_LAST_WORDS, _GOODBYE = 5.0, 1.0
"""Seconds for ssh to end after a failure, and after a good end."""
Start = Callable[[Address, Sequence[str]], "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Listener:
    """Who is told what happens on a connection, from threads of its own.

    Args:
        receive: A frame has come.
        paused: The line is broken (True), or is there again (False).
        lost: The line, or the host, has gone for good; what was asked is lost.
    """

    receive: Callable[[Frame], None]
    paused: Callable[[bool], None]
    lost: Callable[[MachineError], None]


class Link(Protocol):
    """A way to a host: `Connection`, or one to an actor of a cluster."""

    @property
    def is_open(self) -> bool:
        """Whether it was opened and has not been lost since: it may be up again by itself."""
        ...

    @property
    def is_up(self) -> bool: ...

    @property
    def traffic(self) -> tuple[int, int]: ...

    def open(self) -> None: ...

    def send(self, frame: Frame) -> None: ...

    def close(self, patience: float) -> None: ...


class Connection:
    """The line to a machine's host.

    Args:
        machine: Which.
        listener: Who is told.
        keep: Seconds to try to open the line again, and for the host to wait.
        start: Runs a command of NodeForge there.
    """

    def __init__(
        self,
        machine: Machine,
        listener: Listener,
        keep: float = messages.KEEP,
        start: Start = start_ssh,
    ) -> None:
        self._machine, self._listener = machine, listener
        self._keep, self._start = keep, start
        self._session = ""
        self._line: Line | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._opened = threading.Event()
        self._failed: MachineError | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_up(self) -> bool:
        return self._line is not None and self._line.is_up

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes sent and received since it was opened, before ssh compresses them."""
        line = self._line
        return (line.bytes_sent, line.bytes_received) if line else (0, 0)

    def open(self) -> None:
        """Open the line unless it is; waits for that.

        Raises:
            MachineError: it cannot be opened.
        """
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._session, self._failed = uuid.uuid4().hex, None
                self._line = Line(self._listener.receive)
                self._opened.clear()
                self._thread = threading.Thread(target=self._hold, daemon=True, name="machine")
                self._thread.start()
        self._opened.wait()
        if self._failed is not None:
            raise self._failed

    def send(self, frame: Frame) -> None:
        """Send a frame, now or once the line is there again."""
        if self._line is not None:
            self._line.send(frame)

    def close(self, patience: float) -> None:
        """Let what was sent arrive, then close the line; the host stays for a while."""
        line, self._is_closed = self._line, True
        if line is not None:
            if line.is_up:
                line.flush(patience)
            line.close()
        self._wake.set()
        if self._process is not None:
            closed(self._process.stdin)
            _end(self._process)

    def _hold(self) -> None:
        """Open the line, listen, and open it again, until it is closed or given up."""
        since, attempt = time.monotonic(), 0
        while not self._is_closed:
            try:
                process = self._dial()
            except MachineError as error:
                if self._is_given_up(error, since):
                    self._fail(error)
                    return
                self._wake.wait(_PAUSES[min(attempt, len(_PAUSES) - 1)])
                attempt += 1
                continue
            if self._opened.is_set():
                self._listener.paused(False)
            self._opened.set()
            self._listen(process)
            since, attempt = time.monotonic(), 0
            if not self._is_closed:
                self._listener.paused(True)

    def _is_given_up(self, error: MachineError, since: float) -> bool:
        """Whether another attempt is of no use: it never was there, or will not come back."""
        is_first = not self._opened.is_set()
        return is_first or not isinstance(error, AwayError) or time.monotonic() - since > self._keep

    def _fail(self, error: MachineError) -> None:
        self._failed = error
        was_open = self._opened.is_set()
        self._opened.set()
        if was_open:
            self._listener.lost(error)

    def _dial(self) -> subprocess.Popen[bytes]:
        """Start ssh and greet the host.

        Raises:
            MachineError: that fails.
        """
        address = self._machine.address
        arguments = ["worker", "attach", "--keep", f"{self._keep:.0f}s"]
        process = self._start(address, [*arguments, "--device", address.device])
        words = _Words(process)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            messages.wait_for_greeting(process.stdout)
            self._greet(process)
        except messages.GreetingError as error:
            code = words.end()
            raise told_failure(self._machine, code, f"{error}\n{words.text}") from error
        except (OSError, ProtocolError) as error:
            code = words.end()
            raise AwayError(
                f"the line broke as it was opened: {words.text.strip() or f'code {code}'}.",
                place=f"machine '{self._machine.name}'",
                way_out="Try again.",
            ) from error
        except MachineError:
            words.end()
            raise
        self._process = process
        return process

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        line = self._line
        assert line is not None
        assert process.stdin is not None
        assert process.stdout is not None
        hello = {
            messages.HELLO: messages.PROTOCOL,
            "version": __version__,
            "session": self._session,
            "seen": line.seen,
            "of": _own_name(),
        }
        write_frames(process.stdin, [Frame(hello)])
        answer = read_frame(process.stdout)
        if answer is None:
            raise OSError("it was closed")
        if refused := answer.header.get(messages.REFUSED):
            raise self._refusal(str(refused))
        welcome = answer.header[messages.WELCOME]
        if welcome["new"] and self._opened.is_set():
            self._session = ""  # the host that knew this session has ended
            raise MachineError(
                "its host has ended, and with it what was running there.",
                place=f"machine '{self._machine.name}'",
                way_out="Run again: what was finished is in its cache.",
            )
        line.connect(process.stdin, welcome["seen"])

    def _refusal(self, why: str) -> MachineError:
        place = f"machine '{self._machine.name}'"
        if why.startswith("version "):
            return MachineError(
                f"has NodeForge {why.removeprefix('version ')}, and this machine {__version__}.",
                place=place,
                way_out="Install the same version on both.",
            )
        return MachineError(
            f"is {why}.", place=place, way_out="Wait, or end what runs there from that machine."
        )

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        line = self._line
        assert line is not None
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError, ProtocolError):
            line.listen(process.stdout)
        line.disconnect(process.stdin)
        closed(process.stdin)
        _end(process)
        closed(process.stdout)


def _own_name() -> str:
    """Who this is, for others who find the machine in use."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # as in a container that knows no such person
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let ssh end by itself, or end it."""
    try:
        process.wait(_GOODBYE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Words:
    """What ssh, and the command there, print on their error stream."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        return "\n".join(self._lines[-40:])

    def end(self) -> int:
        """End the process; gives its code once all it has said is read."""
        closed(self._process.stdin)
        try:
            code = self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._thread.join(1.0)
        return code

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append(line.decode(errors="replace").rstrip())
