"""What a cell of a sweep costs beside its nodes, on nano; and the model calls of early choice.

python -m benchmarks.sweep [--json] [--cells 40] [--candidates 64]
"""

from __future__ import annotations

import queue
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reporting import options, tell
from nodeforge.cli.sweeps.cells import Workflow
from nodeforge.cli.sweeps.runs import Runs
from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.sweeps.axes import parse_axis
from nodeforge.engine.sweeps.cells import fan_out
from nodeforge.engine.sweeps.exploration import estimates_of, make_candidate
from nodeforge.engine.worker_client.client import WorkerClient
from nodeforge.formats import read_any
from nodeforge.formats.graph_json import graph_to_json
from nodeforge.settings import Settings, save_settings, shipped
from nodeforge.spec import Catalogue

STEPS, KEPT, UNTIL = 20, 6, 0.3


@dataclass
class InNodes:
    """Sums what nodes took."""

    seconds: float = 0.0

    def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Finished) and event.source is Source.COMPUTED:
            self.seconds += event.seconds

    def close(self) -> None:
        pass


def measure(cells: int, candidates: int) -> dict[str, float]:
    """Milliseconds a cell, and model calls."""
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        save_settings(settings)
        happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        client = WorkerClient(settings, happened.put, "cpu")
        watch = InNodes()
        runs = Runs([client], happened, lambda _: watch)
        base = workflow(settings)
        try:
            return {
                **overhead(base, runs, watch, cells, Path(home)),
                **early_choice(base, runs, candidates, Path(home)),
            }
        finally:
            client.close()


def workflow(settings: Settings) -> Workflow:
    file = shipped("workflows") / "text_to_image.json"
    document = read_any(file)
    document.graph.nodes["noise"].values.update(width=64, height=64)
    return Workflow(document, Catalogue.shipped(), settings, (), file)


def overhead(
    base: Workflow, runs: Runs, watch: InNodes, count: int, outputs: Path
) -> dict[str, float]:
    """Medians over cells of one step each; the first, which loads the model, is left out."""
    quick = base.with_values(["schedule.steps=1"])
    base = Workflow(quick.document, base.catalogue, base.settings, quick.granted, base.source)
    cells = fan_out([parse_axis(f"noise.seed=1:{count + 1}:1", base.document, base.catalogue)])
    checks, beside = [], []
    for cell in cells:
        start = time.perf_counter()
        run = base.with_values([f"{each.axis.target}={each.text}" for each in cell.values])
        base.refusals(run)
        checked = time.perf_counter()
        watch.seconds = 0.0
        runs.run(graph_to_json(run.document.graph), base.request(run, outputs))
        checks.append(checked - start)
        beside.append(time.perf_counter() - start - watch.seconds)
    return {
        "milliseconds to check a cell": 1000 * statistics.median(checks[1:]),
        "milliseconds a cell beside its nodes": 1000 * statistics.median(beside[1:]),
    }


def early_choice(base: Workflow, runs: Runs, count: int, outputs: Path) -> dict[str, float]:
    """Model calls of `count` candidates to 30 % of 20 steps, with 6 finished."""
    calls = [0, 0]
    made = [base.with_values([f"schedule.steps={STEPS}"]) for _ in range(count)]
    for number, run in enumerate(made, 1):
        make_candidate(run.document, base.catalogue, 1000 + number)
        graph = estimates_of(run.document.graph, base.catalogue, UNTIL).graph
        calls[0] += runs.run(graph_to_json(graph), base.request(run, outputs)).model_calls
    for run in made[:KEPT]:
        graph = graph_to_json(run.document.graph)
        calls[1] += runs.run(graph, base.request(run, outputs)).model_calls
    return {
        f"model calls of {count} estimates": calls[0],
        f"model calls to finish {KEPT}": calls[1],
        "model calls of all in full": count * STEPS,
    }


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--cells", type=int, default=40)
    parser.add_argument("--candidates", type=int, default=64)
    chosen = parser.parse_args()
    tell(measure(chosen.cells, chosen.candidates), chosen.json)
