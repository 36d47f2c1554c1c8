"""The job queue as it can be read, in any process."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodeforge.engine.queue import lease, rows, saved_files
from nodeforge.engine.queue.database import SCHEMA, Limits, NoSuchJobError, database_file
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import ENDED, PENDING, State
from nodeforge.formats import read
from nodeforge.graph.document import Document
from nodeforge.settings.sqlite_file import SqliteFile


def shown_order(job: Job) -> tuple[Any, ...]:
    """Sorts jobs as `QueueReader.jobs` has them: as they run, then the last that ended first."""
    if job.state in ENDED:
        return 2, -(job.ended or 0.0), 0, 0.0, job.id
    running = job.state is State.RUNNING
    return 0 if running else 1, -job.priority, job.position, job.queued, job.id


class QueueReader:
    """The jobs in the database of a user's folder.

    Args:
        home: The folder (`Settings.home`).
        clock: Seconds since 1970.
        limits: How much it keeps.
        taken_over: Seconds of silence after which a runner counts as gone.
    """

    def __init__(
        self,
        home: Path,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        taken_over: float = lease.TAKEN_OVER,
    ) -> None:
        self.home = home
        self.clock = clock
        self.limits = limits or Limits()
        self.taken_over = taken_over
        self.base = SqliteFile(database_file(home), SCHEMA)
        self._with_files: dict[str, tuple[Job, Job]] = {}
        """By id, jobs as they were read last without and with their files."""

    @property
    def logs(self) -> Path:
        """The folder of the jobs' logs."""
        return self.home / "logs" / "queue"

    @property
    def moved_aside(self) -> Path | None:
        """Where a damaged database has been moved; its jobs were recovered as far as possible."""
        return self.base.moved_aside

    def close(self) -> None:
        self.base.close()

    def changes(self) -> int:
        """A number that changes when another process changes the queue."""
        return self.base.do(lambda base: base.execute("PRAGMA data_version").fetchone()[0])

    def holder(self) -> lease.Holder | None:
        """The process that runs the queue; None where none does."""
        return self.base.do(lambda base: self._holder(base))

    def pending(self) -> list[Job]:
        """The jobs that have not ended, in the order in which they run; the running one first."""
        found = self._select(f"WHERE state IN ({rows.marks(PENDING)}) {rows.ORDER}", PENDING)
        return sorted(found, key=lambda job: job.state is not State.RUNNING)

    def ended(self) -> list[Job]:
        """The jobs that have ended, the last first."""
        where = f"WHERE state IN ({rows.marks(ENDED)}) ORDER BY ended DESC, id"
        return self._select(where, ENDED)

    def jobs(self) -> list[Job]:
        """All jobs, those that have not ended first, each with its files."""
        files = self._files()
        before, self._with_files = self._with_files, {}
        return [
            self._with(job, tuple(files[job.id]), before) if job.id in files else job
            for job in (*self.pending(), *self.ended())
        ]

    def _with(
        self, job: Job, files: tuple[Path, ...], before: Mapping[str, tuple[Job, Job]]
    ) -> Job:
        """A job with its files; one object while neither has changed."""
        known = before.get(job.id)
        made = (
            known[1]
            if known is not None and known[0] is job and known[1].files == files
            else replace(job, files=files)
        )
        self._with_files[job.id] = job, made
        return made

    def job(self, job_id: str) -> Job:
        """The job whose id is, or begins with, `job_id`.

        Raises:
            NoSuchJobError: there is none, or more than one.
        """
        found = self._select("WHERE id = ?", (job_id,))
        if not found and job_id:
            found = self._select("WHERE substr(id, 1, ?) = ?", (len(job_id), job_id))
        if len(found) != 1:
            fact = "the queue has no such job." if not found else "more than one job begins so."
            raise NoSuchJobError(
                fact, place=f"job '{job_id}'", way_out="'nodeforge queue list' shows their ids."
            )
        return replace(found[0], files=tuple(self._files(found[0].id).get(found[0].id, ())))

    def text(self, job_id: str) -> str:
        """The workflow of a job as it was queued, as a file's text."""
        query = "SELECT document FROM jobs WHERE id = ?"
        row = self.base.do(lambda base: base.execute(query, (job_id,)).fetchone())
        if row is None:
            return self.text(self.job(job_id).id)
        return row[0]

    def document(self, job_id: str) -> Document:
        """The workflow of a job, in today's format.

        Raises:
            WorkflowError: it cannot be read, as one of a newer format; the job keeps it.
        """
        return read(self.text(job_id), f"job {job_id}")

    @property
    def paused(self) -> bool:
        """Whether the queue is paused: the running job is finished, and no other begins."""
        return self.base.do(rows.is_paused)

    def pinned_assets(self) -> set[str]:
        """SHA-256 of the assets that jobs need which have not ended, or may be run again."""
        kept = [*PENDING, State.FAILED, State.CANCELLED]
        query = f"SELECT assets FROM jobs WHERE state IN ({rows.marks(kept)})"
        found_rows = self.base.do(lambda base: base.execute(query, kept).fetchall())
        found: set[str] = set()
        for (text,) in found_rows:
            with contextlib.suppress(ValueError):
                found.update(each for each in json.loads(text) if isinstance(each, str))
        return found

    def durations(self) -> dict[str, float]:
        """How many seconds a job of each plan takes."""
        return self.base.do(lambda base: dict(base.execute("SELECT plan, seconds FROM durations")))

    def _holder(self, base: sqlite3.Connection) -> lease.Holder | None:
        return lease.live_holder(base, self.clock(), self.taken_over)

    def _is_left(self, base: sqlite3.Connection, job: Job) -> bool:
        """Whether a job is called running, and its runner is gone."""
        holder = self._holder(base)
        return holder is None or holder.token != job.runner

    def _select(self, where: str, values: Iterable[Any]) -> list[Job]:
        jobs = self.base.do(lambda base: rows.read_jobs(base, where, values))
        if not any(job.state is State.RUNNING for job in jobs):
            return jobs
        holder = self.holder()
        token = holder.token if holder else None
        left = (job.state is State.RUNNING and job.runner != token for job in jobs)
        # What a runner that is gone has left waits for the next.
        return [
            replace(job, state=State.WAITING) if is_left else job
            for job, is_left in zip(jobs, left, strict=True)
        ]

    def _files(self, job_id: str = "") -> dict[str, list[Path]]:
        return self.base.do(lambda base: saved_files.files_of(base, job_id))
