"""Problems of pictures come before the run, in the window too."""

import json
from pathlib import Path

import pytest
from PIL import Image

from nodeforge.graph.edits import SetValue
from nodeforge.lint import Severity
from nodeforge.settings import shipped


@pytest.fixture
def inpainting(window, home: Path):
    """The shipped inpainting, on pictures of the user's folder."""
    (home / "inputs").mkdir()
    Image.new("L", (64, 64), 0).save(home / "inputs" / "empty.png")
    Image.new("L", (64, 64), 255).save(home / "inputs" / "full.png")
    window.files.open(shipped("workflows") / "inpaint.json")
    return window.workspace.current


def rules(opened) -> set[tuple[str, str]]:
    return {(each.rule, each.node) for each in opened.problems}


def test_an_empty_mask_and_an_odd_size_are_said_and_go_again(qtbot, window, inpainting):
    """files C15, in the window."""
    inpainting.perform(SetValue("mask", "file", "empty.png"))
    qtbot.waitUntil(lambda: ("empty_masks", "mask") in rules(inpainting), timeout=20_000)
    assert all(each.severity is Severity.WARNING for each in inpainting.problems)
    inpainting.perform(SetValue("mask", "file", "full.png"))
    qtbot.waitUntil(lambda: not inpainting.problems, timeout=20_000)


def test_the_size_of_a_picture_counts_before_the_run(qtbot, window, home: Path, tmp_path: Path):
    (home / "inputs").mkdir()
    Image.new("RGB", (65, 64)).save(home / "inputs" / "odd.png")
    raw = json.loads((shipped("workflows") / "image_to_image.json").read_text())
    raw["links"] |= {"encode.image": "image.image"}
    raw["nodes"]["image"]["values"]["file"] = "odd.png"
    (tmp_path / "odd.json").write_text(json.dumps(raw))
    window.files.open(tmp_path / "odd.json")
    opened = window.workspace.current
    qtbot.waitUntil(lambda: ("sizes", "image") in rules(opened), timeout=20_000)
    assert "65 × 64" in next(each.fact for each in opened.problems if each.rule == "sizes")


def test_pictures_of_a_closed_document_are_forgotten(qtbot, window, inpainting):
    inpainting.perform(SetValue("mask", "file", "empty.png"))
    window.runner.planner._plan_current()
    window.workspace.close(inpainting)
    qtbot.wait(100)
    assert window.runner.planner._of_pictures == {}
