"""The queue panel: current, waiting and ended runs, and what can be done with them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QMenu

from nodeforge.ui.common.button_panel import ButtonPanel
from nodeforge.ui.common.formatting import plural
from nodeforge.ui.common.icons import icon
from nodeforge.ui.panels.queue_list import PRIORITIES, QueueList
from nodeforge.ui.running.job_queue import (
    CANCELLED,
    FAILED,
    PAUSED,
    RUNNING,
    WAITING,
    Job,
)
from nodeforge.ui.running.runner import Runner

EMPTY = "Runs that wait appear here. Press Run, more than once to queue several."
_MOST = 500
"""Jobs that the list shows of those that have not ended."""
_MOST_ENDED = 200
"""Of those that have ended, the last first."""
_TIMES = 250
"""Milliseconds between two looks at when jobs are expected to end."""
_ROOMY = 560
"""Pixels of the panel from which its buttons have texts."""
_EDITED = (WAITING, PAUSED, FAILED, CANCELLED)
_PENDING = (WAITING, RUNNING, PAUSED)
_RESUMED = (PAUSED, FAILED, CANCELLED)


class QueuePanel(ButtonPanel):
    """Lists jobs; those that wait can be dragged to another place, edited, paused and cancelled."""

    edit_requested = Signal(object)
    """A `Job` whose workflow is to be edited."""
    open_requested = Signal(object)
    """A `Job` of whose workflow a copy is to be opened."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(EMPTY, _ROOMY)
        self.setAccessibleName("Queue")
        self._runner = runner
        self._jobs: dict[str, Job] = {}
        self.list = QueueList()
        self.list.moved.connect(self._move)
        self.list.chosen.connect(self._offer)
        self.list.opened.connect(self._open)
        self.list.removed.connect(self._take_off)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.pause = self.button("pause", "Pause queue", self._pause_queue)
        self.pause.setToolTip("Finish the current run, and begin no other")
        self.resume_job = self.tool("play", "Resume", self._resume)
        self.resume_job.setToolTip("Resume: go on from the last step that was done")
        self.pause_job = self.tool("pause", "Pause", self._pause)
        self.pause_job.setToolTip("Pause after the current step; Resume goes on from there")
        self.cancel = self.tool("stop-circle", "Cancel", self._cancel)
        self.cancel.setToolTip("Cancel; what is done is kept, and the other jobs go on")
        self.again = self.tool("repeat", "Run once more", self._run_again)
        self.edit = self.tool("pencil-simple", "Edit", self._edit)
        self.edit.setToolTip("Edit the job's workflow; Save puts it back into the queue")
        self.remove = self.tool("x", "Remove", self._take_off)
        self.cancel_all = self.button("stop", "Cancel all", runner.cancel_all)
        self.clear = self.button("trash", "Clear ended", runner.jobs.clear)
        own = (self.resume_job, self.pause_job, self.cancel, self.again, self.edit, self.remove)
        row = [(button, 0) for button in (self.pause, self.cancel_all, self.clear)]
        self.set_content([*row, (self.note, 1), *((button, 0) for button in own)], self.list)
        self._due = QTimer(self, singleShot=True)
        self._due.setInterval(0)
        self._due.timeout.connect(self.refresh)
        runner.jobs.changed.connect(self._changed)
        self._times_due = QTimer(self, singleShot=True)
        self._times_due.setInterval(_TIMES)
        self._times_due.timeout.connect(self._show_times)
        runner.progress.changed.connect(self._read)
        runner.previewed.connect(self._show_preview)
        self.refresh()

    def _changed(self) -> None:
        """Show what has changed, once for all that changes together; nothing while hidden."""
        if self.isVisible():
            self._due.start()

    def refresh(self) -> None:
        self._due.stop()
        jobs, kept = self._runner.jobs, self._runner.kept
        self._jobs = {job.id: job for job in [*jobs.pending, *jobs.ended]}
        expected = self._runner.expected()
        now = kept.queue.clock()
        ended = jobs.ended[:_MOST_ENDED]
        self.list.show_jobs(jobs.pending[:_MOST], ended, expected, kept.held, now)
        self.set_empty(not self._jobs and not jobs.paused)
        self.pause.setAccessibleName("Resume queue" if jobs.paused else "Pause queue")
        self.list.show_progress(self._runner.progress.running)
        self.show_texts()
        self.pause.setIcon(icon("play" if jobs.paused else "pause"))
        self.note.setText(self._note())
        self._offer()

    def _note(self) -> str:
        """What keeps the queue from going on; empty for nothing."""
        jobs, kept = self._runner.jobs, self._runner.kept
        if kept.holder is not None:
            return f"Run by {kept.holder.title}, process {kept.holder.pid}"
        if jobs.paused:
            return "The queue is paused"
        if kept.held:
            return f"{plural(len(kept.held), 'job')} from before: Resume lets them go on"
        if len(jobs.pending) > _MOST:
            return f"The first {_MOST} of {len(jobs.pending)} jobs"
        return ""

    def _read(self) -> None:
        """Show how far the jobs have come; when all end, not at every step: there may be many."""
        if not self.isVisible():
            return
        self.list.show_progress(self._runner.progress.running)
        if not self._times_due.isActive():
            self._times_due.start()

    def _show_times(self) -> None:
        kept = self._runner.kept
        if self.isVisible() and self._runner.progress.left:
            self.list.show_times(self._runner.expected(), kept.queue.clock())

    def _show_preview(self, job: Job, image: QImage) -> None:
        if self.isVisible():
            self.list.show_preview(job.id, image)

    def _chosen(self) -> list[Job]:
        """The selected jobs, in their order."""
        ids = self.list.selected_ids()
        return [job for job in self._jobs.values() if job.id in ids]

    def _offer(self) -> None:
        jobs, chosen = self._runner.jobs, self._chosen()
        kept = [job for job in chosen if job.kept is not None]
        self.resume_job.setEnabled(any(self._can_resume(job) for job in kept))
        self.pause_job.setEnabled(any(self._can_pause(job) for job in kept))
        self.cancel.setEnabled(any(job.state in _PENDING for job in chosen))
        self.again.setEnabled(bool(kept))
        self.edit.setEnabled(len(kept) == 1 and kept[0].state in _EDITED)
        self.remove.setEnabled(any(job.state != RUNNING for job in chosen))
        self.cancel_all.setEnabled(bool(jobs.pending))
        self.clear.setEnabled(bool(jobs.ended))

    def _can_resume(self, job: Job) -> bool:
        return job.state in _RESUMED or job.id in self._runner.kept.held

    def _can_pause(self, job: Job) -> bool:
        held = job.id in self._runner.kept.held
        return job.state in (WAITING, RUNNING) and not held

    def _pause_queue(self) -> None:
        self._runner.pause(not self._runner.jobs.paused)

    def _move(self, job_id: str, place: int) -> None:
        if (job := self._jobs.get(job_id)) is not None:
            self._runner.jobs.move_to(job, place)

    def _resume(self) -> None:
        for job in self._chosen():
            if self._can_resume(job):
                self._runner.resume_job(job)

    def _pause(self) -> None:
        for job in self._chosen():
            if self._can_pause(job):
                self._runner.pause_job(job)

    def _cancel(self) -> None:
        for job in self._chosen():
            if job.state in _PENDING:
                self._runner.cancel(job)

    def _run_again(self) -> None:
        for job in self._chosen():
            if job.kept is not None:
                self._runner.kept.run_once_more(job.id)

    def _edit(self) -> None:
        for job in self._chosen()[:1]:
            self.edit_requested.emit(job)

    def _open(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        if job is not None and job.kept is not None:
            edited = job.state in _EDITED
            (self.edit_requested if edited else self.open_requested).emit(job)

    def _take_off(self) -> None:
        for job in self._chosen():
            if job.state != RUNNING:
                self._runner.jobs.remove(job)

    def _set_priority(self, priority: int) -> None:
        for job in self._chosen():
            if job.kept is not None:
                self._runner.kept.set_priority(job.id, priority)

    def _show_menu(self, place: QPoint) -> None:
        chosen = self._chosen()
        if not chosen:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in (self.resume_job, self.pause_job, self.cancel):
            action = menu.addAction(button.icon(), button.text(), button.click)
            action.setEnabled(button.isEnabled())
        priorities = menu.addMenu("Priority")
        priorities.setEnabled(any(job.kept is not None for job in chosen))
        for priority, title in PRIORITIES.items():
            priorities.addAction(title, partial(self._set_priority, priority))
        menu.addSeparator()
        for button in (self.again, self.edit, self.remove):
            action = menu.addAction(button.icon(), button.text(), button.click)
            action.setEnabled(button.isEnabled())
        if len(chosen) == 1 and (kept := chosen[0].kept) is not None:
            menu.addAction("Open its workflow", partial(self.open_requested.emit, chosen[0]))
            log = menu.addAction("Show its log", partial(_open_file, kept.log))
            log.setEnabled(bool(kept.attempts))
        menu.popup(self.list.viewport().mapToGlobal(place))


def _open_file(path: str) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))
