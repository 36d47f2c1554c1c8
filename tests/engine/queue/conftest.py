from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeforge.engine.queue.job_queue import JobQueue
from support import queue_worker


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    queue_worker.CALLS.clear()
    queue_worker.HOOKS.clear()
    opened = JobQueue(tmp_path)
    yield opened
    opened.close()
