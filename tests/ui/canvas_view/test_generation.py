"""Generating on the canvas, with a real worker and the shipped model."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from nodeforge.canvas import LayerKind, State, Tiles, add_layer, premultiplied, set_layer
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.loras import LORA, Lora
from nodeforge.canvas.generation.special_models import SPECIAL
from nodeforge.formats import document_to_json, read, write
from nodeforge.graph.document import Document
from nodeforge.imaging import Box
from nodeforge.settings import shipped
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.generation.staging_area import Candidate
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.running.job_queue import CANCELLED
from nodeforge.ui.window.main_window import MainWindow
from support.canvas_driver import CanvasDriver, driver_in
from support.processes import ForkedWorker
from support.windows import active_run, forget_runs

LONG = 240_000
"""Milliseconds; a busy machine takes a minute to import the worker's libraries."""
STEPS = 2


def fox() -> State:
    """The shipped picture of a fox, 256 x 256."""
    with Pillow.open(shipped("resources") / "examples" / "fox.png") as picture:
        pixels = premultiplied(np.asarray(picture.convert("RGB")))
    state = State(256, 256)
    return with_new(state, new_layer(state, LayerKind.PICTURE, "fox", tiles=Tiles.of(pixels)))


def masked(driver: CanvasDriver, left: int = 90, top: int = 90, side: int = 75) -> np.ndarray:
    """Put a square mask on; 255 where it is."""
    box = Box(left, top, side, side)
    mask = np.zeros((256, 256), np.uint8)
    mask[box.top : box.bottom, box.left : box.right] = 255
    driver.session.perform(add_layer(driver.canvas, LayerKind.MASK, tiles=Tiles.of(mask)))
    return mask


def quick(driver: CanvasDriver, **values) -> None:
    """Few steps, and a seed that stays."""
    form = driver.editor.form
    form.seed_mode = "fixed"
    for name, value in {"schedule.steps": STEPS, **values}.items():
        form.set(name, value)


@pytest.fixture
def painted(canvas_window: MainWindow) -> Iterator[CanvasDriver]:
    """The fox, and a worker that never answers."""
    made = driver_in(canvas_window, fox())
    yield made
    forget_runs(canvas_window)
    canvas_window.workspace.close(made.tab.opened)


def candidate(colour: int, **about) -> Candidate:
    """A patch of one grey whose left half is transparent."""
    box = Box(64, 64, 64, 64)
    patch = np.full((box.height, box.width, 4), colour, np.uint8)
    patch[..., 3] = 255
    patch[:, : box.width // 2] = 0
    return Candidate(patch, box, **about)


def test_a_generation_end_to_end(qtbot, open_window):
    driver = driver_in(open_window(ForkedWorker), fox())
    mask, before, steps = (
        masked(driver),
        driver.pixels(),
        len(driver.document.history),
    )
    quick(driver, **{"noise.batch": 2, "prompt.text": "a cat"})
    staging, previews = driver.editor.staging, []
    candidate_overlay = driver.view.candidate_overlay
    candidate_overlay.changed.connect(lambda: previews.append(candidate_overlay.image is not None))
    driver.view.setFocus()
    qtbot.keyClick(driver.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert driver.editor.generator.busy
    qtbot.waitUntil(lambda: not driver.editor.generator.busy, timeout=LONG)
    assert any(previews)
    assert staging.count == 2, driver.window.area.message_bars.text("canvas")
    assert len(driver.document.history) == steps
    assert np.array_equal(driver.pixels(), before)  # nothing changes until it is accepted
    first = staging.candidate
    qtbot.keyClick(driver.view, Qt.Key.Key_Left)
    assert staging.candidate is not first
    qtbot.keyClick(driver.view, Qt.Key.Key_Return)
    after = driver.pixels()
    assert len(driver.document.history) == steps + 1
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask > 0] != before[mask > 0]).any()
    assert not staging.is_open
    assert driver.tab.opened.generations[-1]["values"]["prompt.text"] == "a cat"
    driver.undo()
    assert np.array_equal(driver.pixels(), before)

    quick(driver, **{"noise.seed": 7, "schedule.steps": 60})  # and one that is stopped on the way
    driver.editor.generator.generate()
    made = driver.editor.generator.current_run
    assert made is not None
    qtbot.waitUntil(lambda: made.step[0] > 0, timeout=LONG)
    driver.undo()  # also while it runs
    qtbot.keyClick(driver.view, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not driver.window.runner.busy, timeout=LONG)
    assert not driver.editor.generator.busy
    assert not staging.is_open


