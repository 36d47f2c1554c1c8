"""How much faster two one-core workers do a sweep than one, on nano; and that nothing differs.

python -m benchmarks.workers [--json] [--cells 24] [--steps 6] [--on ray | --on ssh://...]

With --on the workers are actors of a Ray cluster on this machine, or on another machine; then one
here is compared with one there, too: what a cell costs more, and what it sends.
"""

from __future__ import annotations

import os
import queue
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
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
from nodeforge.engine.remote import Client, is_cluster, open_worker
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import spawn_worker
from nodeforge.formats import read_any
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.settings import Settings, save_settings, shipped
from nodeforge.spec import Catalogue

Pictures = dict[int, np.ndarray]


@dataclass(frozen=True)
class Done:
    """A sweep over seeds: its seconds, its pictures by cell, and the bytes to and from a cell."""

    seconds: float
    pictures: Pictures
    sent: float
    received: float


def sweep(workers: int, cells: int, steps: int, device: str) -> Done:
    """Run one on workers that have started, and have read no model."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["NODEFORGE_HOME"] = home  # of actors
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
        clients = [open_worker(settings, happened.put, device, spawn) for _ in range(workers)]
        try:
            for answer in [client.ask("devices") for client in clients]:
                answer.result()
            before = traffic(clients)
            runs = Runs(clients, happened, lambda _: Quiet())
            models = dict.fromkeys(range(cells), frozenset[tuple[str, str]]())
            start = time.perf_counter()
            outcomes = dict(runs.run_all(list(range(cells)), models, begin))
            seconds = time.perf_counter() - start
            sent, received = (traffic(clients) - before) / cells
        finally:
            for client in clients:
                client.close()
            if is_cluster(device):
                end_cluster()
        pictures = {n: np.asarray(Image.open(each.files[0])) for n, each in outcomes.items()}
        return Done(seconds, pictures, sent, received)


def traffic(clients: Sequence[Client]) -> np.ndarray:
    """Bytes sent and received so far."""
    return np.array([getattr(client, "traffic", (0, 0)) for client in clients]).sum(0)


def end_cluster() -> None:
    """End the one of this machine: its nodes have a home each sweep."""
    import ray

    ray.shutdown()


def measure(cells: int, steps: int, device: str) -> dict[str, float]:
    alone = sweep(1, cells, steps, device)
    together = None if device.startswith("ssh") else sweep(2, cells, steps, device)
    here = None if device == "cpu" else sweep(1, cells, steps, "cpu")
    found = {"seconds of one worker": alone.seconds}
    if together is not None:
        found |= {
            "seconds of two": together.seconds,
            "times as fast": alone.seconds / together.seconds,
            "pictures that are equal": equal(alone, together),
        }
    if here is not None:
        found |= {
            "milliseconds a cell costs more than here": (alone.seconds - here.seconds)
            / cells
            * 1000,
            "pictures equal to those made here": equal(alone, here),
            "bytes sent a cell": alone.sent,
            "bytes received a cell": alone.received,
        }
    return found


def equal(one: Done, other: Done) -> float:
    """How many pictures are."""
    both = zip(sorted(one.pictures.items()), sorted(other.pictures.items()), strict=True)
    return float(sum(np.array_equal(first[1], second[1]) for first, second in both))


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--cells", type=int, default=24)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--on", default="cpu")
    chosen = parser.parse_args()
    tell(measure(chosen.cells, chosen.steps, chosen.on), chosen.json)
