"""Separate into layers: the intent, its candidates, and the group that one becomes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_transformers
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from nodeforge.canvas import LayerKind, State, Tiles, add_layer, premultiplied, remove_layers
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.separation import TakenApart
from nodeforge.formats import document_from_json
from nodeforge.formats.projects.bundle import ProjectFiles
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.staging_area import Candidate, Layers
from nodeforge.ui.window.main_window import MainWindow
from support.canvas_driver import CanvasDriver, driver_in
from support.noise import noise
from support.processes import ForkedWorker
from support.windows import forget_runs
from tests.ui.canvas_view.test_generation import LONG

PLACE = Box(40, 16, 64, 48)
"""Of the layer that is taken apart."""


def picture() -> State:
    """A white canvas of 128 x 96 with an opaque picture on it."""
    state = State(128, 96)
    white = Tiles.plain(state.box, (255, 255, 255, 255))
    state = with_new(state, new_layer(state, LayerKind.PAINT, "Background", tiles=white))
    tiles = Tiles.of(noise(PLACE.height, PLACE.width, 1, opaque=True))
    place = PLACE.left, PLACE.top
    layer = new_layer(state, LayerKind.PICTURE, "fox", tiles=tiles, offset=place)
    return with_new(state, layer)


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("layered") / "any"
    tiny_transformers.qwen_image_layered(3).save_pretrained(made)
    return made


@pytest.fixture
def painted(canvas_window: MainWindow, layered: Path) -> Iterator[CanvasDriver]:
    """A worker that never answers."""
    made = driver_in(canvas_window, picture())
    made.tab.opened.granted.append(str(layered))
    yield made
    forget_runs(canvas_window)
    canvas_window.workspace.close(made.tab.opened)


def quick(driver: CanvasDriver, layered: Path) -> None:
    """Few steps in the picture's own size: the model's is 640."""
    form = driver.editor.form
    form.choose_intent(Intent.SEPARATE)
    form.seed_mode = "fixed"
    for name in ("prompt", "negative"):
        form.workflow.node(name).values["size"] = "original"
    values = {"schedule.steps": 1, "noise.layers": 3, "guidance.scale": 1.0, "noise.seed": 5}
    for name, value in (values | {"layers_model.file": str(layered)}).items():
        form.set(name, value)


def choose_in_menu(driver: CanvasDriver, layer: str, text: str) -> None:
    """What the context menu of a layer offers."""
    panel = driver.editor.layers
    item = panel._item(layer)
    panel.list.customContextMenuRequested.emit(panel.list.visualItemRect(item).center())
    menu = panel.findChildren(QMenu)[-1]
    next(each for each in menu.actions() if each.text() == text).trigger()
    menu.close()


def wait(qtbot, driver: CanvasDriver) -> None:
    qtbot.waitUntil(lambda: not driver.editor.generator.busy, timeout=LONG)


def test_a_layer_becomes_a_group_of_layers_end_to_end(qtbot, open_window, layered, tmp_path):
    driver = driver_in(open_window(ForkedWorker), picture())
    driver.tab.opened.granted.append(str(layered))
    quick(driver, layered)
    staging, bar = driver.editor.staging, driver.editor.staging_bar
    before, steps = driver.pixels(), len(driver.document.history)
    choose_in_menu(driver, "picture", "Separate into layers")
    assert driver.editor.generator.busy
    wait(qtbot, driver)
    assert staging.count == 1, driver.window.area.message_bars.text("canvas")
    first = staging.candidate
    assert (first.name, first.box, first.seed) == ("fox", PLACE, 5)
    assert len(first.layers.patches) == bar.layers.count() == 3
    assert all(each.shape == (48, 64, 4) for each in first.layers.patches)
    assert len({each.tobytes() for each in first.layers.patches}) == 3
    assert np.array_equal(driver.pixels(), before)  # nothing changes until it is accepted
    driver.do("canvas.more")
    wait(qtbot, driver)
    assert staging.count == 2
    assert staging.candidate.seed == 6
    assert staging.candidate.box == PLACE
    assert not np.array_equal(staging.candidate.patch, first.patch)
    driver.do("canvas.previous")
    driver.do("canvas.accept")
    assert not staging.is_open
    names = [each.name for each in driver.canvas.layers]
    assert names == ["Background", "fox", "fox 1", "fox 2", "fox 3", "fox"]
    assert len(driver.document.history) == steps + 1
    for layer, patch in zip(driver.canvas.layers[2:5], first.layers.patches, strict=True):
        assert np.array_equal(layer.read(PLACE), premultiplied(patch))
        assert layer.group == driver.canvas.active.id
    assert not driver.canvas.layer("picture").visible
    outside = np.ones(before.shape[:2], bool)
    outside[PLACE.top : PLACE.bottom, PLACE.left : PLACE.right] = False
    after = driver.pixels()
    assert np.array_equal(after[outside], before[outside])
    assert (after[~outside] != before[~outside]).any()

    record = driver.tab.opened.generations[-1]
    assert (record["intent"], record["layer"]) == ("separate into layers", "picture")
    assert record["values"]["noise.layers"] == 3
    ran = document_from_json(record["workflow"]).graph
    assert ran.nodes["result"].type == "canvas.layers"
    driver.undo()
    assert np.array_equal(driver.pixels(), before)
    assert [each.name for each in driver.canvas.layers] == ["Background", "fox"]

    quick(driver, layered)  # and one that is stopped on the way
    driver.editor.form.set("schedule.steps", 60)
    driver.editor.generator.generate()
    made = driver.editor.generator.current_run
    qtbot.waitUntil(lambda: made.step[0] > 0, timeout=LONG)
    driver.tab.cancel()
    qtbot.waitUntil(lambda: not driver.window.runner.busy, timeout=LONG)
    assert not staging.is_open
    assert np.array_equal(driver.pixels(), before)


def test_it_comes_first_with_a_model_that_does_it_and_explains_itself_elsewhere(painted, layered):
    form, panel = painted.editor.form, painted.editor.generate
    form.set("model.file", str(layered))
    assert form.intent is Intent.SEPARATE
    assert form.current_values()["layers_model.file"] == str(layered)
    assert panel.intents.itemData(0) == Intent.SEPARATE
    assert panel.explains.text() == METHODS[Intent.SEPARATE].explains
    assert "noise.layers" in panel.fields
    assert form.auto_values()["noise"]["layers"] == "4"
    form.set("layers_model.file", "nano")
    assert "nano does not take pictures apart into layers" in panel.explains.text()
    assert "huggingface.co" in panel.explains.text()
    form.choose_intent(Intent.EDIT)  # and such a model does not edit
    form.set("edit_model.file", str(layered))
    assert "Qwen-Image Layered does not edit by instruction" in panel.explains.text()


def test_without_such_a_model_a_layer_s_menu_says_which(qtbot, painted):
    with qtbot.waitSignal(painted.editor.generator.refused) as refused:
        choose_in_menu(painted, "picture", "Separate into layers")
    assert "Choose Qwen-Image Layered" in refused.args[0]
    assert next(iter(painted.editor.generate.fields)) == "layers_model.file"
    assert not painted.editor.generator.busy


@pytest.mark.parametrize(
    ("model", "box", "fact"),
    [("nano", None, "nano does not take"), (None, Box(0, 0, 8, 8), "pieces of 16 × 16")],
)
def test_what_cannot_be_taken_apart_is_refused_in_words(qtbot, painted, layered, model, box, fact):
    quick(painted, layered)
    if model:
        painted.editor.form.set("layers_model.file", model)
    painted.session.set_box(box)
    with qtbot.waitSignal(painted.editor.generator.refused, timeout=LONG) as refused:
        painted.tab.generate()
    assert fact in refused.args[0]


def test_a_layer_that_shows_nothing_is_refused_by_name(qtbot, painted, layered):
    quick(painted, layered)
    painted.session.perform(add_layer(painted.canvas, name="empty"))
    with qtbot.waitSignal(painted.editor.generator.refused, timeout=LONG) as refused:
        painted.do("canvas.separate")
    assert "empty" in refused.args[0]
    assert "shows nothing" in refused.args[0]


def test_masks_and_control_layers_do_not_steer_it_and_the_box_fits_the_mask(
    qtbot, painted, layered
):
    quick(painted, layered)
    mask = np.zeros((96, 128), np.uint8)
    mask[20:52, 44:92] = 255
    session, canvas = painted.session, painted.canvas
    drawn = Tiles.of(noise(96, 128, 3))
    session.perform(add_layer(canvas, LayerKind.CONTROL, tiles=drawn))
    session.perform(add_layer(canvas, LayerKind.MASK, prompt="a cat", tiles=Tiles.of(mask)))
    assert painted.editor.generator.box() == (44, 20, 48, 32)
    painted.tab.generate()
    qtbot.waitUntil(lambda: painted.window.runner.busy, timeout=LONG)
    run = painted.editor.generator.current_run
    assert run.generation.takes_apart
    assert (run.generation.mask == 255).all()  # it does not fade out at the box's edges
    assert run.taken == TakenApart("Picture")  # the layers reach beyond the mask: they stay shown
    painted.editor.generator.cancel()


def separated(name: str = "fox") -> Candidate:
    patches = tuple(noise(PLACE.height, PLACE.width, seed) for seed in (7, 8))
    taken = TakenApart(name, ("picture",), "picture")
    return Candidate(patches[1], PLACE, name, layers=Layers(patches, taken))


def test_each_layer_of_a_candidate_is_seen_alone(painted):
    painted.editor.staging.add(separated())
    staging, bar = painted.editor.staging, painted.editor.staging_bar
    overlay = painted.view.candidate_overlay
    together = overlay.image
    assert bar.layers.isVisible()
    for row in (0, 1):
        place = bar.layers.visualItemRect(bar.layers.item(row)).center()
        QTest.mouseClick(bar.layers.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert staging.layer == row
        assert overlay.image is not together
        assert not overlay.image.hasAlphaChannel()
        assert bar.words.text().endswith(f"layer {row + 1}")
    QTest.mouseClick(bar.layers.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert overlay.image is together
    for name in ("unchanged", "part"):
        assert not bar.buttons[name].isVisible()
    for name in ("canvas.keep_unchanged", "canvas.accept_part"):
        painted.do(name)  # they are for one picture, and do nothing here
    assert not staging.painting_candidate
    assert len(painted.canvas.layers) == 2
    staging.discard()
    assert not bar.layers.isVisible()


def test_a_source_that_is_gone_meanwhile_is_not_missed(painted):
    painted.editor.staging.add(separated())
    painted.session.perform(remove_layers(painted.canvas, ["picture"]))
    assert painted.editor.staging.accept()
    assert [each.name for each in painted.canvas.layers] == ["Background", "fox 1", "fox 2", "fox"]


def test_it_is_saved_with_the_project_and_its_settings_come_back(painted, tmp_path, layered):
    record = {"workflow": {}, "intent": "separate into layers", "layer": "picture"}
    made = separated()
    made.record = record | {"values": {"noise.layers": 2, "layers_model.file": str(layered)}}
    painted.editor.staging.add(made)
    painted.editor.staging.accept()
    opened, window = painted.tab.opened, painted.window
    window.workspace.save(opened, tmp_path / "x.nforge")
    again = ProjectFiles(tmp_path / "assets").load(tmp_path / "x.nforge")
    assert again.generations == [made.record]
    assert [(x.name, x.group) for x in again.canvas.layers] == (
        [(x.name, x.group) for x in painted.canvas.layers]
    )
    painted.editor.form.restore(made.record)
    assert painted.editor.form.intent is Intent.SEPARATE
    assert painted.editor.form.current_values()["noise.layers"] == 2


def test_an_accepted_layer_keeps_its_alpha(painted):
    """As of Qwen-Image 2.1, whose pictures have alpha."""
    patch = np.random.default_rng(2).integers(0, 256, (48, 64, 4), np.uint8)
    painted.editor.staging.add(Candidate(patch, PLACE, "clear"))
    painted.editor.staging.accept()
    assert np.array_equal(painted.canvas.active.read(PLACE)[..., 3], patch[..., 3])