@pytest.mark.parametrize(("steps", "used"), [(None, 4), (3, 3), (30, 4)])
def test_live_takes_few_steps_also_where_they_are_left_to_the_model(qtbot, painted, steps, used):
    """It ended in an internal error there, which is where everybody begins."""
    masked(painted, 60, 60, 130)
    painted.editor.form.set("schedule.steps", steps)
    with qtbot.waitSignal(painted.editor.generator.changed):
        painted.do("canvas.live")
    assert painted.editor.generator.current_run.values["schedule.steps"] == used
    painted.do("canvas.live")


def test_live_repaints_after_the_last_dab(qtbot, open_window):
    driver = driver_in(open_window(ForkedWorker), fox())
    masked(driver, 60, 60, 130)
    quick(driver)
    driver.do("canvas.live")
    staging = driver.editor.staging
    qtbot.waitUntil(lambda: staging.candidate is not None, timeout=LONG)
    first = staging.candidate
    driver.tool("brush", size=40)
    driver.pointer.drag([(100, 100), (140, 140)])
    qtbot.waitUntil(lambda: staging.candidate is not first, timeout=LONG)
    assert staging.count == 1
    assert all(each.live for each in staging.candidates)
    driver.do("canvas.live")
    qtbot.waitUntil(lambda: not driver.window.runner.busy, timeout=LONG)
    qtbot.waitUntil(lambda: not driver.editor.generator.busy, timeout=LONG)
    assets = driver.window.workspace.settings.assets
    assert len(list(assets.glob("*.png"))) == 2  # picture and mask of what is shown, no more


def test_an_empty_mask_is_refused_in_words(qtbot, painted):
    painted.editor.form.choose_intent(Intent.REMOVE)
    with qtbot.waitSignal(painted.editor.generator.refused, timeout=LONG) as refused:
        painted.tab.generate()
    assert "no mask" in refused.args[0]
    assert "no mask" in painted.window.area.message_bars.text("canvas")
    assert not painted.editor.generator.busy


def test_a_selection_is_the_mask_where_there_is_none(qtbot, painted):
    painted.session.snapping.enabled = False
    painted.tool("rectangle")
    painted.pointer.drag([(60, 60), (100, 100), (140, 140)])
    made = []
    painted.editor.generator.generate()
    qtbot.waitUntil(lambda: painted.window.runner.busy, timeout=LONG)
    made = painted.editor.generator.current_run.generation
    assert made.mask[80, 80] == 255
    assert made.mask[10, 10] == 0
    painted.editor.generator.cancel()


def test_a_box_beyond_the_canvas_is_refused_once_the_canvas_has_shrunk(qtbot, painted):
    from nodeforge.canvas import crop_canvas

    masked(painted)
    painted.session.set_box(Box(128, 128, 128, 128))
    painted.session.perform(crop_canvas(painted.canvas, Box(0, 0, 160, 160)))
    with qtbot.waitSignal(painted.editor.generator.refused, timeout=LONG) as refused:
        painted.tab.generate()
    assert "Move the box" in refused.args[0]


def test_closing_the_tab_during_a_generation_stops_it(qtbot, canvas_window):
    driver = driver_in(canvas_window, fox())
    masked(driver)
    driver.editor.generator.generate()
    qtbot.waitUntil(lambda: canvas_window.runner.busy, timeout=LONG)
    canvas_window.workspace.close(driver.tab.opened)
    assert active_run(canvas_window).wanted == CANCELLED
    forget_runs(canvas_window)


