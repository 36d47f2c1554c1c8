"""The first start: tasks, the prompt in focus, the tour, the manual."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton

from nodeforge.formats import load
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.window.first_steps import STEPS, FirstSteps
from nodeforge.ui.window.manual import Manual, pages
from nodeforge.ui.window.start_page import WorkflowCard
from nodeforge.ui.window.tasks import prompt_node
from support.windows import active_run

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier


def card(window, name: str) -> WorkflowCard:
    return next(c for c in window.findChildren(WorkflowCard) if c.accessibleName() == name)


def test_three_actions_lead_from_the_start_to_a_picture(qtbot, window):
    """Window B12: a newcomer did not see what to change."""
    qtbot.mouseClick(card(window, "Make a picture"), LEFT)
    editor = prompt(window)
    focus = QApplication.focusWidget() or editor
    assert focus is editor
    qtbot.keyClicks(focus, "a castle")
    qtbot.keyClick(focus, Qt.Key.Key_Return, CONTROL)
    job = active_run(window).job
    assert job.graph["nodes"]["prompt"]["values"]["text"] == "a castle"


def prompt(window):
    """Where the prompt is typed, on the form."""
    assert window.area.shown == "form"
    row = next(row for row in window.area.form.entries.rows if row.path == "prompt")
    return row.field.editor()


def ask_and_give(qtbot, window, task: str, home) -> None:
    """Press the task's card, and answer its question with a picture of one's own."""
    picture = home / "mine.png"
    QImage(32, 32, QImage.Format.Format_RGB32).save(str(picture))
    qtbot.mouseClick(card(window, task), LEFT)
    dialog = window.findChild(QFileDialog)
    assert dialog.windowTitle() == "Choose a picture"
    dialog.fileSelected.emit(str(picture))
    dialog.close()
    assert window.workspace.current.document.node("image").values["file"] == "asset:mine.png"


def test_a_task_with_a_picture_asks_for_it_and_then_for_the_prompt(qtbot, window, home):
    ask_and_give(qtbot, window, "Change a picture", home)
    editor = prompt(window)
    assert editor.textCursor().selectedText() == editor.toPlainText() != ""


def test_a_task_without_a_prompt_only_asks_for_its_picture(qtbot, window, home):
    ask_and_give(qtbot, window, "Enlarge", home)
    assert window.area.view.selection() == ["image"]


def test_without_a_picture_the_task_shows_where_it_goes(qtbot, window, home):
    qtbot.mouseClick(card(window, "Change a picture"), LEFT)
    dialog = window.findChild(QFileDialog)
    (home / "none.png").write_text("no picture")
    dialog.fileSelected.emit(str(home / "none.png"))
    dialog.reject()
    assert window.area.view.selection() == ["image"]
    assert "none.png" in window.area.message_bars.text("open")


def test_no_menu_is_higher_than_a_small_screen(window):
    """Window D44: Canvas had 40 entries, more than 900 pixels."""
    heights = {menu.title(): menu.sizeHint().height() for menu in window.findChildren(QMenu)}
    assert {title for title, height in heights.items() if height > 640} == set()


def test_painting_opens_a_canvas(qtbot, window):
    """Window C26: Canvas was not on the start page."""
    qtbot.mouseClick(card(window, "Paint"), LEFT)
    assert window.area.canvas is not None


def test_recent_work_is_first(window, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_bytes((shipped("workflows") / "text_to_image.json").read_bytes())
    window.workspace.add_recent(file)
    page = window.area.start_page
    QApplication.processEvents()
    recent = next(b for b in page.widget().findChildren(QPushButton) if "mine" in b.text())
    first = next(c for c in page.widget().findChildren(WorkflowCard))
    assert recent.mapTo(page, QPoint(0, 0)).y() < first.mapTo(page, QPoint(0, 0)).y()


@pytest.mark.parametrize(("workflow", "node"), [("text_to_image", "prompt"), ("inpaint", "prompt")])
def test_the_prompt_is_found_by_what_the_loop_reads(workflow: str, node: str):
    document = load(shipped("workflows") / f"{workflow}.json")
    assert prompt_node(document, Catalogue.shipped()) == node


def test_the_tour_goes_through_all_steps_and_surrounds_each_part(qtbot, window):
    window.commands.run("help.first_steps")
    tour = window.findChild(FirstSteps)
    assert window.workspace.current is not None
    for step in STEPS:
        assert tour._title.text() == step.title
        assert step.part(window) is not None
        assert tour._band.isVisible()
        assert window.rect().contains(tour.geometry())
        if step is not STEPS[-1]:
            qtbot.mouseClick(tour.next, LEFT)
    qtbot.mouseClick(tour.back, LEFT)
    assert tour._title.text() == STEPS[-2].title
    qtbot.mouseClick(tour.end, LEFT)
    assert not tour.isVisible()
    window.commands.run("help.first_steps")  # once more, from the first step
    assert window.findChildren(FirstSteps)[-1].index == 0


def test_the_tour_opens_a_workflow_with_a_prompt_where_there_is_none(window):
    window.workspace.new()
    window.commands.run("help.first_steps")
    assert window.area.view.selection() == ["prompt"]


@pytest.mark.parametrize("width", [1024, 1366])
def test_the_start_page_is_never_wider_than_its_room(window, width, tmp_path: Path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    file = folder / "mine.json"
    file.write_text("{}")
    window.resize(width, 700)
    window.workspace.add_recent(file)
    QApplication.processEvents()
    assert window.area.start_page.horizontalScrollBar().maximum() == 0


def test_no_line_is_left_beside_the_tabs(window):
    """Window D41: a loose hairline left of the Graph and Canvas buttons."""
    window.workspace.new()
    QApplication.processEvents()
    tabs = window.area.tabs
    image, bar = tabs.grab().toImage(), tabs.tabBar().geometry()
    free = range(bar.left() + tabs.tabBar().tabRect(0).right() + 8, window.area.view_switch.x())
    for y in range(bar.bottom()):
        assert len({image.pixel(x, y) for x in free}) == 1
    assert len({image.pixel(free[0], y) for y in range(bar.bottom())}) == 1


def test_the_manual_has_the_documents_that_ship(qtbot, window):
    window.commands.run("help.manual")
    manual = window.findChild(Manual)
    for row in range(manual.list.count()):
        rect = manual.list.visualItemRect(manual.list.item(row))
        assert rect.height() >= 20
        assert rect.width() <= manual.list.viewport().width()
        if row:
            above = manual.list.visualItemRect(manual.list.item(row - 1))
            assert rect.top() > above.bottom()
    titles = [title for title, _ in pages()]
    assert titles[0] == "The window"
    assert "Making a picture again" in titles
    assert all(titles)
    for row in range(len(titles)):
        manual.list.setCurrentRow(row)
        assert manual.text.toPlainText().startswith(titles[row])
    manual.close()


def test_the_manual_names_commands_that_there_are(window):
    text = (shipped("docs") / "window.md").read_text(encoding="utf-8")
    names = {window.commands[each.name].text().rstrip("…") for each in window.commands}
    named = re.findall(r"\b(?:Help|Edit|File) > (\w+(?: steps| with)?)", text)
    assert {"Compare with", "First steps", "History", "Open", "Versions"} == set(named)
    assert set(named) - names <= {"History"}  # a menu of its own
