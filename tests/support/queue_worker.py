"""A worker in a thread, with nodes that count their calls, for the job queue."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated, Any

import torch

from nodeforge import imaging
from nodeforge.api import Checkpoint, Latent, RunContext, Seed, node, node_type_of
from nodeforge.engine import events
from nodeforge.engine.cache import DiskTier, MemoryTier, ResultCache
from nodeforge.engine.queue.attempt import Outcome
from nodeforge.engine.queue.job import Job, NewJob
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.runner import QueueRunner, Summary
from nodeforge.engine.session import Session
from nodeforge.formats import write
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import Settings
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.server import Server

CALLS: Counter[str] = Counter()
STEPS = 8
HOOKS: dict[str, Callable[[], None]] = {}
"""Called by nodes: ``step 5`` after that step, ``write 1`` before the second file."""


@node("queue.steps")
def steps(run: RunContext, seed: Annotated[int, Seed()] = 0, size: int = 4) -> Latent:
    """Make steps, each kept as a checkpoint.

    Args:
        seed: Names the walk.
        size: Of the latent, whose checkpoints it makes small or large.
    """
    HOOKS.get(f"begin {seed}", _nothing)()
    run.check()
    keys = [f"{seed:x}-{size:x}-{step:x}".encode().hex().rjust(32, "0") for step in range(STEPS)]
    done = run.steps.furthest(keys)
    first = done[0] + 1 if done else 0
    value = done[1].latent.samples if done else torch.zeros(1, 4, size, size)
    for step in range(first, STEPS):
        run.count_model_call()
        CALLS["step"] += 1
        value = value + step + seed
        run.steps.store(keys[step], Checkpoint(Latent(value, "sd", 8), step + 1, step + 1))
        HOOKS.get(f"step {step + 1}", _nothing)()
        run.progress(step + 1, STEPS)
    return Latent(value, "sd", 8)


@node("queue.write", effects=True)
def write_files(run: RunContext, latent: Latent, count: int = 1, name: str = "made") -> None:
    """Write text files.

    Args:
        latent: What is written.
        count: How many files.
        name: What their names start with.
    """
    folder, stem = imaging.output_place(run.outputs, name)
    for index in range(count):
        HOOKS.get(f"write {index}", _nothing)()
        run.check()
        CALLS["write"] += 1
        text = f"{float(latent.samples.sum())} {index} {run.stamp['nodeforge_job']}"
        run.saved(imaging.write_new(folder, f"{stem}_{{}}.txt", text.encode()))


@node("queue.fail")
def fail(latent: Latent) -> Latent:
    """Fail.

    Args:
        latent: Never passed on.
    """
    raise ZeroDivisionError("no way")


def _nothing() -> None:
    pass


NODE_TYPES = {t.spec.type: t for each in (steps, write_files, fail) if (t := node_type_of(each))}


def session_on(home: Path) -> Session:
    settings = Settings(home=home)
    disk = DiskTier(settings.cache / "results", "test", 2**30)
    return Session(settings, NODE_TYPES, ResultCache(MemoryTier(2**20), disk, ValueCodec()))


def answers_of(session: Session) -> dict[str, Any]:
    return {"catalogue": lambda _: (session.catalogue.to_json(), b"")}


class ThreadWorker:
    """The worker's own code in a thread of this process."""

    def __init__(self, settings: Settings, device: str) -> None:
        del device
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self.stdin: IO[bytes] | None = os.fdopen(ours_in, "wb")
        self.stdout: IO[bytes] | None = os.fdopen(ours_out, "rb")
        self.stderr: IO[bytes] | None = Path(os.devnull).open("rb")  # noqa: SIM115
        self._requests, self._replies = os.fdopen(theirs_in, "rb"), os.fdopen(theirs_out, "wb")
        session = session_on(settings.home)
        self._code: int | None = None
        self._server = Server(session, self._requests, self._replies, answers_of(session))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        self._server.serve()
        self._code = 0 if self._code is None else self._code
        self._replies.close()

    @property
    def pid(self) -> int:
        return os.getpid()

    def poll(self) -> int | None:
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        self._thread.join(timeout)
        return self._code or 0

    def kill(self) -> None:
        """End as a killed process does: nothing more is heard of it, and nothing written."""
        self._code = -9
        for state in self._server._states.values():
            state.stop.set()
            state.emit = lambda event: None
        self._server._outbox.close()
        self._replies.close()
        self._server._runs.put(None)


class Watch:
    """Remembers what a runner has told."""

    def __init__(self, on_event: Callable[[events.Event], None] = lambda event: None) -> None:
        self.events: list[events.Event] = []
        self.outcomes: list[tuple[str, Outcome]] = []
        self.order: list[str] = []
        self.workers: dict[str, str] = {}
        self._on_event = on_event

    def started(self, job: Job, document: Document, worker: str) -> None:
        self.order.append(job.id)
        self.workers[job.id] = worker

    def tell(self, job: Job, event: events.Event) -> None:
        self.events.append(event)
        self._on_event(event)

    def ended(self, job: Job, outcome: Outcome) -> None:
        self.outcomes.append((job.id, outcome))


def counted(seed: int = 0, *, count: int = 1, size: int = 4, failing: bool = False) -> Document:
    """Steps that are saved in `count` files."""
    document = Document()
    graph = document.graph
    graph.nodes["steps"] = Node("queue.steps", {"seed": seed, "size": size})
    graph.nodes["write"] = Node("queue.write", {"count": count})
    graph.links[Input("write", "latent")] = Output("steps", "latent")
    if failing:
        graph.nodes["fail"] = Node("queue.fail")
        graph.links[Input("fail", "latent")] = Output("steps", "latent")
        graph.links[Input("write", "latent")] = Output("fail", "latent")
    return document


def new_job(seed: int = 0, *, priority: int = 0, **options: Any) -> NewJob:
    text = write(counted(seed, **options)).decode()
    return NewJob(f"job {seed}", text, priority=priority, plan="counted", seed=seed)


def run_queue(queue: JobQueue, watch: Watch | None = None, **options: Any) -> Summary:
    """Run the jobs in this process."""
    return runner_of(queue, watch, **options).run()


def runner_of(queue: JobQueue, watch: Watch | None = None, **options: Any) -> QueueRunner:
    settings = Settings(home=queue.home)
    return QueueRunner(queue, settings, watch or Watch(), spawn=ThreadWorker, **options)


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)