def test_closing_the_window_during_a_generation_asks_once_and_stops_it(qtbot, open_window):
    window = open_window()
    driver = driver_in(window, fox())
    masked(driver)
    driver.editor.generator.generate()
    qtbot.waitUntil(lambda: window.runner.busy, timeout=LONG)
    driver.tab.opened.mark_saved()

    def stop() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(each for each in box.buttons() if each.text() == "&Stop and close").click()

    QTimer.singleShot(100, stop)
    window.close()
    assert not window.isVisible()
    assert active_run(window).wanted == CANCELLED


def test_a_generation_that_waits_in_the_queue_is_taken_off_it(qtbot, painted):
    masked(painted)
    painted.editor.generator.generate()
    painted.editor.generator.generate()
    qtbot.waitUntil(lambda: len(painted.window.runner.jobs.waiting) == 1, timeout=LONG)
    assert painted.tab.cancel()
    assert not painted.window.runner.jobs.waiting


def test_a_stroke_in_hand_is_in_the_generation(qtbot, painted):
    painted.tool("brush", size=40, hardness=1.0)
    masked(painted)
    painted.do("canvas.swap_mask")
    painted.pointer.press((30, 30))
    painted.pointer.move((60, 30))
    steps = len(painted.document.history)
    painted.tab.generate()
    assert len(painted.document.history) == steps + 1
    painted.editor.generator.cancel()


def test_candidates_are_shown_compared_and_discarded(qtbot, painted):
    staging, candidate_overlay = painted.editor.staging, painted.view.candidate_overlay
    for colour in (40, 80, 120):
        staging.add(candidate(colour))
    assert staging.index == 2
    qtbot.keyClick(painted.view, Qt.Key.Key_Right)
    assert staging.index == 0
    qtbot.keyPress(painted.view, Qt.Key.Key_Backslash)
    assert candidate_overlay.hidden
    qtbot.keyRelease(painted.view, Qt.Key.Key_Backslash)
    assert not candidate_overlay.hidden
    painted.editor.staging_bar.split.setValue(50)
    assert candidate_overlay.split == 0.5
    for left in (2, 1, 0):
        qtbot.keyClick(painted.view, Qt.Key.Key_Backspace)
        assert staging.count == left
    assert not painted.editor.staging_bar.isVisible()
    assert len(painted.document.history) == 0


def test_prompts_are_counted_in_tokens_as_in_the_graph(painted):
    panel, form = painted.editor.generate, painted.editor.form
    field = panel.fields["prompt.text"]
    form.set("prompt.text", "a (cat:1.3) on a red chair")
    assert field.editor().height() > 50  # room for more than a line
    assert field.token_text.endswith("tokens")
    fewer = field.token_text
    form.set("prompt.text", "a cat on a red chair in a garden")
    assert field.token_text != fewer
    form.set("model.file", "none such.safetensors")
    assert field.token_text == ""
    form.set("model.file", "nano")
    assert field.token_text.endswith("tokens")


def test_settings_of_a_picture_of_one_draw_make_it_alone(painted):
    form = painted.editor.form
    record = {"values": {"noise.seed": 5, "noise.batch": 3}, "item": 2}
    form.restore(record)
    assert "noise.item" not in form.current_values()  # each has its own seed
    form.workflow.node("sampler").values["convention"] = "comfyui"
    assert form.current_values()["noise.item"] == 2
    run = painted.editor.generator.start(form.current_values())
    assert run.seed_of_item(0) == (5, ())
    assert run.item == 2
    painted.editor.generator.cancel()
    form.set("noise.seed", 6)
    assert "noise.item" not in form.current_values()


