"""Workflows of queued jobs, opened in tabs: edited, and put back into the queue."""

from __future__ import annotations

from nodeforge.errors import NodeForgeError
from nodeforge.ui.common.message_bars import MessageBars
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import fix_seeds
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import FAILED, WAITING, Job
from nodeforge.ui.running.runner import Runner


class JobDocuments:
    """Opens jobs' workflows. A job is paused while it is edited, so that it does not begin."""

    def __init__(self, workspace: Workspace, runner: Runner, message_bars: MessageBars) -> None:
        self._workspace, self._runner, self._message_bars = workspace, runner, message_bars
        self._paused: set[str] = set()
        """Ids of jobs that wait again when they are no longer edited."""
        workspace.closed.connect(self._closed)

    def edit(self, job: Job) -> OpenDocument | None:
        """Open the workflow of a job that does not run; None where it cannot be read."""
        for opened in self._workspace.documents:
            if opened.job == job.id:
                self._workspace.show(opened)
                return opened
        opened = self._opened(job, f"{job.name}, job {job.id}")
        if opened is None:
            return None
        opened.job = job.id
        if job.state in (WAITING, FAILED):
            self._paused.add(job.id)
        if job.state == WAITING:
            self._runner.pause_job(job)
        text = f"This is the workflow of a job of “{job.name}”. Save puts it back into the queue."
        self._message_bars.show_message(_subject(job.id), text, kind="info")
        return opened

    def open_copy(self, job: Job) -> OpenDocument | None:
        """Open a copy of a job's workflow; None where it cannot be read."""
        return self._opened(job, job.name)

    def save(self, opened: OpenDocument) -> bool:
        """Put an edited workflow back into the queue; whether that could be done."""
        opened.commit_pending()
        if not self._runner.edit(opened.job, opened):
            text = "The job runs or has ended, so its workflow was not changed there."
            again = ("Keep as a workflow of its own", lambda: self._detach(opened))
            self._message_bars.show_message("save", text, [again])
            return False
        opened.mark_saved()
        opened.file_status_changed.emit()
        self._let_wait(opened.job)
        self._message_bars.dismiss(_subject(opened.job))
        return True

    def _opened(self, job: Job, name: str) -> OpenDocument | None:
        try:
            document = self._runner.kept.queue.document(job.id)
        except NodeForgeError as error:
            self._message_bars.show_message("open", str(error))
            return None
        fix_seeds(document)  # running it gives what the job gives
        opened = OpenDocument(document, name=name)
        if job.kept is not None:
            opened.granted = list(job.kept.granted)
        self._workspace.add(opened)
        return opened

    def _detach(self, opened: OpenDocument) -> None:
        opened.job = ""
        self._message_bars.dismiss("save")
        opened.file_status_changed.emit()

    def _closed(self, opened: OpenDocument) -> None:
        if opened.job:
            self._message_bars.dismiss(_subject(opened.job))
            if self._runner.kept.state_of(opened.job) != FAILED:
                self._let_wait(opened.job)

    def _let_wait(self, job_id: str) -> None:
        if job_id in self._paused:
            self._paused.discard(job_id)
            self._runner.kept.resume(job_id)


def _subject(job_id: str) -> str:
    return f"job {job_id}"
