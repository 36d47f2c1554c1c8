"""The client of a worker on another machine: used as `WorkerClient` is."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nodeforge.engine import events
from nodeforge.engine.content.model_hashes import begin_hashing, finished_stamp
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.protocol import Frame
from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import Machine, MachineError
from nodeforge.engine.remote.connection import Connection, Link, Listener, Start
from nodeforge.engine.remote.kept_steps import KeptSteps
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.engine.remote.named_files import NamedFile, named_files
from nodeforge.engine.remote.questions import Questions
from nodeforge.engine.remote.ssh import start_ssh
from nodeforge.engine.remote.transfers import Progress, Results, send_file
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.running.executor import unexpected_report
from nodeforge.engine.worker_client.client import PATIENCE, WorkerError
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.formats import graph_from_json
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import SUBGRAPH, Graph
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue

_HERE_ALONE = ("convert_pickle", "save_smaller")
"""Questions about files of this machine."""
_GOODBYE = 2.0
"""Seconds for the word that runs are to stop to arrive, as the line is closed."""


@dataclass
class _Run:
    """A run that has not ended.

    Args:
        request: What was asked for.
        outputs: What it has saved, on this machine.
        node: The node that was begun last.
        is_stopping: Whether it is to stop.
        checkpoints: Files of this machine's cache from which it goes on, should it be lost.
    """

    request: RunRequest
    outputs: list[str] = field(default_factory=list)
    node: str = ""
    is_stopping: bool = False
    checkpoints: list[str] = field(default_factory=list)


class RemoteClient:
    """Sends requests to a worker on another machine, with the files that they name.

    Args:
        settings: Of this machine.
        name: What the machine is called, for errors.
        on_event: Called for every event, in a thread of the client's own.
        connect: Makes the way to the host there.
        tells_steps: Seconds between two checkpoints of a run that come here, for machines that
            end and do not come back; 0 leaves them there.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        on_event: Callable[[events.Event], None],
        connect: Callable[[Listener], Link],
        tells_steps: float = 0.0,
    ) -> None:
        self._settings, self._name, self._on_event = settings, name, on_event
        self._connection = connect(Listener(self._receive, self._paused, self._lost))
        self._questions = Questions(self._connection.send, name)
        self._results = Results(self._questions)
        self._steps, self._tells_steps = KeptSteps(settings, self._questions), tells_steps
        self._runs: dict[str, _Run] = {}
        self._foreign: Catalogue | None = None
        self._was_up = False
        self._sender = ThreadPoolExecutor(1, "to-machine")
        self._came: queue.SimpleQueue[Frame | events.Event | None] = queue.SimpleQueue()
        threading.Thread(target=self._pump, name="from-machine", daemon=True).start()

    @property
    def machine(self) -> str:
        return self._name

    @property
    def pid(self) -> int | None:
        """None: its process is no process of this machine."""
        return None

    @property
    def traffic(self) -> tuple[int, int]:
        """Bytes sent and received so far, before ssh compresses them."""
        return self._connection.traffic

    def start(self) -> None:
        """Begin to open the line, unless it is open."""
        self._sender.submit(self._open_quietly)

    def open(self) -> None:
        """Open the line, and wait for it.

        Raises:
            MachineError: it cannot be opened.
        """
        if not self._connection.is_open:
            self._questions.renew()
        try:
            self._connection.open()
        except MachineError as error:
            self._questions.fail(error)
            raise
        self._was_up = True

    def run(self, graph: dict[str, Any], request: RunRequest) -> None:
        """As `WorkerClient.run`: what the workflow names and is not there is sent first."""
        request = replace(request, tells_steps=self._tells_steps)
        self._runs[request.run] = _Run(request, checkpoints=list(request.checkpoints))
        self._sender.submit(self._run, graph, request)

    def cancel(self, run: str, patience: float | None = PATIENCE) -> None:
        """As `WorkerClient.cancel`; on a line that is broken a second call gives the run up."""
        known = self._runs.get(run)
        if known is None:
            return
        if known.is_stopping and not self._connection.is_up:
            self._came.put(events.RunCancelled(run))
        known.is_stopping = True
        self._connection.send(Frame({"request": "cancel", "id": run, "patience": patience}))

    def ask(self, request: str, **arguments: Any) -> Future[dict[str, Any]]:
        """As `WorkerClient.ask`."""
        future: Future[dict[str, Any]] = Future()
        self._sender.submit(self._ask, request, arguments, future)
        return future

    def kill(self) -> None:
        """End the worker there at once."""
        self._connection.send(Frame({"request": messages.KILL}))

    def close(self, patience: float = PATIENCE) -> None:
        """Close the line; runs are stopped, and the host stays for a while with its models."""
        runs, self._runs = list(self._runs), {}
        for run in runs:
            self._connection.send(Frame({"request": "cancel", "id": run, "patience": PATIENCE}))
        self._connection.close(min(patience, _GOODBYE) if runs else 0.0)
        self._sender.shutdown(wait=False, cancel_futures=True)
        self._questions.fail(MachineError("the line was closed."))
        self._came.put(None)

    def copy_model(self, kind: str, name: str, path: Path, progress: Progress) -> None:
        """Copy a model to the machine's model folders.

        Args:
            kind: ``checkpoint``, ``lora``, ...
            name: What it is to be called there.
            path: Where it is here: a file, or a diffusers folder.
            progress: Is told what is done.

        Raises:
            NodeForgeError: it cannot be read, sent or written.
        """
        self.open()
        inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else []
        parts = {f"{name}/{each.relative_to(path).as_posix()}": each for each in inside}
        parts = parts or {name: path}
        total, before = sum(each.stat().st_size for each in parts.values()), 0
        for called, file in parts.items():
            header = {"kind": kind, "name": called, "digest": sha256_of(file)}

            def tell(done: int, _: int, start: int = before) -> None:
                progress(start + done, total)

            send_file(self._questions, header, file, tell)
            before += file.stat().st_size

    def _open_quietly(self) -> None:
        with contextlib.suppress(MachineError):  # what is asked next says so
            self.open()

    def _run(self, graph: dict[str, Any], request: RunRequest) -> None:
        try:
            self.open()
            named = self._bring(graph, request)
            self._steps.send(request.checkpoints)
            begin_hashing(request.stamp)
            stamp, _ = finished_stamp(request.stamp)
            self._check(request.run)
            self._connection.send(Frame(_run_header(graph, replace(request, stamp=stamp), named)))
        except Cancelled:
            self._came.put(events.RunCancelled(request.run))
        except MachineError as error:
            self._came.put(self._ended_by(request.run, error))
        except NodeForgeError as error:
            self._came.put(events.Failed(request.run, "", ErrorReport.of(error)))
        except Exception as error:  # an answer, not a run that never ends
            self._came.put(events.Failed(request.run, "", unexpected_report(error)))

    def _ended_by(self, run: str, error: MachineError) -> events.Event:
        """A run that another worker may take over, where the machine was there before."""
        if self._was_up and not self._connection.is_up:
            return self._died(run, error)
        return events.Failed(run, "", ErrorReport.of(error))

    def _died(self, run: str, error: MachineError) -> events.Event:
        known = self._runs.get(run)
        kept = known.checkpoints if known is not None else []
        return events.WorkerDied(run, 255, str(error), list(kept))

    def _ask(
        self, question: str, arguments: dict[str, Any], future: Future[dict[str, Any]]
    ) -> None:
        try:
            if question in _HERE_ALONE:
                raise MachineError(
                    "is done with files of this machine.", way_out="Choose a device of this one."
                )
            self.open()
            if "graph" in arguments:
                arguments["named"] = self._bring(arguments["graph"], _meant(arguments))
            self._questions.ask(question, b"", future, **arguments)
        except NodeForgeError as error:
            future.set_exception(error)
        except Exception as error:
            future.set_exception(WorkerError(f"the machine could not be asked: {error!r}."))

    def _bring(self, graph: dict[str, Any], request: RunRequest) -> list[dict[str, Any]]:
        """Send the files that a workflow names and that are not there; gives all it names.

        Raises:
            NodeForgeError: one cannot be read or sent, or a model is not there.
            Cancelled: the run is to stop.
        """
        made = graph_from_json(graph)
        files = named_files(made, request, self._settings, self._catalogue(made))
        told = partial(self._tell_of_reading, request.run)
        named = [file.to_json(told) for file in files]
        if not named:
            return []
        needed = self._questions.ask(messages.NEED, named=named).result()
        missing = set(needed["missing"])
        for file, entry in zip(files, named, strict=True):
            self._send_missing(file, entry, missing, request.run)
        return named

    def _send_missing(
        self, file: NamedFile, entry: dict[str, Any], missing: set[str], run: str
    ) -> None:
        if file.is_model:
            return
        for (_, path), part in zip(file.parts(), entry["files"], strict=True):
            if part["sha256"] in missing:
                missing.discard(part["sha256"])
                header = {key: part[key] for key in ("sha256", "suffix")}
                told = partial(self._tell_of_reading, run, path)
                send_file(self._questions, header, path, told)

    def _catalogue(self, graph: Graph) -> Catalogue:
        """The shipped node types, or the other machine's where the workflow uses others."""
        shipped = Catalogue.shipped()
        if {node.type for node in every_node(graph).values()} <= {*shipped, SUBGRAPH}:
            return shipped
        if self._foreign is None:
            self._foreign = Catalogue.from_json(self._questions.ask("catalogue").result())
        return self._foreign

    def _tell_of_reading(self, run: str, path: Path, done: int, of: int) -> None:
        self._check(run)
        if run:
            self._came.put(events.Reading(run, str(path), done, of))

    def _check(self, run: str) -> None:
        known = self._runs.get(run)
        if run and (known is None or known.is_stopping):
            raise Cancelled

    def _receive(self, frame: Frame) -> None:
        """Take a frame from the line: answers at once, events in their order."""
        if not self._questions.answer(frame):
            self._came.put(frame)

    def _pump(self) -> None:
        """Pass events on, in a thread that may wait for files."""
        while (came := self._came.get()) is not None:
            run = came.run if isinstance(came, events.Event) else came.header.get("run", "")
            known = self._runs.get(run)
            if known is None:
                continue
            try:
                event = came if isinstance(came, events.Event) else self._event_of(came, known)
            except Exception as error:  # this thread must live: all other runs hang on it
                assert isinstance(came, Frame)
                self.cancel(run)
                is_ours = isinstance(error, NodeForgeError)
                report = ErrorReport.of(error) if is_ours else unexpected_report(error)
                event = events.Failed(run, came.header.get("node", ""), report)
            if event is not None:
                self._pass_on(event, known)

    def _event_of(self, frame: Frame, known: _Run) -> events.Event | None:
        """The event in a frame, once the file that it tells of is here; None for a checkpoint.

        Raises:
            NodeForgeError: the file cannot be fetched or written.
        """
        if told := frame.header.pop("checkpoints", None):
            known.checkpoints = self._steps.fetch(told) or known.checkpoints
        if frame.header["event"] == events.NAMES[events.Kept]:
            return None
        if "sha256" not in frame.header:
            event = messages.event_of(frame)
            return messages.named_machine(event, self._name)
        run = known.request.run
        path = self._results.fetch(run, frame.header, known.request.outputs)
        known.outputs.append(str(path))
        return events.Saved(run, frame.header["node"], str(path))

    def _pass_on(self, event: events.Event, known: _Run) -> None:
        match event:
            case events.Started():
                known.node = event.node
            case events.RunFinished():
                event = replace(event, outputs=known.outputs, checkpoints=known.checkpoints)
            case events.RunCancelled() | events.WorkerDied():
                event = replace(event, checkpoints=known.checkpoints)
            case _:
                pass
        if isinstance(event, events.LAST):
            self._runs.pop(event.run, None)
            if self._connection.is_up:
                self._questions.ask(messages.FETCHED, run=event.run)
        self._on_event(event)

    def _paused(self, paused: bool) -> None:
        said = "is lost; it is opened again, and the run goes on there" if paused else "is back"
        for run, known in list(self._runs.items()):
            if known.node:
                fact = f"the line to {self._name} {said}."
                self._came.put(events.Notice(run, known.node, fact))

    def _lost(self, error: MachineError) -> None:
        for run in list(self._runs):
            self._came.put(self._died(run, error))
        self._questions.fail(error)