def test_more_like_this_varies_the_noise_of_what_is_shown(qtbot, painted):
    masked(painted)
    form, generator = painted.editor.form, painted.editor.generator
    staging = painted.editor.staging
    staging.add(candidate(90, name="a cat", seed=5, record={"values": {"prompt.text": "a cat"}}))
    painted.do("canvas.more")
    made = generator.current_run
    assert made.values["noise.seed"] == 5
    assert made.values["prompt.text"] == "a cat"
    assert made.values["noise.variations"].endswith(":0.35")
    assert [made.seed_of_item(item)[0] for item in range(3)] == [5, 5, 5]
    (seed, share), second = made.seed_of_item(0)[1][0], made.seed_of_item(1)[1][0]
    assert second == (seed + 1, share)
    generator.cancel()
    qtbot.waitUntil(lambda: not generator.busy, timeout=LONG)
    staging.add(candidate(90, seed=5, variations=(second,)))  # more of one that was varied
    assert staging.candidate.description == "Generated, seed 5, varied"
    generator.more_like_this()
    text = generator.current_run.values["noise.variations"]
    assert text.startswith(f"{second[0]}:{share:g}, ")
    assert "noise.variations" not in form.current_values()
    generator.cancel()


def test_a_part_is_painted_in(qtbot, painted):
    before = painted.pixels()
    painted.editor.staging.add(candidate(40, name="a cat"))
    painted.do("canvas.accept_part")
    painted.session.tool.set("size", 20)
    painted.session.tool.set("hardness", 1.0)
    painted.pointer.drag([(70, 96), (110, 96)])
    after = painted.pixels()
    assert after[96, 110].tolist() == [40, 40, 40, 255]
    assert np.array_equal(after[96, 70], before[96, 70])  # transparent in the candidate
    assert np.array_equal(after[120, 110], before[120, 110])
    qtbot.keyClick(painted.view, Qt.Key.Key_Return)
    assert not painted.editor.staging.is_open
    assert painted.session.tool.name == "brush"
    assert painted.canvas.active.name == "a cat"


def test_each_intent_has_its_strength_and_the_form_follows(painted):
    panel, form = painted.editor.generate, painted.editor.form
    form.choose_intent(Intent.REFINE)
    assert form.strength == pytest.approx(0.4)
    assert "schedule.strength" in panel.fields
    assert panel.fields["prompt.text"].editor().accessibleName() == "Prompt"
    form.set("prompt.text", "a fox")
    form.choose_intent(Intent.EXPAND)
    assert form.current_values()["prompt.text"] == "a fox"


def test_a_saved_document_keeps_the_form(painted):
    """Window B20: a reopened project had intent Fill, batch 4 and seed 1."""
    form, opened = painted.editor.form, painted.tab.opened
    opened.generations.append({"intent": "fill", "values": {"noise.seed": 1, "noise.batch": 4}})
    form.choose_intent(Intent.EXPAND)
    form.set("noise.seed", 2895970384)
    form.set("noise.batch", 1)
    form.choose_seed_mode("increment")
    document = read(write(opened.document))
    again = GenerationForm(OpenDocument(document), painted.window.workspace)
    assert again.intent is Intent.EXPAND
    assert again.current_values() == form.current_values()
    assert again.current_values()["noise.seed"] == 2895970384
    assert again.seed_mode == "increment"


def test_a_change_of_the_form_is_saved_with_the_document(painted, tmp_path: Path):
    """A form's values were kept, but the document did not ask to be saved."""
    form, opened, window = painted.editor.form, painted.tab.opened, painted.window
    changes = (
        lambda: form.set("prompt.text", "a cat"),
        lambda: form.choose_intent(Intent.EXPAND),
        lambda: form.choose_seed_mode("increment"),
        lambda: form.choose_seed_mode("fixed"),
        lambda: form.set("noise.seed", 5),
    )
    for change in changes:
        window.workspace.save(opened, tmp_path / "mine.nforge")
        assert not opened.modified
        change()
        assert opened.modified
    form.choose_seed_mode("random")
    window.workspace.save(opened, tmp_path / "mine.nforge")
    form.next_seed()  # drawn for a run: no change of the person's
    form.set("prompt.text", "a cat")
    assert not opened.modified


@pytest.mark.parametrize("saved", [7, {"values": 3}, {"intent": "none"}, {"seed_mode": []}])
def test_a_form_of_a_wrong_kind_is_passed_over(painted, saved):
    document = Document()
    document.view.extra["canvas_form"] = saved
    form = GenerationForm(OpenDocument(document), painted.window.workspace)
    assert form.intent is Intent.FILL
    assert form.seed_mode == "random"


