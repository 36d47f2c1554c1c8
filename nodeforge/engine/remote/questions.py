"""Questions to the host on another machine, and its answers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from nodeforge.engine.protocol import Frame
from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import MachineError
from nodeforge.errors import DiskFullError

Answer = dict[str, Any]


class Questions:
    """Matches answers with questions.

    Args:
        send: Sends a frame to the host.
        machine: The other machine's name, for errors.
    """

    def __init__(self, send: Callable[[Frame], None], machine: str) -> None:
        self._send, self._machine = send, machine
        self._ids = itertools.count(1)
        self._waiting: dict[str, Future[Answer]] = {}
        self._broken: Exception | None = None
        self._lock = threading.Lock()

    def ask(
        self,
        question: str,
        payload: bytes = b"",
        future: Future[Answer] | None = None,
        **arguments: Any,
    ) -> Future[Answer]:
        """Ask; the future gets the answer's header, with its bytes as ``payload``.

        It raises `DiskFullError` where the disk there is full, else `MachineError`.
        """
        future = future or Future()
        ask_id = f"ask-{next(self._ids)}"
        with self._lock:
            broken = self._broken
            if broken is None:
                self._waiting[ask_id] = future
        if broken is not None:  # nobody would ever answer
            future.set_exception(broken)
            return future
        self._send(Frame({**arguments, "request": question, "id": ask_id}, payload))
        return future

    def answer(self, frame: Frame) -> bool:
        """Take a frame, if it is an answer."""
        header = dict(frame.header)
        if (ask_id := header.pop("answer", None)) is None:
            return False
        future = self._waiting.pop(ask_id, None)
        if future is None:
            return True
        if error := header.get("error"):
            future.set_exception(self._error(error))
        else:
            future.set_result({**header, "payload": frame.payload})
        return True

    def renew(self) -> None:
        """There is somebody again, or about to be, who answers."""
        with self._lock:
            self._broken = None

    def fail(self, error: Exception) -> None:
        """Nothing will be answered any more, until `renew`."""
        with self._lock:
            self._broken = error
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(error)

    def _error(self, raw: dict[str, Any]) -> MachineError | DiskFullError:
        report = messages.report_from(raw)
        place = f"machine '{self._machine}'"
        place = f"{place}, {report.place}" if report.place else place
        kind = DiskFullError if report.kind == DiskFullError.__name__ else MachineError
        way_out = report.way_out.replace(messages.MACHINE, self._machine)
        return kind(report.fact, place=place, way_out=way_out)