def client_by_ssh(
    settings: Settings,
    machine: Machine,
    on_event: Callable[[events.Event], None],
    keep: float = messages.KEEP,
    start: Start = start_ssh,
    tells_steps: float = 0.0,
) -> RemoteClient:
    """A client of the worker on a machine that ssh reaches.

    Args:
        settings: Of this machine.
        machine: Where the worker is.
        on_event: As `RemoteClient` has it.
        keep: Seconds to wait for a line that has broken.
        start: Runs a command of NodeForge there.
        tells_steps: As `RemoteClient` has it; a host lives on while the line is broken.
    """

    def connect(listener: Listener) -> Link:
        return Connection(machine, listener, keep, start)

    return RemoteClient(settings, machine.name, on_event, connect, tells_steps)


def _run_header(
    graph: dict[str, Any], request: RunRequest, named: list[dict[str, Any]]
) -> dict[str, Any]:
    """A run as the other machine is asked for it; `Host` adds what is its own."""
    return {
        "request": "run",
        "id": request.run,
        "graph": graph,
        "named": named,
        **{key: getattr(request, key) for key in messages.ANYWHERE},
        "assets": dict(request.assets),
        "lock": dict(request.lock),
        "stamp": dict(request.stamp),
    }


def _meant(arguments: dict[str, Any]) -> RunRequest:
    """What the names in a question mean here; paths of this machine are taken out of it."""
    granted = arguments.pop("granted", None) or []
    return RunRequest(
        "",
        targets=arguments.get("targets") or [],
        assets=arguments.get("assets") or {},
        granted=granted,
        lock=arguments.get("lock") or {},
    )
