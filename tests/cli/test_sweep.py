"""`nodeforge sweep` on nano: cells equal their plain runs, share their work, and are counted."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nodeforge.errors import RequestError
from support.command_line import WORKFLOWS, Done, workflow

TEXT_TO_IMAGE = WORKFLOWS / "text_to_image.json"
SMALL = ("--set", "noise.width=64", "--set", "noise.height=64")


def cells(done: Done) -> list[dict[str, Any]]:
    assert done.code == 0, done.err
    return [line for line in done.lines if line["event"] == "cell"]


def computed(done: Done) -> Counter[str]:
    return Counter(node for cell in cells(done) for node in cell["computed"])


def pixels(path: str) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_each_cell_is_its_plain_run_and_its_picture_says_how_it_was_made(
    in_process, tmp_path: Path
):
    axes = ("--axis", "schedule.steps=2,3", "--axis", 'prompt.text="a fox, red",a cat')
    skip = ("--skip", "schedule.steps=3,prompt.text=a cat")
    out = tmp_path / "out"
    done = in_process("sweep", TEXT_TO_IMAGE, *SMALL, *axes, *skip, "--out", out, "--json")
    made = cells(done)
    assert [list(cell["settings"].values()) for cell in made] == [
        ["2", "a fox, red"],
        ["2", "a cat"],
        ["3", "a fox, red"],
    ]
    saved = json.loads(Image.open(made[2]["outputs"][0]).text["nodeforge"])
    assert saved["nodes"]["schedule"]["values"]["steps"] == 3
    assert saved["nodes"]["prompt"]["values"]["text"] == "a fox, red"
    last = done.lines[-1]
    assert (last["event"], last["cells"], last["failed"]) == ("sweep_finished", 3, 0)
    assert last["model_calls"] == 2 + 2 + 3
    assert all(Path(each).stat().st_size for each in (*last["grids"], last["html"]))
    rows = list(csv.DictReader(Path(last["csv"]).read_text("utf-8").splitlines()))
    assert [row["files"] for row in rows] == [Path(cell["outputs"][0]).name for cell in made]
    in_process.home /= "fresh"  # a home in which nothing is cached
    plain = in_process(
        "run", TEXT_TO_IMAGE, *SMALL, "--set", "schedule.steps=3", "--set", "prompt.text=a fox, red"
    )
    assert np.array_equal(pixels(plain.out.strip()), pixels(made[2]["outputs"][0]))
    again = in_process("run", made[1]["outputs"][0])
    assert np.array_equal(pixels(again.out.strip()), pixels(made[1]["outputs"][0]))


def test_a_sweep_over_the_last_step_runs_each_step_once(in_process, tmp_path: Path):
    for order in ("5,10,15,20", "20,5,15,10"):
        out = tmp_path / order
        seed = ("--seed", order.index("5"))
        axis = ("--axis", f"denoise.stop_at={order}", *seed)
        done = in_process("sweep", TEXT_TO_IMAGE, *SMALL, *axis, "--out", out, "--json")
        assert done.lines[-1]["model_calls"] == 20


def test_a_sweep_over_guidance_encodes_the_prompts_once(in_process, tmp_path: Path):
    quick = (*SMALL, "--set", "schedule.steps=1", "--set", "prompt.text=an owl")
    axis = ("--axis", "guidance.scale=1.5:3:0.5")
    done = in_process("sweep", TEXT_TO_IMAGE, *quick, *axis, "--out", tmp_path, "--json")
    counted = computed(done)
    assert (counted["prompt"], counted["negative"], counted["model"]) == (1, 1, 1)
    assert (counted["guidance"], counted["denoise"]) == (4, 4)


def test_cells_of_equal_values_are_computed_once(in_process, tmp_path: Path):
    quick = (*SMALL, "--set", "schedule.steps=2")
    axis = ("--axis", "prompt.text=a bird,a bird,a bird")
    done = in_process("sweep", TEXT_TO_IMAGE, *quick, *axis, "--out", tmp_path, "--json")
    assert computed(done)["denoise"] == 1
    assert len({path for cell in cells(done) for path in cell["outputs"]}) == 3


def test_a_cell_that_fails_leaves_the_others(in_process, tmp_path: Path):
    (tmp_path / "file").touch()
    axis = ("--axis", "save.prefix=one,two/three,file/four")
    quick = (*SMALL, "--set", "schedule.steps=2")
    done = in_process("sweep", TEXT_TO_IMAGE, *quick, *axis, "--out", tmp_path, "--json")
    assert done.code == 1
    told = [line for line in done.lines if line["event"] == "cell"]
    assert [bool(cell["error"]) for cell in told] == [False, False, True]
    assert done.lines[-1]["failed"] == 1
    assert "file/four" in Path(done.lines[-1]["html"]).read_text("utf-8")


def test_names_never_overwrite(in_process, tmp_path: Path):
    axis = ("--axis", "schedule.steps=1,2", "--out", tmp_path)
    for _ in range(2):
        assert in_process("sweep", TEXT_TO_IMAGE, *SMALL, *axis).code == 0
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert names[4:] == [f"sweep_0000{n}.{kind}" for n in (1, 2) for kind in ("csv", "html", "png")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--axis", "schedule.steps=1,2", "--axis", "noise.seed=1", "--zip"), "differ in length"),
        (("--axis", "schedule.steps=0,2"), "'0' is not from 1 to 1000"),
        (("--axis", "schedule.step=1"), "has no value 'step'"),
        (("--axis", "prompt.text=@nowhere"), "cannot be read"),
        (("--axis", "noise.seed=1:3000:1"), "cells are more than"),
    ],
)
def test_bad_axes_are_told_before_anything_runs(refused, tmp_path: Path, arguments, words):
    with pytest.raises(RequestError) as error:
        refused("sweep", TEXT_TO_IMAGE, *arguments, "--out", tmp_path / "out")
    assert words in str(error.value)
    assert not (tmp_path / "out").exists()


def test_every_cell_is_linted_before_the_first_one_runs(refused, tmp_path: Path):
    axis = ("--axis", "model.file=nano,nowhere", "--axis", "schedule.steps=1,2")
    done = refused("sweep", TEXT_TO_IMAGE, *axis, "--out", tmp_path / "out")
    assert done.code == 2
    assert done.err.count("nowhere") == 1
    assert "In cells 3, 4." in done.err
    assert not (tmp_path / "out").exists()


def test_a_picture_that_is_not_there_is_told_before_the_first_cell_runs(refused, tmp_path: Path):
    Image.new("RGB", (64, 64)).save(tmp_path / "there.png")
    axis = ("--axis", f"image.file={tmp_path / 'there.png'},nowhere.png,../x.png")
    done = refused("sweep", WORKFLOWS / "image_to_image.json", *axis, "--out", tmp_path / "out")
    assert done.code == 2
    assert "there is no picture 'nowhere.png'" in done.err
    assert "In cell 2." in done.err
    assert "In cell 3." in done.err
    assert not (tmp_path / "out").exists()


def test_a_workflow_that_saves_nothing_is_refused(refused, tmp_path: Path):
    raw = workflow()
    del raw["nodes"]["save"], raw["links"]["save.image"]
    (tmp_path / "w.json").write_text(json.dumps(raw))
    with pytest.raises(RequestError, match="saves no picture"):
        refused("sweep", tmp_path / "w.json", "--axis", "schedule.steps=1")
