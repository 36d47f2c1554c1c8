"""The results of a node behind a list, one after another."""

from __future__ import annotations

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.settings import shipped


def test_the_viewer_leads_through_the_results_of_a_list(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened, viewer = window.workspace.current, window.viewer
    display = window.runner.display
    for number in (1, 2, 3):
        for node in ("denoise", "decode"):
            done = events.Finished("run", f"{node}#{number}:3", Source.COMPUTED, 1.0, 8)
            display.show(opened, done, None)
    assert opened.shown_copy("decode") == "decode#3:3"
    assert opened.states["decode"].kind == "done"
    viewer._show("decode")
    assert not viewer.copies.isHidden()
    assert viewer.copies.label.text() == "3 of 3"
    viewer.copies.after.click()
    assert viewer.copies.label.text() == "1 of 3"
    assert {opened.shown_copy(node) for node in ("denoise", "decode")} == {
        "denoise#1:3",
        "decode#1:3",
    }
    viewer.copies.before.click()
    assert viewer.copies.label.text() == "3 of 3"
    viewer._show("save")
    assert viewer.copies.isHidden()


def test_a_running_copy_shows_the_share_of_all(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened = window.workspace.current
    window.runner.display.show(opened, events.Progress("run", "denoise#2:4", 10, 20, 1.0), None)
    state = opened.states["denoise"]
    assert state.kind == "running"
    assert state.progress == 0.375
