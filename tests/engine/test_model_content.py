"""Models count by their content: read once, before the run, never while planning."""

import os
import time
from pathlib import Path

import pytest

from nodeforge import models
from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.model import Graph
from nodeforge.models import Fingerprints
from support.counting import Bench, graph


@pytest.fixture
def file(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that is too large to be read while planning."""
    prints = Fingerprints(bench.outputs / "prints")
    monkeypatch.setattr("nodeforge.models.files.fingerprint.SMALL", 100)
    monkeypatch.setattr("nodeforge.models.files.fingerprint.fingerprints", lambda: prints)
    monkeypatch.setattr("nodeforge.engine.session.fingerprints", lambda: prints)
    path = bench.session.settings.models / "checkpoints" / "big.safetensors"
    path.parent.mkdir(parents=True)
    _write(path, 0)
    return path


def _write(path: Path, last: int) -> None:
    header = b'{"a":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}'
    body = bytes(99_999) + bytes([last])
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    then = time.time() - 60
    os.utime(path, (then, then))


def asked() -> Graph:
    return graph({"load": ("test.model", {"file": "big.safetensors"})}, {})


def test_planning_says_what_is_read_first(bench: Bench, file: Path):
    plan = bench.plan(asked(), "load")
    assert plan.unread == {file: file.stat().st_size}
    assert bench.session.forecast(plan)["load"].source is Source.COMPUTED


def test_a_run_reads_first_and_once(bench: Bench, file: Path):
    bench.run(asked(), "load")
    size = file.stat().st_size
    assert bench.told(events.Reading)[-1] == events.Reading("run", str(file), size, size)
    bench.run(asked(), "load")
    assert not bench.told(events.Reading)
    assert bench.calls == {}
    assert not bench.plan(asked(), "load").unread


def test_a_model_retrained_in_place_is_another(bench: Bench, file: Path):
    bench.run(asked(), "load")
    told = file.stat()
    _write(file, 1)
    os.utime(file, ns=(told.st_atime_ns, told.st_mtime_ns))
    bench.run(asked(), "load")
    assert bench.calls == {"model": 1}


def test_reading_can_be_stopped(bench: Bench, file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nodeforge.models.files.fingerprint._CHUNK", 1000)
    monkeypatch.setattr("nodeforge.engine.session._TOLD", 5000)

    def stop_at_first_word(event: events.Event) -> None:
        seen.append(event)
        if isinstance(event, events.Reading):
            state.stop.set()

    from nodeforge.engine.running.context import RunRequest, RunState

    seen: list[events.Event] = []
    state = RunState(stop_at_first_word)
    bench.session.run(asked(), RunRequest("run", ["load"]), state)
    assert [type(event) for event in seen] == [events.Reading, events.RunCancelled]
    assert models.size_of(file) > 0


def test_a_damaged_model_is_refused_before_it_is_read(bench: Bench, file: Path):
    file.write_bytes(b"\xff" * 1000)
    bench.run(asked(), "load")
    (failed,) = bench.told(events.Failed)
    assert "big.safetensors" in str(failed.error)
    assert not bench.told(events.Reading)
