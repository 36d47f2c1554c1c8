"""Another machine for tests: a home of its own, reached by a pipe or by a real ssh."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nodeforge.engine import events
from nodeforge.engine.remote.address import Address, Machine
from nodeforge.engine.remote.remote_client import client_by_ssh
from nodeforge.engine.remote.ssh import start_ssh
from nodeforge.engine.running.context import RunRequest
from nodeforge.settings import Settings
from support.processes import Watched

ADDRESS = Address("far", device="cpu")
KEEP = 30.0


def program(folder: Path) -> str:
    """A script that is `nodeforge` there."""
    script = folder / "nodeforge"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m nodeforge "$@"\n')
    script.chmod(0o755)
    return str(script)


class OtherMachine:
    """Runs what ssh would run there, on this machine and in another home.

    Args:
        home: NODEFORGE_HOME there.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lines: list[subprocess.Popen[bytes]] = []
        self.is_away = False

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "NODEFORGE_HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def start(self, address: Address, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """What `start_ssh` does; while it is away, it says what ssh would."""
        command = [sys.executable, "-m", "nodeforge", *arguments]
        if self.is_away:
            command = ["sh", "-c", "echo connect: Connection refused >&2; exit 255"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )
        self.lines.append(process)
        return process

    def cut(self) -> None:
        """Break the line that is open."""
        self.lines[-1].kill()

    def end(self) -> None:
        """Kill its host, as a machine that is switched off does."""
        for pid in self.hosts():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def hosts(self) -> list[int]:
        """The numbers of its hosts' processes."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes()
                place = (folder / "environ").read_bytes()
                is_its = f"NODEFORGE_HOME={self.home}\0".encode() in place
                if b"remote.detached" in words and is_its:
                    found.append(int(folder.name))
        return found


class RemoteWatched(Watched):
    """`Watched` for a worker on another machine."""

    def __init__(
        self,
        settings: Settings,
        there: OtherMachine,
        keep: float = KEEP,
        client_of: Machine | None = None,
        tells_steps: float = 0.0,
    ) -> None:
        self.settings = settings
        self.events: list[events.Event] = []
        self._queue: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        machine, start = client_of or Machine("far", ADDRESS), there.start
        if client_of is not None:
            start = start_ssh
        told = settings, machine, self._queue.put
        self.remote = client_by_ssh(*told, keep, start, tells_steps)
        self.client: Any = self.remote

    def start(self, graph: dict[str, Any], run: str = "run", **options: Any) -> None:
        given: dict[str, Any] = {"outputs": self.settings.home / "outputs"} | options
        self.remote.run(graph, RunRequest(run, **given))

    def wait_paused(self, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while self.remote._connection.is_up and time.monotonic() < end:
            time.sleep(0.01)


class SshServer:
    """asyncssh's server on a free port; it runs commands as sshd does, with the home's environment.

    Args:
        folder: For keys and the client's configuration.
        machine: Whose home commands see.
    """

    def __init__(self, folder: Path, machine: OtherMachine) -> None:
        import asyncssh

        self._machine, self._ssh = machine, asyncssh
        folder.mkdir(parents=True, exist_ok=True)
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(folder / "key"))
        (folder / "key").chmod(0o600)
        key.write_public_key(str(folder / "authorized"))
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(folder / "other_key"))
        (folder / "other_key").chmod(0o600)
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(20)
        public = self._host_key.export_public_key().decode().strip()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {public}\n")
        (folder / "empty").write_text("")

    def command(self, key: str = "key", known: str = "known") -> str:
        """What NODEFORGE_SSH is set to."""
        options = {
            "HostName": "127.0.0.1",
            "Port": self.port,
            "IdentityFile": self.folder / key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self.folder / known,
            "GlobalKnownHostsFile": self.folder / "empty",
            "StrictHostKeyChecking": "yes",
        }
        return " ".join(["ssh", "-F", "none", *(f"-o {k}={v}" for k, v in options.items())])

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _listen(self) -> int:
        server = await self._ssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host_key],
            authorized_client_keys=str(self.folder / "authorized"),
            process_factory=self._run,
            encoding=None,
        )
        return server.get_port()

    async def _run(self, process: Any) -> None:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_shell(
            process.command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._machine.environment
        )
        # The end of one stream would close the channel for what the other still has to say.
        await process.redirect(child.stdin, child.stdout, child.stderr, send_eof=False)
        code = await child.wait()
        await process.stdout.drain()
        await process.stderr.drain()
        process.exit(code)
