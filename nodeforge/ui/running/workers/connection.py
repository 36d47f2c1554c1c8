"""Connection to the worker: requests without waiting, events and answers in the main thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from nodeforge.engine import events
from nodeforge.engine.remote import Client, open_worker
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import WorkerError, WorkerProcess
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings

FLUSH = 33
"""Minimum milliseconds between two deliveries of events."""

Answer = dict[str, Any] | NodeForgeError
AnswerCallback = Callable[[Answer], None]
Spawn = Callable[[Settings, str], WorkerProcess]


class WorkerConnection(QObject):
    """Sends requests from a background thread and collects events and answers.

    The main thread never waits for a full pipe, for imports of the worker, or for a new process.

    Args:
        settings: Settings for the worker.
        device: Where it is, as `open_worker` has it.
        spawn: Starts the worker process on a device.

    Raises:
        MachineError: the device is a machine without an address.
    """

    events_received = Signal(list)
    """Events in order, at most every 33 ms; of progress only the last of each node."""
    reconnected = Signal()
    """The worker is another one, with other settings; what was asked of the last is lost."""
    _arrived = Signal()
    _answer_arrived = Signal(object, object)

    def __init__(self, settings: Settings, device: str, spawn: Spawn) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._events: list[events.Event] = []
        self._answers: list[tuple[AnswerCallback, Answer]] = []
        self._flushed = 0.0
        self._sender = ThreadPoolExecutor(1, "to-worker")
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._flush)
        self._arrived.connect(self._schedule_flush, Qt.ConnectionType.QueuedConnection)
        self._answer_arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._closed = False
        self._client = self._connect(settings, device, spawn)

    @property
    def machine(self) -> str:
        """The name of the other machine on which the worker is; empty on this one."""
        return self._client.machine

    @property
    def pid(self) -> int | None:
        """The worker's process id, if it runs."""
        return self._client.pid

    def start(self) -> None:
        self._send(self._client.start)

    def run(self, graph: dict[str, Any], request: RunRequest) -> None:
        self._send(partial(self._client.run, graph, request))

    def cancel(self, run: str) -> None:
        self._send(partial(self._client.cancel, run))

    def pause(self, run: str) -> None:
        """Stop `run` after its step, however long that takes."""
        self._send(partial(self._client.cancel, run, None))

    def ask(
        self, request: str, done: AnswerCallback, *, at_once: bool = False, **arguments: Any
    ) -> None:
        """Send a request (`WorkerClient.ask`); `done` gets the answer in the main thread.

        Args:
            at_once: Deliver the answer as it comes, and not with what comes within 33 ms.
        """

        def send() -> None:
            future = self._client.ask(request, **arguments)
            future.add_done_callback(partial(self._answered, done, at_once))

        self._send(send)

    def kill(self) -> None:
        """Kill the worker; the next request starts another."""
        self._client.kill()

    def reconnect(self, settings: Settings, device: str, spawn: Spawn) -> None:
        """End the worker and use one with other settings.

        Raises:
            MachineError: the device is a machine without an address; the worker is as it was.
        """
        client, self._client = self._client, self._connect(settings, device, spawn)
        self._send(partial(client.close, 1.0))
        self.reconnected.emit()

    def silence(self) -> None:
        """No more events or answers are delivered."""
        self._closed = True
        self._timer.stop()
        self._sender.shutdown(wait=False, cancel_futures=True)

    def end(self, patience: float = 2.0) -> None:
        """End the worker, in whatever thread; it has `patience` seconds to write what it holds."""
        self._client.close(patience)

    def _connect(self, settings: Settings, device: str, spawn: Spawn) -> Client:
        return open_worker(settings, self._on_event, device, spawn)

    def _send(self, what: Callable[[], None]) -> None:
        if not self._closed:
            self._sender.submit(what)

    def _on_event(self, event: events.Event) -> None:
        with self._lock:
            self._events.append(event)
        self._wake()

    def _answered(
        self, done: AnswerCallback, at_once: bool, future: Future[dict[str, Any]]
    ) -> None:
        error = future.exception()
        if error is None:
            answer: Answer = future.result()
        elif isinstance(error, NodeForgeError):
            answer = error
        else:
            answer = WorkerError(f"the worker could not be asked: {error}.")
        if at_once:
            if not self._closed:
                self._answer_arrived.emit(done, answer)
            return
        with self._lock:
            self._answers.append((done, answer))
        self._wake()

    def _deliver(self, done: AnswerCallback, answer: Answer) -> None:
        if not self._closed:
            done(answer)

    def _wake(self) -> None:
        if not self._closed:
            self._arrived.emit()

    def _schedule_flush(self) -> None:
        if not self._timer.isActive() and not self._closed:
            since = (time.monotonic() - self._flushed) * 1000
            self._timer.start(max(0, round(FLUSH - since)))

    def _flush(self) -> None:
        with self._lock:
            arrived, self._events = self._events, []
            answers, self._answers = self._answers, []
        self._flushed = time.monotonic()
        if arrived:
            self.events_received.emit(_last_progress(arrived))
        for done, answer in answers:
            done(answer)


def _last_progress(arrived: list[events.Event]) -> list[events.Event]:
    """`arrived` without outdated progress events; all previews are kept."""
    last: dict[tuple[type, str, str], int] = {}
    for index, event in enumerate(arrived):
        if isinstance(event, events.Progress):
            last[type(event), event.run, event.node] = index
    kept = set(last.values())
    return [
        event
        for index, event in enumerate(arrived)
        if index in kept or not isinstance(event, events.Progress)
    ]
