"""Serves a client on another machine: its worker, its files, and the line to it.

It lives as long as somebody uses it, so that a line that breaks costs a pause and no run. What it
computes meanwhile is told once the client is back.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.protocol import Frame
from nodeforge.engine.remote import kept_steps, messages
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.engine.remote.store import Store
from nodeforge.engine.remote.versions import versions
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import (
    PATIENCE,
    WorkerClient,
    WorkerProcess,
    spawn_worker,
)
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings

Send = Callable[[Frame, bool], None]
"""Sends a frame; the flag says whether it is of use only now."""


class Host:
    """One client's worker and files on this machine.

    Args:
        settings: Folders and limits of this machine.
        device: What the worker computes on, as `WorkerClient` has it.
        send: Sends frames to the client.
        spawn: Starts the worker process.
    """

    def __init__(
        self,
        settings: Settings,
        device: str,
        send: Send,
        spawn: Callable[[Settings, str], WorkerProcess] = spawn_worker,
    ) -> None:
        self._settings, self._send = settings, send
        self._store = Store(settings)
        self._outputs = settings.worker_folder / "results" / uuid.uuid4().hex[:16]
        self._client = WorkerClient(settings, self._tell, device, spawn)
        self._files = ThreadPoolExecutor(1, "files")
        self._runs: set[str] = set()
        self._telling: set[str] = set()
        """Runs whose checkpoints are told of."""
        self._answers: dict[str, Callable[[dict[str, Any], bytes], dict[str, Any]]] = {
            messages.NEED: self._need,
            messages.BEGIN: lambda header, _: {"there": self._store.begin(header)},
            messages.PIECE_OF: self._piece,
            messages.FINISH: self._finish,
            messages.FETCHED: self._fetched,
            messages.VERSIONS: lambda *_: dict(versions()),
            messages.LACKS: self._lacks,
        }

    @property
    def is_busy(self) -> bool:
        """Whether a run has not ended yet."""
        return bool(self._runs)

    def start(self) -> None:
        """Start the worker: its libraries take a while."""
        self._client.start()

    def receive(self, frame: Frame) -> None:
        """Do what a frame of the client asks."""
        header = frame.header
        match header.get("request"):
            case "run":
                self._files.submit(self._run, header)
            case "cancel":
                self._client.cancel(header["id"], header.get("patience", PATIENCE))
            case messages.KILL:
                self._client.kill()
            case messages.RESULT:
                self._files.submit(self._send_result, header)
            case name if name in self._answers:
                self._files.submit(self._answer, header, frame.payload)
            case _:
                self._files.submit(self._ask, header)

    def stop_runs(self) -> None:
        """Stop what runs: nobody waits for it any more."""
        for run in list(self._runs):
            self._client.cancel(run)

    def close(self, patience: float = PATIENCE) -> None:
        """End the worker, and remove what nobody has fetched."""
        self._files.shutdown(cancel_futures=True)
        self._client.close(patience)
        shutil.rmtree(self._outputs, ignore_errors=True)

    def _run(self, header: dict[str, Any]) -> None:
        run = header["id"]
        self._runs.add(run)
        try:
            graph, request = header["graph"], self._request(header)
            if request.tells_steps:
                self._telling.add(run)
            request.outputs.mkdir(parents=True, exist_ok=True)
            self._client.run(graph, request)
        except NodeForgeError as error:
            self._tell(events.Failed(run, "", ErrorReport.of(error)))
        except OSError as error:
            fact = f"the folder for results cannot be made: {error.strerror}."
            self._tell(events.Failed(run, "", ErrorReport("OSError", fact, str(self._outputs))))

    def _request(self, header: dict[str, Any]) -> RunRequest:
        """The run as it is on this machine.

        Raises:
            NodeForgeError: a file is not here.
        """
        named = self._store.named(header.get("named", []))
        return RunRequest(
            run=header["id"],
            **{key: header[key] for key in messages.ANYWHERE if key in header},
            granted=[str(path) for path in named.values() if path.is_dir()],
            sent=[[*name, str(path)] for name, path in named.items()],
            outputs=self._folder_of(header["id"]),
        )

    def _folder_of(self, run: str) -> Path:
        return self._outputs / hashlib.sha256(run.encode()).hexdigest()[:16]

    def _tell(self, event: events.Event) -> None:
        """Send an event of the worker, with files of this machine as the client may have them."""
        match event:
            case events.Preview():
                self._send(messages.smaller_preview(event), True)
                return
            case events.Saved():
                self._send(self._saved(event), False)
                return
            case events.Kept():
                if found := kept_steps.described(Path(event.path), self._settings):
                    self._send(Frame({**events.to_json(event), "checkpoints": [found]}), False)
                return
            case events.RunFinished() | events.RunCancelled():
                frame = self._ended(event)
            case _:
                frame = events.to_frame(event)
        if isinstance(event, events.LAST):
            self._runs.discard(event.run)
            self._telling.discard(event.run)
        self._send(frame, False)

    def _ended(self, event: events.RunFinished | events.RunCancelled) -> Frame:
        """The end of a run, with the files of its last steps as the client may fetch them."""
        files = map(Path, event.checkpoints) if event.run in self._telling else ()
        told = (kept_steps.described(file, self._settings) for file in files)
        return Frame({**events.to_json(event), "checkpoints": [each for each in told if each]})

    def _saved(self, event: events.Saved) -> Frame:
        path, folder = Path(event.path), self._folder_of(event.run)
        raw = events.to_json(event)
        if not path.is_relative_to(folder):
            fact = f"{path} was written there, and stays there."
            return events.to_frame(events.Notice(event.run, event.node, fact))
        try:
            digest, size = sha256_of(path), path.stat().st_size
        except OSError as error:
            fact = f"what was saved there cannot be read: {error.strerror}."
            return events.to_frame(events.Notice(event.run, event.node, fact))
        name = path.relative_to(folder).as_posix()
        return Frame({**raw, "sha256": digest, "size": size, "name": name})

    def _answer(self, header: dict[str, Any], payload: bytes) -> None:
        reply: dict[str, Any] = {"answer": header["id"]}
        try:
            reply |= self._answers[header["request"]](header, payload)
        except NodeForgeError as error:
            reply["error"] = asdict(ErrorReport.of(error))
        except (KeyError, TypeError, ValueError, OSError) as error:
            fact = f"could not answer '{header['request']}': {error!r}."
            reply["error"] = asdict(ErrorReport("MachineError", fact, known=False))
        self._send(Frame(reply), False)

    def _need(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        return {"missing": self._store.missing(header["named"])}

    def _piece(self, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
        self._store.write(header, payload)
        return {}

    def _finish(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        return {"path": str(self._store.finish(header))}

    def _lacks(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        names = header["names"]
        return {"missing": [each for each in names if not self._store.checkpoint(each).is_file()]}

    def _fetched(self, header: dict[str, Any], _: bytes) -> dict[str, Any]:
        shutil.rmtree(self._folder_of(header["run"]), ignore_errors=True)
        return {}

    def _send_result(self, header: dict[str, Any]) -> None:
        """A piece of what a run has saved, or of a checkpoint."""
        reply: dict[str, Any] = {"answer": header["id"]}
        is_kept = "cache" in header
        folder = self._settings.result_cache if is_kept else self._folder_of(header["run"])
        payload, path = b"", folder / header["name"]
        try:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise FileNotFoundError(0, "it is no result")
            with path.open("rb") as file:
                file.seek(header["offset"])
                payload = file.read(messages.PIECE)
        except OSError as error:
            fact = f"the result cannot be read there: {error.strerror}."
            reply["error"] = asdict(ErrorReport("MachineError", fact, str(path)))
        self._send(Frame(reply, payload), False)

    def _ask(self, header: dict[str, Any]) -> None:
        """Pass a question on to the worker."""
        question, ask_id = header.pop("request"), header.pop("id")
        try:
            if "graph" in header:
                named = self._store.named(header.pop("named", []))
                header["granted"] = [str(path) for path in named.values() if path.is_dir()]
                header["sent"] = [[*name, str(path)] for name, path in named.items()]
            answer = self._client.ask(question, **header)
        except NodeForgeError as error:
            answer = Future()
            answer.set_exception(error)
        answer.add_done_callback(lambda done: self._answered(ask_id, done))

    def _answered(self, ask_id: str, done: Future[dict[str, Any]]) -> None:
        reply: dict[str, Any] = {"answer": ask_id}
        error, payload = done.exception(), b""
        if isinstance(error, NodeForgeError):
            reply["error"] = asdict(ErrorReport.of(error))
        elif error is not None:
            reply["error"] = asdict(ErrorReport("WorkerError", f"{error!r}."))
        else:
            found = dict(done.result())
            payload = found.pop("payload", b"")
            found.pop("answer", None)
            reply |= found
        with contextlib.suppress(RuntimeError):
            self._send(Frame(reply, payload), False)


class Keep:
    """Calls `end` once nobody has been here for a while.

    Args:
        seconds: How long.
        end: What is called.
    """

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        self._seconds, self._end = seconds, end
        self._timer: threading.Timer | None = None
        self.start()

    def start(self) -> None:
        """Somebody has left, or nobody has come yet."""
        self.stop()
        self._timer = threading.Timer(self._seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Somebody is here."""
        if self._timer is not None:
            self._timer.cancel()
