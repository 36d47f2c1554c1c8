"""The client of the worker process, for the window and the command line. Imports no torch."""

from __future__ import annotations

import collections
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any, Protocol

from nodeforge.engine import events
from nodeforge.engine.protocol import REFUSED, Frame, read_frame, write_frames
from nodeforge.engine.running.context import RunRequest
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.settings import Settings

PATIENCE = 10.0
"""Seconds after a Stop until the worker is ended by force."""


_LAST_WORDS = 1.0
"""Seconds to wait for what a worker that has ended has printed."""


class WorkerError(NodeForgeError):
    """The worker could not answer."""


class WorkerRefusedError(RequestError):
    """A worker cannot begin with what it is to run on."""


class WorkerProcess(Protocol):
    """What the client needs of a worker's process; `subprocess.Popen` is one."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


def spawn_worker(
    settings: Settings,
    device: str,
    *,
    spare_core: bool = False,
    threads: int = 0,
    shares_work: bool = False,
) -> subprocess.Popen[bytes]:
    """The worker, deaf to the terminal's Ctrl+C and without a window of its own.

    Args:
        spare_core: It is to leave a core to the window.
        threads: How many it computes with on the processor; 0 leaves that to torch.
        shares_work: It is to wait for a result that a worker beside it computes.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "nodeforge.worker", "--device", device),
            *(["--spare-core"] if spare_core else []),
            *(["--threads", str(threads)] if threads else []),
            *(["--shares-work"] if shares_work else []),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(settings),
        cwd=_working_folder(settings),
        creationflags=flags,
        start_new_session=sys.platform != "win32",
    )


def told_end(code: int, words: str) -> str:
    """How a worker ended, with the error that it printed last: ``code 1 (MemoryError)``."""
    lines = [line for line in words.splitlines() if line.strip()]
    first = max((n for n, line in enumerate(lines) if not line.startswith(" ")), default=0)
    said = " ".join(" ".join(lines[first:]).split())
    kind, colon, fact = said.partition(": ")
    if colon and " " not in kind:  # a full name of an exception
        said = f"{kind.rpartition('.')[2]}: {fact}"
    return f"code {code} ({said})" if said else f"code {code}"


def _working_folder(settings: Settings) -> Path:
    """A folder in which nobody else puts files: what lies beside a workflow is never run."""
    try:
        settings.worker_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return Path(__file__).parent
    return settings.worker_folder


def _environment(settings: Settings) -> dict[str, str]:
    # Threads that spin while they wait are ruinous beside other work: with one core taken,
    # 10 steps of nano took 4 to 29 s spinning and 1.2 s without.
    set_by_us = {"NODEFORGE_HOME": str(settings.home), "PYTHONSAFEPATH": "1"}
    return {"GOMP_SPINCOUNT": "0", **os.environ, **set_by_us}


