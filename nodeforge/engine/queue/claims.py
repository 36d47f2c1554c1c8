"""What the runner of the queue does with jobs, while it holds the lease."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from nodeforge.engine.queue import checkpoints, rows, saved_files
from nodeforge.engine.queue.estimates import remembered
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.job_queue import JobQueue
from nodeforge.engine.queue.lease import Lease
from nodeforge.engine.queue.states import ENDED, PENDING, State, check_transition

T = TypeVar("T")
_WAITING = (State.WAITING,)


class JobClaims:
    """What the runner of the queue does with jobs, while it holds the lease.

    Args:
        queue: The queue, used by this thread alone.
        title: Who runs the jobs, for people: ``the window``.
    """

    def __init__(self, queue: JobQueue, title: str) -> None:
        self.queue = queue
        self.lease = Lease(queue.base, title, queue.clock, queue.taken_over)

    def acquire(self) -> list[Job]:
        """Take the lease; gives the jobs that a runner which is gone has left, waiting again.

        Raises:
            LeaseTakenError: another process runs the queue.
        """
        self.lease.acquire()
        return self.do(self._recover)

    def next(self, skipped: Collection[str] = (), wish: str = "", worker: str = "") -> Job | None:
        """Begin the first job that waits; None where none does, or the queue is paused.

        Args:
            skipped: Ids of jobs that are to wait on.
            wish: The job to begin if it still waits, and not the first.
            worker: What runs it, where there are several.

        Raises:
            LeaseLostError: another process runs the queue now.
        """

        def work(base: sqlite3.Connection) -> Job | None:
            if rows.is_paused(base):
                return None
            found = base.execute(f"SELECT id FROM jobs WHERE state = ? {rows.ORDER}", _WAITING)
            waiting = [each for (each,) in found if each not in skipped]
            if not waiting:
                return None
            job = rows.read_job(base, wish if wish in waiting else waiting[0])
            now = self.queue.clock()
            changes: dict[str, Any] = {"started": now, "ended": None, "error": "null"}
            rows.update(
                base,
                job.id,
                state=State.RUNNING,
                wanted="",
                runner=self.lease.token,
                worker=worker,
                attempts=job.attempts + 1,
                **changes,
            )
            return rows.read_job(base, job.id)

        return self.do(work)

    def wanted(self, job: Job) -> str:
        """The state that people want the running job to have; empty where it may run on."""
        query = "SELECT wanted FROM jobs WHERE id = ?"
        row = self.queue.base.do(lambda base: base.execute(query, (job.id,)).fetchone())
        return row[0] if row else State.CANCELLED

    def keep_outputs(self, job: Job, outputs: Path) -> None:
        """Note where the job saves, so that it goes on there after a restart."""
        self.do(lambda base: rows.update(base, job.id, outputs=str(outputs)))

    def count_death(self, job: Job, deaths: int) -> None:
        """Note how often the process has died under a job that made no progress."""
        self.do(lambda base: rows.update(base, job.id, deaths=deaths))

    def end(
        self,
        job: Job,
        state: State,
        *,
        error: Any = None,
        model_calls: int = 0,
        seconds: float | None = None,
        kept: Sequence[str] = (),
    ) -> None:
        """Write what has become of a job that was running.

        Args:
            state: What it is now; waiting where it was interrupted.
            error: The `ErrorReport` of one that failed.
            model_calls: How often networks were evaluated.
            seconds: How long a whole run of its plan took, for estimates; None where it was none.
            kept: Files of the checkpoints from which it goes on, or others do.

        Raises:
            LeaseLostError: another process runs the queue now.
        """

        def work(base: sqlite3.Connection) -> None:
            now = rows.read_job(base, job.id)
            check_transition(job.id, now.state, state)
            time = self.queue.clock()
            rows.update(
                base,
                job.id,
                state=state,
                wanted="",
                runner="",
                error=json.dumps(asdict(error) if error else None),
                ended=time if state in ENDED else None,
                seconds=now.seconds + max(0.0, time - (now.started or time)),
                model_calls=now.model_calls + model_calls,
                checkpoints=json.dumps(list(kept)),
                **_place(base, state),
            )
            checkpoints.pin(state, kept)
            if seconds is not None and job.plan:
                remembered(base, job.plan, seconds)

        self.do(work)

    def _recover(self, base: sqlite3.Connection) -> list[Job]:
        left = rows.read_jobs(base, "WHERE state = ?", (State.RUNNING,))
        for job in left:
            state = State(job.wanted) if job.wanted in set(State) else State.WAITING
            if saved_files.is_all_saved(base, job.id):
                state = State.DONE  # it was killed between its last file and the word of it
            ended = self.queue.clock() if state in ENDED else None
            place = _place(base, state)
            rows.update(base, job.id, state=state, wanted="", runner="", ended=ended, **place)
        return left

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives, in a transaction, while the lease is held.

        Raises:
            LeaseLostError: another process runs the queue now.
        """

        def checked(base: sqlite3.Connection) -> T:
            self.lease.check(base)
            return work(base)

        return self.queue.base.do(checked, alone=True)


def _place(base: sqlite3.Connection, state: State) -> dict[str, int]:
    """What was interrupted is the first of its priority, wherever others were moved meanwhile."""
    return {"position": rows.first_position(base)} if state in PENDING else {}