def test_what_was_accepted_before_can_be_asked_for_again(painted):
    window, form = painted.window, painted.editor.form
    values = {"prompt.text": "a  cat", "noise.seed": 7, "schedule.strength": 0.5}
    workflow = document_to_json(form.workflow)
    record = {"intent": "refine", "values": values, "workflow": workflow}
    painted.tab.opened.generations.append(record)
    history = painted.editor.generate.history
    history.fill()
    (entry,) = history.menu().actions()
    assert entry.text() == "a cat · refine · seed 7"
    again, opening = entry.menu().actions()
    again.trigger()
    assert form.intent is Intent.REFINE
    assert form.current_values()["noise.seed"] == 7
    assert form.seed_mode == "fixed"
    opening.trigger()
    opened = window.workspace.current
    assert opened.document.graph.nodes.keys() == workflow["nodes"].keys()
    window.workspace.close(opened)


def test_a_control_layer_steers_and_a_hidden_one_does_not(qtbot, painted):
    driver, form = painted, painted.editor.form
    masked(driver)
    assert form.workflow_name == "canvas_inpaint"
    drawn = np.zeros((256, 256, 4), np.uint8)
    drawn[100:104, 60:200] = 255
    driver.session.perform(add_layer(driver.canvas, LayerKind.CONTROL, tiles=Tiles.of(drawn)))
    assert form.workflow_name == "canvas_control"
    assert "Control strength" in [entry.label for entry in form.entries()]
    assert form.strength == 1.0
    driver.editor.generator.generate()
    made = driver.editor.generator.current_run
    qtbot.waitUntil(lambda: made.generation is not None, timeout=LONG)
    assert "canvas_control.png" in made.generation.files
    layer = driver.canvas.state.active
    driver.session.perform(set_layer(driver.canvas, layer, visible=False))
    assert form.workflow_name == "canvas_inpaint"


def test_the_workflow_opens_as_a_graph_and_generate_runs_it(painted):
    window, form = painted.window, painted.editor.form
    painted.do("canvas.open_workflow")
    opened = window.workspace.current
    assert opened is not painted.tab.opened
    assert window.area.canvas is None
    assert form.workflow is opened.document
    window.workspace.close(opened)
    assert form.custom_workflow is None


def test_what_is_taken_off_the_queue_by_hand_is_over(qtbot, painted):
    masked(painted)
    painted.editor.generator.generate()
    painted.editor.generator.generate()
    jobs = painted.window.runner.jobs
    qtbot.waitUntil(lambda: len(jobs.waiting) == 1, timeout=LONG)
    jobs.cancel_waiting()
    assert len(painted.editor.generator._runs) == 1
    painted.editor.generator.cancel()


def test_painting_asks_for_no_plan_of_the_graph(qtbot, painted):
    asked = []
    painted.tab.opened.graph_changed.connect(lambda: asked.append(True))
    painted.tool("brush")
    painted.pointer.click((20, 20))
    assert len(painted.document.history) == 1
    assert not asked


def test_enter_in_a_field_accepts_no_candidate(qtbot, painted):
    painted.editor.staging.add(candidate(40))
    size = painted.editor.options.fields["size"].editor()
    strength = painted.editor.generate.fields["schedule.steps"].editor()
    for field in (size, strength):
        field.setFocus()
        qtbot.keyClicks(field, "7")
        qtbot.keyClick(field, Qt.Key.Key_Return)
        qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert painted.editor.staging.count == 1
    assert len(painted.document.history) == 0


