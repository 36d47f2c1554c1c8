"""Workers on a Ray cluster that runs on this machine, with actors on its cores."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine import events
from nodeforge.engine.queue.placement import worker_devices
from nodeforge.engine.remote import MachineError, is_cluster, open_worker
from nodeforge.engine.remote.cluster import connected
from nodeforge.settings import Settings
from support.processes import Watched, chain, home_with_pack

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home for this machine and the nodes, and a cluster of two cores."""
    settings = home_with_pack(tmp_path_factory.mktemp("cluster"))
    before = os.environ.get("NODEFORGE_HOME")
    os.environ["NODEFORGE_HOME"] = str(settings.home)
    store = 100 * 2**20
    try:
        ray.init(
            num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=store
        )
    except Exception as error:  # as where a system has no room in /dev/shm
        pytest.skip(f"Ray does not start on this machine: {error}")
    yield settings
    ray.shutdown()
    os.environ.pop("NODEFORGE_HOME")
    if before is not None:
        os.environ["NODEFORGE_HOME"] = before


class OnCluster(Watched):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.client: Any = open_worker(settings, self._queue.put, "ray")


def test_a_run_is_computed_by_an_actor_and_comes_home(home: Settings, tmp_path: Path):
    watched = OnCluster(home)
    graph = chain(3, text="from an actor")
    graph["nodes"]["save"] = {"type": "chain.save", "values": {}}
    graph["links"]["save.text"] = "end.text"
    end = watched.run(graph)
    assert isinstance(end, events.RunFinished), end
    assert Path(end.outputs[0]).read_text() == "from an actor"
    watched.start(steps("stopped"), "stop")
    watched.wait_for(events.Progress)
    watched.client.cancel("stop")
    assert isinstance(watched.wait("stop"), events.RunCancelled)
    watched.start(steps("killed"), "kill")
    watched.wait_for(events.Progress)
    ray.kill(watched.client._connection._actor)
    died = watched.wait("kill")
    assert isinstance(died, events.WorkerDied)
    assert "a worker has ended there" in died.last_words
    again = watched.run(steps("killed", 10), "again")  # by another actor, from steps on the disk
    assert isinstance(again, events.RunFinished)
    assert again.model_calls < 10
    watched.close()


def steps(text: str, count: int = 100) -> dict[str, Any]:
    values = {"count": count, "seconds": 0.05}
    return {
        "nodes": {
            "start": {"type": "chain.start", "values": {"text": text}},
            "steps": {"type": "chain.steps", "values": values},
        },
        "links": {"steps.text": "start.text"},
    }


def test_as_many_workers_as_there_are_places(home: Settings):
    assert worker_devices(home, 2, "ray") == ("ray", "ray")
    assert worker_devices(home, 0, "ray") == ("ray",)
    with pytest.raises(MachineError, match="has 2 cores, and 3 workers are wanted"):
        worker_devices(home, 3, "ray")


def test_a_cluster_is_an_address():
    assert is_cluster("ray")
    assert is_cluster("ray://head:10001")
    assert not is_cluster("rays")
    assert not is_cluster("cuda")


def test_a_machine_without_ray_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MachineError, match="Ray is not installed") as missing:
        connected("ray")
    assert "nodeforge[ray]" in missing.value.way_out
