"""Whatever a workflow holds, the worker answers and goes on (reliability F11, F22, F23)."""

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from nodeforge.engine import events
from nodeforge.engine.cache.disk import DiskTier
from nodeforge.settings import Settings
from nodeforge.worker.codec import ValueCodec
from support.processes import Watched, chain, home_with_pack


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory):
    settings: Settings = home_with_pack(tmp_path_factory.mktemp("home"))
    made = Watched(settings)
    yield made
    made.close()


def one(type_id: str, **values: Any) -> dict[str, Any]:
    return {"nodes": {"it": {"type": type_id, "values": values}}, "links": {}}


BAD: dict[str, dict[str, Any]] = {
    "NUL in a picture's name": one("image.load", file="a\0b.png"),
    "300 letters": one("image.load", file="a" * 300),
    "300 letters in UTF-8": one("image.load", file="é" * 200),
    "a folder of 300 letters": one("image.load", file=f"{'a' * 300}/b.png"),
    "a path of 5,000 letters": one("image.load", file="a/" * 2500),
    "a lone surrogate": one("image.load", file="\ud800.png"),
    "an asset with NUL": one("image.load", file="asset:\0"),
    "NUL in a model's name": one("models.load", file="a\0b"),
    "300 letters of a model": one("models.load", file="m" * 300),
    "a strength of 1e308": one("sampling.schedule", strength=1e308),
    "10^9 steps": one("sampling.schedule", steps=10**9),
    "10^400 steps": one("sampling.schedule", steps=10**400),
    "a size of 10^9": one("sampling.noise", width=10**9),
    "a size below 0": one("mask.rectangle", width=-5),
    "infinity": one("sampling.guidance", scale=float("inf")),
    "not a number": one("sampling.guidance", scale=float("nan")),
    "another kind": one("sampling.guidance", scale={"a": []}),
    "no option": one("sampling.sampler", name="nobody"),
    "a number for an option": one("sampling.sampler", name=5),
    "a seed below 0": one("sampling.noise", seed=-1),
    "a node that is none": {"nodes": {"it": 5}, "links": {}},
    "nodes that are none": {"nodes": [], "links": {}},
    "links that are none": {"nodes": {}, "links": 7},
    "a type that is none": {"nodes": {"it": {"type": {}, "values": {}}}, "links": {}},
    "values that are none": {"nodes": {"it": {"type": "image.load", "values": 3}}, "links": {}},
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_workflow_is_answered(watched: Watched, what: str):
    pid = watched.client.pid
    last = watched.run(BAD[what], targets=["it"])
    assert isinstance(last, events.Failed), last
    assert last.error.fact
    assert isinstance(watched.run(chain(2), targets=["end"]), events.RunFinished)
    assert pid in (None, watched.client.pid)  # the same process


@pytest.mark.parametrize("value", [10**9, -1])
def test_the_engine_has_bounds_of_its_own_for_linked_values(watched: Watched, value: int):
    """F23: what is linked is known only while running, where no linter looks."""
    graph = {
        "nodes": {
            "number": {"type": "values.integer", "values": {"value": value}},
            "it": {"type": "sampling.schedule", "values": {}},
        },
        "links": {"it.steps": "number.value"},
    }
    last = watched.run(graph, targets=["it"])
    assert isinstance(last, events.Failed)
    assert last.node == "it"
    assert "from 1 to 1000" in last.error.fact


ENTRIES = [
    {"dict": "x"},
    {"list": 5},
    {"class": "Latent", "fields": "x"},
    {"class": "Latent", "fields": {"nothing": 1}},
    {"class": "Nobody", "fields": {}},
    {"class": [], "fields": {}},
    {"tensor": []},
    {"tensor": "7"},
    {"tuple": 5},
]


@pytest.mark.parametrize("raw", ENTRIES, ids=str)
def test_a_damaged_entry_with_a_right_checksum_is_a_miss(tmp_path: Path, raw: Any):
    """F22."""
    data = safetensors.torch.save({"0": torch.zeros(1)}, {"value": json.dumps(raw)})
    with pytest.raises(ValueError, match="not an encoded value"):
        ValueCodec().decode(data)
    nested = safetensors.torch.save({}, {"value": '{"list": [' * 3000 + "]}" * 3000})
    with pytest.raises(ValueError, match="not an encoded value"):
        ValueCodec().decode(nested)


def test_the_cache_leaves_a_part_of_the_disk_free(tmp_path: Path, monkeypatch):
    """F18: older entries give way before the disk is full."""
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    size, entry = 1_000_000, 100_000
    tier = DiskTier(tmp_path, "1", 10**9)

    def free(_: object) -> Any:
        used = sum(path.stat().st_size for path in tmp_path.rglob("*.result"))
        return usage(size, used, size - used)

    monkeypatch.setattr(shutil, "disk_usage", free)
    for number in range(30):
        tier.put(f"{number:02d}", bytes(entry))
    assert free(None).free >= size // 10
    assert "29" in tier
    assert "00" not in tier
    assert not tier.refused
    tier.put("large", bytes(size))
    assert tier.refused
    assert tier.get("large") is None
