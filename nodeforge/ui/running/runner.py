"""Runs workflows: gives jobs to the workers and passes their events on to the documents.

Every event carries its run id, every job its document id: events of closed documents are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from nodeforge.engine import events
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.estimates import Expected
from nodeforge.engine.queue.job import NewJob
from nodeforge.engine.queue.placement import Spawn
from nodeforge.engine.queue.states import State
from nodeforge.errors import NodeForgeError
from nodeforge.formats import write
from nodeforge.graph.planned import original
from nodeforge.lint import Severity
from nodeforge.settings import Settings
from nodeforge.ui.common import formatting
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import (
    CANCELLED,
    PAUSED,
    Job,
    JobQueue,
    snapshot,
)
from nodeforge.ui.running.kept_jobs import KeptJobs
from nodeforge.ui.running.planner import Planner
from nodeforge.ui.running.progress import ProgressMeter
from nodeforge.ui.running.result_pictures import ResultPictures
from nodeforge.ui.running.run_display import RunDisplay, preview_image
from nodeforge.ui.running.run_requests import RunRequests
from nodeforge.ui.running.workers.active_run import ActiveRun
from nodeforge.ui.running.workers.active_runs import ActiveRuns
from nodeforge.ui.running.workers.connection import WorkerConnection
from nodeforge.ui.running.workers.pool import WorkerPool


class Runner(QObject):
    """The job queue and the workers.

    Args:
        workspace: The open documents.
        spawn: Starts a worker process, as `WorkerPool` has it.
    """

    refused = Signal(object, list)
    """The document and its problems, if a run is refused."""
    repeated = Signal(object, list, int)
    """The document, the targets, and how many runs were left out: nothing has changed."""
    failed = Signal(object, str, object)
    """The job, the node (or empty) and the `ErrorReport`."""
    stopped = Signal(object)
    """The job that was stopped; what it has done is kept."""
    saved = Signal(object, str, str)
    """The job, the node and the path it wrote."""
    finished = Signal(object)
    """The job, once it has ended successfully."""
    worker_lost = Signal(str)
    """Why a worker takes no more jobs until a person says so."""
    worker_replaced = Signal(str)
    """How a worker has died whose job goes on without a word of a person."""
    logged = Signal(str)
    previewed = Signal(object, QImage)
    """A job that runs, and a picture of its last step."""
    stepped = Signal(object, str)
    """The document and the node that has a new step preview."""

    def __init__(self, workspace: Workspace, spawn: Spawn | None = None) -> None:
        super().__init__()
        self._workspace = workspace
        self.kept = KeptJobs(workspace.settings)
        self.jobs = JobQueue(self.kept)
        self.progress = ProgressMeter()
        self.workers = WorkerPool(workspace.settings, spawn)
        self.pictures = ResultPictures(self.worker, workspace)
        self.active = ActiveRuns(self.jobs, self.workers, self._attempt_of)
        self.active.began.connect(self._on_began)
        self.active.happened.connect(self._on_event)
        self.active.ended.connect(self._on_ended)
        self.active.refused.connect(lambda job, error: self.failed.emit(job, "", error))
        self.active.taken.connect(self._on_taken)
        self.active.worker_died.connect(self._on_worker_died)
        self.workers.refused.connect(self.logged)
        self.workers.ended.connect(lambda worker: self.pictures.forget(worker.connection))
        self.planner = Planner(workspace, self.worker, self.pictures, lambda: self.busy)
        self.planner.logged.connect(self.logged)
        self.requests = RunRequests(workspace, self.planner)
        self.display = RunDisplay(workspace, self.pictures)
        self.display.stepped.connect(self.stepped)
        workspace.closed.connect(self._cancel_fleeting)
        self.kept.failed.connect(self.logged)

    @property
    def worker(self) -> WorkerConnection:
        """The worker that is asked what is no job."""
        return self.workers.first.connection

    @property
    def busy(self) -> bool:
        return bool(self.jobs.running)

    def expected(self) -> dict[str, Expected]:
        """When each kept job is expected to run, by id."""
        return self.kept.expected(self.progress.left, self.workers.count)

    def run(
        self,
        opened: OpenDocument,
        targets: list[str] | None = None,
        count: int = 1,
        *,
        again: bool = False,
        draw: bool = True,
    ) -> bool:
        """Queue `count` runs of the document; before each, seeds change as set.

        Args:
            opened: The document.
            targets: The nodes to run; all that save or show something by default.
            count: How many runs.
            again: Also queue runs that would only do what the last one did; without, they are
                left out (`repeated`).
            draw: Change the seeds; without, a run that was stopped goes on with its own.

        Returns:
            False if errors prevent it (`refused`).
        """
        opened.commit_pending()
        errors = [each for each in self.planner.check(opened) if each.severity is Severity.ERROR]
        if targets:
            errors = [each for each in errors if each.rule != "nothing_to_run"]
        if errors:
            self.refused.emit(opened, errors)
            return False
        queued = 0
        for _ in range(count):
            if draw:
                self.requests.draw_seeds(opened)
            if not queued:
                self.stop_auto(unless=snapshot(opened.document.graph))
            if again or not self.requests.is_repeated(self.jobs, opened, targets or []):
                self._queue(opened, targets or [])
                queued += 1
        self.active.go_on()
        if queued < count:
            self.repeated.emit(opened, targets or [], count - queued)
        return True

    def run_auto(self, opened: OpenDocument, targets: list[str]) -> None:
        """Run `targets` after an edit; seeds stay."""
        self._queue(opened, targets, auto=True)
        self.active.advance()

    def queue(self, job: Job) -> None:
        """Queue a job created elsewhere, such as by the canvas."""
        self.jobs.add(job)
        self.active.go_on()

    def queue_group(self, new: Sequence[NewJob]) -> None:
        """Queue the jobs of a sweep or an exploration.

        Raises:
            NodeForgeError: the queue is full, or cannot be written.
        """
        self.kept.add_all(new)
        self.active.go_on()

    def cancel(self, job: Job) -> None:
        """Cancel a job that has not ended, keeping finished results."""
        if (run := self.active.of(job)) is not None:
            run.leave(CANCELLED)
        elif job.kept is not None:
            self.kept.cancel(job.id)
        else:
            self.jobs.remove(job)

    def cancel_all(self) -> None:
        """Cancel all jobs that have not ended."""
        self.jobs.cancel_waiting()
        for run in self.active.runs.values():
            run.leave(CANCELLED)

    def pause_job(self, job: Job) -> None:
        """Pause a job; one that runs stops after its step, and can go on from there."""
        if (run := self.active.of(job)) is not None:
            run.leave(PAUSED)
        elif job.kept is not None:
            self.kept.pause(job.id)

    def resume_job(self, job: Job) -> None:
        """Have a job that is paused, held, cancelled or failed wait again."""
        if job.kept is not None:
            self.active.forgive(job.id)
            self.kept.resume(job.id)
            self.active.go_on()

    def resume_jobs(self, ids: Sequence[str]) -> None:
        """Have kept jobs that are paused, held, cancelled or failed wait again."""
        for each in ids:
            self.active.forgive(each)
        self.kept.resume_all(ids)
        self.active.go_on()

    def stop_auto(self, unless: dict[str, Any] | None = None) -> None:
        """Cancel jobs of run on change, except those of the graph `unless`."""
        for job in [job for job in self.jobs.waiting if job.auto and job.graph != unless]:
            self.jobs.remove(job)
        for run in self.active.runs.values():
            if run.job.auto and run.job.graph != unless:
                run.leave(CANCELLED)

    def pause(self, on: bool) -> None:
        """Pause or resume the queue."""
        self.jobs.pause(on)
        self.active.advance()

    def stop(self) -> bool:
        """Stop what runs of the document in front; without, the only run there is.

        What is finished is kept; a second call ends the worker.

        Returns:
            Whether there was anything of the kind.
        """
        opened, runs = self._workspace.current, list(self.active.runs.values())
        stopped = [run for run in runs if opened is not None and run.job.is_of(opened.id)]
        if not stopped and len(runs) == 1:
            stopped = runs
        for run in stopped:
            run.stop()
        return bool(stopped)

    def edit(self, job_id: str, opened: OpenDocument) -> bool:
        """Give a job that does not run the workflow of a document; whether that could be done."""
        return self.kept.edit(job_id, write(opened.document).decode())

    def restart_worker(self) -> None:
        """Have workers that have died, or were refused, take jobs again."""
        self.workers.restart()
        self.worker.start()
        self.planner.schedule()
        self.active.go_on()

    def use_settings(self, settings: Settings) -> None:
        """Restart the workers with other settings, each once it has no job."""
        self.workers.use_settings(settings)
        self.planner.schedule()
        self.active.advance()

    def close(self) -> None:
        self.planner.close()
        self.workers.close()
        self.kept.close()

    def _queue(self, opened: OpenDocument, targets: list[str], *, auto: bool = False) -> None:
        request = self.requests.request(opened, targets)
        graph = snapshot(opened.document.graph)
        job = Job(opened.id, opened.name, graph, request, dict(self.planner.costs), auto)
        if not auto:
            try:
                self.jobs.add(job, lambda: self.kept.add(self.requests.new_job(opened, request)))
                return
            except NodeForgeError as error:
                self.logged.emit(f"The job is not kept on disk: {error}")
        request.outputs.mkdir(parents=True, exist_ok=True)
        self.jobs.add(job)

    def _attempt_of(self, job: Job) -> Attempt:
        """What is asked of the worker for a kept job.

        Raises:
            NodeForgeError: its workflow cannot be read, or its folder not be written.
        """
        assert job.kept is not None
        previews = self._workspace.store.value("previews", "true") != "false"
        settings, catalogue = self._workspace.settings, self._workspace.catalogue
        attempt = self.kept.attempt(job.kept, settings, catalogue, previews)
        if not job.graph:  # of the command line, or of a window of before
            job.graph = attempt.graph
            job.request = replace(attempt.request, outputs=attempt.job.outputs or settings.outputs)
        return attempt

    def _on_began(self, run: ActiveRun) -> None:
        job = run.job
        self.progress.begin(job, self.planner.planned(job.document))
        if (opened := self._workspace.find(job.document)) is not None:
            self._show(opened, run)

    def _show(self, opened: OpenDocument, run: ActiveRun) -> None:
        self.pictures.show_run(opened, run.job, run.worker.connection)
        self.display.begin(opened, run.id)

    def _show_other(self, run: ActiveRun) -> None:
        """Where a document shows a run that has ended, and another of it goes on, show that."""
        opened = self._workspace.find(run.job.document)
        if opened is None or not self.display.is_shown(opened, run.id):
            return
        others = [each for each in self.active.runs.values() if each.job.document == opened.id]
        if others:
            opened.step_pictures.clear()  # the first steps of this are not those of that
            self._show(opened, others[-1])

    def _on_event(self, run: ActiveRun, event: events.Event) -> None:
        job, opened = run.job, self._workspace.find(run.job.document)
        self.progress.handle_event(job, event)
        if opened is not None:
            self.display.show(opened, event, job.graph)
        match event:
            case events.Preview():
                self.previewed.emit(job, preview_image(event))
            case events.Saved():
                job.saved.append(Path(event.path))
                self.saved.emit(job, original(event.node), event.path)
            case events.Notice():
                node = original(event.node)
                name = self._workspace.node_title(opened.document, node) if opened else node
                self.logged.emit(f"{name}: {event.fact}")
            case _:
                pass

    def _on_ended(self, run: ActiveRun, event: events.Event, outcome: Outcome | None) -> None:
        job = run.job
        self._forget(run)
        if not isinstance(event, events.Failed):  # else its node shows the error
            self._show_other(run)
        if outcome is not None and outcome.is_no_room:
            self.logged.emit("The disk is full, so the queue was paused.")
        match event:
            case events.Failed():
                trace = "" if event.error.known else event.error.traceback
                self.logged.emit(f"{event.error}\n{trace}")
                self.failed.emit(job, original(event.node), event.error)
            case events.RunCancelled() if not job.auto and run.wanted in ("", CANCELLED):
                self.stopped.emit(job)
            case events.RunFinished() if outcome is not None and outcome.error is not None:
                self.logged.emit(str(outcome.error))
                self.failed.emit(job, "", outcome.error)
            case events.RunFinished() if not job.auto:
                calls = formatting.plural(event.model_calls, "model call")
                self.logged.emit(f"{job.name}: done in {event.seconds:.2f} s, {calls}")
                self.finished.emit(job)
            case _:
                pass

    def _on_taken(self, run: ActiveRun) -> None:
        self._forget(run)
        name = run.job.name
        self.logged.emit(f"{name} goes on in another program, which runs the queue now.")
        if opened := self._workspace.find(run.job.document):
            self.display.reset(opened, run.id)

    def _on_worker_died(
        self, run: ActiveRun, event: events.WorkerDied, outcome: Outcome | None
    ) -> None:
        self._forget(run)
        self._show_other(run)
        title = self.workers.title(run.worker) or "the worker that runs models"
        told = f"{title[:1].upper()}{title[1:]} ended with code {event.exit_code}."
        self.logged.emit(f"{told}\n{event.last_words}".strip())
        if run.worker.is_halted:
            told += " Your workflow is untouched, and finished results are kept."
            self.worker_lost.emit(told)
        elif outcome is not None and not run.job.is_in_group:
            self.worker_replaced.emit(f"{told} {_told_of(run.job, outcome)}")

    def _forget(self, run: ActiveRun) -> None:
        self.progress.end(run.job)
        if not self.busy:  # while a run goes on, nothing is planned
            self.planner.schedule()

    def _cancel_fleeting(self, opened: OpenDocument) -> None:
        """Cancel what only a closed document has use for; jobs that are kept go on."""
        for job in [job for job in self.jobs.waiting if job.document == opened.id]:
            if job.kept is None:
                self.jobs.remove(job)
        for run in self.active.runs.values():
            if run.job.document == opened.id and run.job.kept is None:
                run.stop()


def _told_of(job: Job, outcome: Outcome) -> str:
    """What becomes of a kept job under which one of several workers has died."""
    match outcome.state:
        case State.WAITING:
            return f"“{job.name}” is next in the queue again; what is done is kept."
        case State.PAUSED:
            return f"“{job.name}” is paused, as a worker has ended under it before."
        case state:
            return f"“{job.name}” is {state}."
