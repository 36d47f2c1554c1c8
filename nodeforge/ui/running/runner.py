"""Runs workflows: sends jobs to the worker and passes its events on to the documents.

Every event carries its run id, every job its document id: events of closed documents are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.attempt import Attempt, Outcome
from nodeforge.engine.queue.job import NewJob
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
    DONE,
    FAILED,
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
from nodeforge.ui.running.worker_connection import Spawn, WorkerConnection


class Runner(QObject):
    """The job queue and the worker.

    Args:
        workspace: The open documents.
        spawn: Starts the worker process.
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
    """A description of what happened."""
    logged = Signal(str)
    previewed = Signal(object, QImage)
    """The job that runs, and a picture of its last step."""
    stepped = Signal(object, str)
    """The document and the node that has a new step preview."""

    def __init__(self, workspace: Workspace, spawn: Spawn) -> None:
        super().__init__()
        self._workspace = workspace
        self.kept = KeptJobs(workspace.settings)
        self.jobs = JobQueue(self.kept)
        self.progress = ProgressMeter()
        self.worker = WorkerConnection(workspace.settings, spawn)
        self.pictures = ResultPictures(self.worker, workspace)
        self.worker.events_received.connect(self._on_events)
        self._halted = False
        self._attempt: Attempt | None = None
        """Of the current job, where it is kept."""
        self._run = ""
        """The id of the current run; events carry it."""
        self._wanted = ""
        """The state that the current job is to have once it has stopped."""
        self.planner = Planner(workspace, self.worker, self.pictures, lambda: self.busy)
        self.planner.logged.connect(self.logged)
        self.requests = RunRequests(workspace, self.planner)
        self.display = RunDisplay(workspace, self.pictures)
        self.display.stepped.connect(self.stepped)
        workspace.closed.connect(self._cancel_fleeting)
        self.kept.failed.connect(self.logged)
        self.kept.changed.connect(lambda: QTimer.singleShot(0, self, self._advance))
        self.kept.wanted.connect(self._on_wanted)
        self.kept.lost.connect(self._on_lost)

    @property
    def busy(self) -> bool:
        return self.jobs.current is not None

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
        self._halted = False
        self._advance()
        if queued < count:
            self.repeated.emit(opened, targets or [], count - queued)
        return True

    def run_auto(self, opened: OpenDocument, targets: list[str]) -> None:
        """Run `targets` after an edit; seeds stay."""
        self._queue(opened, targets, auto=True)
        self._advance()

    def queue(self, job: Job) -> None:
        """Queue a job created elsewhere, such as by the canvas."""
        self._halted = False
        self.jobs.add(job)
        self._advance()

    def queue_group(self, new: Sequence[NewJob]) -> None:
        """Queue the jobs of a sweep or an exploration.

        Raises:
            NodeForgeError: the queue is full, or cannot be written.
        """
        self._halted = False
        self.kept.add_all(new)
        self._advance()

    def cancel(self, job: Job) -> None:
        """Cancel a job that has not ended, keeping finished results."""
        if job is self.jobs.current:
            self._leave(CANCELLED)
        elif job.kept is not None:
            self.kept.cancel(job.id)
        else:
            self.jobs.remove(job)

    def cancel_all(self) -> None:
        """Cancel all jobs that have not ended."""
        self.jobs.cancel_waiting()
        self._leave(CANCELLED)

    def pause_job(self, job: Job) -> None:
        """Pause a job; the current one stops after its step, and can go on from there."""
        if job is self.jobs.current:
            self._leave(PAUSED)
        elif job.kept is not None:
            self.kept.pause(job.id)

    def resume_job(self, job: Job) -> None:
        """Have a job that is paused, held, cancelled or failed wait again."""
        self._halted = False
        if job.kept is not None:
            self.kept.resume(job.id)

    def resume_jobs(self, ids: Sequence[str]) -> None:
        """Have kept jobs that are paused, held, cancelled or failed wait again."""
        self._halted = False
        self.kept.resume_all(ids)

    def stop_auto(self, unless: dict[str, Any] | None = None) -> None:
        """Cancel jobs of run on change, except those of the graph `unless`."""
        for job in [job for job in self.jobs.waiting if job.auto and job.graph != unless]:
            self.jobs.remove(job)
        job = self.jobs.current
        if job is not None and job.auto and job.graph != unless:
            self._leave(CANCELLED)

    def pause(self, on: bool) -> None:
        """Pause or resume the queue."""
        self.jobs.pause(on)
        self._advance()

    def stop(self) -> None:
        """Stop the current run, keeping finished results; a second call ends the worker."""
        if self.jobs.current is not None:
            self._wanted = CANCELLED
            self.worker.cancel(self._run)

    def edit(self, job_id: str, opened: OpenDocument) -> bool:
        """Give a job that does not run the workflow of a document; whether that could be done."""
        return self.kept.edit(job_id, write(opened.document).decode())

    def restart_worker(self) -> None:
        self._halted = False
        self.worker.start()
        self.planner.schedule()
        self._advance()

    def use_settings(self, settings: Settings) -> None:
        """Restart the worker with other settings."""
        self.worker.reconnect(settings)
        self.planner.schedule()

    def close(self) -> None:
        self.planner.close()
        self.worker.close()
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

    def _advance(self) -> None:
        job = None if self._halted else self.jobs.next()
        while job is not None and not self._begin(job):
            job = self.jobs.next()

    def _begin(self, job: Job) -> bool:
        """Send a job to the worker; returns whether it could be."""
        request, self._wanted, self._attempt = job.request, "", None
        if job.kept is not None:
            try:
                self._attempt = self._attempt_of(job)
            except NodeForgeError as error:
                self.kept.give_up(job.kept, error)
                self.jobs.end(FAILED, error.fact)
                self.failed.emit(job, "", ErrorReport.of(error))
                return False
            request = self._attempt.request
        self._run = request.run
        self.progress.begin(job, self.planner.planned(job.document))
        opened = self._workspace.find(job.document)
        if opened is not None:
            opened.last_run = self.pictures.snapshot(job)
            self.display.begin(opened)
        if self._attempt is not None and self._attempt.is_done:
            QTimer.singleShot(0, self, partial(self._on_events, [self._attempt.last_event]))
        else:
            self.worker.run(self._attempt.graph if self._attempt else job.graph, request)
        return True

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

    def _on_events(self, arrived: list[events.Event]) -> None:
        for event in arrived:
            job = self.jobs.current
            if job is None or event.run != self._run:
                continue
            opened, outcome = self._workspace.find(job.document), None
            if (attempt := self._attempt) is not None:
                wanted = self._wanted
                if isinstance(event, events.RunCancelled):
                    wanted = wanted or CANCELLED
                event, outcome = self.kept.follow(attempt, event, wanted)
                if self._attempt is None:  # the lease was lost
                    continue
            if isinstance(event, events.WorkerDied):
                self._on_worker_died(job, event, outcome)
            else:
                self._on_event(job, opened, event, outcome)

    def _on_event(
        self,
        job: Job,
        opened: OpenDocument | None,
        event: events.Event,
        outcome: Outcome | None,
    ) -> None:
        self.progress.handle_event(event)
        if opened is not None:
            self.display.show(opened, event, job.graph)
        if outcome is not None and outcome.is_no_room:
            self.kept.pause_queue(True)
            self.logged.emit("The disk is full, so the queue was paused.")
        match event:
            case events.Preview():
                self.previewed.emit(job, preview_image(event))
            case events.Saved():
                job.saved.append(Path(event.path))
                self.saved.emit(job, original(event.node), event.path)
            case events.Notice():
                name = (
                    self._workspace.node_title(opened.document, original(event.node))
                    if opened
                    else original(event.node)
                )
                self.logged.emit(f"{name}: {event.fact}")
            case events.Failed():
                trace = "" if event.error.known else event.error.traceback
                self.logged.emit(f"{event.error}\n{trace}")
                self._end(FAILED, event.error.fact)
                self.failed.emit(job, original(event.node), event.error)
            case events.RunCancelled():
                state = self._wanted or CANCELLED
                self._end(state)
                if not job.auto and state == CANCELLED:
                    self.stopped.emit(job)
            case events.RunFinished() if outcome is not None and outcome.error is not None:
                self.logged.emit(str(outcome.error))
                self._end(FAILED, outcome.error.fact)
                self.failed.emit(job, "", outcome.error)
            case events.RunFinished() if job.auto:
                self._end(DONE)
            case events.RunFinished():
                calls = formatting.plural(event.model_calls, "model call")
                self.logged.emit(f"{job.name}: done in {event.seconds:.2f} s, {calls}")
                self._end(DONE)
                self.finished.emit(job)

    def _leave(self, state: State) -> None:
        """Have the current job stop and be in `state` then."""
        if self.jobs.current is None or self._wanted:  # a second request would end the worker
            return
        self._wanted = state
        if state is PAUSED:
            self.worker.pause(self._run)
        else:
            self.worker.cancel(self._run)

    def _on_wanted(self, job_id: str, state: str) -> None:
        """Another process has asked for the current job to stop."""
        current = self.jobs.current
        if current is not None and current.id == job_id:
            self._leave(State(state))

    def _on_lost(self) -> None:
        """Another process runs the queue now, and has the current job."""
        job = self.jobs.current
        if job is None or job.kept is None:
            return
        self.worker.cancel(self._run)
        self._run, self._attempt = "", None
        self.logged.emit(f"{job.name} goes on in another program, which runs the queue now.")
        if opened := self._workspace.find(job.document):
            self.display.reset(opened)
        self._end(self._wanted or State.WAITING)

    def _end(self, state: str, message: str = "") -> None:
        ended = self.jobs.current
        self._run, self._attempt, self._wanted = "", None, ""
        if ended is not None and ended.kept is not None:
            self.kept.read_one(ended.id)
        self.jobs.end(state, message)
        self.progress.end()
        self._advance()
        if not self.busy:  # while a run goes on, nothing is planned
            self.planner.schedule()

    def _on_worker_died(self, job: Job, event: events.WorkerDied, outcome: Outcome | None) -> None:
        if opened := self._workspace.find(job.document):
            self.display.show(opened, event, job.graph)
        self.logged.emit(event.last_words)
        # A group goes on: a job that kills the worker again and again fails in the end.
        self._halted = job.kept is None or job.kept.group is None
        self._end(outcome.state if outcome is not None else FAILED, "the worker ended")
        if not self._halted:
            return
        self.worker_lost.emit(
            f"The worker that runs models ended with code {event.exit_code}. "
            "Your workflow is untouched, and finished results are kept."
        )

    def _cancel_fleeting(self, opened: OpenDocument) -> None:
        """Cancel what only a closed document has use for; jobs that are kept go on."""
        for job in [job for job in self.jobs.waiting if job.document == opened.id]:
            if job.kept is None:
                self.jobs.remove(job)
        current = self.jobs.current
        if current is not None and current.document == opened.id and current.kept is None:
            self.stop()
