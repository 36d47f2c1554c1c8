"""Where another machine is: ``ssh://user@host:port/path/of/nodeforge?device=cuda:1``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from nodeforge.errors import RequestError
from nodeforge.settings import Settings

SCHEME, CLUSTER = "ssh", "ray"
_PROGRAM = "nodeforge"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*")
_DEVICE = re.compile(r"auto|[a-z]+(:\d{1,3})?")
_NOT_MACHINES = frozenset({"auto", "cuda", "mps", "xpu", "cpu"})


class MachineError(RequestError):
    """Another machine cannot be used as it is named, or as it stands."""


@dataclass(frozen=True)
class Address:
    """Where NodeForge is on another machine, for OpenSSH.

    Args:
        host: Its name, address, or alias in the person's ``~/.ssh/config``.
        user: Empty where ssh is to know.
        port: 0 where ssh is to know.
        program: The command there; without a slash it is looked for in the PATH there.
        device: What the worker there computes on, as `WorkerClient` has it.
    """

    host: str
    user: str = ""
    port: int = 0
    program: str = _PROGRAM
    device: str = "auto"

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `text` says.

        Raises:
            MachineError: it is none.
        """
        try:
            parts = urlsplit(text)
            host, user, port = _host_in(parts.netloc), parts.username or "", parts.port or 0
        except ValueError as error:
            raise _wrong(text, str(error)) from error
        if not text.isprintable():
            raise _wrong(text, "it has characters that cannot be printed")
        if parts.scheme != SCHEME:
            raise _wrong(text, "it does not begin with ssh://")
        if not _HOST.fullmatch(host):  # one that begins with '-' would be an option of ssh
            raise _wrong(text, f"'{host}' is no host")
        user = unquote(user)
        if user and not _USER.fullmatch(user):
            raise _wrong(text, f"'{user}' is no user")
        if parts.password is not None:
            raise _wrong(text, "it holds a password; ssh asks for one, or uses a key")
        device = (parse_qs(parts.query).get("device") or ["auto"])[-1]
        if not _DEVICE.fullmatch(device):
            raise _wrong(text, f"'{device}' is no device")
        path = unquote(parts.path)
        program = path.removeprefix("/~/") if path not in ("", "/") else _PROGRAM
        return cls(host, user, port, program, device)

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        program = self.program
        path = "" if program == _PROGRAM else program if program[0] == "/" else f"/~/{program}"
        device = f"?device={self.device}" if self.device != "auto" else ""
        return f"{SCHEME}://{user}{host}{port}{path}{device}"


@dataclass(frozen=True)
class Machine:
    """Another machine under the name that the person has given it."""

    name: str
    address: Address


def machine_of(settings: Settings, device: str) -> Machine | None:
    """The machine that `device` names, or is the address of; None where it is a device here.

    Raises:
        MachineError: its address is none.
    """
    if device.startswith(f"{SCHEME}://"):
        address = Address.parse(device)
        return Machine(address.host, address)
    text = settings.machines.get(device)
    return Machine(device, Address.parse(text)) if text is not None else None


def check_name(name: str) -> None:
    """Refuse names that a device could have, or that are hard to write.

    Raises:
        MachineError: it is such a name.
    """
    if name in _NOT_MACHINES or not _NAME.fullmatch(name):
        raise MachineError(
            f"'{name}' can be no machine's name.",
            way_out="Use letters, digits, '.', '-' and '_', and no device's name.",
        )


def _host_in(place: str) -> str:
    """The host in ``user@host:port``, in its own case: aliases of ssh have one."""
    behind = place.rpartition("@")[2]
    return behind[1:].partition("]")[0] if behind[:1] == "[" else behind.partition(":")[0]


def _wrong(text: str, why: str) -> MachineError:
    return MachineError(
        f"is no address of a machine: {why}.",
        place=text,
        way_out="Write ssh://user@host, if need be with :port and /path/of/nodeforge behind it.",
    )
