"""The sweeps and explorations in the queue: started, finished and cancelled as groups of jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from nodeforge.engine.queue.job import Job, NewJob
from nodeforge.engine.queue.states import PENDING, State
from nodeforge.engine.sweeps.axes import Axis
from nodeforge.engine.sweeps.cells import Cell, fan_out
from nodeforge.engine.sweeps.exploration import EXPLORATION
from nodeforge.engine.sweeps.jobs import (
    STAR,
    SWEEP,
    candidate_jobs,
    cell_jobs,
    copied,
    finishing_job,
    with_cell,
)
from nodeforge.errors import NodeForgeError
from nodeforge.lint import Severity, lint
from nodeforge.ui.common.background_task import ReportProgress, run_in_background
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import Job as WindowJob
from nodeforge.ui.running.runner import Runner

_MANY = 100
"""Jobs from which they are made in the background."""


@dataclass
class Group:
    """A sweep or an exploration.

    Args:
        kind: `SWEEP` or `EXPLORATION`.
        id: Names it.
        title: The workflow's name.
        jobs: By number, that of a cell, or of a candidate's estimate.
        finishing: By number, the jobs of candidates that were chosen.
        stars: The candidates that have one.
    """

    kind: str
    id: str
    title: str
    jobs: dict[int, Job] = field(default_factory=dict)
    finishing: dict[int, Job] = field(default_factory=dict)
    stars: set[int] = field(default_factory=set)

    @property
    def all(self) -> list[Job]:
        return [*self.jobs.values(), *self.finishing.values()]

    def current(self, number: int) -> Job:
        """The job that a cell or a candidate is shown by: the last that has something to show."""
        last = self.finishing.get(number)
        return last if last is not None and _shows(last) else self.jobs[number]


class JobGroups(QObject):
    """The groups of jobs in the queue, and those that this window has seen there.

    Args:
        workspace: Settings and node types.
        runner: Runs the queue.
    """

    changed = Signal()
    previewed = Signal(str, int)
    """The id of a group, and the number of its job that has a new preview."""

    def __init__(self, workspace: Workspace, runner: Runner) -> None:
        super().__init__()
        self._workspace, self._runner = workspace, runner
        self._groups: dict[str, Group] = {}
        self._read_jobs: dict[str, Job] = {}
        """By id, the jobs of groups in the queue, as they were read last."""
        self._previews: dict[str, QImage] = {}
        """The last step of jobs that run, by id."""
        self._released: set[str] = set()
        """Ids of explorations whose checkpoints are no longer pinned."""
        runner.kept.changed.connect(self._read)
        runner.previewed.connect(self._on_preview)
        self._read()

    def of_kind(self, kind: str) -> list[Group]:
        """The groups of a kind, the newest first."""
        found = [group for group in self._groups.values() if group.kind == kind]
        return sorted(found, key=lambda g: min(job.queued for job in g.all), reverse=True)

    def preview(self, job: Job) -> QImage | None:
        """A picture of the last step of a job that runs."""
        return self._previews.get(job.id)

    def start_sweep(
        self,
        opened: OpenDocument,
        axes: Sequence[Axis],
        *,
        together: bool = False,
        parent: QWidget | None = None,
    ) -> str:
        """Queue a job for each cell; gives the group's id, empty where errors prevent it.

        Args:
            opened: The document.
            axes: One at least.
            together: The axes change as one.
            parent: Of the dialog that is shown while many jobs are made; it can be cancelled.

        Raises:
            NodeForgeError: the axes do not go together, or the queue is full.
        """
        cells = fan_out(axes, together=together)
        if (base := self._base(opened, cells[0])) is None:
            return ""
        group = uuid.uuid4().hex[:8]
        document, catalogue = opened.document, self._workspace.catalogue
        return self._queue(
            group,
            len(cells),
            lambda: cell_jobs(base, document, catalogue, cells, group, together=together),
            parent,
        )

    def start_exploration(
        self, opened: OpenDocument, seeds: int, until: float, *, parent: QWidget | None = None
    ) -> str:
        """Queue a job for each candidate's estimate; gives the group's id, empty for an error.

        Raises:
            NodeForgeError: there is nothing to choose early, or the queue is full.
        """
        if (base := self._base(opened)) is None:
            return ""
        group = uuid.uuid4().hex[:8]
        assert base.outputs is not None
        estimate = base.estimate and base.estimate * until
        base = replace(base, outputs=base.outputs / f"explore_{group}", estimate=estimate)
        document, catalogue = opened.document, self._workspace.catalogue
        return self._queue(
            group,
            seeds,
            lambda: candidate_jobs(base, document, catalogue, seeds, until, group),
            parent,
        )

    def _queue(
        self,
        group: str,
        count: int,
        make: Callable[[], list[NewJob]],
        parent: QWidget | None,
    ) -> str:
        """Make and queue the jobs of a group; gives its id, empty where that was cancelled.

        Many are made in the background: 1,000 take a second.
        """
        if parent is None or count < _MANY:
            new = make()
        else:
            text = f"Queueing {count:,} jobs…"
            new = run_in_background(parent, text, lambda report: _reported(make, report))
            if new is None:
                return ""
        self._runner.queue_group(new)
        return group

    def finish(self, group: Group, numbers: Collection[int]) -> int:
        """Queue the rest of the steps of some candidates; gives how many.

        Raises:
            NodeForgeError: the queue is full.
        """
        queue, catalogue = self._runner.kept.queue, self._workspace.catalogue
        new: list[NewJob] = []
        for number in sorted(numbers):
            known = group.finishing.get(number)
            if known is not None and (known.state in PENDING or known.state is State.DONE):
                continue
            estimate = group.jobs[number]
            outputs = estimate.outputs.parent if estimate.outputs is not None else None
            new.append(finishing_job(estimate, queue.text(estimate.id), outputs, catalogue))
        if new:
            self._runner.queue_group(new)
        return len(new)

    def switch_star(self, group: Group, number: int) -> None:
        """Give a candidate a star, or take it; the queue keeps it with the candidate's job."""
        job, on = group.jobs[number], number not in group.stars
        group.stars ^= {number}
        if self._runner.kept.state_of(job.id) is not None:  # else the window alone knows the job
            self._runner.kept.set_star(job.id, on)

    def cancel(self, group: Group) -> None:
        """Cancel what has not ended; what is done is kept."""
        pending = {job.id for job in group.all if job.state in PENDING}
        running = self._runner.jobs.running
        self._runner.kept.cancel_all(pending - running.keys())
        for job in [job for job in running.values() if job.id in pending]:
            self._runner.cancel(job)

    def resume(self, group: Group) -> None:
        """Have what failed, was cancelled or is held from before wait again."""
        self._runner.resume_jobs(self._resumable(group))

    def can_resume(self, group: Group) -> bool:
        return bool(self._resumable(group))

    def _resumable(self, group: Group) -> list[str]:
        """Ids of the jobs of a group that can be resumed, in their order."""
        held = self._runner.kept.held
        stopped = (State.FAILED, State.CANCELLED, State.PAUSED)
        wanted = [job.id for job in group.all if job.id in held or job.state in stopped]
        there = {job.id for job in self._runner.kept.jobs} if wanted else set()
        return [job_id for job_id in wanted if job_id in there]

    def window_job(self, job: Job) -> WindowJob | None:
        """The window's job of one of a group; None where it was removed from the queue."""
        return self._window_job(job) if self._runner.kept.state_of(job.id) is not None else None

    def _window_job(self, job: Job) -> WindowJob:
        jobs = self._runner.jobs
        known = {each.id: each for each in (*jobs.pending, *jobs.ended)}
        return known.get(job.id) or jobs.shown(job)

    def _base(self, opened: OpenDocument, cell: Cell | None = None) -> NewJob | None:
        """What the jobs have in common; None where errors prevent them, which are told.

        Args:
            opened: The document.
            cell: A cell that may mend the document's errors, as an axis of models that are there.
        """
        opened.commit_pending()
        runner = self._runner
        errors = [p for p in runner.planner.check(opened) if p.severity is Severity.ERROR]
        if errors and (cell is None or self._has_errors(opened, cell)):
            runner.refused.emit(opened, errors)
            return None
        return runner.requests.new_job(opened, runner.requests.request(opened, []))

    def _has_errors(self, opened: OpenDocument, cell: Cell) -> bool:
        run, workspace = with_cell(copied(opened.document), cell), self._workspace
        found = lint(run, workspace.catalogue, workspace.folders, granted=opened.granted)
        return any(problem.severity is Severity.ERROR for problem in found)

    def _read(self) -> None:
        before, self._read_jobs = self._read_jobs, {}
        changed: set[str] = set()
        for job in self._runner.kept.jobs:
            if job.group is not None:
                self._read_jobs[job.id] = job
                if before.get(job.id) is not job and self._place(job):
                    changed.add(job.group.id)
        gone = before.keys() - self._read_jobs.keys()
        changed |= {group.id for job in gone if (group := before[job].group) is not None}
        groups = [self._groups[each] for each in changed if each in self._groups]
        for group in groups:
            self._forget_removed(group)
            self._release_chosen(group)
        # a finished candidate without its estimate cannot be placed on the wall
        self._groups = {name: group for name, group in self._groups.items() if group.jobs}
        self.changed.emit()

    def _place(self, job: Job) -> bool:
        """Put a job into its group; whether it has a place there."""
        group = job.group
        if group is None or group.kind not in (SWEEP, EXPLORATION):
            return False
        place = group.place
        number = place.get("number") if isinstance(place, dict) else None
        if not isinstance(number, int):
            return False
        made = Group(group.kind, group.id, str(place.get("title", job.name)))
        found = self._groups.setdefault(group.id, made)
        table = found.finishing if place.get("finish") else found.jobs
        before = table.get(number)
        if before is None or before.queued <= job.queued:  # a cell may be run once more
            table[number] = job
            if table is found.jobs:
                (found.stars.add if place.get(STAR) else found.stars.discard)(number)
        return True

    def _forget_removed(self, group: Group) -> None:
        """Jobs that were removed from the queue are shown as they were, or as cancelled."""
        for table in (group.jobs, group.finishing):
            for number, job in table.items():
                if job.id not in self._read_jobs and job.state in PENDING:
                    table[number] = replace(job, state=State.CANCELLED)
        for job in group.all:
            if job.state not in PENDING:
                self._previews.pop(job.id, None)

    def _release_chosen(self, group: Group) -> None:
        """Once all that was chosen is finished, no checkpoint need be kept any more."""
        pinned = any(job.checkpoints for job in group.jobs.values())
        chosen = group.finishing.values()
        if group.kind == EXPLORATION and pinned and chosen:
            ended = all(job.state is State.DONE for job in chosen)
            if ended and group.id not in self._released:
                self._released.add(group.id)
                try:
                    self._runner.kept.queue.release(EXPLORATION, group.id)
                except NodeForgeError as error:
                    self._runner.logged.emit(str(error))

    def _on_preview(self, job: WindowJob, image: QImage) -> None:
        kept = job.kept
        if kept is None or kept.group is None or kept.group.id not in self._groups:
            return
        self._previews[kept.id] = image
        self.previewed.emit(kept.group.id, kept.group.place["number"])


def _reported(make: Callable[[], list[NewJob]], report: ReportProgress) -> list[NewJob]:
    report(0.0)
    made = make()
    report(1.0)  # raises where it was cancelled meanwhile
    return made


def _shows(job: Job) -> bool:
    return job.state in (State.DONE, State.RUNNING, State.FAILED)