def test_outpainting_is_one_drag_of_the_box(qtbot, open_window):
    """The box goes over the edge, Generate continues the picture there, and the canvas grows."""
    driver = driver_in(open_window(ForkedWorker), fox())
    quick(driver)
    before, steps = driver.pixels(), len(driver.document.history)
    driver.tool("box")
    QApplication.processEvents()
    driver.pointer.drag([(100, 30), (-96, 190)])
    box = driver.session.box
    assert box == Box(-96, 30, 192, 160)
    assert driver.editor.form.intent is Intent.EXPAND
    assert "beyond" in driver.editor.generate.box.text()
    driver.editor.generator.generate()
    qtbot.waitUntil(lambda: not driver.editor.generator.busy, timeout=LONG)
    assert driver.editor.staging.count == 1, driver.window.area.message_bars.text("canvas")
    assert np.array_equal(driver.pixels(), before)  # the canvas grows on accept
    driver.editor.staging.accept()
    assert driver.canvas.size == (96 + 256, 256)
    after = driver.pixels()
    assert np.array_equal(after[:, 96:], before)
    new = after[30:190, :96]
    assert (new[..., 3] > 0).mean() > 0.95
    assert new[..., :3].std() > 5
    assert driver.session.box is None
    assert len(driver.document.history) == steps + 1
    driver.undo()
    assert np.array_equal(driver.pixels(), before)


def test_expanding_by_pixels_chooses_box_and_intent(painted, monkeypatch):
    made = []
    monkeypatch.setattr(painted.editor.generator, "start", lambda values, *_: made.append(values))
    commands = painted.tab.commands
    commands.expand_by(0, 0, 64, 0)
    assert painted.editor.form.intent is Intent.EXPAND
    side = painted.editor.form.native.side
    assert painted.session.box == Box(256 + 64 - side, 0, side, 256)
    commands.expand_by(32, 16, 0, 8)
    assert painted.session.box == Box(-32, -16, 288, 280)
    assert len(made) == 2
    seen = painted.view.camera.transform().mapRect(QRectF(*painted.session.box))
    assert QRectF(painted.view.rect()).contains(seen)


def test_painting_in_a_candidate_beyond_the_picture_grows_the_canvas_first(painted):
    patch = np.full((64, 128, 4), 200, np.uint8)
    patch[..., 3] = 255
    painted.editor.staging.add(Candidate(patch, Box(-64, 32, 128, 64)))
    painted.editor.staging.accept_part()
    assert painted.canvas.size == (320, 256)
    painted.session.tool_options.set("paint_in", painted.session.tool.options[0], 20)
    painted.pointer.drag([(20, 60), (40, 60)])
    painted.session.commit()
    assert (painted.pixels()[60, 20:40, :3] == 200).all()


@pytest.mark.parametrize("intent", Intent)
def test_every_intent_says_what_it_does(painted, intent):
    painted.editor.form.choose_intent(intent)
    panel = painted.editor.generate
    none_ships = intent is Intent.SEPARATE  # it has no model until the person chooses one
    needs = SPECIAL[intent].models if none_ships else METHODS[intent].explains
    assert panel.explains.text() == needs
    assert panel.expand.isVisibleTo(panel) == (intent is Intent.EXPAND)


def test_nothing_is_painted_unseen_under_a_candidate(qtbot, painted):
    """Window fault 30: a candidate is put aside by painting, and comes back when asked for."""
    staging, overlay = painted.editor.staging, painted.view.candidate_overlay
    staging.add(candidate(200))
    assert not overlay.aside
    painted.tool("brush", size=20, hardness=1.0)
    with qtbot.waitSignal(painted.session.status_message) as told:
        painted.pointer.drag([(100, 90), (120, 90)])
    assert "put aside" in told.args[0]
    assert overlay.aside
    button = painted.editor.staging_bar.buttons["show"]
    assert button.isVisibleTo(painted.editor)
    button.click()
    assert not overlay.aside
    assert not button.isVisibleTo(painted.editor)
    painted.pointer.drag([(100, 90), (120, 90)])
    staging.add(candidate(100))
    assert not overlay.aside  # another one is shown
    with qtbot.assertNotEmitted(painted.session.status_message):
        staging.accept()
        staging.add(candidate(100, live=True))
        painted.pointer.drag([(100, 90), (120, 90)])  # live goes by what is painted
    assert not overlay.aside


