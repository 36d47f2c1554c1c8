"""A grid in the window: asked for at a field, filled in as cells come, saved, opened, cancelled."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu

from nodeforge.engine import events
from nodeforge.engine.events import ErrorReport
from nodeforge.engine.queue.states import State
from nodeforge.graph.edits import SetValue
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import shipped
from nodeforge.ui.sweeps.cell_painter import FACE
from nodeforge.ui.sweeps.dialogs import GridDialog
from support.windows import active_run, run_id

LEFT = Qt.MouseButton.LeftButton
PLAIN = Qt.KeyboardModifier.NoModifier


def save_picture(window, grey: int = 90) -> Path:
    """As the worker tells of a picture that a node has saved."""
    runner = window.runner
    folder = active_run(window).attempt.request.outputs
    file = folder / "nodeforge_00001.png"
    file.write_bytes(encode(np.full((24, 32, 3), grey, np.uint8), PictureFormat.PNG))
    runner.active.handle([events.Saved(run_id(window), "save", str(file))])
    return file


def finish(window, qtbot, grey: int = 90, **told) -> None:
    """End the current job as the worker would, with a picture; the next begins."""
    runner, run = window.runner, run_id(window)
    save_picture(window, grey)
    runner.active.handle([events.RunFinished(run, [], 0.2, 3, **told)])
    qtbot.waitUntil(lambda: run_id(window) != run)


def fail(window, qtbot) -> None:
    runner, run = window.runner, run_id(window)
    error = ErrorReport("OutOfMemoryError", "memory ran out.")
    runner.active.handle([events.Failed(run, "denoise", error)])
    qtbot.waitUntil(lambda: run_id(window) != run)


@pytest.fixture
def opened(window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    return window.workspace.current


def ask(window, name: str) -> GridDialog:
    window.ask_grid(name)
    return window.findChild(GridDialog)


def choose(axis, name: str, text: str = "", options: tuple[str, ...] = ()) -> None:
    axis.input.setCurrentIndex(axis.input.findData(name))
    if text:
        axis.text.setPlainText(text)
    for row in range(axis.options.count()):
        item = axis.options.item(row)
        on = item.data(Qt.ItemDataRole.UserRole) in options
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def start(window, qtbot) -> None:
    """A grid of two numbers of steps by two samplers by two prompts."""
    dialog = ask(window, "schedule.steps")
    dialog.axes[0].text.setPlainText("2:4:2")
    choose(dialog.axes[1], "sampler.name", options=("euler", "heun"))
    choose(dialog.axes[2], "prompt.text", "a fox, red\n\na cat")
    assert dialog.told.text().startswith("8 pictures (2 × 2 × 2)")
    qtbot.mouseClick(dialog.run, LEFT)
    qtbot.waitUntil(lambda: window.runner.busy)


def face(window, row: int, column: int):
    return window.sweeps.grid.table.item(row, column).data(FACE)


def headers(table, vertical: bool) -> list[str]:
    get = table.verticalHeaderItem if vertical else table.horizontalHeaderItem
    return [get(n).text() for n in range(table.rowCount() if vertical else table.columnCount())]


def entries(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def test_the_menus_of_a_field_offer_a_grid(qtbot, window, opened, monkeypatch):
    """In the inspector on the row and in the text itself, and on the node."""
    shown: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, *_: shown.append(menu))
    window.area.view.select(["schedule"])
    row = window.inspector.row("steps")
    asked = []
    window.inspector.grid_requested.connect(asked.append)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(2, 2), QPoint(2, 2))
    QApplication.sendEvent(row, event)
    assert entries(shown[-1]) == ["Grid of “steps”…", "Take off the form"]
    line = row.field.editor()
    line = line if isinstance(line, QLineEdit) else line.findChild(QLineEdit)
    if line is not None:
        line.customContextMenuRequested.emit(QPoint(1, 1))
        assert {"Grid of “steps”…", "&Paste"} <= set(entries(shown[-1]))
    monkeypatch.undo()
    shown[0].actions()[0].trigger()
    assert asked == ["schedule.steps"]
    dialog = window.findChild(GridDialog)
    assert dialog.axes[0].chosen.name == "schedule.steps"
    dialog.reject()


def test_a_grid_fills_in_also_after_its_tab_was_closed(qtbot, window, opened, tmp_path: Path):
    start(window, qtbot)
    grid = window.sweeps.grid
    assert not window.docks.all["grids"].isHidden()
    assert headers(grid.table, vertical=True) == ["schedule.steps\n2", "schedule.steps\n4"]
    assert headers(grid.table, vertical=False) == ["sampler.name\neuler", "sampler.name\nheun"]
    pages = [grid.page.itemText(n) for n in range(grid.page.count())]
    assert pages == ["prompt.text = a fox, red", "prompt.text = a cat"]
    assert face(window, 0, 0).state is State.RUNNING
    opened.mark_saved()
    window.workspace.close(opened)
    finish(window, qtbot)
    fail(window, qtbot)
    assert face(window, 0, 0).path.exists()
    assert face(window, 0, 1).error == "memory ran out."
    assert not window.area.message_bars.text("run")  # the cell says it, and the others go on
    assert face(window, 1, 0).state is State.RUNNING
    assert grid.note.text().startswith("1 of 8 done, 1 failed")
    while window.runner.busy:
        finish(window, qtbot)
    assert grid.note.text() == "7 of 8 done, 1 failed"
    grid.page.setCurrentIndex(1)
    grid.page.activated.emit(1)
    prompts = [result.cell.values[2].text for result in grid.results()]
    assert prompts.count("a cat") == 4
    assert face(window, 1, 1).path.exists()
    names = [path.name for path in grid.save_in(tmp_path / "g.png", "png")]
    assert names == ["g.png", "g_page2.png"]
    assert not QImage(str(tmp_path / "g_page2.png")).isNull()
    grid.save_in(tmp_path / "g.html", "html")
    assert "memory ran out" in (tmp_path / "g.html").read_text()
    grid.save_in(tmp_path / "g.csv", "csv")
    rows = list(csv.DictReader((tmp_path / "g.csv").open()))
    assert [row["sampler.name"] for row in rows[:4]] == ["euler", "heun", "euler", "heun"]
    qtbot.mouseClick(grid.resume, LEFT)  # what failed runs again
    qtbot.waitUntil(lambda: window.runner.busy)
    finish(window, qtbot)
    assert grid.note.text() == "8 of 8 done"


def test_a_click_shows_a_cell_and_a_key_enlarges_it(qtbot, window, opened):
    start(window, qtbot)
    finish(window, qtbot)
    grid = window.sweeps.grid
    grid.table.setCurrentCell(0, 0)
    assert window.viewer.picture.path == face(window, 0, 0).path
    told = []
    grid.command.connect(lambda name, pictures: told.append((name, len(pictures))))
    qtbot.keyClick(grid.table, Qt.Key.Key_Space)
    assert told == [("large", 1)]
    window.pictures._large.close()


def test_a_cells_workflow_is_opened(qtbot, window, opened):
    start(window, qtbot)
    grid = window.sweeps.grid
    grid.table.setCurrentCell(1, 1)
    qtbot.mouseClick(grid.open, LEFT)
    nodes = window.workspace.current.document.graph.nodes
    assert window.workspace.current is not opened
    assert nodes["schedule"].values["steps"] == 4
    assert nodes["sampler"].values["name"] == "heun"
    assert opened.document.node("sampler").values.get("name", "auto") != "heun"


def test_cancel_keeps_what_is_done(qtbot, window, opened):
    start(window, qtbot)
    finish(window, qtbot)
    grid, runner = window.sweeps.grid, window.runner
    qtbot.mouseClick(grid.cancel, LEFT)
    runner.active.handle([events.RunCancelled(run_id(window))])
    qtbot.waitUntil(lambda: not runner.busy)
    assert grid.note.text() == "1 of 8 done, 7 stopped"
    assert not grid.cancel.isEnabled()
    window.runner.jobs.clear()  # the queue forgets them; the grid shows what it knows
    assert grid.note.text() == "1 of 8 done, 7 stopped"
    assert face(window, 0, 0).path.exists()


def test_a_worker_that_dies_in_one_cell_does_not_end_the_others(qtbot, window, opened):
    start(window, qtbot)
    run = run_id(window)
    window.runner.active.handle([events.WorkerDied(run, -9, "")])
    qtbot.waitUntil(lambda: window.runner.busy and run_id(window) != run)
    assert not window.area.message_bars.text("worker")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "Has no values."),
        ("2:x", "'2:x' is no integer."),
        ("0", "'0' is not from"),
        ("1:20000:1", "Has more than 10,000 values"),
        ("10:1:2", "holds no number"),
    ],
)
def test_values_that_do_not_fit_are_said_and_not_run(window, opened, lines: str, told: str):
    dialog = ask(window, "schedule.steps")
    dialog.axes[0].text.setPlainText(lines)
    assert told in dialog.told.text()
    assert not dialog.run.isEnabled()
    dialog.axes[0].text.setPlainText("1, 2\n3, 5:9:2")
    assert dialog.run.isEnabled()
    assert dialog.told.text().startswith("6 pictures")
    choose(dialog.axes[1], "schedule.steps", "1")
    assert "same input" in dialog.told.text()
    dialog.reject()


def test_the_forecast_counts_what_cells_share_once(window, opened):
    window.runner.planner.costs.update(
        {"model": 9.0, "prompt": 1.0, "negative": 1.0, "denoise": 2.0, "decode": 1.0, "save": 0.0}
    )
    dialog = ask(window, "schedule.steps")
    dialog.axes[0].text.setPlainText("10, 20, 30")
    assert "about 20 s" in dialog.told.text()  # 9 + 1 + 1 + 3 * (2 + 1)
    dialog.reject()


def test_fields_change_together(window, opened, qtbot):
    dialog = ask(window, "schedule.steps")
    dialog.axes[0].text.setPlainText("2, 4")
    choose(dialog.axes[1], "noise.seed", "7, 8, 9")
    dialog.together.setChecked(True)
    assert "differ in length" in dialog.told.text()
    dialog.axes[1].text.setPlainText("7, 8")
    assert dialog.told.text().startswith("2 pictures.")
    qtbot.mouseClick(dialog.run, LEFT)
    table = window.sweeps.grid.table
    assert (table.rowCount(), table.columnCount()) == (2, 1)
    assert table.verticalHeaderItem(1).text() == "schedule.steps = 4\nnoise.seed = 8"


def test_a_workflow_with_errors_is_refused(qtbot, window, opened):
    opened.perform(SetValue("model", "file", "gone"))
    dialog = ask(window, "schedule.steps")
    qtbot.mouseClick(dialog.run, LEFT)
    assert "Not run" in window.area.message_bars.text("refused")
    assert not window.runner.jobs.pending


def test_a_grid_of_before_is_shown_and_waits_for_a_word(qtbot, open_window):
    first = open_window()
    first.files.open(shipped("workflows") / "text_to_image.json")
    start(first, qtbot)
    finish(first, qtbot)
    for opened in first.workspace.documents:
        opened.mark_saved()
    first.files.confirm_close_all = lambda: True
    first.close()
    second = open_window()
    grid = second.sweeps.grid
    assert face(second, 0, 0).path.exists()
    assert not second.runner.busy
    assert "from before" in face(second, 1, 0).caption
    qtbot.mouseClick(grid.resume, LEFT)
    qtbot.waitUntil(lambda: second.runner.busy)


def found(dialog: GridDialog) -> list[str]:
    return [dialog.problems.item(row).text() for row in range(dialog.problems.count())]


def checked(dialog: GridDialog, qtbot) -> list[str]:
    qtbot.waitUntil(lambda: dialog.check.count > 0 and dialog.check.is_done)
    return found(dialog)


def test_the_dialog_tells_warnings_with_the_values_that_make_them(qtbot, window, opened):
    """They do not stop the grid."""
    dialog = ask(window, "guidance.scale")
    dialog.axes[0].text.setPlainText("2, 4, 60")
    choose(dialog.axes[1], "schedule.steps", "2, 4")
    (line,) = [each for each in checked(dialog, qtbot) if "= 60" in each]
    assert line.startswith("guidance.scale = 60: ")
    assert dialog.run.isEnabled()
    qtbot.mouseClick(dialog.run, LEFT)
    qtbot.waitUntil(lambda: window.runner.busy)


def test_the_dialog_stops_errors_that_values_make(qtbot, window, opened):
    opened.perform(SetValue("model", "file", "nano"))
    dialog = ask(window, "model.file")
    dialog._workspace.folders.names = lambda kind: ["nano", "gone"]
    dialog.axes[0]._show_input()
    for row in range(dialog.axes[0].options.count()):
        dialog.axes[0].options.item(row).setCheckState(Qt.CheckState.Checked)
    (line,) = [each for each in checked(dialog, qtbot) if "gone" in each]
    assert line.startswith("model.file = gone: ")
    assert not dialog.run.isEnabled()
    assert not window.runner.jobs.pending
    dialog.axes[0].options.item(1).setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: dialog.check.is_done and dialog.run.isEnabled())
    assert not [each for each in found(dialog) if "gone" in each]


def test_an_error_of_every_cell_that_the_values_make_stops_the_grid_too(qtbot, window, opened):
    dialog = ask(window, "model.file")
    dialog._workspace.folders.names = lambda kind: ["gone"]
    dialog.axes[0]._show_input()
    dialog.axes[0].options.item(0).setCheckState(Qt.CheckState.Checked)
    checked(dialog, qtbot)
    assert not dialog.run.isEnabled()


def test_values_may_mend_an_error_of_the_workflow(qtbot, window, opened):
    opened.perform(SetValue("model", "file", "gone"))
    dialog = ask(window, "model.file")
    dialog.axes[0].text.setPlainText("nano")
    assert not checked(dialog, qtbot)
    qtbot.mouseClick(dialog.run, LEFT)
    qtbot.waitUntil(lambda: window.runner.busy)


def test_a_large_grid_is_checked_in_turns_of_the_event_loop(qtbot, window, opened):
    dialog = ask(window, "guidance.scale")
    dialog.axes[0].text.setPlainText("1:40:1")
    choose(dialog.axes[1], "noise.seed", "1:25:1")
    qtbot.mouseClick(dialog.run, LEFT)
    assert not dialog.check.is_done
    assert not dialog.run.isEnabled()
    assert "of 1,000" in found(dialog)[-1]
    dialog.axes[1].text.setPlainText("1")  # another grid is meant: the first is not started
    qtbot.waitUntil(lambda: dialog.check.count == 40 and dialog.check.is_done)
    assert not window.runner.jobs.pending
    assert dialog.run.isEnabled()
    dialog.reject()


def test_a_large_grid_is_queued_whole(qtbot, window, opened):
    dialog = ask(window, "noise.seed")
    dialog.axes[0].text.setPlainText("1:120:1")
    dialog.check.stop()
    dialog.started.emit(dialog.chosen(), False)
    qtbot.waitUntil(lambda: window.runner.busy)
    assert len(window.runner.kept.jobs) == 120
    assert window.sweeps.grid.note.text().startswith("0 of 120 done")
    dialog.reject()
    window.sweeps.grid.cancel.click()
    assert sum(job.state is State.CANCELLED for job in window.runner.kept.jobs) == 119
