"""Linting while a workflow is edited."""

from __future__ import annotations

from nodeforge.graph.edits import SetValue
from nodeforge.settings import shipped


def test_an_edit_of_a_usual_workflow_is_linted_before_the_pause_ends(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, planner = window.workspace.current, window.runner.planner
    planner.check(opened)
    planner._seconds[opened.id] = 0.005  # as on a machine that does nothing else
    planner._pause.setInterval(600_000)
    opened.perform(SetValue("guidance", "scale", 60.0))
    qtbot.waitUntil(lambda: any(each.node == "guidance" for each in opened.problems))


def test_a_workflow_that_takes_long_is_linted_after_the_pause(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, planner = window.workspace.current, window.runner.planner
    planner.check(opened)
    planner._seconds[opened.id] = 1.0
    planner._pause.setInterval(600_000)
    opened.perform(SetValue("guidance", "scale", 60.0))
    qtbot.wait(50)
    assert not any(each.node == "guidance" for each in opened.problems)


def test_nothing_is_linted_once_the_window_goes(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, planner = window.workspace.current, window.runner.planner
    planner.check(opened)
    told = []
    planner.close()
    opened.problems_changed.connect(lambda: told.append(opened.problems))
    planner._seconds[opened.id] = 0.005
    opened.perform(SetValue("guidance", "scale", 60.0))
    planner.schedule()
    assert not planner._pause.isActive()
    assert not planner._at_once.isActive()
    assert told == []
