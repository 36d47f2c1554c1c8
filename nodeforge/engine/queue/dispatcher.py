"""Gives each of several workers the job of the queue that suits it, in any process that runs it."""

from __future__ import annotations

from collections.abc import Collection

from nodeforge.engine.queue.claims import JobClaims
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.lease import LeaseLostError
from nodeforge.engine.queue.placement import WINDOW, Models, Placement, models_of
from nodeforge.engine.queue.states import State
from nodeforge.errors import NodeForgeError
from nodeforge.settings.sqlite_file import DatabaseError
from nodeforge.spec import Catalogue


class Dispatcher:
    """Begins jobs, each on the worker that suits it.

    Args:
        claims: The runner's side of the queue.
    """

    def __init__(self, claims: JobClaims) -> None:
        self._claims = claims
        self._placement = Placement(self._models_of)
        self._models: dict[str, Models] = {}

    def next(self, worker: int, title: str, skipped: Collection[str] = ()) -> Job | None:
        """Begin the job that suits a worker best; None where none waits, or the queue is paused.

        Args:
            worker: Its number.
            title: What it is called (`worker_title`).
            skipped: Ids of jobs that are to wait on.

        Raises:
            LeaseLostError: another process runs the queue now.
        """
        waiting = self._waiting(skipped)
        wish = self._placement.choose(worker, waiting) if waiting else ""
        job = self._claims.next(skipped, wish, title)
        if job is not None:
            self._placement.begin(worker, job.id)
        return job

    def forget(self, worker: int) -> None:
        """A worker has ended, with all that it had loaded."""
        self._placement.forget(worker)

    def _waiting(self, skipped: Collection[str]) -> list[str]:
        """The first jobs that wait, of the highest priority."""
        pending = self._claims.queue.pending()
        waiting = [job for job in pending if job.state is State.WAITING and job.id not in skipped]
        return [job.id for job in waiting if job.priority == waiting[0].priority][:WINDOW]

    def _models_of(self, job: str) -> Models:
        if job not in self._models:
            try:
                document = self._claims.queue.document(job)
                self._models[job] = models_of(document, Catalogue.shipped())
            except (DatabaseError, LeaseLostError):
                raise
            except NodeForgeError:  # its attempt will say why
                self._models[job] = frozenset()
        return self._models[job]
