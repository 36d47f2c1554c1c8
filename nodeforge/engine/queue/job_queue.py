"""The job queue: what people do with it, in any process."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from nodeforge.engine.queue import checkpoints, rows, saved_files
from nodeforge.engine.queue.database import QueueError, QueueFullError
from nodeforge.engine.queue.job import Job, NewJob
from nodeforge.engine.queue.queue_reader import QueueReader
from nodeforge.engine.queue.states import ENDED, PENDING, State, TransitionError, check_transition
from nodeforge.errors import RequestError
from nodeforge.formats import FORMAT, read


class JobQueue(QueueReader):
    """The jobs in the database of a user's folder, and what people do with them."""

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

    def cancel_all(self, among: Collection[str] | None = None) -> int:
        """Cancel the jobs that have not ended; gives how many.

        Args:
            among: Ids of those that are meant; None for all.
        """

        def work(base: sqlite3.Connection) -> int:
            found = rows.read_jobs(base, f"WHERE state IN ({rows.marks(PENDING)})", PENDING)
            meant = [job for job in found if among is None or job.id in among]
            for job in meant:
                self._have_left(base, job, State.CANCELLED)
            return len(meant)

        return self.base.do(work, alone=True)

    def resume(self, job_id: str) -> Job:
        """Have a paused, failed or cancelled job wait again; it goes on from its last step.

        Raises:
            TransitionError: it is done.
        """
        return self._change(job_id, self._have_wait)

    def resume_all(self, among: Collection[str]) -> None:
        """Have those of some jobs wait again that are paused, failed or cancelled.

        Args:
            among: Their ids, in the order in which those that had ended are to run.
        """

        def work(base: sqlite3.Connection) -> None:
            resumed = (State.PAUSED, State.FAILED, State.CANCELLED)
            found = rows.read_jobs(base, f"WHERE state IN ({rows.marks(resumed)})", resumed)
            there = {job.id: job for job in found}
            for job in [there[each] for each in among if each in there]:
                self._have_wait(base, job)

        self.base.do(work, alone=True)

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

    def release(self, kind: str, group: str) -> None:
        """Let the checkpoints of all jobs of a group be evicted again, once a choice is made."""
        for job in [*self.pending(), *self.ended()]:
            if job.group is not None and (job.group.kind, job.group.id) == (kind, group):
                checkpoints.unpin(job)

    def set_priority(self, job_id: str, priority: int) -> Job:
        """Have a job run before all of a lower priority, after those of its own."""

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.priority != priority:
                rows.update(base, job.id, priority=priority, position=rows.last_position(base))

        return self._change(job_id, work)

    def set_place(self, job_id: str, **facts: Any) -> Job:
        """Change what is kept of a job's place in its group, in whatever state it is.

        Args:
            job_id: The job; one of no group is left as it is.
            facts: Plain JSON, by name; the others stay.
        """

        def work(base: sqlite3.Connection, job: Job) -> None:
            if job.group is not None and isinstance(job.group.place, dict):
                group = replace(job.group, place=job.group.place | facts)
                rows.update(base, job.id, part_of=json.dumps(asdict(group)))

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
            saved_files.forget(base, job.id)

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
            _delete(base, [now])

        self.base.do(work, alone=True)
        self._remove_log(job.id)
        return job

    def remove_ended(self) -> int:
        """Remove all jobs that have ended; gives how many."""
        ended = self.ended()
        self.base.do(lambda base: _delete(base, ended), alone=True)
        for job in ended:
            self._remove_log(job.id)
        return len(ended)

    def _leave(self, job_id: str, state: State) -> Job:
        return self._change(job_id, lambda base, job: self._have_left(base, job, state))

    def _have_left(self, base: sqlite3.Connection, job: Job, state: State) -> None:
        if job.state is state:
            return
        check_transition(job.id, job.state, state)
        if job.state is State.RUNNING and not self._is_left(base, job):
            rows.update(base, job.id, wanted=state)
            return
        ended = self.clock() if state in ENDED else None
        rows.update(base, job.id, state=state, ended=ended, wanted="", runner="")
        checkpoints.pin(state, job.checkpoints)

    def _have_wait(self, base: sqlite3.Connection, job: Job) -> None:
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
            checkpoints.unpin(job)

    def _change(self, job_id: str, work: Callable[[sqlite3.Connection, Job], None]) -> Job:
        known = self.job(job_id).id
        self.base.do(lambda base: work(base, rows.read_job(base, known)), alone=True)
        return self.job(known)

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
        where = f"WHERE state IN ({rows.marks(ENDED)}) ORDER BY ended DESC LIMIT -1 OFFSET ?"
        oldest = rows.read_jobs(base, where, (*ENDED, keep))
        _delete(base, oldest)
        for job in oldest:
            self._remove_log(job.id)

    def _remove_log(self, job_id: str) -> None:
        with contextlib.suppress(OSError):
            (self.logs / f"{job_id}.log").unlink(missing_ok=True)


def _delete(base: sqlite3.Connection, jobs: Iterable[Job]) -> None:
    for job in jobs:
        base.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
        saved_files.forget(base, job.id)
        checkpoints.unpin(job)


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
