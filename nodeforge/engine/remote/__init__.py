"""Workers on other machines, by OpenSSH: the person's own configuration, keys and jump hosts count.

Here: `open_worker` gives the client of a device, wherever that is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from nodeforge.engine import events
from nodeforge.engine.remote.address import CLUSTER, SCHEME, Machine, MachineError, machine_of
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import (
    PATIENCE,
    WorkerClient,
    WorkerProcess,
    spawn_worker,
)
from nodeforge.settings import Settings

__all__ = [
    "Client",
    "Machine",
    "MachineError",
    "is_cluster",
    "is_elsewhere",
    "machine_of",
    "open_worker",
]


class Client(Protocol):
    """What runs workflows in a worker: `WorkerClient`, or one for another machine."""

    @property
    def machine(self) -> str:
        """The name of the other machine on which it is; empty on this one."""
        ...

    @property
    def pid(self) -> int | None: ...

    def start(self) -> None: ...

    def run(self, graph: dict[str, Any], request: RunRequest) -> None: ...

    def cancel(self, run: str, patience: float | None = PATIENCE) -> None: ...

    def ask(self, request: str, **arguments: Any) -> Future[dict[str, Any]]: ...

    def kill(self) -> None: ...

    def close(self, patience: float = PATIENCE) -> None: ...


def is_elsewhere(settings: Settings) -> bool:
    """Whether workflows run on other machines alone, if nobody says otherwise."""
    named = settings.worker_devices[: settings.workers] if settings.workers > 1 else ()
    return all(
        device in settings.machines or device.startswith(f"{SCHEME}://")
        for device in named or (settings.device,)
    )


def is_cluster(device: str) -> bool:
    """Whether a device is a Ray cluster: ``ray``, or ``ray://host:port``."""
    return device.partition("://")[0] == CLUSTER


def open_worker(
    settings: Settings,
    on_event: Callable[[events.Event], None],
    device: str,
    spawn: Callable[[Settings, str], WorkerProcess] = spawn_worker,
) -> Client:
    """The client of a worker that is started, or reached, when it is first asked.

    Args:
        settings: Folders, limits and machines.
        on_event: Called for every event, in a thread of the client's own.
        device: Of this machine, as `WorkerClient` has it; or the name or address of another, or a
            Ray cluster's: ``ray``, ``ray://host:port``.
        spawn: Starts a process on this machine.

    Raises:
        MachineError: the machine's address is none.
    """
    machine = machine_of(settings, device)
    if machine is None and not is_cluster(device):
        return WorkerClient(settings, on_event, device, spawn)
    # few have other machines
    from nodeforge.engine.remote.remote_client import RemoteClient, client_by_ssh

    if machine is not None:
        return client_by_ssh(settings, machine, on_event)
    from nodeforge.engine.remote.cluster import connector
    from nodeforge.engine.remote.kept_steps import SECONDS

    return RemoteClient(settings, device, on_event, connector(device), SECONDS)
