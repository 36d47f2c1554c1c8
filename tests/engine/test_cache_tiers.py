import os
import time
from pathlib import Path

import pytest
import torch

from nodeforge.engine.cache import (
    DiskTier,
    MemoryTier,
    ResultCache,
    Steps,
    checkpoint_of,
    pin_last_step,
)
from nodeforge.engine.events import Source
from nodeforge.values import Checkpoint, Latent
from nodeforge.worker.codec import ValueCodec


def test_what_is_cheapest_to_recompute_per_byte_goes_first():
    tier = MemoryTier(limit=300)
    tier.put("dear", "x", size=100, seconds=9)
    tier.put("cheap", "x", size=100, seconds=0.1)
    tier.put("middling", "x", size=100, seconds=1)
    tier.put("new", "x", size=100, seconds=2)
    assert [key in tier for key in ("dear", "cheap", "middling", "new")] == [
        True,
        False,
        True,
        True,
    ]


def test_a_dear_value_that_nobody_uses_goes_in_the_end():
    tier = MemoryTier(limit=300)
    tier.put("dear", "x", size=100, seconds=5)
    for i in range(50):
        tier.put(f"cheap{i}", "x", size=100, seconds=1)
    assert "dear" not in tier


def test_use_keeps_a_value():
    tier = MemoryTier(limit=300)
    tier.put("used", "x", size=100, seconds=1)
    for i in range(50):
        assert tier.get("used") == "x"
        tier.put(f"other{i}", "x", size=100, seconds=1)


def test_a_pin_outlives_everything():
    tier = MemoryTier(limit=200)
    tier.put("pinned", "x", size=150, seconds=0, pinned=True)
    for i in range(20):
        tier.put(f"other{i}", "x", size=50, seconds=9)
    assert "pinned" in tier
    assert tier.size <= 200


def test_replacing_a_value_counts_its_size_once():
    tier = MemoryTier(limit=1000)
    for size in (100, 300, 200):
        tier.put("key", "x", size=size, seconds=1)
    assert (tier.size, len(tier)) == (200, 1)


def test_the_disk_tier_deletes_what_was_used_longest_ago(tmp_path: Path):
    tier = DiskTier(tmp_path, "v1", limit=3000)
    for age, key in enumerate(["new", "old", "older"]):
        tier.put(key * 8, bytes(1000))
        os.utime(tier.path(key * 8), (1_000_000 - age, 1_000_000 - age))
    tier.put("last" * 8, bytes(1000))
    tier.shrink()
    assert [key * 8 in tier for key in ("new", "old", "older", "last")] == [
        True,
        False,
        False,
        True,
    ]


def test_entries_of_other_versions_are_not_read_and_go_first(tmp_path: Path):
    old = DiskTier(tmp_path, "v1", limit=2500)
    old.put("a" * 32, bytes(1000))
    new = DiskTier(tmp_path, "v2", limit=2500)
    assert new.get("a" * 32) is None
    new.put("b" * 32, bytes(1000))
    os.utime(new.path("b" * 32), (1, 1))
    new.put("c" * 32, bytes(1000))
    new.shrink()
    assert ("a" * 32 in old, "b" * 32 in new, "c" * 32 in new) == (False, True, True)


def test_a_disk_that_refuses_is_remembered_and_breaks_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    tier = DiskTier(tmp_path / "file", "v1", limit=2500)
    tier.put("a" * 32, b"x")
    assert tier.refused
    assert tier.get("a" * 32) is None


def test_two_writers_of_one_key_leave_one_whole_entry(tmp_path: Path):
    first, second = (DiskTier(tmp_path, "v1", limit=10_000) for _ in range(2))
    first.put("a" * 32, b"same")
    second.put("a" * 32, b"same")
    assert first.get("a" * 32) == b"same"
    assert len(list(tmp_path.rglob("*.*"))) == 1


def checkpoint(step: int, cells: int = 4) -> Checkpoint:
    latent = Latent(torch.full((1, 4, cells, cells), float(step)), "sd", 8)
    return Checkpoint(latent, step, step, {"order": 2, "history": [torch.ones(2)]})


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(MemoryTier(2**28), DiskTier(tmp_path, "v1", 2**30), ValueCodec())


def test_the_furthest_stored_step_is_found(cache: ResultCache):
    steps = Steps(cache, "node")
    for index in range(3):
        steps.store(f"{index:032x}", checkpoint(index + 1))
    keys = [f"{index:032x}" for index in range(10)]
    index, found = steps.furthest(keys) or (None, None)
    assert index == 2
    assert found is not None
    assert torch.equal(found.latent.samples, checkpoint(3).latent.samples)
    assert steps.furthest(keys[5:]) is None


def test_a_step_of_a_node_is_found_by_the_node(cache: ResultCache):
    keys = [f"{index:032x}" for index in range(10)]
    steps = Steps(cache, "f" * 32)
    steps.furthest(keys)
    steps.store(keys[6], checkpoint(7))
    found = checkpoint_of(cache, "f" * 32, 7)
    assert found is not None
    assert found.step == 7
    assert checkpoint_of(cache, "f" * 32, 8) is None
    assert checkpoint_of(cache, "f" * 32, 11) is None
    assert checkpoint_of(cache, "e" * 32, 1) is None


def test_small_checkpoints_go_to_disk_each_step_and_large_ones_each_fifth(cache: ResultCache):
    for name, cells in (("a", 4), ("b", 640)):
        steps = Steps(cache, "node")
        for step in range(1, 11):
            steps.store(f"{name}{step:031x}", checkpoint(step, cells))
    cache.flush()
    cache.memory.clear()
    on_disk = {
        name: [s for s in range(1, 11) if cache.where(f"{name}{s:031x}-step") is Source.DISK]
        for name in "ab"
    }
    assert on_disk == {"a": list(range(1, 11)), "b": [5, 10]}


def test_a_pinned_entry_outlives_every_limit_for_a_week(tmp_path: Path):
    tier = DiskTier(tmp_path, "v1", limit=1500)
    tier.put("a" * 32, bytes(1000))
    tier.pin("a" * 32)
    tier.put("b" * 32, bytes(1000))
    assert tier.get("a" * 32)  # to be looked at is not to be let go
    tier.shrink()
    tier.make_room()
    assert ("a" * 32 in tier, "b" * 32 in tier) == (True, False)
    until = tier.path("a" * 32).stat().st_mtime
    assert until - time.time() == pytest.approx(7 * 24 * 3600, abs=3600)
    tier.unpin("a" * 32)
    tier.make_room()
    assert "a" * 32 not in tier


def test_a_large_checkpoint_that_is_pinned_is_on_disk_until_it_is_unpinned(cache: ResultCache):
    steps, keys = Steps(cache, "f" * 32), [f"{step:032x}" for step in (1, 2, 3)]
    steps.furthest(keys)
    for step, key in enumerate(keys, 1):
        steps.store(key, checkpoint(step, 640))
    steps.keep(keys[-1])
    pin_last_step(cache, "f" * 32, True)
    cache.flush()
    cache.make_room()
    assert cache.disk is not None
    kept = [key for key in keys if f"{key}-step" in cache.disk]
    assert kept == keys[-1:]
    pin_last_step(cache, "f" * 32, False)
    cache.flush()
    cache.make_room()
    assert f"{keys[-1]}-step" not in cache.disk
