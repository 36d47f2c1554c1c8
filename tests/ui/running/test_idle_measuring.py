"""Measuring a model in the window: the minutes are told, it gives way, goes on, and is shown."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from nodeforge.engine.measurements.conditions import Extent
from nodeforge.graph.edits import SetValue
from nodeforge.models import Measurement
from nodeforge.models.measurements.measurement import AttentionSpeed
from nodeforge.settings import shipped
from nodeforge.ui.common import theme as themes
from nodeforge.ui.inspector.measured_curve import MeasuredCurve
from nodeforge.ui.panels.measure_dialog import MeasureDialog, MeasureProgress
from support.measurements import conditions, keep_nano
from support.processes import ForkedWorker

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"
LONG = 240_000
TINY = Extent(steps=(1, 2), reference_steps=3, prompts=("a fox",), size=64)
ENDLESS = Extent(steps=(1,), reference_steps=400, prompts=("a fox",), size=64)


def open_workflow(window, size: int = 256):
    window.files.open(TEXT_TO_IMAGE)
    document = window.workspace.current.document
    document.node("schedule").values["steps"] = 20
    document.node("noise").values.update(width=size, height=size)
    return document


def asked(window, qtbot, extent: Extent) -> MeasureDialog:
    """The dialog, once it knows how long it takes."""
    window.measure.extent = extent
    window.measure.idle.idle = 0.0
    window.ask_measurement()
    qtbot.waitUntil(lambda: window.measure.dialog is not None, timeout=LONG)
    dialog = window.measure.dialog
    qtbot.waitUntil(dialog.start.isEnabled, timeout=LONG)
    return dialog


def curves(window) -> list[MeasuredCurve]:
    found = window.inspector.findChildren(MeasuredCurve)
    return [curve for curve in found if curve.isVisible()]


def test_a_model_is_measured_while_nothing_is_done_and_its_curve_is_shown(open_window, qtbot):
    window = open_window(ForkedWorker)
    open_workflow(window, 64)
    window.area.view.select(["schedule"])
    assert curves(window) == []
    dialog = asked(window, qtbot, TINY)
    assert dialog.time.text().startswith("About ")
    assert dialog.time.text().endswith("in 10 runs.")
    progress = window.findChild(MeasureProgress)
    assert not progress.isVisible()
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    assert progress.isVisible()
    assert "nano 0/8" in progress.text.text()
    qtbot.waitUntil(lambda: window.measure.idle.measuring is None, timeout=LONG)
    assert not progress.isVisible()
    (curve,) = curves(window)
    assert "DPM++ 2M: after 20 steps" in curve.accessibleDescription()
    (measurement,) = window.workspace.folders.measured(shipped("resources") / "models" / "nano")
    assert measurement.is_whole
    assert all(cell.seconds for cell in measurement.cells)
    window.ask_measurement()  # and there is nothing left to do
    qtbot.waitUntil(lambda: "already" in window.status.text)


def test_it_stops_for_a_key_and_goes_on_when_idle(open_window, qtbot):
    window = open_window(ForkedWorker)
    open_workflow(window)
    dialog = asked(window, qtbot, ENDLESS)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    idle, pid = window.measure.idle, window.runner.worker.pid
    qtbot.waitUntil(lambda: idle.is_running)
    idle.idle = 3600.0
    qtbot.keyClick(window, Qt.Key.Key_Shift)
    qtbot.keyClick(window, Qt.Key.Key_Shift)  # a second Stop would end the worker
    qtbot.waitUntil(lambda: not idle.is_running, timeout=LONG)
    assert "waits until you pause" in window.findChild(MeasureProgress).text.text()
    assert window.runner.worker.pid == pid
    idle.idle = 0.0
    qtbot.waitUntil(lambda: idle.is_running)
    qtbot.mouseClick(window.findChild(MeasureProgress).cancel, Qt.MouseButton.LeftButton)
    assert idle.measuring is None
    assert not idle.is_running


def test_a_run_goes_before(open_window, qtbot):
    window = open_window(ForkedWorker)
    document = open_workflow(window, 64)
    document.node("schedule").values["steps"] = 1
    dialog = asked(window, qtbot, ENDLESS)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    idle = window.measure.idle
    qtbot.waitUntil(lambda: idle.is_running)
    with qtbot.waitSignal(window.runner.finished, timeout=LONG):
        window.run_menu.run()
        assert window.runner.busy
        assert idle._stopping
    qtbot.waitUntil(lambda: idle.is_running, timeout=LONG)
    idle.cancel()


def test_a_worker_that_ends_is_started_again_and_measured_with(open_window, qtbot):
    window = open_window(ForkedWorker)
    open_workflow(window)
    dialog = asked(window, qtbot, TINY)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.measure.idle.is_running)
    window.runner.worker.kill()
    with qtbot.waitSignal(window.measure.idle.ended, timeout=LONG) as ended:
        pass
    assert ended.args[1] == ""


def test_other_settings_end_it(open_window, qtbot):
    window = open_window(ForkedWorker)
    open_workflow(window)
    dialog = asked(window, qtbot, ENDLESS)
    with qtbot.waitSignal(window.measure.idle.ended) as ended:
        window.runner.use_settings(window.workspace.settings)
    assert "other settings" in ended.args[1]
    assert not dialog.start.isEnabled()
    dialog.reject()


def test_the_menu_of_a_models_field_measures_it(window, qtbot):
    open_workflow(window)
    window.area.view.select(["model"])
    with qtbot.waitSignal(window.inspector.measurement_requested) as asked_for:
        row = window.inspector.row("file")
        event = QContextMenuEvent(
            QContextMenuEvent.Reason.Mouse, QPoint(4, 4), row.mapToGlobal(QPoint(4, 4))
        )
        QApplication.sendEvent(row, event)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = next(each for each in menu.actions() if each.text() == "Measure “nano”…")
        action.trigger()
    assert asked_for.args == ["nano"]


def test_a_model_that_is_not_there_is_told_at_once(window):
    open_workflow(window)
    window.ask_measurement("lost")
    assert "lost" in window.area.message_bars.text("measure")
    assert window.measure.idle.measuring is None


@pytest.mark.parametrize(
    ("node", "shown"), [("schedule", 1), ("sampler", 1), ("guidance", 1), ("noise", 0), ("save", 0)]
)
def test_the_curve_is_beside_steps_sampler_and_guidance(window, home, node, shown):
    keep_nano(home)
    open_workflow(window)
    window.area.view.select([node])
    assert len(curves(window)) == shown


def test_the_curve_follows_what_is_chosen(window, home):
    keep_nano(home)
    document = open_workflow(window)
    window.area.view.select(["schedule"])
    (curve,) = curves(window)
    assert "after 20 steps the picture differs from the converged one by 7%" in (
        curve.accessibleDescription()
    )
    window.workspace.current.perform(SetValue("schedule", "steps", 8))
    assert "after 8 steps" in curve.accessibleDescription()
    assert "30 steps" in curve.toolTip()
    for theme in themes.THEMES.values():
        window.workspace.set_theme(theme)
        assert not curve.grab().isNull()
    window.workspace.current.perform(SetValue("schedule", "name", "karras"))
    assert curves(window) == []
    assert document.node("schedule").values["steps"] == 8


def test_a_faster_attention_is_offered_and_taken(open_window, qtbot):
    window = open_window(ForkedWorker)
    speeds = [AttentionSpeed("auto", 0.3, 0.0), AttentionSpeed("flash", 0.2, 1e-6)]
    measured = Measurement(conditions("blake3:0"), "nano", attention=tuple(speeds))
    bars = window.area.message_bars
    window.measure._offer_attention(measured)
    assert "“nano” computes 1.5 times as fast" in bars.text("attention")
    (button,) = [each for each in bars.findChildren(QPushButton) if "flash" in each.text()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.workspace.settings.attention == "flash"
    assert bars.text("attention") == ""
    window.measure._offer_attention(measured)
    assert bars.text("attention") == ""  # it is chosen already
