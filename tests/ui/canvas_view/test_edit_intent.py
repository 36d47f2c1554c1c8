"""Editing by instruction on the canvas: the intent, reference layers, and what prompts call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_models
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from nodeforge.canvas import (
    CanvasEdit,
    LayerKind,
    Tiles,
    add_layer,
    premultiplied,
    set_layer,
    straight,
)
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.ui.canvas_view.generation.staging_area import Candidate
from nodeforge.ui.canvas_view.rendering.qt_images import to_pixels
from nodeforge.ui.window.main_window import MainWindow
from support.canvas_driver import CanvasDriver, driver_in
from support.processes import ForkedWorker
from tests.ui.canvas_view.test_generation import LONG, fox, masked


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_folder(tmp_path_factory.mktemp("editor"), edits=True)


@pytest.fixture
def edited(canvas_window: MainWindow, editor: Path) -> Iterator[CanvasDriver]:
    made = driver_in(canvas_window, fox())
    made.tab.opened.granted.append(str(editor))
    yield made
    canvas_window.workspace.close(made.tab.opened)


def choose(driver: CanvasDriver, intent: Intent) -> None:
    menu = driver.editor.generate.intents
    menu.setCurrentIndex(menu.findData(intent))
    menu.activated.emit(menu.currentIndex())


def reference(driver: CanvasDriver, name: str, seed: int = 0, size: int = 40) -> str:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    tiles = Tiles.of(premultiplied(pixels))
    driver.session.perform(add_layer(driver.canvas, LayerKind.REFERENCE, name=name, tiles=tiles))
    return driver.canvas.active.id


def test_edit_comes_first_where_the_model_edits_and_explains_itself_elsewhere(edited, editor):
    panel, form = edited.editor.generate, edited.editor.form
    assert panel.intents.itemData(0) == Intent.FILL
    choose(edited, Intent.EDIT)
    assert form.current_values()["edit_model.file"] == "nano-edit"  # which is shipped
    assert panel.explains.text() == METHODS[Intent.EDIT].explains
    assert panel.fields["instruction.text"].editor().placeholderText() == (
        METHODS[Intent.EDIT].describes
    )
    form.set("edit_model.file", "nano")
    assert "nano does not edit by instruction. Choose an edit model" in panel.explains.text()
    form.set("edit_model.file", "")
    assert "Choose an edit model" in panel.explains.text()
    form.set("edit_model.file", str(editor))
    assert panel.intents.itemData(0) == Intent.EDIT
    assert panel.explains.text() == METHODS[Intent.EDIT].explains
    choose(edited, Intent.FILL)
    assert form.current_values()["model.file"] == "nano"  # each has its own


def test_an_edit_model_is_offered_to_edit_with(edited, editor):
    form, panel = edited.editor.form, edited.editor.generate
    form.set("model.file", str(editor))
    assert form.intent is Intent.EDIT
    assert form.current_values()["edit_model.file"] == str(editor)
    choose(edited, Intent.FILL)  # and not again, once the person has chosen
    form.set("model.file", "nano")
    form.set("model.file", str(editor))
    assert form.intent is Intent.FILL
    assert panel.intents.itemData(0) == Intent.EDIT


def test_layers_are_completed_and_followed_when_they_are_renamed(edited):
    choose(edited, Intent.EDIT)
    layer = reference(edited, "red jacket")
    text = edited.editor.generate.fields["instruction.text"].editor()
    text.setFocus()
    QTest.keyClicks(text, "put <la")
    assert text.completion.suggestions == ["<layer:red jacket>"]
    QTest.keyClick(text, Qt.Key.Key_Tab)
    QTest.keyClicks(text, " on it")
    form = edited.editor.form
    assert form.values["instruction.text"] == "put <layer:red jacket> on it"
    mask = add_layer(edited.canvas, LayerKind.MASK, prompt="wear <layer:red jacket>")
    edited.session.perform(mask)
    edited.session.perform(set_layer(edited.canvas, layer, name="Blouse"))
    assert form.values["instruction.text"] == "put <layer:Blouse> on it"
    assert text.toPlainText() == "put <layer:Blouse> on it"
    assert edited.canvas.active.prompt == "wear <layer:Blouse>"
    edited.undo()
    assert form.values["instruction.text"] == "put <layer:red jacket> on it"
    assert edited.canvas.active.prompt == "wear <layer:red jacket>"


def test_layers_are_completed_in_the_prompts_of_masks_too(edited):
    reference(edited, "red jacket")
    edited.session.perform(add_layer(edited.canvas, LayerKind.MASK))
    for name in ("prompt", "negative"):
        text = edited.editor.layers.properties.fields[name].editor()
        text.setFocus()
        QTest.keyClicks(text, "wear <la")
        assert text.completion.suggestions == ["<layer:red jacket>"]
        QTest.keyClick(text, Qt.Key.Key_Tab)
        assert getattr(edited.canvas.active, name) == "wear <layer:red jacket>"


def test_what_an_instruction_calls_and_is_not_there_is_refused_in_words(qtbot, edited, editor):
    choose(edited, Intent.EDIT)
    for text, fact in (("", "there is no instruction"), ("as <layer:x>", "the layer 'x'")):
        edited.editor.form.set("edit_model.file", str(editor))
        edited.editor.form.set("instruction.text", text)
        with qtbot.waitSignal(edited.editor.generator.refused, timeout=LONG) as refused:
            edited.tab.generate()
        assert fact in refused.args[0]


def test_an_edit_end_to_end(qtbot, open_window, editor):
    driver = driver_in(open_window(ForkedWorker), fox())
    driver.tab.opened.granted.append(str(editor))
    mask, before = masked(driver), driver.pixels()
    choose(driver, Intent.EDIT)
    form, staging = driver.editor.form, driver.editor.staging
    form.seed_mode = "fixed"
    values = {"instruction.text": "make it night", "schedule.steps": 2, "noise.batch": 2}
    for name, value in (values | {"edit_model.file": str(editor)}).items():
        form.set(name, value)
    driver.view.setFocus()
    qtbot.keyClick(driver.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not driver.editor.generator.busy, timeout=LONG)
    assert staging.count == 2, driver.window.area.message_bars.text("canvas")
    assert staging.candidate.name == "make it night"
    qtbot.keyClick(driver.view, Qt.Key.Key_Return)
    after = driver.pixels()
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask > 0] != before[mask > 0]).any()
    reference(driver, "too many")
    with qtbot.waitSignal(driver.editor.generator.refused, timeout=LONG) as refused:
        driver.tab.generate()
    assert "takes 1 reference picture, these are 2" in refused.args[0]
    assert "hide reference layers" in refused.args[0]


@pytest.fixture
def staged(edited):
    """A candidate that drifts a little everywhere and changes a square."""
    before = straight(edited.pixels())
    drift = np.random.default_rng(3).integers(-3, 4, before.shape)
    patch = np.clip(before + drift, 0, 255).astype(np.uint8)
    patch[100:150, 60:120] = (20, 200, 40, 255)
    patch[..., 3] = 255
    edited.editor.staging.add(Candidate(patch, edited.canvas.box, "green"))
    return edited


def press_unchanged(driver: CanvasDriver) -> None:
    button = driver.editor.staging_bar.buttons["unchanged"]
    assert button.isEnabled()
    button.click()


def test_unchanged_parts_are_kept_by_one_button(staged):
    before, steps = staged.pixels(), len(staged.document.history)
    press_unchanged(staged)
    staging = staged.editor.staging
    assert staged.editor.staging_bar.buttons["unchanged"].isChecked()
    assert not staged.view.candidate_overlay.aside
    assert staged.canvas.active.name == "What changed"
    assert not staged.canvas.active.visible
    assert staging.accept()
    after = staged.pixels()
    far = np.ones(after.shape[:2], bool)
    far[85:165, 45:135] = False
    assert np.array_equal(after[far], before[far])
    assert (after[105:145, 65:115, :3] == (20, 200, 40)).all()
    assert [layer.name for layer in staged.canvas.state.layers] == ["fox", "green"]
    staged.undo()
    assert np.array_equal(staged.pixels(), before)
    staged.undo()
    assert len(staged.document.history) == steps


def test_its_mask_is_painted_and_the_candidate_follows(staged):
    whole = staged.editor.staging.candidate.patch
    press_unchanged(staged)
    layer, staging = staged.canvas.active.id, staged.editor.staging
    assert staging.candidate.patch[10, 10, 3] == 0
    white = Tiles.of(np.full((256, 256), 255, np.uint8))
    staged.session.perform(set_layer(staged.canvas, layer, visible=True))
    staged.session.perform(
        CanvasEdit(
            staged.canvas,
            "paint",
            lambda now: now.with_layer(now.layer(layer).with_tiles(white)),
        )
    )
    assert staging.candidate.patch[10, 10, 3] == 255
    press_unchanged(staged)  # off again
    assert np.array_equal(staging.candidate.patch, whole)
    assert layer not in {each.id for each in staged.canvas.state.layers}


def test_of_a_stroke_on_its_mask_only_what_it_touches_is_cut(staged):
    """172 ms a dab on 2048² before, 0.5 ms now; what is shown is what a whole cut would be."""
    press_unchanged(staged)
    candidate, overlay = staged.editor.staging.candidate, staged.view.candidate_overlay
    mask = staged.canvas.active.id
    staged.session.perform(set_layer(staged.canvas, mask, visible=True))
    staged.tool("brush", size=60.0)
    for tool in ("brush", "eraser"):
        staged.tool(tool, size=60.0)
        staged.pointer.drag([(20, 20), (200, 180), (300, 60)])
        painted = candidate.patch.copy()
        candidate.cut_by(staged.canvas.state.layer(mask), candidate.box)
        assert np.array_equal(painted, candidate.patch)
        pieces = [to_pixels(piece) for _, piece in overlay._pieces]
        overlay.show(candidate.image, candidate.box)
        whole = [to_pixels(piece) for _, piece in overlay._pieces]
        assert all(map(np.array_equal, pieces, whole))


def test_a_candidate_that_is_dropped_takes_its_mask_along(staged):
    press_unchanged(staged)
    staged.editor.staging.discard()
    assert [layer.name for layer in staged.canvas.state.layers] == ["fox"]


def test_a_picture_that_was_moved_is_moved_back(qtbot, edited):
    before = straight(edited.pixels())
    patch = np.roll(before, (2, 3), (0, 1))
    patch[150:190, 150:200] = (250, 20, 200, 255)
    edited.editor.staging.add(Candidate(patch, edited.canvas.box, "moved"))
    with qtbot.waitSignal(edited.session.status_message) as told:
        press_unchanged(edited)
    assert "moved the picture by 3 px right and 2 px down: moved back" in told.args[0]
    edited.editor.staging.accept()
    assert np.array_equal(edited.pixels()[20:120, 20:120], premultiplied(before)[20:120, 20:120])


def test_an_edit_that_changed_nothing_says_so(qtbot, edited):
    patch = straight(edited.pixels())
    edited.editor.staging.add(Candidate(patch, edited.canvas.box, "same"))
    with qtbot.waitSignal(edited.session.status_message) as told:
        press_unchanged(edited)
    assert "differs nowhere" in told.args[0]
    assert not edited.editor.staging_bar.buttons["unchanged"].isChecked()
