"""Times that hold on a busy machine: the best of several, compared with each other."""

import time
from collections.abc import Callable


def best(work: Callable[[], object], times: int = 5) -> float:
    """The shortest time that `work` takes, in seconds of this process."""
    return min(_once(work) for _ in range(times))


def _once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
