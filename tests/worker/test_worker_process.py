import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.engine.protocol import Frame, read_frame, write_frames
from nodeforge.engine.running.context import RunRequest
from nodeforge.engine.worker_client import client as client_module
from nodeforge.engine.worker_client.client import WorkerClient, WorkerError, WorkerRefusedError
from nodeforge.settings import Settings
from support.processes import Watched, chain, home_with_pack


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return home_with_pack(tmp_path)


@pytest.fixture
def watched(home: Settings) -> Iterator[Watched]:
    made = Watched(home)
    yield made
    made.close()


def walk(text: str = "x", count: int = 20, seconds: float = 0.02) -> dict[str, Any]:
    values = {"text": text, "count": count, "seconds": seconds}
    return {"nodes": {"walk": {"type": "chain.steps", "values": values}}, "links": {}}


def test_a_real_worker_runs_a_workflow_and_ends_with_its_client(home: Settings):
    watched = Watched(home, fork=False)
    last = watched.run(chain(5), targets=["end"])
    assert isinstance(last, events.RunFinished)
    assert [event.node for event in watched.told(events.Finished)] == [
        "start", "n0", "n1", "n2", "end",
    ]  # fmt: skip
    process = watched.client._process
    watched.close()
    assert process is not None
    assert process.poll() == 0


def test_a_worker_ends_with_its_client_even_where_a_node_does_not(home: Settings):
    command = (sys.executable, "-m", "nodeforge.worker", "--device", "cpu", "--patience", "1")
    graph = {"nodes": {"deaf": {"type": "chain.deaf", "values": {"text": "x"}}}, "links": {}}
    worker = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=client_module._environment(home)
    )
    assert worker.stdin
    assert worker.stdout
    ask = {"request": "run", "id": "run", "graph": graph, "targets": ["deaf"], "outputs": ""}
    write_frames(worker.stdin, [Frame(ask)])
    while (frame := read_frame(worker.stdout)) and frame.header.get("event") != "started":
        assert frame.header.get("event") not in ("failed", "run_finished")
    worker.stdin.close()
    assert worker.wait(10) == 1
    worker.stdout.close()


def test_what_a_node_prints_does_not_reach_the_protocol(home: Settings):
    watched = Watched(home, fork=False)
    last = watched.run(chain(3, "chain.print"), targets=["end"])
    watched.close()
    assert isinstance(last, events.RunFinished)


def test_a_new_process_finds_results_and_steps_of_the_last(home: Settings):
    first = Watched(home)
    assert isinstance(first.run(chain(4, "chain.slow")), events.RunFinished)
    first.run(walk(count=15))
    first.close()
    second = Watched(home)
    second.run(chain(4, "chain.slow"))
    assert second.told(events.Reused)[0].nodes == {"end": Source.DISK}
    longer = second.run(walk(count=20))
    second.close()
    assert isinstance(longer, events.RunFinished)
    assert longer.model_calls == 5


def test_a_stop_is_heard_and_what_is_finished_is_kept(watched: Watched):
    watched.start(walk(count=200))
    watched.wait_for(events.Progress)
    watched.client.cancel("run")
    assert isinstance(watched.wait(), events.RunCancelled)
    done = len(watched.told(events.Progress))
    last = watched.run(walk(count=200, seconds=0.02))
    assert isinstance(last, events.RunFinished)
    assert last.model_calls <= 200 - done


def test_a_queued_run_that_is_stopped_never_starts(watched: Watched):
    watched.start(walk("one", count=50), "one")
    watched.start(walk("two"), "two")
    watched.client.cancel("two")
    assert isinstance(watched.wait("one"), events.RunFinished)
    assert isinstance(watched.wait("two"), events.RunCancelled)
    assert not [event for event in watched.told(events.Started) if event.run == "two"]


