"""Real workers in a home of their own; many of them start by a fork of one that is warm."""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import subprocess
import time
from multiprocessing import reduction
from pathlib import Path
from typing import IO, Any

from nodeforge.engine import events
from nodeforge.engine.content.pack_content import content_hash
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import WorkerClient, WorkerProcess
from nodeforge.settings import Settings, save_settings

PACK = Path(__file__).parent / "packs" / "chain"
_FORK_SERVER = multiprocessing.get_context("forkserver")
_FORK_SERVER.set_forkserver_preload(
    [
        "nodeforge.worker.build",
        "diffusers.models.autoencoders.autoencoder_kl",
        "diffusers.models.unets.unet_2d_condition",
        "transformers.models.clip.modeling_clip",
        "transformers.models.clip.tokenization_clip",
    ]
)


def home_with_pack(home: Path, pack: str = PACK.name) -> Settings:
    """A home in which a pack of these tests is installed and allowed."""
    installed = home / "packs" / pack
    shutil.copytree(PACK.parent / pack, installed, dirs_exist_ok=True)
    settings = Settings(home=home, packs_allowed={pack: content_hash(installed)})
    save_settings(settings)
    return settings


class ForkedWorker:
    """The worker's own code, forked from a process that has imported torch already."""

    def __init__(self, settings: Settings, device: str) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb")
        self.stderr: IO[bytes] | None = Path(os.devnull).open("rb")  # noqa: SIM115
        ends = _End(theirs_in), _End(theirs_out)
        threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # the fork server may be older
        given = settings.home, device, threads, *ends
        self._process = _FORK_SERVER.Process(target=_serve, args=given)
        self._process.start()
        os.close(theirs_in)
        os.close(theirs_out)

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()


class _End:
    """An end of a pipe, which travels with the request to fork, so that killing is safe at once."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(end: Any) -> int:
    return end.detach()


def _serve(home: Path, device: str, threads: int, requests: int, replies: int) -> None:
    os.environ["NODEFORGE_HOME"] = str(home)
    from nodeforge.worker.build import build_server

    ends = os.fdopen(requests, "rb"), os.fdopen(replies, "wb")
    build_server(device, *ends, threads=threads).serve()


class Watched:
    """A client that remembers its events and can wait for the last of a run."""

    def __init__(self, settings: Settings, *, fork: bool = True) -> None:
        self.settings = settings
        self.events: list[events.Event] = []
        self._queue: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        spawn: dict[str, Any] = {"spawn": ForkedWorker} if fork else {}
        self.client = WorkerClient(settings, self._queue.put, "cpu", **spawn)

    def start(self, graph: dict[str, Any], run: str = "run", **options: Any) -> None:
        self.client.run(graph, RunRequest(run, outputs=self.settings.home, **options))

    def wait(self, run: str = "run", timeout: float = 120) -> events.Event:
        """The event that ends `run`; everything before it is in `events`."""
        end = time.monotonic() + timeout
        while True:
            event = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            self.events.append(event)
            if event.run == run and isinstance(event, events.LAST):
                return event

    def wait_for(self, kind: type[events.Event], timeout: float = 120) -> events.Event:
        end = time.monotonic() + timeout
        while True:
            event = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            self.events.append(event)
            if isinstance(event, kind):
                return event

    def run(self, graph: dict[str, Any], run: str = "run", **options: Any) -> events.Event:
        self.events.clear()
        self.start(graph, run, **options)
        return self.wait(run)

    def told(self, kind: type[events.Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def close(self) -> None:
        self.client.close()


def chain(count: int, kind: str = "chain.link", text: str = "x", **values: Any) -> dict[str, Any]:
    """A chain of `count` nodes as in a workflow's file, ending in `end`."""
    names = ["start", *(f"n{i}" for i in range(count - 2)), "end"]
    nodes: dict[str, Any] = {name: {"type": kind, "values": values} for name in names}
    if kind == "chain.link":
        nodes = {name: {"type": kind, "values": {"tag": name, **values}} for name in names}
    nodes["start"] = {"type": "chain.start", "values": {"text": text}}
    links = {f"{names[i]}.text": f"{names[i - 1]}.text" for i in range(1, count)}
    return {"nodes": nodes, "links": links}


__all__ = ["PACK", "ForkedWorker", "Watched", "WorkerProcess", "chain", "home_with_pack"]
