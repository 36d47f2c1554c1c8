"""How long chains of trivial nodes take, from the client's request to its last event.

python -m benchmarks.engine_chain [--json]
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.engine import events
from tests.support.processes import Watched, chain, home_with_pack

REPEATS = 7


def measure() -> dict[str, float]:
    """Median milliseconds by chain length and cache state, and the ratio of times per node."""
    with tempfile.TemporaryDirectory() as home:
        watched = Watched(home_with_pack(Path(home)), fork=False)
        watched.run(chain(2), targets=["end"])
        figures: dict[str, float] = {}
        for count in (100, 1_000, 10_000):
            fresh, cached = zip(*(_run(watched, count, i) for i in range(REPEATS)), strict=True)
            figures[f"{count} computed ms"] = statistics.median(fresh)
            figures[f"{count} cached ms"] = statistics.median(cached)
        watched.close()
    for state in ("computed", "cached"):
        long, short = figures[f"10000 {state} ms"] / 10_000, figures[f"100 {state} ms"] / 100
        figures[f"{state}: time per node at 10000 / at 100"] = long / short
    return figures


def _run(watched: Watched, count: int, attempt: int) -> tuple[float, float]:
    graph = chain(count, text=f"{count} {attempt}")
    return _time(watched, graph, count), _time(watched, graph, 0)


def _time(watched: Watched, graph: dict[str, object], computed: int) -> float:
    start = time.perf_counter()
    last = watched.run(graph, targets=["end"])
    seconds = time.perf_counter() - start
    assert isinstance(last, events.RunFinished)
    assert len(watched.told(events.Finished)) == computed
    return seconds * 1000


def main() -> None:
    tell(measure(), options(__doc__).parse_args().json)


if __name__ == "__main__":
    main()