def test_guidance_and_sampler_are_on_the_panel_with_what_the_model_takes(qtbot, painted):
    panel, form = painted.editor.generate, painted.editor.form
    assert {"guidance.scale", "sampler.name", "schedule.steps"} <= panel.fields.keys()
    steps, scale = panel.fields["schedule.steps"], panel.fields["guidance.scale"]
    assert steps.editor().placeholderText() == "auto: 20"
    assert scale.editor().placeholderText() == "auto: 3"
    sampler = panel.fields["sampler.name"].editor()
    assert sampler.currentText() == "Auto: DPM++ 2M"
    form.set("sampler.name", "euler")
    form.set("guidance.scale", 3.0)
    values = form.current_values()
    assert (values["sampler.name"], values["guidance.scale"]) == ("euler", 3.0)


def test_loras_are_added_weighed_and_removed_on_the_panel(qtbot, painted):
    rows, form = painted.editor.generate.loras, painted.editor.form
    rows.add("nano/lora/flat")
    rows.add("nano/lora/other")
    assert form.loras == [Lora("nano/lora/flat"), Lora("nano/lora/other")]
    rows.weights[0].edited.emit(0.5, [])
    rows.files[1].edited.emit(None, [])  # use no LoRA there
    assert form.loras == [Lora("nano/lora/flat", 0.5)]
    assert len(rows.files) == 1
    form.choose_intent(Intent.REFINE)  # another workflow, the same LoRAs
    held = [node.values for node in form.workflow.graph.nodes.values() if node.type == LORA]
    assert held == [{"file": "nano/lora/flat", "model_weight": 0.5, "text_weight": 0.5}]
    opened = painted.tab.opened
    again = GenerationForm(opened, painted.window.workspace)  # as the document is opened again
    assert again.loras == form.loras
    again.deleteLater()


@pytest.mark.parametrize("width", [1024, 1366, 1900])
def test_a_candidate_moves_neither_the_panel_nor_the_picture(qtbot, painted, width):
    """Window C25: the strip of candidates moved Generate and Live by 50 px."""
    window, editor = painted.window, painted.editor
    before = window.size()
    qtbot.wait(50)
    window.resize(width, 700)
    qtbot.wait(50)
    assert (window.width(), window.height()) == (width, 700)
    places = [
        lambda: editor.generate.generate.mapTo(window, QPoint()),
        lambda: editor.layers.mapTo(window, QPoint()),
        lambda: painted.view.mapTo(window, painted.view.camera.to_view(QPointF(0, 0)).toPoint()),
    ]
    shown = [place() for place in places]
    editor.generator.changed.emit()  # a generation begins
    editor.staging.add(candidate(40))
    QApplication.processEvents()
    assert editor.staging_bar.isVisible()
    for place, expected in zip(places, shown, strict=True):
        assert (place() - expected).manhattanLength() <= 1
    assert window.width() == width
    editor.staging.discard()
    window.resize(before)


def underlined(field) -> set[str]:
    return {each.cursor.selectedText() for each in field.editor().extraSelections()}


def test_words_that_the_model_was_never_taught_are_underlined(qtbot, painted):
    panel, form = painted.editor.generate, painted.editor.form
    form.set("prompt.text", "a robot on a red background")
    field, mark = panel.fields["prompt.text"], panel._marks["prompt.text"]
    qtbot.waitUntil(lambda: underlined(field) == {"robot"})
    assert "'robot' is no word" in mark.toolTip()
    form.set("prompt.text", "a rabbit on a red background")
    qtbot.waitUntil(lambda: underlined(field) == set())
    assert mark.isHidden()


def test_words_of_a_masks_prompt_are_underlined_too(qtbot, painted):
    painted.session.perform(add_layer(painted.canvas, LayerKind.MASK))
    properties, form = painted.editor.layers.properties, painted.editor.form
    field = properties.fields["prompt"]
    field.edited.emit("a foxe in a hat", [])
    qtbot.waitUntil(lambda: underlined(field) == {"foxe", "hat"})
    form.set("model.file", "none such.safetensors")
    qtbot.waitUntil(lambda: underlined(field) == set())
    form.set("model.file", "nano")
    qtbot.waitUntil(lambda: underlined(field) == {"foxe", "hat"})
