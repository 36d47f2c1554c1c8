"""The window's workers: as many as the settings say, each on a device of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from nodeforge.engine.queue.placement import Spawn, spawn_beside, worker_devices, worker_title
from nodeforge.errors import NodeForgeError
from nodeforge.settings import Settings
from nodeforge.ui.running.workers.connection import Answer, AnswerCallback, WorkerConnection

if TYPE_CHECKING:
    from nodeforge.ui.running.workers.active_run import ActiveRun


@dataclass(eq=False)
class PoolWorker:
    """One of the window's workers.

    Args:
        number: Counted from 1.
        device: Where it is, as `open_worker` has it.
        connection: The line to its process, which starts when it is first asked.
        run: What it runs; None while it is idle.
        is_there: Whether it has answered on its device since its process is this one.
        question: The question whether it is there, while that has no answer.
        is_halted: Whether it takes no job until a person says so, as it has died.
        refused: Why it cannot be used; empty where it can.
        is_leaving: Whether it ends with its job, as the settings want fewer workers.
        is_outdated: Whether the settings have changed since its job began.
    """

    number: int
    device: str
    connection: WorkerConnection
    run: ActiveRun | None = None
    is_there: bool = False
    question: object | None = None
    is_halted: bool = False
    refused: str = ""
    is_leaving: bool = False
    is_outdated: bool = False

    @property
    def is_of_use(self) -> bool:
        return not (self.is_halted or self.refused or self.is_leaving)


class WorkerPool(QObject):
    """The workers among which the window's jobs are shared out.

    Each of several is asked whether its device is there before it gets a job, so that one which
    is not costs none. A single worker gets its jobs at once.

    Args:
        settings: How many there are, and on which devices.
        spawn: Starts a worker process; by default one that leaves a core to the window.

    Raises:
        MachineError: the first is on a machine without an address.
    """

    events_received = Signal(list)
    """Events of one of the workers, in order."""
    ready = Signal()
    """A worker can take a job that could not before."""
    refused = Signal(str)
    """Why workers cannot be used, a line each; the others can."""
    ended = Signal(object)
    """A `PoolWorker` whose process has ended, with all that it had loaded and in memory."""

    def __init__(self, settings: Settings, spawn: Spawn | None = None) -> None:
        super().__init__()
        self._settings, self._given_spawn = settings, spawn
        self.problem = ""
        """Why there is one worker and not as many as the settings say; empty where there are."""
        self._devices = self._devices_of(settings)
        self.first = self._made(1)
        """The worker that is asked what is no job, and runs what only the window can use."""
        self.all = [self.first]
        self._add_missing()

    @property
    def is_several(self) -> bool:
        return len(self.all) > 1

    @property
    def count(self) -> int:
        """How many jobs can run at a time."""
        return sum(worker.is_of_use for worker in self.all)

    def title(self, worker: PoolWorker) -> str:
        """What one of several workers is called: ``worker 2, cuda:1``; empty where there is one."""
        return worker_title(worker.number, worker.device) if self.is_several else ""

    def idle(self) -> Iterator[PoolWorker]:
        """The workers that can take a job, each as it is when its turn comes."""
        for worker in list(self.all):
            if worker.run is None and worker.is_of_use and (worker.is_there or not self.is_several):
                yield worker

    def start(self) -> None:
        """Ask each of several workers whether it is there, unless it was asked."""
        for worker in self.all if self.is_several else ():
            if worker.is_of_use and not worker.is_there and worker.question is None:
                question = worker.question = object()
                told = partial(self._answered, worker, question)
                worker.connection.ask("devices", told, at_once=True)

    def ask_all(self, request: str, done: AnswerCallback) -> None:
        """Ask all workers that have been started; `done` gets the answer of the first."""
        self.first.connection.ask(request, done)
        for worker in self.all:
            if worker is not self.first and worker.is_there:
                worker.connection.ask(request, lambda _: None)

    def lose(self, worker: PoolWorker) -> None:
        """The process of a worker has ended; it is another from now on."""
        worker.is_there, worker.question = False, None
        self.ended.emit(worker)

    def release(self, worker: PoolWorker) -> None:
        """The job of a worker has ended."""
        worker.run = None
        if worker.is_leaving:
            self._dismiss(worker)
        elif worker.is_outdated:
            self._reconnect(worker)

    def restart(self) -> None:
        """Use workers again that have died or were refused."""
        for worker in self.all:
            worker.is_halted = False
            if worker.refused:
                self._reconnect(worker)
        self.start()

    def use_settings(self, settings: Settings) -> None:
        """Add workers, and have others end or begin anew; those that run a job, after it."""
        self._settings, self.problem = settings, ""
        self._devices = self._devices_of(settings)
        for worker in list(self.all):
            worker.is_leaving = worker.number > len(self._devices)
            worker.is_outdated = not worker.is_leaving
            if worker.run is None:
                self.release(worker)
        self._add_missing()
        self.start()
        if self.problem:
            self.refused.emit(self.problem)

    def kill(self) -> None:
        """Kill all workers; the next request starts others."""
        for worker in self.all:
            worker.connection.kill()

    def close(self) -> None:
        """End all workers; no more events or answers are delivered."""
        for worker in self.all:
            worker.connection.silence()
        with ThreadPoolExecutor(len(self.all)) as ending:
            for worker in self.all:
                ending.submit(worker.connection.end)

    def _devices_of(self, settings: Settings) -> tuple[str, ...]:
        """The device of each worker; that of one alone where several cannot be had (`problem`)."""
        if settings.workers > 1:
            try:
                return worker_devices(settings, settings.workers)
            except NodeForgeError as error:
                self.problem = f"One worker runs the jobs: {error}"
        return (settings.device,)

    @property
    def _spawn(self) -> Spawn:
        return self._given_spawn or spawn_beside(len(self._devices), spare_core=True)

    def _made(self, number: int) -> PoolWorker:
        device = self._devices[number - 1]
        worker = PoolWorker(number, device, WorkerConnection(self._settings, device, self._spawn))
        worker.connection.events_received.connect(self.events_received)
        return worker

    def _add_missing(self) -> None:
        numbers = {worker.number for worker in self.all}
        for number in range(1, len(self._devices) + 1):
            if number in numbers:
                continue
            try:
                self.all.append(self._made(number))
            except NodeForgeError as error:
                self.problem = f"{self._devices[number - 1]} is not used: {error}"
        self.all.sort(key=lambda worker: worker.number)

    def _dismiss(self, worker: PoolWorker) -> None:
        self.all.remove(worker)
        worker.connection.silence()
        threading.Thread(target=worker.connection.end, name="worker-ends", daemon=True).start()
        self.ended.emit(worker)

    def _reconnect(self, worker: PoolWorker) -> None:
        """Have a worker begin anew, with the settings of now."""
        worker.refused, worker.is_outdated = "", False
        worker.device = self._devices[worker.number - 1]
        self.lose(worker)
        try:
            worker.connection.reconnect(self._settings, worker.device, self._spawn)
        except NodeForgeError as error:
            self._refuse(worker, error)

    def _answered(self, worker: PoolWorker, question: object, answer: Answer) -> None:
        if question is not worker.question or worker not in self.all:
            return
        worker.question = None
        if isinstance(answer, NodeForgeError):
            self._refuse(worker, answer)
        else:
            worker.is_there = True
            self.ready.emit()

    def _refuse(self, worker: PoolWorker, error: NodeForgeError) -> None:
        title = worker_title(worker.number, worker.device)
        worker.refused = f"{title[:1].upper()}{title[1:]} is not used. {error}"
        self.refused.emit("\n".join(each.refused for each in self.all if each.refused))
