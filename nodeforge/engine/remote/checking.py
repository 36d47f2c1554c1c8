"""Looks whether another machine can be used, and what is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from nodeforge import __version__
from nodeforge.engine.remote import messages
from nodeforge.engine.remote.address import Machine, MachineError
from nodeforge.engine.remote.remote_client import client_by_ssh
from nodeforge.engine.remote.ssh import start_ssh
from nodeforge.engine.remote.versions import versions
from nodeforge.settings import Settings

_WORKER = 120.0
"""Seconds for the worker there to import its libraries and answer."""


@dataclass(frozen=True)
class Found:
    """What a machine has said.

    Args:
        seconds: Until the line was open.
        version: Of its NodeForge.
        devices: As `nodeforge doctor` tells them.
        differences: Sentences on what is not as here.
    """

    seconds: float
    version: str
    devices: list[dict[str, Any]]
    differences: list[str]


def check_machine(settings: Settings, machine: Machine, *, at_terminal: bool = False) -> Found:
    """Connect to a machine, start its worker, and ask what is there.

    Args:
        settings: Of this machine.
        machine: Which.
        at_terminal: Whether ssh may ask at the terminal.

    Raises:
        NodeForgeError: it cannot be reached, or its worker does not answer.
    """
    start = partial(start_ssh, at_terminal=at_terminal)
    client = client_by_ssh(settings, machine, lambda _: None, start=start)
    begun = time.monotonic()
    try:
        client.open()
        seconds = time.monotonic() - begun
        devices = _answer(client.ask("devices"), machine)["devices"]
        there = _answer(client.ask(messages.VERSIONS), machine)
        return Found(seconds, __version__, devices, _differences(there))
    finally:
        client.close(0.0)


def _answer(future: Future[dict[str, Any]], machine: Machine) -> dict[str, Any]:
    try:
        return future.result(_WORKER)
    except TimeoutError as error:
        raise MachineError(
            f"its worker has not answered for {_WORKER:.0f} s.",
            place=f"machine '{machine.name}'",
            way_out="Look what is wrong there: nodeforge doctor",
        ) from error


def _differences(there: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} is {there.get(name)} there and {here} here: pictures may differ in the last bit."
        for name, here in versions().items()
        if there.get(name, here) != here
    ]
