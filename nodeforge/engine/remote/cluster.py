"""Workers on a Ray cluster: one actor a device.

Only bytes are arguments and results of actors: the frames that a worker on another machine is
spoken to with. Nothing of ours is pickled; an actor's class is found by its name there, so that
Python, Ray and NodeForge are the same on all nodes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import queue
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nodeforge import __version__
from nodeforge.engine.protocol import Frame, read_frame
from nodeforge.engine.remote.address import CLUSTER, MachineError
from nodeforge.engine.remote.connection import Listener
from nodeforge.engine.remote.host import Host
from nodeforge.engine.worker_client.client import spawn_worker
from nodeforge.settings import load_settings

_WAIT = 5.0
"""Seconds that a call waits for something to be told."""
_CALLS = {"max_concurrency": 3}
"""An actor hears, tells, and is ended at the same time."""
_STARTS = 120.0
"""Seconds for an actor to be placed and to start."""
_starting = threading.Lock()


def places(device: str, count: int) -> int:
    """How many actors run on a cluster: one a card, else one a core as far as they are wanted.

    Args:
        device: The cluster.
        count: How many workers are wanted; 0 for all cards, or one worker.

    Raises:
        MachineError: it cannot be reached, or has fewer.
    """
    there = connected(device).cluster_resources()
    cards, cores = int(there.get("GPU", 0)), int(there.get("CPU", 0))
    count = count or cards or 1
    most = cards or cores
    if count > most:
        what = "graphics cards" if cards else "cores"
        raise MachineError(
            f"has {most} {what}, and {count} workers are wanted.",
            place=f"cluster '{device}'",
            way_out="Want fewer workers.",
        )
    return count


def connected(device: str) -> Any:
    """The module `ray`, connected to a cluster; one is started here where none runs.

    Raises:
        MachineError: Ray is not installed, or the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # the cluster's own choice counts
    try:
        import ray
    except ImportError as error:
        raise MachineError(
            "Ray is not installed.", way_out="Install it: pip install 'nodeforge[ray]'"
        ) from error
    try:
        with _starting:
            if not ray.is_initialized():
                _start(ray, device)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        first = (str(error).splitlines() or [repr(error)])[0]
        raise MachineError(
            f"cannot be reached: {first}",
            place=f"cluster '{device}'",
            way_out="Start it ('ray start --head'), or correct the address; Ray and Python must "
            "be the same there.",
        ) from error
    return ray


