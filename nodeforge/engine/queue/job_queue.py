"""The job queue: what people do with it, in any process."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.engine.queue import lease, rows
from nodeforge.engine.queue.database import (
    SCHEMA,
    Limits,
    NoSuchJobError,
    QueueError,
    QueueFullError,
    database_file,
)
from nodeforge.engine.queue.job import Job, NewJob, job_from_row
from nodeforge.engine.queue.states import ENDED, PENDING, State, TransitionError, check_transition
from nodeforge.errors import RequestError
from nodeforge.formats import FORMAT, read
from nodeforge.graph.document import Document
from nodeforge.settings.sqlite_file import SqliteFile

T = TypeVar("T")


class JobQueue:
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

    # What is in the queue

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
        found = [*self.pending(), *self.ended()]
        return [
            replace(job, files=tuple(files[job.id])) if job.id in files else job for job in found
        ]

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

    # What people do with it

    def add(self, jobs: Sequence[NewJob]) -> list[Job]:
        """Queue jobs after all of their priority; all of them, or none.

        Raises:
            WorkflowError: a document cannot be read.
            QueueFullError: the queue holds as much as it may.
        """
        queued = [(each, _meaning(each.document)) for each in jobs]

        def work(base: sqlite3.Connection) -> list[str]:
            self._check_room(base, len(queued))
            (last,) = base.execute("SELECT coalesce(max(position), 0) FROM jobs").fetchone()
            made = []
            for index, (new, (made_with, assets)) in enumerate(queued, 1):
                made.append(rows.free_id(base))
                log = str(self.logs / f"{made[-1]}.log")
                raw = _new_row(new, made_with, assets)
                raw |= {"id": made[-1], "position": last + index, "log": log}
                rows.insert(base, raw | {"queued": self.clock()})
            self._remove_oldest(base)
            return made

        return [self.job(made) for made in self.base.do(work, alone=True)]

    def run_once_more(self, job_id: str) -> Job:
        """Queue a copy of a job, whatever has become of it."""
        job = self.job(job_id)
        names = ("targets", "granted", "outputs", "overrides", "seed", "priority", "source")
        kept: dict[str, Any] = {name: getattr(job, name) for name in (*names, "plan", "estimate")}
        (made,) = self.add([NewJob(job.name, self.text(job.id), **kept, group=job.group)])
        return made

    def pause(self, job_id: str) -> Job:
        """Pause a waiting job, or have the running one stop after its step.

        Raises:
            TransitionError: it has ended.
        """
        return self._leave(job_id, State.PAUSED)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that has not ended; what is done of it is kept.

        Raises:
            TransitionError: it has ended.
        """
        return self._leave(job_id, State.CANCELLED)

    def cancel_all(self) -> int:
        """Cancel all jobs that have not ended; gives how many."""
        count = 0
        for job in self.pending():
            with contextlib.suppress(TransitionError):  # it has just ended
                self.cancel(job.id)
                count += 1
        return count

    def resume(self, job_id: str) -> Job:
        """Have a paused, failed or cancelled job wait again; it goes on from its last step.

        Raises:
            TransitionError: it is done.
        """

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.wanted:  # it is still running: it need not stop any more
                rows.update(base, job.id, wanted="")
            elif job.state is State.RUNNING and not self._is_left(base, job):
                raise TransitionError("is running already.", place=f"job {job.id}")
            elif job.state is not State.WAITING:
                check_transition(job.id, job.state, State.WAITING)
                changes: dict[str, Any] = {"state": State.WAITING, "ended": None, "deaths": 0}
                if job.state in ENDED:  # it was out of the order
                    changes["position"] = rows.last_position(base)
                rows.update(base, job.id, **changes)

        return self._change(job_id, work)

    def pause_queue(self, on: bool) -> None:
        """Pause or resume the queue as a whole."""
        query = "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)"
        self.base.do(lambda base: base.execute(query, (rows.PAUSED, "1" if on else "")), alone=True)

    def move(self, job_id: str, position: int) -> Job:
        """Move a job that waits or is paused.

        Args:
            position: Its place among these from now on, counted from 1; the last for a larger
                number. It takes on the priority of its neighbours.

        Raises:
            QueueError: it runs, or has ended.
        """

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.state not in (State.WAITING, State.PAUSED):
                raise QueueError(
                    f"is {job.state}, so it has no place among those that wait.",
                    place=f"job {job.id}",
                )
            query = f"SELECT id, priority FROM jobs WHERE state IN (?, ?) AND id != ? {rows.ORDER}"
            others = base.execute(query, (State.WAITING, State.PAUSED, job.id)).fetchall()
            place = min(max(position, 1) - 1, len(others))
            before = [priority for _, priority in others[:place]]
            after = [priority for _, priority in others[place:]]
            priority = max([min([job.priority, *before]), *after])
            order = [each for each, _ in others]
            order.insert(place, job.id)
            rows.update(base, job.id, priority=priority)
            numbered = [(number, each) for number, each in enumerate(order, 1)]
            base.executemany("UPDATE jobs SET position = ? WHERE id = ?", numbered)

        return self._change(job_id, work)

    def set_priority(self, job_id: str, priority: int) -> Job:
        """Have a job run before all of a lower priority, after those of its own."""

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.priority != priority:
                rows.update(base, job.id, priority=priority, position=rows.last_position(base))

        return self._change(job_id, work)

    def edit(self, job_id: str, document: str, plan: str = "") -> Job:
        """Give a job that does not run, and is not done, another workflow.

        Args:
            document: A workflow file's text.
            plan: As `NewJob` has it.

        Raises:
            WorkflowError: it cannot be read.
            QueueError: the job runs, or is done.
        """
        made_with, assets = _meaning(document)

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.state in (State.RUNNING, State.DONE):
                raise QueueError(
                    f"is {job.state}, so its workflow cannot be changed.",
                    place=f"job {job.id}",
                    way_out="Run it once more, and change that job.",
                )
            changes = {"document": document, "format": made_with, "assets": json.dumps(assets)}
            rows.update(base, job.id, **changes, plan=plan or job.plan, overrides="[]", seed=None)
            # What it has saved so far is the result of another workflow, and stays.
            base.execute("DELETE FROM files WHERE job = ?", (job.id,))

        return self._change(job_id, work)

    def remove(self, job_id: str) -> Job:
        """Remove a job that does not run; the files it has saved stay.

        Raises:
            QueueError: it runs.
        """
        job = self.job(job_id)

        def work(base: sqlite3.Connection) -> None:
            now = rows.read_job(base, job.id)
            if now.state is State.RUNNING and not self._is_left(base, now):
                raise QueueError("is running.", place=f"job {job.id}", way_out="Cancel it first.")
            rows.delete(base, [job.id])

        self.base.do(work, alone=True)
        self._remove_log(job.id)
        return job

    def remove_ended(self) -> int:
        """Remove all jobs that have ended; gives how many."""
        ended = self.ended()
        self.base.do(lambda base: rows.delete(base, [job.id for job in ended]), alone=True)
        for job in ended:
            self._remove_log(job.id)
        return len(ended)

    # Details

    def _leave(self, job_id: str, state: State) -> Job:
        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.state is state:
                return
            check_transition(job.id, job.state, state)
            if job.state is State.RUNNING and not self._is_left(base, job):
                rows.update(base, job.id, wanted=state)
                return
            ended = self.clock() if state in ENDED else None
            rows.update(base, job.id, state=state, ended=ended, wanted="", runner="")

        return self._change(job_id, work)

    def _change(self, job_id: str, work: Callable[[sqlite3.Connection, Job], None]) -> Job:
        known = self.job(job_id).id
        self.base.do(lambda base: work(base, rows.read_job(base, known)), alone=True)
        return self.job(known)

    def _holder(self, base: sqlite3.Connection) -> lease.Holder | None:
        return lease.live_holder(base, self.clock(), self.taken_over)

    def _is_left(self, base: sqlite3.Connection, job: Job) -> bool:
        """Whether a job is called running, and its runner is gone."""
        holder = self._holder(base)
        return holder is None or holder.token != job.runner

    def _select(self, where: str, values: Iterable[Any]) -> list[Job]:
        query = f"SELECT {rows.NAMES} FROM jobs {where}"
        found = self.base.do(lambda base: base.execute(query, tuple(values)).fetchall())
        jobs = [job_from_row(row) for row in found]
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
        where = "WHERE job = ?" if job_id else ""
        query = f"SELECT job, path FROM files {where} ORDER BY job, rowid"
        values = (job_id,) if job_id else ()
        found: dict[str, list[Path]] = {}
        for job, path in self.base.do(lambda base: base.execute(query, values).fetchall()):
            found.setdefault(job, []).append(Path(path))
        return found

    def _check_room(self, base: sqlite3.Connection, count: int) -> None:
        query = f"SELECT count(*) FROM jobs WHERE state IN ({rows.marks(PENDING)})"
        (pending,) = base.execute(query, tuple(PENDING)).fetchone()
        way_out = "Remove some, or wait until some have ended."
        if pending + count > self.limits.pending:
            limit = self.limits.pending
            raise QueueFullError(f"the queue holds at most {limit} jobs.", way_out=way_out)
        if self._used_bytes(base) > self.limits.bytes:
            self._remove_oldest(base, keep=0)
            if self._used_bytes(base) > self.limits.bytes:
                mib = self.limits.bytes // 2**20
                raise QueueFullError(f"the queue fills its {mib} MiB of disk.", way_out=way_out)

    def _used_bytes(self, base: sqlite3.Connection) -> int:
        used = "SELECT (page_count - freelist_count) * page_size"
        pages = "pragma_page_count, pragma_freelist_count, pragma_page_size"
        (size,) = base.execute(f"{used} FROM {pages}").fetchone()
        with contextlib.suppress(OSError):
            size += sum(each.stat().st_size for each in self.logs.glob("*.log"))
        return size

    def _remove_oldest(self, base: sqlite3.Connection, keep: int | None = None) -> None:
        keep = self.limits.ended if keep is None else keep
        query = f"SELECT id FROM jobs WHERE state IN ({rows.marks(ENDED)}) ORDER BY ended DESC"
        ended = [job for (job,) in base.execute(query, tuple(ENDED))]
        rows.delete(base, ended[keep:])
        for job in ended[keep:]:
            self._remove_log(job)

    def _remove_log(self, job_id: str) -> None:
        with contextlib.suppress(OSError):
            (self.logs / f"{job_id}.log").unlink(missing_ok=True)


def _meaning(document: str) -> tuple[int, list[str]]:
    """The format of a workflow, and SHA-256 of the assets that it names.

    Raises:
        WorkflowError: it cannot be read.
    """
    assets = read(document, "the job's workflow").assets.values()
    digests = (each.get("sha256") for each in assets if isinstance(each, dict))
    try:
        made_with = json.loads(document).get("format", FORMAT)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"cannot be read: {error}.") from error
    return made_with, [each for each in digests if isinstance(each, str)]


def _new_row(new: NewJob, made_with: int, assets: list[str]) -> dict[str, Any]:
    return {
        "name": new.name,
        "state": State.WAITING,
        "format": made_with,
        "document": new.document,
        "targets": json.dumps(new.targets),
        "granted": json.dumps(new.granted),
        "outputs": str(new.outputs or ""),
        "overrides": json.dumps(new.overrides),
        "seed": new.seed,
        "priority": new.priority,
        "source": new.source,
        "plan": new.plan,
        "estimate": new.estimate,
        "part_of": json.dumps(asdict(new.group) if new.group else None),
        "assets": json.dumps(assets),
    }
