"""The line to another machine: OpenSSH as a subprocess.

So the person's ``~/.ssh/config``, agent, keys and jump hosts count. It asks for nothing by itself,
except through the program that ``SSH_ASKPASS`` names.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from nodeforge.engine.remote.address import Address, Machine, MachineError

ASKPASS = "SSH_ASKPASS"
COMMAND = "NODEFORGE_SSH"
"""Names another command than ``ssh``, with its options."""
_OPTIONS = {
    "ConnectTimeout": "15",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "Compression": "yes",
}
_NO_PROGRAM = (126, 127)
"""What shells end with where they find no such program, or one that is none."""
_NAME_IT = "Name where NodeForge is: nodeforge worker add ssh://{to}/path/of/nodeforge"
_UNSEEN = 255
"""What ssh ends with where it, and not the command there, has failed."""


class AwayError(MachineError):
    """A machine that cannot be reached now, and may be later."""


def start_ssh(
    address: Address, arguments: Sequence[str], *, at_terminal: bool = False
) -> subprocess.Popen[bytes]:
    """Run NodeForge on another machine.

    Args:
        address: Where.
        arguments: Those of its command line.
        at_terminal: Whether ssh may ask at the terminal of this process.

    Raises:
        MachineError: there is no ssh on this machine.
    """
    command = [*ssh_command(address, at_terminal), remote_command(address, arguments)]
    environment, flags = dict(os.environ), 0
    if not at_terminal and ASKPASS in environment:
        environment["SSH_ASKPASS_REQUIRE"] = "force"
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            creationflags=flags,
            # A Ctrl+C of the terminal stops the run there, and not the line to it.
            start_new_session=sys.platform != "win32" and not at_terminal,
        )
    except OSError as error:
        raise MachineError(
            f"'{command[0]}' cannot be started: {error.strerror}.",
            way_out=f"Install OpenSSH's client, or name another in {COMMAND}.",
        ) from error


def ssh_command(address: Address, at_terminal: bool = False) -> list[str]:
    """The command that reaches `address`, without what is run there."""
    asks = at_terminal or ASKPASS in os.environ
    options = {**_OPTIONS, "BatchMode": "no" if asks else "yes"}
    return [
        *shlex.split(os.environ.get(COMMAND, "ssh")),
        "-T",
        *(part for name, value in options.items() for part in ("-o", f"{name}={value}")),
        *(["-p", str(address.port)] if address.port else []),
        *(["-l", address.user] if address.user else []),
        *("--", address.host),
    ]


def remote_command(address: Address, arguments: Sequence[str]) -> str:
    """What the shell there is to run."""
    return shlex.join([address.program, *arguments])


def told_failure(machine: Machine, code: int, words: str) -> MachineError:
    """Why the line could not be made, or why NodeForge did not start there.

    Args:
        machine: The other machine.
        code: What ssh has ended with.
        words: What it, or the command there, has printed.
    """
    address = machine.address
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    place = f"machine '{machine.name}'"
    for mark, fact, way_out in _KNOWN:
        if said := next((line.rstrip(".") for line in lines if mark in line.lower()), ""):
            kind = AwayError if mark in _PASSING else MachineError
            return kind(fact.format(said=said), place=place, way_out=_filled(way_out, machine))
    last = lines[-1] if lines else f"ssh ended with code {code}"
    if code in _NO_PROGRAM:
        return MachineError(
            f"has no such command: {address.program}.",
            place=place,
            way_out=_filled(_NAME_IT, machine),
        )
    if code == _UNSEEN:
        way_out = _filled("Try: ssh {to}", machine)
        return AwayError(f"cannot be reached: {last}.", place=place, way_out=way_out)
    fact = f"NodeForge did not start there: {last}."
    way_out = _filled("Try: ssh {to} {program} doctor", machine)
    return MachineError(fact, place=place, way_out=way_out)


def _filled(way_out: str, machine: Machine) -> str:
    address = machine.address
    to = f"{address.user}@{address.host}" if address.user else address.host
    if address.port:
        to = f"-p {address.port} {to}"
    return way_out.format(to=to, program=address.program, name=machine.name, host=address.host)


_KNOWN = (
    (
        "could not resolve hostname",
        "is not known: {said}.",
        "Check its name, and that this machine is in a network.",
    ),
    (
        "identification has changed",
        "its host key is not the one that is known: somebody may be listening.",
        "If it was set up anew: ssh-keygen -R {host}",
    ),
    (
        "host key verification failed",
        "its host key is not known yet.",
        "Look at it and accept it once: ssh {to}",
    ),
    (
        "permission denied",
        "lets nobody in with these keys: {said}.",
        "Bring a key there with: ssh-copy-id {to}; one with a passphrase into the agent with: "
        "ssh-add",
    ),
    ("connection refused", "cannot be reached: {said}.", "Start its ssh server."),
    ("timed out", "cannot be reached: {said}.", "Switch it on, or check its address."),
    ("no route to host", "cannot be reached: {said}.", "Switch it on, or check the network."),
    ("network is unreachable", "cannot be reached: {said}.", "Check this machine's network."),
    (
        "not found",
        "has no such command in its PATH: {said}.",
        _NAME_IT,
    ),
    (
        "no such file or directory",
        "has no such program: {said}.",
        _NAME_IT,
    ),
    (
        "no such command",
        "its NodeForge is too old to be used from elsewhere.",
        "Install this machine's version there.",
    ),
    (
        "no space left on device",
        "has no room on its disk: {said}.",
        "Free some space there.",
    ),
)
"""What ssh, or the shell there, says; in lower case, with what it means and the way out."""
_PASSING = ("connection refused", "timed out", "no route to host", "network is unreachable")
