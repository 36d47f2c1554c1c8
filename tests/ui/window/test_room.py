"""Room: the window fits the screen (window 12), messages move nothing (window 25)."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QToolButton

from nodeforge.canvas.generation.intents import Intent
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import shipped
from nodeforge.ui.application.app import show_within_screen
from nodeforge.ui.window.menus.canvas_menu import bring_to_canvas

SMALLEST = QSize(1024, 700)
LEFT = Qt.MouseButton.LeftButton


def opened(qtbot, window, tmp_path: Path) -> None:
    """A workflow with a canvas that has a mask layer."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    file = tmp_path / "p.png"
    file.write_bytes(encode(np.zeros((300, 400, 3), np.uint8), PictureFormat.PNG, {}))
    bring_to_canvas(window, file, file.name)
    qtbot.waitUntil(lambda: window.area.canvas.opened.canvas is not None)
    window.commands.run("canvas.new_mask")


@pytest.mark.parametrize("view", ["start", "graph", "canvas", "graph after the canvas", "two tabs"])
def test_the_window_is_never_larger_than_its_least_size(qtbot, window, tmp_path: Path, view: str):
    """Window B12: 801 px high once a canvas had a mask layer and one went to the graph."""
    if view != "start":
        window.files.open(shipped("workflows") / "text_to_image.json")
    if view in ("canvas", "graph after the canvas", "two tabs"):
        opened(qtbot, window, tmp_path)
    if view == "graph after the canvas":
        window.area.show_view("graph")
    if view == "two tabs":
        window.workspace.new()
    window.resize(SMALLEST)
    qtbot.wait(1)
    assert window.size() == SMALLEST
    least = window.minimumSizeHint()
    assert least.width() <= SMALLEST.width()
    assert least.height() <= SMALLEST.height()


def test_a_window_that_does_not_fit_is_maximised(window):
    """Window B12: the first start on 1366x768 was taller than the screen."""
    window.resize(window.screen().availableSize() - QSize(80, 80))
    show_within_screen(window)
    assert not window.isMaximized()
    window.resize(window.screen().availableSize() + QSize(0, 10))
    show_within_screen(window)
    assert window.isMaximized()


def test_a_message_moves_nothing_and_is_read_whole(qtbot, window):
    """Window C25: bars pushed the page down; closing one hit another control."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    viewer = window.area.view.session.viewer
    before = viewer.mapTo(window, QPoint(0, 0)), viewer.size()
    bars = window.area.message_bars
    bars.show_message("run", "A long message. " * 40)
    qtbot.wait(1)
    assert (viewer.mapTo(window, QPoint(0, 0)), viewer.size()) == before
    assert bars.isVisible()
    tabs = window.area.tabs.tabBar()
    assert bars.mapTo(window, QPoint(0, 0)).y() == tabs.mapTo(window, QPoint(0, tabs.height())).y()
    assert bars.height() > 2 * bars.fontMetrics().height()  # it is broken into lines
    window.resize(1100, 800)
    assert bars.width() == window.area.width()
    close = bars.findChild(QToolButton)
    qtbot.mouseClick(close, LEFT)
    assert not bars.isVisible()


def test_many_messages_leave_the_page_in_sight(qtbot, window):
    """Window E, recovery: seven bars took 260 px."""
    bars = window.area.message_bars
    for number in range(7):
        bars.show_message(f"subject {number}", f"Message {number}")
    qtbot.wait(1)
    assert bars.height() < 160
    assert bars._more.text() == "4 earlier messages"
    for number in range(6, 0, -1):
        bars.dismiss(f"subject {number}")
    assert bars.text("subject 0") == "Message 0"
    assert bars._bars["subject 0"].isVisible()
    assert not bars._more.isVisible()


def test_a_message_about_a_document_is_seen_while_that_is_in_front(window):
    """Window C26: a bar about a file stayed while one went to other tabs."""
    bars, first = window.area.message_bars, window.workspace.new()
    bars.show_message("models", "Of the first", about=first.id)
    assert bars.isVisible()
    window.workspace.new()
    assert not bars.isVisible()
    bars.show_message("queue", "Of all")
    assert [bars._bars[each].isVisible() for each in ("models", "queue")] == [False, True]
    window.workspace.show(first)
    assert [bars._bars[each].isVisible() for each in ("models", "queue")] == [True, True]
    bars.dismiss("queue")
    assert bars.isVisible()


@pytest.mark.parametrize("intent", [each for each in Intent if each is not Intent.EDIT])
def test_the_prompt_of_a_canvas_is_in_sight_on_the_smallest_screen(
    qtbot, window, tmp_path: Path, intent: Intent
):
    """It was below the intent's explanation, once a mask was chosen."""
    opened(qtbot, window, tmp_path)
    window.resize(SMALLEST)
    qtbot.waitUntil(lambda: window.area.canvas.editor is not None)
    panel = window.area.canvas.editor.generate
    panel._form.choose_intent(intent)
    QApplication.processEvents()
    prompt = panel.fields["prompt.text"].editor()
    seen = prompt.visibleRegion().boundingRect()
    assert seen.height() >= 2 * prompt.fontMetrics().height()
