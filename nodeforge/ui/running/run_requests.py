"""What is asked of the worker for a run of a document, and of the queue."""

from __future__ import annotations

from nodeforge.engine.content.files import Files
from nodeforge.engine.events import Source
from nodeforge.engine.queue.estimates import plan_of
from nodeforge.engine.queue.job import NewJob
from nodeforge.engine.running.context import RunRequest
from nodeforge.formats import run_stamp, write
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import next_seeds, seed_key, seed_ports, seed_value
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.job_queue import (
    CANCELLED,
    FAILED,
    PAUSED,
    JobQueue,
    new_run_id,
    snapshot,
)
from nodeforge.ui.running.output_folders import expand_pattern
from nodeforge.ui.running.planner import Planner


class RunRequests:
    """Makes requests and jobs of documents as they are now.

    Args:
        workspace: The open documents.
        planner: Knows what a run would compute.
    """

    def __init__(self, workspace: Workspace, planner: Planner) -> None:
        self._workspace, self._planner = workspace, planner

    def new_job(self, opened: OpenDocument, request: RunRequest) -> NewJob:
        planned = self._planner.planned(opened.id)
        wanted = [node for node, source in planned.items() if source is Source.COMPUTED]
        return NewJob(
            name=opened.name,
            document=write(opened.document).decode(),
            targets=tuple(request.targets),
            granted=tuple(request.granted),
            outputs=request.outputs,
            source=request.document,
            plan=plan_of(opened.document, self._workspace.catalogue, request.targets),
            estimate=sum(self._planner.costs.get(node, 0.0) for node in wanted) or None,
        )

    def request(self, opened: OpenDocument, targets: list[str]) -> RunRequest:
        """The request for a run of the document as it is now."""
        document, store = opened.document, self._workspace.store
        pattern = str(store.value("output_pattern", ""))
        outputs = self._workspace.settings.outputs.absolute()
        return RunRequest(
            run=new_run_id(),
            targets=targets,
            **opened.meaning,
            stamp=run_stamp(
                document,
                self._workspace.catalogue,
                self._workspace.recognised(opened.granted),
                Files(self._workspace.settings, **opened.meaning).resolve,
            ),
            outputs=outputs / expand_pattern(pattern, opened.name),
            previews=store.value("previews", "true") != "false",
            document=opened.run_id,
        )

    def draw_seeds(self, opened: OpenDocument) -> None:
        """Change the seeds as their modes say: no step to undo, and no unsaved change."""
        document, catalogue = opened.document, self._workspace.catalogue
        for edit in next_seeds(document, catalogue, opened.queued_seeds):
            document.adjust(edit)
        opened.queued_seeds = {
            seed_key(path, port): seed_value(document, path, port, catalogue)
            for path, port in seed_ports(document, catalogue)
        }

    def is_repeated(self, jobs: JobQueue, opened: OpenDocument, targets: list[str]) -> bool:
        """Whether the last run of the document did the same, and what it saved is still there."""
        newest = [*reversed(jobs.waiting), *reversed(jobs.running.values()), *jobs.ended]
        last = next((job for job in newest if job.document == opened.id), None)
        if last is None or last.auto or last.state in (FAILED, CANCELLED, PAUSED):
            return False
        now = self.request(opened, targets)
        return (
            last.graph == snapshot(opened.document.graph)
            and (last.request.targets, last.request.outputs) == (now.targets, now.outputs)
            and (last.request.assets, last.request.granted) == (now.assets, now.granted)
            and last.request.lock.items() <= now.lock.items()  # a run may add what it found
            and all(path.exists() for path in last.saved)
        )
