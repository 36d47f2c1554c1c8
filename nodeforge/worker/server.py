"""Reads requests, runs one workflow after another, sends events as they happen.

The main thread computes: runs, and questions that compute, in turn. One thread reads requests, so
that a cancel is heard at once; one answers questions that need no GPU, another those that must not
wait for a plan; one writes, joining what has gathered meanwhile.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.protocol import Frame, read_frame, write_frames
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.running.executor import unexpected_report
from nodeforge.engine.session import Session
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.formats import graph_from_json

Answer = tuple[dict[str, Any], bytes]


class Computing(Protocol):
    """Answers a question by computing with networks."""

    def __call__(self, header: dict[str, Any], check: Callable[[], None]) -> Answer: ...


class Outbox:
    """Sends frames from a thread of its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="outbox", daemon=True)
        self._thread.start()

    def put(self, frame: Frame) -> None:
        self._queue.put(frame)

    def close(self) -> None:
        """Send what is left, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _send(self) -> None:
        frames: list[Frame] = []
        while (frame := self._queue.get()) is not None:
            frames.append(frame)
            if self._queue.empty():
                self._write(frames)
                frames = []
        self._write(frames)

    def _write(self, frames: list[Frame]) -> None:
        with contextlib.suppress(OSError):  # the client has gone; its closed pipe stops us
            write_frames(self._stream, frames)


class Server:
    """Serves one client.

    Args:
        session: What runs workflows.
        requests: Where the client's frames come from.
        replies: Where events and answers go.
        answers: Questions by name, each a function of the request's header.
        left: Called once the client has closed its end, from the thread that reads.
        prepare: Called before the first run, from the thread that computes; questions are
            answered meanwhile, but for those of `after_prepare`.
        after_prepare: Names of questions that wait for the end of `prepare`. What they need is
            imported there: two threads that import modules which import each other may each
            find one half made, which ends in an ImportError.
        at_once: Names of questions that wait for no others: they have a thread of their own.
        computing: Questions that compute with networks, by name: they are answered between runs,
            by the thread that runs. Each is given the header, and a function that raises
            `Cancelled` once a run waits.
    """

    def __init__(
        self,
        session: Session,
        requests: BinaryIO,
        replies: BinaryIO,
        answers: dict[str, Callable[[dict[str, Any]], Answer]],
        left: Callable[[], None] = lambda: None,
        prepare: Callable[[], None] = lambda: None,
        after_prepare: Collection[str] = (),
        at_once: Collection[str] = (),
        computing: Mapping[str, Computing] = MappingProxyType({}),
    ) -> None:
        self._session = session
        self._requests = requests
        self._outbox = Outbox(replies)
        self._computing = computing
        self._answers = answers | {
            name: partial(each, check=self._give_way) for name, each in computing.items()
        }
        self._left = left
        self._prepare = prepare
        self._after_prepare = frozenset(after_prepare)
        self._prepared: Future[None] = Future()
        self._states: dict[str, RunState] = {}
        self._runs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._light = ThreadPoolExecutor(1, "answers")
        self._at_once = ThreadPoolExecutor(1, "answers-at-once")
        self._is_at_once = frozenset(at_once)

    def serve(self) -> None:
        """Run until the client closes its end; then finish writing the cache."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        self._prepare()
        self._prepared.set_result(None)
        while (header := self._runs.get()) is not None:
            if header["request"] == "run":
                self._run(header)
            else:
                self._answer_in_turn(header)
        self._light.shutdown()
        self._at_once.shutdown()
        self._session.cache.flush()
        self._outbox.close()

    def _read(self) -> None:
        try:
            while (frame := read_frame(self._requests)) is not None:
                self._receive(frame.header)
        finally:
            self._left()
            for state in list(self._states.values()):
                state.stop.set()
            self._runs.put(None)

    def _receive(self, header: dict[str, Any]) -> None:
        match header["request"]:
            case "run":
                self._states[header["id"]] = RunState(self._emit)
                self._runs.put(header)
            case "cancel":
                if state := self._states.get(header["id"]):
                    state.stop.set()
            case name if name in self._computing:
                self._runs.put(header)
            case name if name in self._after_prepare:
                self._prepared.add_done_callback(lambda _: self._submit(header))
            case _:
                self._submit(header)

    def _give_way(self) -> None:
        if not self._runs.empty():
            raise Cancelled

    def _answer_in_turn(self, header: dict[str, Any]) -> None:
        """Answer a question that computes, between two runs."""
        done: Future[Frame] = Future()
        try:
            done.set_result(self._answer(header))
        except Exception as error:  # an answer, not the end of this process
            done.set_exception(error)
        self._answered(header, done)

    def _submit(self, header: dict[str, Any]) -> None:
        thread = self._at_once if header["request"] in self._is_at_once else self._light
        answer = thread.submit(self._answer, header)
        answer.add_done_callback(partial(self._answered, header))

    def _run(self, header: dict[str, Any]) -> None:
        request = request_from(header)
        state = self._states[request.run]
        try:
            graph = graph_from_json(header["graph"])
        except NodeForgeError as error:
            self._emit(events.Failed(request.run, "", ErrorReport.of(error)))
        except Exception as error:  # an answer, not the end of this process
            self._emit(events.Failed(request.run, "", unexpected_report(error)))
        else:
            self._session.run(graph, request, state)
            self._session.save_last_runs()
        finally:
            self._states.pop(request.run, None)

    def _answer(self, header: dict[str, Any]) -> Frame:
        reply: dict[str, Any] = {"answer": header["id"]}
        payload = b""
        try:
            answer, payload = self._answers[header["request"]](header)
            reply.update(answer)
        except NodeForgeError as error:
            reply["error"] = asdict(ErrorReport.of(error))
        return Frame(reply, payload)

    def _answered(self, header: dict[str, Any], done: Future[Frame]) -> None:
        if error := done.exception():
            fact = f"could not answer '{header['request']}': {error!r}."
            report = ErrorReport(type(error).__name__, fact, known=False)
            self._outbox.put(Frame({"answer": header["id"], "error": asdict(report)}))
        else:
            self._outbox.put(done.result())

    def _emit(self, event: events.Event) -> None:
        self._outbox.put(events.to_frame(event))


def request_from(header: dict[str, Any]) -> RunRequest:
    """The run that a ``run`` or ``plan`` message asks for."""
    return RunRequest(
        run=header["id"],
        targets=header.get("targets", []),
        assets=header.get("assets", {}),
        granted=header.get("granted", []),
        sent=header.get("sent", []),
        lock=header.get("lock", {}),
        stamp=header.get("stamp", {}),
        outputs=Path(header.get("outputs", "")),
        previews=header.get("previews", False),
        document=header.get("document", ""),
        kept_loops=header.get("kept_loops", []),
        afresh=header.get("afresh", False),
        tells_steps=header.get("tells_steps", 0.0),
    )