class WorkerClient:
    """Starts the worker, sends it requests, and passes its events on.

    Args:
        settings: Folders and limits; the worker reads the same.
        on_event: Called for every event, in a thread of the client's own.
        device: ``auto``, ``auto:1``, ``cuda``, ``cuda:1``, ``mps``, ``xpu`` or ``cpu``.
        spawn: Starts the process.
    """

    def __init__(
        self,
        settings: Settings,
        on_event: Callable[[events.Event], None],
        device: str = "auto",
        spawn: Callable[[Settings, str], WorkerProcess] = spawn_worker,
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._device = device
        self._spawn = spawn
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._runs: set[str] = set()
        self._stopping: set[str] = set()
        self._answers: dict[str, Future[dict[str, Any]]] = {}
        self._refused: events.ErrorReport | None = None
        self._process: WorkerProcess | None = None
        self._killed: WorkerProcess | None = None
        self._reader: threading.Thread | None = None
        self._listener: threading.Thread | None = None
        self._stderr: collections.deque[str] = collections.deque(maxlen=40)

    @property
    def machine(self) -> str:
        """The name of another machine on which it is: none."""
        return ""

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        process = self._process
        if process is None or process is self._killed:  # a killed one may be there for a moment
            return None
        return process.pid if process.poll() is None else None

    def start(self) -> None:
        """Start the worker unless it runs. It answers once its libraries are imported."""
        if self.pid is None:
            self._hear_out()
        with self._lock:
            if self.pid is not None:
                return
            self._refused = None
            process = self._process = self._spawn(self._settings, self._device)
            self._listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
            self._listener.start()
            self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
            self._reader.start()

    def _hear_out(self) -> None:
        """Wait until the runs of a worker that has ended are told so, and not those to come."""
        reader = self._reader
        if reader is not None and reader is not threading.current_thread():
            reader.join(PATIENCE)

    def run(self, graph: dict[str, Any], request: RunRequest) -> None:
        """Queue a run of `graph`, a workflow's ``nodes`` and ``links`` as in its file."""
        self.start()
        self._runs.add(request.run)
        self._send(
            {
                "request": "run",
                "id": request.run,
                "graph": graph,
                "targets": request.targets,
                **request.meaning,
                "stamp": dict(request.stamp),
                "outputs": str(request.outputs),
                "previews": request.previews,
                "document": request.document,
                "kept_loops": request.kept_loops,
                "afresh": request.afresh,
                "tells_steps": request.tells_steps,
            }
        )
        self._tell_if_ended(request.run)

    def _tell_if_ended(self, run: str) -> None:
        """Say that the worker died where it had before it could hear of `run`."""
        process = self._process
        if process is None or process.poll() is None:
            return
        self._hear_out()
        if run in self._runs:
            self._runs.discard(run)
            self._on_event(self._end_of(run, process.poll() or 0))

    def cancel(self, run: str, patience: float | None = PATIENCE) -> None:
        """Stop `run` at its next model call; a worker that does not is ended after 10 s.

        A second call for the same run ends the worker at once.

        Args:
            patience: Seconds until the worker is ended; None waits for as long as a step takes.
        """
        if run not in self._runs:
            return
        process = self._process
        if run in self._stopping:
            self.kill()
            return
        self._stopping.add(run)
        self._send({"request": "cancel", "id": run})
        if patience is None:
            return
        timer = threading.Timer(patience, self._end_if_running, (run, process))
        timer.daemon = True
        timer.start()

    def ask(self, request: str, **arguments: Any) -> Future[dict[str, Any]]:
        """Ask a question of `worker.build`, as ``catalogue``, ``plan`` or ``render``.

        Returns:
            A future with the answer's header; ``payload`` holds its bytes, if any. It raises
            `WorkerError` where the worker could not answer.
        """
        self.start()
        ask_id = f"ask-{next(self._ids)}"
        future: Future[dict[str, Any]] = Future()
        self._answers[ask_id] = future
        self._send({"request": request, "id": ask_id, **arguments})
        return future

    def kill(self) -> None:
        """End the worker at once. Running runs get `WorkerDied`; the next starts another."""
        self._killed = self._process
        if self._process is not None:
            self._process.kill()

    def close(self, patience: float = PATIENCE) -> None:
        """Let the worker finish writing its cache, then end it."""
        process, self._process = self._process, None
        if process is None:
            return
        self._runs.clear()
        try:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(patience)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()

    def _end_if_running(self, run: str, process: WorkerProcess | None) -> None:
        if run in self._runs and process is self._process:
            self.kill()

    def _send(self, header: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            with self._lock:
                write_frames(process.stdin, [Frame(header)])
        except OSError:
            return  # the worker has ended: `_read` sees it, and says so

    def _read(self, process: WorkerProcess) -> None:
        assert process.stdout is not None
        try:
            while (frame := read_frame(process.stdout)) is not None:
                self._receive(frame)
        except NodeForgeError:
            process.kill()
        code = process.wait()
        self._ended(process, code)

    def _receive(self, frame: Frame) -> None:
        if "answer" in frame.header:
            self._answer(frame)
            return
        if REFUSED in frame.header:
            self._refused = events.ErrorReport(**frame.header[REFUSED])
            return
        event = events.from_frame(frame)
        if isinstance(event, events.LAST):
            self._runs.discard(event.run)
        self._on_event(event)

    def _answer(self, frame: Frame) -> None:
        future = self._answers.pop(frame.header["answer"], None)
        if future is None:
            return
        if error := frame.header.get("error"):
            report = events.ErrorReport(**error)
            future.set_exception(
                WorkerError(report.fact, place=report.place, way_out=report.way_out)
            )
        else:
            future.set_result({**frame.header, "payload": frame.payload})

    def _ended(self, process: WorkerProcess, code: int) -> None:
        if process is not self._process:
            return
        if self._listener is not None:
            self._listener.join(_LAST_WORDS)
        runs, self._runs = self._runs, set()
        answers, self._answers = self._answers, {}
        for run in runs:
            self._on_event(self._end_of(run, code))
        for future in answers.values():
            future.set_exception(self._why_ended(code))

    def _end_of(self, run: str, code: int) -> events.Event:
        """What a run is told whose worker has ended."""
        if self._refused is not None:
            return events.Failed(run, "", self._refused)
        return events.WorkerDied(run, code, "\n".join(self._stderr))

    def _why_ended(self, code: int) -> NodeForgeError:
        if (why := self._refused) is not None:
            return WorkerRefusedError(why.fact, place=why.place, way_out=why.way_out)
        end = told_end(code, "\n".join(self._stderr))
        return WorkerError(f"the worker ended with {end}.", way_out="Try again.")

    def _listen(self, process: WorkerProcess) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self._stderr.append(line.decode(errors="replace").rstrip())