def _start(ray: Any, device: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if device != CLUSTER:
        ray.init(device, **quiet)
        return
    try:
        ray.init("auto", **quiet)
    except ConnectionError:  # none runs here
        ray.init(include_dashboard=False, **quiet)


class HostActor:
    """A host on a node of the cluster, for one client.

    Args:
        told: JSON: the device, and the threads of a processor.
    """

    def __init__(self, told: bytes) -> None:
        wanted = json.loads(told)
        self._told: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        spawn = partial(spawn_worker, threads=wanted["threads"], shares_work=True)
        self._host = Host(load_settings(), wanted["device"], self._tell, spawn)
        self._host.start()

    def greet(self) -> bytes:
        """What this node is, as JSON."""
        return json.dumps({"version": __version__, "node": platform.node()}).encode()

    def receive(self, data: bytes) -> bytes:
        """Take frames of the client; it sends the next once this has returned."""
        for frame in _frames(data):
            self._host.receive(frame)
        return b""

    def take(self) -> bytes:
        """The frames for the client; waits a while for the first."""
        told: list[Frame] = []
        with contextlib.suppress(queue.Empty):
            told.append(self._told.get(timeout=_WAIT))
            while True:
                told.append(self._told.get_nowait())
        return b"".join(frame.to_bytes() for frame in told)

    def end(self) -> bytes:
        """End the worker."""
        self._host.close(2.0)
        return b""

    def _tell(self, frame: Frame, passing: bool) -> None:
        if not passing or self._told.qsize() < 16:
            self._told.put(frame)


class ActorConnection:
    """The way to one actor, used as `Connection` is.

    Args:
        device: The cluster.
        listener: Is told what happens.
    """

    def __init__(self, device: str, listener: Listener) -> None:
        self._device, self._listener = device, listener
        self._actor: Any = None
        self._ray: Any = None
        self._to_send: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sent = self._received = 0

    @property
    def is_open(self) -> bool:
        return self.is_up

    @property
    def is_up(self) -> bool:
        return self._actor is not None

    @property
    def traffic(self) -> tuple[int, int]:
        return self._sent, self._received

    def open(self) -> None:
        """Have an actor placed, and wait for it.

        Raises:
            MachineError: there is no place for it, or its node is not as this machine.
        """
        with self._lock:
            if self._actor is not None:
                return
            self._ray = ray = connected(self._device)
            cards = int(ray.cluster_resources().get("GPU", 0))
            needs = {"num_gpus": 1} if cards else {"num_cpus": 1}
            told = {"device": "auto", "threads": 0 if cards else 1}
            actor_class = ray.remote(HostActor).options(**needs, **_CALLS)
            actor = actor_class.remote(json.dumps(told).encode())
            self._check(actor)
            self._actor = actor
            self._to_send = queue.SimpleQueue()
            for work in (self._send, self._take):
                threading.Thread(target=work, args=(actor,), daemon=True).start()

    def send(self, frame: Frame) -> None:
        self._to_send.put(frame.to_bytes())

    def close(self, patience: float) -> None:
        """End the actor."""
        actor, self._actor = self._actor, None
        self._ended.set()
        self._to_send.put(None)
        if actor is None:
            return
        with contextlib.suppress(Exception):  # it may have died, or the cluster
            self._ray.get(actor.end.remote(), timeout=max(patience, 3.0))
        with contextlib.suppress(Exception):
            self._ray.kill(actor)

    def _check(self, actor: Any) -> None:
        try:
            there = json.loads(self._ray.get(actor.greet.remote(), timeout=_STARTS))
        except self._ray.exceptions.GetTimeoutError as error:
            self._ray.kill(actor)
            raise MachineError(
                f"has had no place for a worker for {_STARTS:.0f} s.",
                place=f"cluster '{self._device}'",
                way_out="Wait until others have ended, or want fewer workers.",
            ) from error
        except self._ray.exceptions.RayError as error:
            raise MachineError(
                f"a worker did not start there: {_cause(error)}",
                place=f"cluster '{self._device}'",
                way_out="Install the same NodeForge, Ray and Python on all nodes.",
            ) from error
        if there["version"] != __version__:
            self._ray.kill(actor)
            raise MachineError(
                f"has NodeForge {there['version']}, and this machine {__version__}.",
                place=f"node '{there['node']}'",
                way_out="Install the same version on all nodes.",
            )

    def _send(self, actor: Any) -> None:
        """Bring frames to the actor, in their order."""
        while (data := self._to_send.get()) is not None:
            data = b"".join([data, *_drained(self._to_send)])
            self._sent += len(data)
            if self._asked(actor, actor.receive.remote(data)) is None:
                return

    def _take(self, actor: Any) -> None:
        """Hear the actor until it, or this connection, ends."""
        while not self._ended.is_set():
            if (came := self._asked(actor, actor.take.remote())) is None:
                return
            self._received += len(came)
            for frame in _frames(came):
                self._listener.receive(frame)

    def _asked(self, actor: Any, reference: Any) -> bytes | None:
        """What the actor has answered; None where it has ended."""
        try:
            return self._ray.get(reference)
        except Exception as error:  # Ray's errors, and those of its client
            with self._lock:
                is_news, self._actor = self._actor is actor, None
            if is_news:
                self._listener.lost(_lost(self._device, error))
            return None


def connector(device: str) -> Callable[[Listener], ActorConnection]:
    """What connects a client to an actor on a cluster."""
    return partial(ActorConnection, device)


def _drained(pending: queue.SimpleQueue[bytes | None]) -> list[bytes]:
    found: list[bytes] = []
    with contextlib.suppress(queue.Empty):
        while (data := pending.get_nowait()) is not None:
            found.append(data)
    return found


def _frames(data: bytes) -> Iterator[Frame]:
    stream = io.BytesIO(data)
    while (frame := read_frame(stream)) is not None:
        yield frame


def _cause(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "Error:" in line]
    return (named or lines or [type(error).__name__])[-1]


def _lost(device: str, error: Exception) -> MachineError:
    return MachineError(
        f"a worker has ended there: {_cause(error)}",
        place=f"cluster '{device}'",
        way_out="What was finished is kept; run again.",
    )