def test_a_run_asked_for_right_after_a_kill_has_a_new_worker(watched: Watched):
    for turn in range(4):
        watched.start(walk(count=200, text=str(turn)), f"killed {turn}")
        watched.wait_for(events.Started)
        watched.client.kill()
        watched.start(chain(3), f"next {turn}")
        assert isinstance(watched.wait(f"killed {turn}", timeout=10), events.WorkerDied)
        assert isinstance(watched.wait(f"next {turn}", timeout=10), events.RunFinished)


def wait_for_node(watched: Watched, node: str) -> None:
    """Until the node is being computed."""
    while getattr(watched.wait_for(events.Started), "node", "") != node:
        pass


def test_a_second_stop_ends_a_worker_that_does_not_hear(watched: Watched):
    watched.start(chain(2, "chain.deaf"))
    wait_for_node(watched, "end")
    watched.client.cancel("run")
    watched.client.cancel("run")
    assert isinstance(watched.wait(timeout=10), events.WorkerDied)
    assert isinstance(watched.run(chain(3)), events.RunFinished)


def test_patience_ends_a_worker_that_does_not_hear(watched: Watched):
    watched.start(chain(2, "chain.deaf"))
    wait_for_node(watched, "end")
    watched.client.cancel("run", patience=0.2)
    assert isinstance(watched.wait(timeout=10), events.WorkerDied)


def test_a_crash_is_told_and_the_next_run_has_a_new_worker(watched: Watched):
    died = watched.run(chain(3, "chain.crash"))
    assert isinstance(died, events.WorkerDied)
    assert died.exit_code == 7
    assert isinstance(watched.run(chain(3)), events.RunFinished)


def test_questions_are_answered_during_a_run(watched: Watched):
    watched.start(walk(count=100))
    watched.wait_for(events.Progress)
    catalogue = watched.client.ask("catalogue").result(10)
    assert "chain.link" in {node["type"] for node in catalogue["nodes"]}
    nodes = watched.client.ask("plan", graph=chain(3)).result(10)["nodes"]
    assert {node: what["source"] for node, what in nodes.items()} == {
        "start": "computed",
        "n0": "computed",
        "end": "computed",
    }
    watched.client.cancel("run")
    assert isinstance(watched.wait(), events.RunCancelled)


def test_a_plan_forecasts_what_nodes_of_a_type_took_last(watched: Watched):
    watched.run(chain(3, "chain.slow"))
    nodes = watched.client.ask("plan", graph=chain(4, "chain.slow")).result(10)["nodes"]
    assert {node: what["source"] for node, what in nodes.items()} == {
        "n1": "memory",  # the same as the shorter chain's end
        "end": "computed",
    }
    assert nodes["end"]["seconds"] >= 0.03


def test_a_plan_tells_what_its_models_need_before_they_are_loaded(watched: Watched):
    graph = {"nodes": {"load": {"type": "models.load", "values": {"file": "nano"}}}, "links": {}}
    files = watched.client.ask("plan", graph=graph).result(30)["models"]
    told = watched.client.ask("memory_needs", models=files).result(30)["models"]["load"]
    assert set(told) == {"unet", "text_encoder", "vae"}
    assert 30e6 < told["unet"]["weights"] < 80e6
    assert 1e6 < told["vae"]["working"] < 100e6


def test_models_are_read_again_when_asked(watched: Watched):
    """*Check contents again*: for disks whose times cannot be trusted."""
    graph = {"nodes": {"load": {"type": "models.load", "values": {"file": "nano"}}}, "links": {}}
    ask = watched.client.ask
    assert ask("plan", graph=graph).result(30)["nodes"]
    known = json.loads((watched.settings.cache / "content_keys.json").read_text())
    assert any("nano" in name for name in known)
    ask("forget_contents").result(10)
    assert "nano" not in (watched.settings.cache / "content_keys.json").read_text()
    assert ask("plan", graph=graph).result(30)["nodes"]


