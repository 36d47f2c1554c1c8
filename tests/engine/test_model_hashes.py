"""Hashes of models are made beside a run, and are in what it saves once they are known."""

import json
import os
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.content import model_hashes
from nodeforge.engine.running.context import NodeRun, NoNetworks, RunRequest, RunState
from nodeforge.formats.parameters import HASHED_FILES, PARAMETERS
from nodeforge.models import SMALL
from nodeforge.worker.codec import ValueCodec


@pytest.fixture
def stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """That of a run with a model which is too large to be hashed as a picture is saved."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "large.safetensors"
    with file.open("wb") as written:
        written.truncate(SMALL + 1)
    os.utime(file, (1, 1))
    facts = "a fox\nSteps: 4, Sampler: Euler, Seed: 7, Model: large, Version: NodeForge"
    return {PARAMETERS: facts, HASHED_FILES: json.dumps({"model": str(file)})}


def saved(stamp: dict[str, str]) -> tuple[str, list[events.Event]]:
    """The summary in what a node saves now, and what is told."""
    told: list[events.Event] = []
    cache = ResultCache(MemoryTier(2**20), None, ValueCodec())
    request, state = RunRequest("r", stamp=stamp), RunState(told.append)
    run = NodeRun("save", "key", request, state, cache, NoNetworks())
    assert HASHED_FILES not in run.stamp
    return run.stamp[PARAMETERS], told


def test_a_hash_that_is_not_known_yet_is_left_out_and_told_once(stamp: dict[str, str]):
    text, told = saved(stamp)
    assert "hash" not in text
    (notice,) = told
    assert isinstance(notice, events.Notice)
    assert "SHA-256 of model" in notice.fact


def test_it_is_there_once_it_was_made_beside_a_run(stamp: dict[str, str]):
    model_hashes.begin_hashing(stamp)
    for thread in model_hashes._hashing.values():
        thread.join()
    text, told = saved(stamp)
    assert "Model hash: " in text
    assert told == []
