"""Which worker takes which job, and on which devices workers run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from nodeforge.engine.remote import Client, is_cluster
from nodeforge.engine.worker_client.client import WorkerProcess, spawn_worker
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.settings import MOST_WORKERS, Settings
from nodeforge.spec import Catalogue, ModelFileWidget

Spawn = Callable[[Settings, str], WorkerProcess]
WINDOW = 32
"""So many of the jobs that wait are looked at for one that suits a worker."""
Models = frozenset[tuple[str, str]]
"""The files of models that a workflow names: kind and name."""


class WorkersError(RequestError):
    """So many workers cannot be had, or not there."""


def worker_devices(settings: Settings, count: int, device: str | None = None) -> tuple[str, ...]:
    """The device of each worker, as `WorkerClient` has it.

    Args:
        settings: Name the devices, where `device` does not.
        count: How many workers; 0 for as many as the settings say.
        device: Of all of them; ``auto`` and a kind of card give each worker a card of its own.

    Raises:
        WorkersError: it is no such number, or more than there are devices in the settings.
        MachineError: the cluster cannot be reached, or has fewer.
    """
    if device is not None and is_cluster(device):
        from nodeforge.engine.remote.cluster import places  # only where one is used

        return (device,) * places(device, count)
    count = count or settings.workers
    if not 1 <= count <= MOST_WORKERS:
        raise WorkersError(
            f"{count} workers cannot be started.",
            place="setting 'workers'",
            way_out=f"Choose 1 to {MOST_WORKERS}.",
        )
    named = settings.worker_devices
    if named and device is None:
        if count > len(named):
            raise WorkersError(
                f"names {len(named)} devices, and {count} workers are wanted.",
                place="setting 'worker_devices'",
                way_out="Name more, want fewer workers, or leave it empty.",
            )
        return named[:count]
    device = device or settings.device
    if count == 1 or device in ("cpu", "mps", *settings.machines) or ":" in device:
        return (device,) * count
    return tuple(f"{device}:{number}" for number in range(count))


def check_devices(clients: Sequence[Client], devices: Sequence[str]) -> None:
    """Start several workers, and refuse devices that are not there before any job begins.

    Raises:
        WorkersError: one of `devices` is not there.
        WorkerRefusedError: a worker cannot begin there.
        WorkerError: a worker cannot tell.
        MachineError: a machine cannot be used.
    """
    named = [client for client, device in zip(clients, devices, strict=True) if _is_named(device)]
    for client in clients if len(clients) > 1 else named:
        client.start()
    for answer in [client.ask("devices") for client in named]:
        answer.result()
    here = [n for n, client in enumerate(clients) if not client.machine]
    wanted = [devices[n] for n in here]
    if len(wanted) > 1 and set(wanted) != {"cpu"}:
        refuse_missing(wanted, clients[here[0]].ask("devices").result()["devices"])


def _is_named(device: str) -> bool:
    """Whether the person has named a device that need not be there."""
    return device.partition(":")[0] not in ("auto", "cpu")


def refuse_missing(devices: Sequence[str], there: Sequence[Mapping[str, Any]]) -> None:
    """Refuse workers without a device.

    Args:
        devices: Of each worker, as `worker_devices` gives them.
        there: What the worker reports, the best first.

    Raises:
        WorkersError: one is not there.
    """
    best = there[0]["kind"]
    names = {each[name] for each in there for name in ("kind", "device")}
    cards = sum(each["kind"] == best for each in there)
    for number, device in enumerate(devices, 1):
        kind, _, place = device.partition(":")
        is_there = best == "cpu" or int(place or 0) < cards if kind == "auto" else device in names
        if not is_there:
            known = ", ".join(each["device"] for each in there)
            raise WorkersError(
                f"there is no device '{device}' for worker {number}; there are: {known}.",
                way_out="Run fewer workers, choose another device, or name the devices in the "
                "setting 'worker_devices'.",
            )


def worker_title(number: int, device: str) -> str:
    """What one of several workers is called: ``worker 2, cuda:1``."""
    return f"worker {number}, {device}"


def spawn_beside(count: int, *, spare_core: bool = False) -> Spawn:
    """What starts one of `count` workers: processors are shared out, and so is common work.

    Args:
        spare_core: A core is left to the window.
    """
    if count == 1:
        return partial(spawn_worker, spare_core=spare_core)
    share = max(1, (_processors() - spare_core) // count)
    return partial(spawn_worker, threads=share, shares_work=True)


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def models_of(document: Document, catalogue: Catalogue) -> Models:
    """The files of models that a workflow names; what comes by links is not known."""
    found: set[tuple[str, str]] = set()
    for node in every_node(document.graph).values():
        spec = catalogue.get(node.type)
        for port in spec.inputs if spec else ():
            name = node.values.get(port.name, port.default)
            if isinstance(port.widget, ModelFileWidget) and isinstance(name, str) and name:
                found.add((port.widget.kind, name))
    return frozenset(found)


class Placement:
    """Chooses the job that a worker takes: one whose models it has, and what it has begun.

    The first that waits is passed over so often at most as `WINDOW` says.

    Args:
        models: The models of a job, by its id.
    """

    def __init__(self, models: Callable[[str], Models]) -> None:
        self._models = models
        self._loaded: dict[int, Models] = {}
        self._begun: dict[str, int] = {}
        self._passed: Counter[str] = Counter()

    def choose(self, worker: int, waiting: Sequence[str]) -> str:
        """The job of `waiting` that `worker` is to take.

        Args:
            worker: Its number.
            waiting: Ids of jobs, in their order; one at least.
        """
        first = waiting[0]
        if self._passed[first] >= WINDOW:
            return first
        window = waiting[:WINDOW]
        chosen = min(window, key=lambda job: self._distance(worker, job))
        if chosen != first:
            self._passed[first] += 1
        return chosen

    def begin(self, worker: int, job: str) -> None:
        """Note that a worker has taken a job."""
        self._loaded[worker] = self._models(job)
        self._begun[job] = worker
        del self._passed[job]

    def forget(self, worker: int) -> None:
        """A worker has ended, with all that it had loaded."""
        self._loaded.pop(worker, None)
        self._begun = {job: by for job, by in self._begun.items() if by != worker}

    def _distance(self, worker: int, job: str) -> int:
        if self._begun.get(job) == worker:
            return 0  # its steps are in that worker's memory
        models = self._models(job)
        if models <= self._loaded.get(worker, frozenset()):
            return 1
        return 3 if any(models <= loaded for loaded in self._loaded.values()) else 2
