"""A sweep whose worker ends begins that cell again, once."""

import queue
from pathlib import Path
from typing import Any

from nodeforge.cli.sweeps.runs import Runs
from nodeforge.cli.watch import Quiet
from nodeforge.engine import events
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client.client import WorkerClient
from support.processes import ForkedWorker, chain, home_with_pack


class KillsOnce(Quiet):
    """Kills the worker at the fourth step of the first run."""

    def __init__(self, client: list[WorkerClient]) -> None:
        self._client = client

    def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Progress) and event.step == 4 and self._client:
            self._client.pop().kill()


def steps(number: int) -> dict[str, Any]:
    values = {"count": 12, "seconds": 0.01}
    return {
        "nodes": {
            "start": {"type": "chain.start", "values": {"text": f"cell {number}"}},
            "steps": {"type": "chain.steps", "values": values},
        },
        "links": {"steps.text": "start.text"},
    }


def test_a_cell_is_begun_again_and_one_that_always_kills_fails(tmp_path: Path):
    settings = home_with_pack(tmp_path)
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    client = WorkerClient(settings, happened.put, "cpu", ForkedWorker)
    runs, begun = Runs([client], happened, lambda _: KillsOnce(victims)), list[int]()
    victims = [client]

    def begin(number: int) -> tuple[dict[str, Any], RunRequest]:
        begun.append(number)
        graph = chain(3, "chain.crash") if number == 1 else steps(number)
        return graph, RunRequest(f"{number}-{len(begun)}", targets=[[*graph["nodes"]][-1]])

    outcomes = dict(runs.run_all([0, 1, 2], dict.fromkeys(range(3), frozenset()), begin))
    client.close()
    assert begun == [0, 0, 1, 1, 2]
    assert outcomes[0].error == ""
    assert outcomes[0].model_calls < 12  # it went on from a step on disk
    assert "ended with code" in outcomes[1].error
    assert outcomes[2].error == ""
    assert outcomes[2].model_calls == 12
