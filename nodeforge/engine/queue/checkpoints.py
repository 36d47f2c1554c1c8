"""Pins of the checkpoints that jobs go on from, whose files are in the cache."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nodeforge.engine.cache import pin_file, unpin_file
from nodeforge.engine.cache.disk import PINNED
from nodeforge.engine.queue.job import Job
from nodeforge.engine.queue.states import State

PAUSED = 365 * 24 * 3600.0
"""Seconds for which the checkpoints of a paused job are kept. It is not for ever, so that those
of a database that was lost go, too."""


def pin(state: State, files: Iterable[str]) -> None:
    """Pin what a job that is in `state` goes on from, or let it be evicted again.

    A paused job has its checkpoints until it is resumed; one that is done, as a candidate's
    estimate, has what it was asked to keep for a week, or until the choice.
    """
    for file in map(Path, files):
        if state is State.PAUSED:
            pin_file(file, PAUSED)
        elif state is State.DONE:
            pin_file(file, PINNED)
        else:
            unpin_file(file)


def unpin(job: Job) -> None:
    """Let the checkpoints of a job be evicted again."""
    for file in job.checkpoints:
        unpin_file(Path(file))
