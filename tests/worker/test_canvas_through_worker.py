"""Generate as the window does it: request, assets, run, and each candidate fetched full-size."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nodeforge.canvas.generation.intents import Intent
from nodeforge.canvas.generation.request import LONGEST, Selection, Source, request
from nodeforge.engine import events
from nodeforge.engine.content.assets import keep_bytes
from nodeforge.formats import graph_to_json, load
from nodeforge.imaging import Box, apply
from nodeforge.settings import Settings, save_settings, shipped
from support.processes import Watched

BOX, CANVAS = Box(40, 24, 176, 160), (320, 240)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    save_settings(settings)
    made = Watched(settings)
    yield made
    made.close()


def test_every_candidate_comes_in_the_box_s_size_and_keeps_what_is_not_masked(watched: Watched):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BOX.height, BOX.width, 3), np.uint8)
    mask = np.zeros((BOX.height, BOX.width), np.uint8)
    mask[40:120, 30:140] = 255
    selections = [Selection(mask), Selection(mask, 0.5, "a red apple")]
    values = {"schedule.steps": 2, "noise.batch": 2, "prompt.text": "a cat"}
    workflow = load(shipped("workflows") / "canvas_inpaint.json")
    asked = request(workflow, Source(pixels, BOX, CANVAS), selections, Intent.FILL, values, 16)
    for name, data in asked.files.items():
        entry = asked.document.assets[name]
        assert keep_bytes(data, ".png", watched.settings) == entry["sha256"]
    graph = graph_to_json(asked.document.graph)
    last = watched.run(
        graph, targets=list(asked.results), assets=asked.document.assets, previews=True
    )
    assert isinstance(last, events.RunFinished), last
    assert last.outputs == []  # nothing is saved
    assert watched.told(events.Preview)
    candidates = []
    for item in range(2):
        answer = watched.client.ask(
            "render", graph=graph, assets=asked.document.assets,
            node=asked.results[0], port="patch", item=item, longest=LONGEST,
        ).result(30)  # fmt: skip
        patch = np.frombuffer(answer["payload"], np.uint8).reshape(answer["shape"])
        assert patch.shape == (BOX.height, BOX.width, 4)
        assert patch[asked.mask == 0, 3].max() == 0
        made = apply(pixels, patch)
        assert np.array_equal(made[asked.mask == 0], pixels[asked.mask == 0])
        candidates.append(made)
    assert not np.array_equal(*candidates)


def test_bytes_are_kept_once(tmp_path: Path):
    settings = Settings(home=tmp_path)
    names = {keep_bytes(b"abc", ".png", settings) for _ in range(2)}
    assert len(names) == 1
    assert [path.read_bytes() for path in settings.assets.iterdir()] == [b"abc"]