def test_a_step_of_a_run_is_rendered_without_running_anything(watched: Watched):
    watched.run(walk("rendered", count=5))
    ask = {"graph": walk("rendered", count=5), "node": "walk"}
    for request in ({"step": 3}, {"port": "latent"}):
        answer = watched.client.ask("render", **ask, **request).result(10)
        assert answer["shape"] == [2, 2, 3]
        assert len(answer["payload"]) == 12
    assert watched.client.ask("render", **ask, step=9).result(10)["shape"] == []


def test_a_question_nobody_knows_has_an_error_for_an_answer(watched: Watched):
    with pytest.raises(WorkerError, match="riddle"):
        watched.client.ask("riddle").result(20)


def test_a_workflow_that_makes_no_sense_fails_alone(watched: Watched):
    failed = watched.run({"nodes": {"a": {"type": 3}}, "links": {}})
    assert isinstance(failed, events.Failed)
    assert isinstance(watched.run(chain(3)), events.RunFinished)


def test_a_pack_whose_content_changed_is_not_run(home: Settings):
    source = home.packs / "chain" / "__init__.py"
    source.write_text(source.read_text() + "\n# changed\n")
    watched = Watched(home)
    catalogue = watched.client.ask("catalogue").result(60)
    watched.close()
    assert "not allowed" in catalogue["refused"]["chain"]
    assert "chain.link" not in {node["type"] for node in catalogue["nodes"]}


def kill_at_random_moments(home: Settings, count: int) -> None:
    """Each time: a clear event, and a cache from which the next run goes on."""
    dice = random.Random(0)
    watched = Watched(home)
    assert isinstance(watched.run(chain(2)), events.RunFinished)  # warm
    for attempt in range(count):
        text = f"{attempt:03}"
        watched.events.clear()
        watched.start(walk(text, count=12, seconds=0.01))
        timer = threading.Timer(dice.uniform(0, 0.25), watched.client.kill)
        timer.start()
        end = watched.wait(timeout=30)
        timer.join()
        steps = len(watched.told(events.Progress))
        assert isinstance(end, events.WorkerDied | events.RunFinished)
        again = watched.run(walk(text, count=12, seconds=0.01))
        if isinstance(again, events.WorkerDied):  # the kill came after the first run's end
            again = watched.run(walk(text, count=12, seconds=0.01))
        assert isinstance(again, events.RunFinished)
        assert again.model_calls <= 12 - max(0, steps - 3)  # the last few may not be on disk yet
    watched.close()


@pytest.mark.timeout(600)
def test_a_worker_killed_at_any_moment_leaves_a_cache_that_serves(home: Settings):
    kill_at_random_moments(home, 50)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_worker_killed_at_any_of_200_moments_leaves_a_cache_that_serves(home: Settings):
    kill_at_random_moments(home, 200)


def test_two_workers_share_one_cache_folder(home: Settings):
    both = [Watched(home), Watched(home)]
    for text in ("a", "b", "a", "c"):
        for index, watched in enumerate(both):
            watched.start(walk(text, count=10, seconds=0.005), f"{text}{index}{time.time()}")
        for watched in both:
            watched.wait_for(events.RunFinished)
    for watched in both:
        watched.close()
    third = Watched(home)
    for text in ("a", "b", "c"):
        last = third.run(walk(text, count=10, seconds=0.005))
        assert isinstance(last, events.RunFinished)
        assert last.model_calls == 0
    third.close()
    assert not list(home.cache.rglob("*.part"))


def test_a_device_that_is_not_there_is_an_answer_and_no_crash(home: Settings):
    happened: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    client = WorkerClient(home, happened.put, "xpu:9")
    client.run(chain(3), RunRequest("run", targets=["end"]))
    told = happened.get(timeout=60)
    assert isinstance(told, events.Failed)
    assert "no device 'xpu:9'" in told.error.fact
    assert "Choose one of: auto" in told.error.way_out
    with pytest.raises(WorkerRefusedError, match="no device 'xpu:9'"):
        client.ask("catalogue").result(60)
    client.close()
