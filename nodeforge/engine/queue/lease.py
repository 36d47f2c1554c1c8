"""The lease: of all processes that could run the queue's jobs, one does.

Its holder writes a heartbeat; who is silent for longer than `TAKEN_OVER` has lost it. Whatever a
runner writes is written only while it holds the lease, so that one which slept changes nothing.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nodeforge.engine.queue.database import QueueError
from nodeforge.errors import NodeForgeError
from nodeforge.settings.sqlite_file import SqliteFile

HEARTBEAT = 5.0
"""Seconds between two heartbeats."""
TAKEN_OVER = 20.0
"""Seconds without a heartbeat after which another may take the lease."""
_NAME = "lease"


class LeaseTakenError(QueueError):
    """Another process runs the queue.

    Args:
        holder: Who.
    """

    def __init__(self, holder: Holder) -> None:
        super().__init__(
            f"{holder.title} runs the queue (process {holder.pid}).",
            way_out="Jobs that are added are run there; end it to run them here.",
        )
        self.holder = holder


class LeaseLostError(NodeForgeError):
    """Another process has taken the lease over, as after this one was suspended."""

    def __init__(self) -> None:
        super().__init__(
            "another program runs the queue now.", way_out="Its jobs go on there; see the list."
        )


@dataclass(frozen=True)
class Holder:
    """Who holds the lease.

    Args:
        token: Names this time of holding it.
        title: For people: ``the window``, ``'nodeforge queue run'``.
        pid: The process.
        machine: Where process numbers mean the same.
        beat: When it was last heard of, in seconds since 1970.
    """

    token: str
    title: str
    pid: int
    machine: str
    beat: float


def machine_id() -> str:
    """Names the machine, and within it the container, in which a process number is found."""
    parts = [platform.node()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            link = path.is_symlink()
            parts.append(os.readlink(path) if link else path.read_text().strip())  # noqa: PTH115
        except OSError:
            parts.append("")
    return " ".join(parts)


def holder_of(base: sqlite3.Connection) -> Holder | None:
    """Who the database says holds the lease, dead or alive."""
    found = base.execute("SELECT value FROM state WHERE name = ?", (_NAME,)).fetchone()
    try:
        return Holder(**json.loads(found[0])) if found else None
    except (TypeError, ValueError):
        return None


def live_holder(base: sqlite3.Connection, now: float, taken_over: float) -> Holder | None:
    """Who holds the lease and is heard of; None where it is free to take."""
    holder = holder_of(base)
    if holder is None or not isinstance(holder.beat, int | float):
        return None
    # A clock that was set back must not give a dead holder years.
    if not -taken_over <= now - holder.beat < taken_over or _is_dead(holder):
        return None
    return holder


def _is_dead(holder: Holder) -> bool:
    """Whether the holder's process is known to have ended; on another machine it never is."""
    if holder.machine != machine_id() or os.name != "posix":
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, TypeError):
        return False
    return False


class Lease:
    """A claim to run the queue's jobs.

    Args:
        base: The database.
        title: Who runs them, for people.
        clock: Seconds since 1970.
        taken_over: Seconds of silence after which another's lease is free.
    """

    def __init__(
        self,
        base: SqliteFile,
        title: str,
        clock: Callable[[], float],
        taken_over: float = TAKEN_OVER,
    ) -> None:
        self._base, self._title, self._clock = base, title, clock
        self._taken_over = taken_over
        self.token = ""
        """Empty while it is not held."""

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            LeaseTakenError: another process holds it.
        """

        def take(base: sqlite3.Connection) -> str:
            holder = live_holder(base, self._clock(), self._taken_over)
            if holder is not None and holder.token != self.token:
                raise LeaseTakenError(holder)
            token = uuid.uuid4().hex
            self._write(base, token)
            return token

        self.token = self._base.do(take, alone=True)

    def beat(self) -> None:
        """Say that the holder is there.

        Raises:
            LeaseLostError: another process has it.
        """

        def write(base: sqlite3.Connection) -> None:
            self.check(base)
            self._write(base, self.token)

        self._base.do(write, alone=True)

    def copy(self, base: SqliteFile) -> Lease:
        """The same lease on another connection, for another thread."""
        made = Lease(base, self._title, self._clock, self._taken_over)
        made.token = self.token
        return made

    def release(self) -> None:
        """Give the lease back, if it is held."""
        if self.token:
            delete = "DELETE FROM state WHERE name = ? AND instr(value, ?)"
            token, self.token = self.token, ""
            self._base.do(lambda base: base.execute(delete, (_NAME, token)), alone=True)

    def check(self, base: sqlite3.Connection) -> None:
        """Refuse to go on where the lease is another's; called within each transaction.

        Raises:
            LeaseLostError: it is.
        """
        holder = holder_of(base)
        if not self.token or holder is None or holder.token != self.token:
            raise LeaseLostError

    def _write(self, base: sqlite3.Connection, token: str) -> None:
        holder = Holder(token, self._title, os.getpid(), machine_id(), self._clock())
        values: tuple[Any, ...] = (_NAME, json.dumps(asdict(holder)))
        base.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", values)
