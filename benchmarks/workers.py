"""How much faster two one-core workers do a sweep than one, on nano; and that nothing differs.

python -m benchmarks.workers [--json] [--cells 24] [--steps 6]
"""

from __future__ import annotations

import queue
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.reporting import options, tell
from nodeforge.cli.sweeps.cells import Workflow
from nodeforge.cli.sweeps.runs import Runs
from nodeforge.cli.watch import Quiet
from nodeforge.engine import events
from nodeforge.engine.client import WorkerClient, spawn_worker
from nodeforge.engine.context import RunRequest
from nodeforge.formats import read_any
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.settings import Settings, save_settings, shipped
from nodeforge.spec import Catalogue

Pictures = dict[int, np.ndarray]


def sweep(workers: int, cells: int, steps: int) -> tuple[float, Pictures]:
    """Seconds of a sweep over seeds, and its pictures by cell.

    The workers have started, and have read no model.
    """
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        save_settings(settings)
        file = shipped("workflows") / "text_to_image.json"
        base = Workflow(read_any(file), Catalogue.shipped(), settings, (), file)
        values = [[f"noise.seed={seed}", f"schedule.steps={steps}"] for seed in range(cells)]
        made = [base.with_values(each) for each in values]

        def begin(number: int) -> tuple[dict[str, Any], RunRequest]:
            request = base.request(made[number], Path(home) / "outputs")
            return graph_to_json(made[number].document.graph), request

        happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        spawn = partial(spawn_worker, threads=1, shares_work=True)
        clients = [WorkerClient(settings, happened.put, "cpu", spawn) for _ in range(workers)]
        try:
            for answer in [client.ask("devices") for client in clients]:
                answer.result()
            runs = Runs(clients, happened, lambda _: Quiet())
            models = dict.fromkeys(range(cells), frozenset[tuple[str, str]]())
            start = time.perf_counter()
            outcomes = dict(runs.run_all(list(range(cells)), models, begin))
            seconds = time.perf_counter() - start
        finally:
            for client in clients:
                client.close()
        pictures = {n: np.asarray(Image.open(each.files[0])) for n, each in outcomes.items()}
        return seconds, pictures


def measure(cells: int, steps: int) -> dict[str, float]:
    alone, first = sweep(1, cells, steps)
    together, second = sweep(2, cells, steps)
    equal = sum(np.array_equal(first[number], second[number]) for number in range(cells))
    return {
        "seconds of one worker": alone,
        "seconds of two": together,
        "times as fast": alone / together,
        "pictures that are equal": float(equal),
    }


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--steps", type=int, default=6)
    chosen = parser.parse_args()
    tell(measure(chosen.cells, chosen.steps), chosen.json)
