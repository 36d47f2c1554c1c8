"""`nodeforge replay` on pictures of nano."""

import json
from pathlib import Path

import numpy as np
import pytest

from nodeforge.cli.main import FAILED, WRONG
from nodeforge.engine.replay.lock import LockError
from nodeforge.imaging import PictureFormat, encode, read_text
from nodeforge.values.picture_lock import LOCK
from support.command_line import WORKFLOWS

SMALL = (
    *("--set", "schedule.steps=3", "--set", "noise.width=64", "--set", "noise.height=64"),
    *("--set", "noise.batch=2"),
)


@pytest.fixture
def pictures(in_process) -> list[Path]:
    done = in_process("run", WORKFLOWS / "text_to_image.json", *SMALL)
    assert done.code == 0, done.err
    return [Path(line) for line in done.out.splitlines()]


def state(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob("*.png")}


def test_a_picture_of_a_batch_is_made_again_and_nothing_of_the_person_is_touched(
    in_process, pictures: list[Path], tmp_path: Path
):
    before = state(in_process.home)
    done = in_process("replay", pictures[1])
    assert (done.code, done.out) == (0, "Identical: every pixel is the same.\n")
    assert state(in_process.home) == before
    done = in_process("replay", pictures[1], "--json", "--set", "noise.seed=9")
    told = json.loads(done.out)
    assert done.code == FAILED
    assert (told["alike"], told["node"], told["loop"], told["step"]) == (
        *("different", "noise", "denoise"),
        1,
    )
    assert "'seed' has another value" in told["causes"][0]
    assert state(in_process.home) == before
    kept = tmp_path / "kept"
    assert in_process("replay", pictures[0], "--out", kept).code == 0
    (first, _) = sorted(kept.iterdir())
    assert read_text(first) == read_text(pictures[0])


def test_what_is_missing_is_named_before_the_run(in_process, pictures: list[Path]):
    done = in_process("replay", pictures[0], "--set", "model.file=gone")
    assert done.code == WRONG
    assert "there is no model 'gone'" in done.err
    assert "put its file into one of the folders" in done.err
    assert not done.out
    texts = read_text(pictures[0])
    lock = json.loads(texts[LOCK]) | {"packs": {"tint": "0" * 32}}
    pixels = np.zeros((64, 64, 3), np.uint8)
    pictures[0].write_bytes(encode(pixels, PictureFormat.PNG, {**texts, LOCK: json.dumps(lock)}))
    done = in_process("replay", pictures[0])
    # A worker that ends before it has started is told by multiprocessing, on stderr, too.
    assert "pack 'tint': is not on this machine.\n    Copy it to " in done.err
    assert "the file was changed after it was saved" in done.out


def test_a_picture_without_a_lock_is_told_so(refused, tmp_path: Path):
    workflow = (WORKFLOWS / "text_to_image.json").read_text()
    path = tmp_path / "old.png"
    path.write_bytes(
        encode(np.zeros((8, 8, 3), np.uint8), PictureFormat.PNG, {"nodeforge": workflow})
    )
    with pytest.raises(LockError, match="holds no lock") as caught:
        refused("replay", path)
    assert "nodeforge run 'old.png'" in caught.value.way_out
