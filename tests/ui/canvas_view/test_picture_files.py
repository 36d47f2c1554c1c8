"""Pictures and projects: in by drop and paste, out by export, kept through a crash."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage

from nodeforge.canvas import LONGEST_SIDE
from nodeforge.graph.model import Node
from nodeforge.imaging import Box
from nodeforge.ui.documents.autosave import Autosave
from nodeforge.ui.documents.open_document import OpenDocument
from support.canvas_driver import CanvasDriver, driver_in, shown

LONG = 20_000


def file_of(folder: Path, name: str, size=(40, 30), mode="RGB", **how) -> Path:
    path = folder / name
    Pillow.new(mode, size, how.pop("colour", 120)).save(path, **how)
    return path


def dropped(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


@pytest.fixture
def empty(canvas_window):
    """A canvas tab that has no canvas yet."""
    canvas_window.workspace.new()
    opened = canvas_window.workspace.current
    canvas_window.area.show_view("canvas")
    yield canvas_window.area.canvas
    canvas_window.workspace.close(opened)


def test_a_dropped_picture_becomes_the_canvas_and_the_next_a_layer(qtbot, empty, tmp_path: Path):
    assert empty.currentWidget() is empty.start_page
    empty.drop(dropped(file_of(tmp_path, "one.png", (64, 48))))
    qtbot.waitUntil(lambda: empty.editor is not None, timeout=LONG)
    canvas = empty.opened.canvas
    assert canvas.size == (64, 48)
    assert empty.opened.modified
    empty.drop(dropped(file_of(tmp_path, "two.jpg", (20, 20))))
    qtbot.waitUntil(lambda: len(canvas.layers) == 2, timeout=LONG)
    assert [layer.name for layer in canvas.layers] == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, "cut.png"),
        ("empty.png", b"", "empty.png"),
        ("text.png", b"no picture at all", "text.png"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(qtbot, empty, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with qtbot.waitSignal(empty.refused, timeout=LONG) as refused:
        empty.drop(dropped(path))
    assert refused.args[0].strip()
    assert empty.editor is None


def test_a_picture_that_is_too_large_names_the_limit(qtbot, empty, tmp_path: Path):
    path = file_of(tmp_path, "wide.png", (LONGEST_SIDE + 8, 2), "L")
    with qtbot.waitSignal(empty.refused, timeout=LONG) as refused:
        empty.drop(dropped(path))
    assert str(LONGEST_SIDE) in refused.args[0]


def test_a_picture_of_16_bits_says_that_8_are_kept(qtbot, empty, tmp_path: Path):
    deep = tmp_path / "deep.png"
    cv2.imwrite(str(deep), np.full((8, 8, 3), 12345, np.uint16))
    with qtbot.waitSignal(empty.warned, timeout=LONG) as warned:
        empty.drop(dropped(deep))
    assert "deep.png" in warned.args[0]
    assert "16 bits" in empty.window().area.message_bars.text("depth")
    empty.window().area.message_bars.dismiss("depth")
    empty.drop(dropped(file_of(tmp_path, "plain.png")))
    qtbot.waitUntil(lambda: len(empty.opened.canvas.layers) == 2, timeout=LONG)
    assert empty.window().area.message_bars.text("depth") == ""


def test_pixels_of_the_clipboard_are_pasted_and_copies_come_back_in_place(qtbot, empty):
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("#c3272b"))
    QGuiApplication.clipboard().setImage(image)
    empty.paste()
    qtbot.waitUntil(lambda: empty.editor is not None, timeout=LONG)
    canvas = empty.opened.canvas
    assert shown(canvas)[5, 5].tolist() == [195, 39, 43, 255]
    driver = CanvasDriver(empty.window(), empty)
    driver.session.snapping.enabled = False
    driver.tool("rectangle")
    driver.pointer.drag([(10, 5), (15, 10), (20, 15)])
    empty.copy()
    empty.paste()
    assert len(canvas.layers) == 2
    assert canvas.active.offset == (10, 5)
    assert canvas.active.read(canvas.box)[7, 12].tolist() == [195, 39, 43, 255]


@pytest.mark.parametrize(("background", "value"), [("White", 255), ("Transparent", 0)])
def test_a_new_canvas_is_white_or_transparent(empty, background, value):
    page = empty.start_page
    page.width_box.setValue(300)
    page.height_box.setValue(80)
    page.background.setCurrentText(background)
    page.begin(page.width_box.value(), page.height_box.value())
    canvas = empty.opened.canvas
    assert canvas.size == (300, 80)
    assert (shown(canvas) == value).all()
    assert not canvas.active.read(Box(300, 0, 9, 80)).any()  # nothing waits beyond the edge


def test_impossible_sizes_are_refused(qtbot, empty):
    with qtbot.waitSignal(empty.refused) as refused:
        empty.new(100_000, 10)
    assert "100000" in refused.args[0]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".ora"])
def test_an_export_can_be_opened_again(qtbot, driver, tmp_path: Path, suffix: str):
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.drag([(50, 50), (200, 200)])
    path = tmp_path / f"out{suffix}"
    driver.tab.files.export(driver.canvas.state, path, {})
    qtbot.waitUntil(path.exists, timeout=LONG)
    read = []
    driver.tab.files.read(path, path.name, read.append)
    qtbot.waitUntil(lambda: bool(read), timeout=LONG)
    assert (read[0].width, read[0].height) == driver.canvas.size


def test_an_export_of_an_unknown_kind_is_refused(qtbot, driver, tmp_path: Path):
    with qtbot.waitSignal(driver.tab.refused) as refused:
        driver.tab.files.export(driver.canvas.state, tmp_path / "out.xyz", {})
    assert "PNG" in refused.args[0]


def test_a_project_keeps_canvas_and_generations(qtbot, canvas_window, tmp_path: Path):
    driver = driver_in(canvas_window)
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.drag([(50, 50), (200, 200)])
    opened, path = driver.tab.opened, tmp_path / "painting.nforge"
    opened.generations.append({"workflow": {}, "intent": "fill", "values": {"prompt.text": "a"}})
    canvas_window.workspace.save(opened, path)
    assert not opened.modified
    before = driver.pixels()
    canvas_window.workspace.close(opened)
    canvas_window.files.open(path)
    qtbot.waitUntil(lambda: canvas_window.workspace.find_by_path(path) is not None, timeout=LONG)
    again = canvas_window.workspace.find_by_path(path)
    assert again.name == "painting"
    assert np.array_equal(shown(again.canvas), before)
    assert canvas_window.area.canvas is not None
    assert canvas_window.area.canvas.editor.form.values == {"prompt.text": "a"}
    canvas_window.workspace.close(again)


def test_a_workflow_with_a_canvas_is_saved_as_a_project(canvas_window, tmp_path: Path):
    driver = driver_in(canvas_window)
    canvas_window.workspace.save(driver.tab.opened, tmp_path / "painting.json")
    assert driver.tab.opened.path == tmp_path / "painting.nforge"
    canvas_window.workspace.close(driver.tab.opened)


def test_strokes_survive_a_crash(qtbot, canvas_window, monkeypatch: pytest.MonkeyPatch):
    driver = driver_in(canvas_window)
    opened, autosave = driver.tab.opened, canvas_window.autosave
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.drag([(50, 50), (200, 200)])
    autosave._write_all()
    folder = autosave._session.file(opened.id, ".nforge")
    qtbot.waitUntil(lambda: (folder / "project.json").exists(), timeout=LONG)
    qtbot.wait(50)
    dead = folder.with_name(f"{2**22 + 1}-dead.nforge")  # no process has so large a number
    folder.rename(dead)
    assert Autosave(canvas_window.workspace).recoverable_files() == [dead]
    again = autosave.recover(dead)
    qtbot.waitUntil(lambda: not dead.exists(), timeout=LONG)  # once a new copy is written
    assert np.array_equal(shown(again.canvas), driver.pixels())
    assert again.modified
    for each in (opened, again):
        autosave.remove_copy(each)
        canvas_window.workspace.close(each)


def test_a_recovery_copy_with_a_canvas_is_read_in_the_background(
    qtbot, canvas_window, monkeypatch: pytest.MonkeyPatch
):
    """Window B21: the window was black while a large canvas was read."""
    driver = driver_in(canvas_window)
    opened, autosave = driver.tab.opened, canvas_window.autosave
    opened.document.graph.nodes["mark"] = Node("values.text")
    autosave._write(opened)
    folder = autosave._session.file(opened.id, ".nforge")
    qtbot.waitUntil(lambda: (folder / "project.json").exists(), timeout=LONG)
    qtbot.wait(50)
    dead = folder.with_name(f"{2**22 + 1}-dead.nforge")
    folder.rename(dead)
    told: list[OpenDocument] = []
    canvas_window.files.recover(dead, told.append)
    assert not told
    qtbot.waitUntil(lambda: bool(told) and not dead.exists(), timeout=LONG)
    assert told[0].canvas is not None
    assert "mark" in told[0].document.graph.nodes
    for each in (opened, *told):
        autosave.remove_copy(each)
        canvas_window.workspace.close(each)


def test_a_damaged_recovery_copy_with_a_canvas_is_put_aside(qtbot, canvas_window, home: Path):
    dead = home / "autosave" / "999999-abc.nforge"
    dead.mkdir(parents=True)
    (dead / "project.json").write_text("[")
    told: list[str] = []
    canvas_window.autosave.failed.connect(told.append)
    canvas_window.files.recover(dead, told.append)
    qtbot.waitUntil(lambda: bool(told), timeout=LONG)
    assert (home / "autosave" / "999999-abc.nforge.damaged-1").exists()


def test_nothing_is_autosaved_in_the_middle_of_a_stroke(canvas_window):
    driver = driver_in(canvas_window)
    driver.tool("brush", size=30)
    driver.pointer.click((20, 20))
    driver.pointer.press((50, 50))
    canvas_window.autosave._write_all()
    assert not canvas_window.autosave._session.file(driver.tab.opened.id, ".nforge").exists()
    driver.pointer.release((50, 50))
    canvas_window.autosave.remove_copy(driver.tab.opened)
    canvas_window.workspace.close(driver.tab.opened)


def test_a_picture_without_a_workflow_can_be_opened_on_the_canvas(
    qtbot, canvas_window, tmp_path: Path
):
    path = file_of(tmp_path, "plain.png", (50, 40))
    canvas_window.files.open(path)
    bars = canvas_window.area.message_bars
    qtbot.waitUntil(lambda: "plain.png" in bars.text("open"), timeout=LONG)
    canvas_window.workspace.new()
    opened = canvas_window.workspace.current
    canvas_window.files.open_on_canvas(path)
    qtbot.waitUntil(lambda: opened.canvas is not None, timeout=LONG)
    assert opened.canvas.size == (50, 40)
    canvas_window.workspace.close(opened)


def test_what_the_viewer_shows_is_brought_to_the_canvas(qtbot, canvas_window):
    canvas_window.workspace.new()
    opened = canvas_window.workspace.current
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("#c3272b"))
    canvas_window.viewer.picture_view.show_image(image)
    canvas_window.commands.run("canvas.bring")
    qtbot.waitUntil(lambda: bool(opened.canvas and opened.canvas.layers), timeout=LONG)
    assert shown(opened.canvas)[5, 5].tolist() == [195, 39, 43, 255]
    canvas_window.workspace.close(opened)
