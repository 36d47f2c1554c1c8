"""A job that one of the workers runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodeforge.engine.queue.attempt import Attempt
from nodeforge.engine.queue.states import State
from nodeforge.engine.running.context import RunRequest
from nodeforge.ui.running.job_queue import Job

if TYPE_CHECKING:
    from nodeforge.ui.running.workers.pool import PoolWorker


@dataclass(eq=False)
class ActiveRun:
    """A job that one of the workers runs.

    Args:
        job: The job.
        worker: What runs it.
        attempt: What is asked of the worker, where the job is kept on disk.
        wanted: The state that the job is to have once it has stopped; empty while it may run on.
    """

    job: Job
    worker: PoolWorker
    attempt: Attempt | None
    wanted: str = ""

    @property
    def request(self) -> RunRequest:
        return self.job.request if self.attempt is None else self.attempt.request

    @property
    def id(self) -> str:
        """The id that its events carry."""
        return self.request.run

    def send(self) -> None:
        """Have the worker run it."""
        graph = self.job.graph if self.attempt is None else self.attempt.graph
        self.worker.connection.run(graph, self.request)

    def leave(self, state: State) -> None:
        """Have the job stop and be in `state` then, unless it is to stop already."""
        if self.wanted:  # a second request would end the worker
            return
        self.wanted = state
        if state is State.PAUSED:
            self.worker.connection.pause(self.id)
        else:
            self.worker.connection.cancel(self.id)

    def stop(self) -> None:
        """Cancel the job, keeping finished results; a second call ends the worker."""
        self.wanted = State.CANCELLED
        self.worker.connection.cancel(self.id)
