"""A picture is used where it is seen: one menu in the gallery, the viewer and on a node."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu, QPushButton

from nodeforge.engine.running.context import RunRequest
from nodeforge.formats import load, read_any, stamp
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.imaging import PictureFormat, encode, read_text
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.gallery.compare_dialog import CompareDialog
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.viewer import LargeView
from support.windows import active_run

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
WORKFLOWS = shipped("workflows")
ENTRIES = (
    *("Large view", "Save as…", "Copy", "To canvas", "To canvas as layers"),
    *("Use as input", "Show in folder", "Make again", "Variations (4)", "Open workflow"),
    *("Load settings", "Verify", "Compare"),
    *("Stars", "Collections", "Delete"),
)


def made_by(workflow: str = "text_to_image", **values: object) -> Document:
    """A shipped workflow with values, by ``node__port``."""
    document = load(WORKFLOWS / f"{workflow}.json")
    for name, value in values.items():
        node, _, port = name.partition("__")
        document.node(node).values[port] = value
    return document


def saved(window, folder: Path, name: str, document: Document, level: int = 200) -> Path:
    """A picture that carries its workflow, listed in the gallery."""
    texts = stamp(document, Catalogue.shipped())
    pixels = np.full((30, 40, 3), level, np.uint8)
    pixels[3, 5] = (255, 0, 7)
    file = folder / name
    file.write_bytes(encode(pixels, PictureFormat.PNG, texts))
    from nodeforge.ui.gallery.picture_texts import search_words

    window.results.add(file, "text_to_image", texts, b"", search_words(texts))
    window.gallery.reload()
    return file


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "Trash"


@pytest.fixture
def three(window, tmp_path: Path, trash: Path) -> list[Path]:
    """Three pictures in the gallery, the newest first."""
    files: list[Path] = []
    for number, colour in enumerate(("red", "green", "blue")):
        values = {"prompt__text": f"a {colour} car", "noise__seed": number}
        document = made_by(**values, sampler__name="euler")
        files.insert(0, saved(window, tmp_path, f"{colour}.png", document, number))
    return files


def click(qtbot, window, row: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
    shown = window.gallery.list
    place = shown.row_rect(row).center()
    qtbot.mouseClick(shown.viewport(), LEFT, keys, place)


def open_menu(window) -> QMenu:
    menus = [menu for menu in window.findChildren(QMenu) if menu.isVisible()]
    return menus[-1]


def names(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def choose(menu: QMenu, *path: str) -> None:
    for name in path[:-1]:
        menu = next(a.menu() for a in menu.actions() if a.text() == name)
    next(a for a in menu.actions() if a.text() == path[-1]).trigger()


def large_view() -> LargeView:
    return next(w for w in QApplication.topLevelWidgets() if isinstance(w, LargeView))


def test_a_click_shows_a_picture_in_the_viewer_and_opens_no_workflow(qtbot, window, three):
    """Window B9: the viewer kept the node's picture, a double-click opened a tab."""
    click(qtbot, window, 0)
    assert window.viewer.picture == Picture.of_file(three[0])
    assert window.viewer.picture_view.image.pixelColor(0, 0).red() == 2
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_Right)
    assert window.viewer.picture == Picture.of_file(three[1])
    shown = window.gallery.list
    place = shown.row_rect(2).center()
    click(qtbot, window, 2)  # a double-click begins with one
    qtbot.mouseDClick(shown.viewport(), LEFT, pos=place)
    assert window.workspace.current is None
    assert large_view().picture.path in three
    large_view().close()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_F, Qt.Key.Key_Return])
def test_a_key_enlarges_and_arrows_go_through_the_gallery(qtbot, window, three, key):
    click(qtbot, window, 0)
    qtbot.keyClick(window.gallery.list, key)
    large = large_view()
    assert large.picture.path == three[0]
    qtbot.keyClick(large, Qt.Key.Key_Left)  # it is the first
    assert large.picture.path == three[0]
    for _ in range(3):
        qtbot.keyClick(large, Qt.Key.Key_Right)
    assert large.picture.path == three[2]
    assert "40 × 30 px" in large._facts.text()
    assert "3 of 3" in large._facts.text()
    qtbot.keyClick(large, Qt.Key.Key_1)
    assert large.view.zoom == 1.0
    qtbot.mouseDClick(large.view, LEFT, pos=large.view.rect().center())
    assert large.view.is_fitted
    qtbot.keyClick(large, Qt.Key.Key_Space)
    assert not large.isVisible()


def test_values_under_the_mouse_are_said(qtbot, window, three):
    click(qtbot, window, 0)
    view = window.viewer.picture_view
    view.zoom_to(8.0)
    box = view._box()
    qtbot.mouseMove(view, (box.topLeft() + QPointF(5.5 * 8, 3.5 * 8)).toPoint())
    assert window.viewer._name.text() == "x 5  y 3   255 0 7   #ff0007"
    qtbot.mouseMove(view, QPoint(1, 1))  # beside the picture
    assert window.viewer._name.text() == three[0].name


def test_the_menu_is_the_same_in_gallery_and_viewer_and_large_view(qtbot, window, three):
    click(qtbot, window, 0)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    assert names(open_menu(window)) == list(ENTRIES)
    open_menu(window).close()
    window.viewer.picture_view.customContextMenuRequested.emit(QPoint(20, 20))
    assert names(open_menu(window)) == list(ENTRIES)
    open_menu(window).close()
    window.pictures.run("large", window.gallery.chosen())
    reason = QContextMenuEvent.Reason.Mouse
    QApplication.sendEvent(
        large_view(),
        QContextMenuEvent(reason, QPoint(5, 5), large_view().mapToGlobal(QPoint(5, 5))),
    )
    assert names(open_menu(window)) == list(ENTRIES)
    open_menu(window).close()
    large_view().close()


def test_a_nodes_picture_has_the_menu_too(qtbot, window):
    window.files.open(WORKFLOWS / "text_to_image.json")
    opened = window.workspace.current
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    image.fill(7)
    opened.show_picture("decode", image)
    view = window.area.view
    view.select(["decode"])
    item = view.session.scene.node_items["decode"]
    place = view.session.viewer.mapFromScene(item.body().center())
    view.input_handler.request_menu(QPointF(place))
    part = next(a.menu() for a in open_menu(window).actions() if a.text() == "Picture")
    assert names(part) == list(ENTRIES)
    by_name = {action.text(): action.isEnabled() for action in part.actions()}
    assert by_name["Copy"]
    assert not by_name["Delete"]  # there is no file
    open_menu(window).close()


def test_a_picture_is_copied_and_saved_with_its_workflow(qtbot, window, three, monkeypatch):
    click(qtbot, window, 0)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_C, CONTROL)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert data.urls()[0].toLocalFile() == str(three[0])
    for name in ("copy.png", "copy.webp", "copy.jpg", "no_suffix"):
        path = three[0].parent / "saved" / name
        path.parent.mkdir(exist_ok=True)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, path=path: (str(path), ""))
        window.pictures.save_as(window.gallery.chosen())
        path = path if path.suffix else path.with_suffix(".png")
        assert read_any(path).node("prompt").values["text"] == "a blue car"
    assert (three[0].parent / "saved" / "copy.png").read_bytes() == three[0].read_bytes()


def test_several_pictures_are_saved_into_a_folder_without_overwriting(
    qtbot, window, three, monkeypatch
):
    click(qtbot, window, 0)
    click(qtbot, window, 1, CONTROL)
    folder = three[0].parent / "there"
    folder.mkdir()
    (folder / three[0].name).write_text("mine")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    window.pictures.save_as(window.gallery.chosen())
    assert sorted(path.name for path in folder.iterdir()) == [
        "blue.png",
        "blue_2.png",
        "green.png",
    ]
    assert (folder / three[0].name).read_text() == "mine"


def test_a_result_that_was_not_saved_is_written_with_the_workflow_of_its_run(window, tmp_path):
    window.files.open(WORKFLOWS / "text_to_image.json")
    opened = window.workspace.current
    window.runner.pictures.show_now(opened)
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0x102030)
    opened.show_picture("decode", image)
    picture = window.viewer.picture_of(opened, "decode")
    window.pictures._write(picture, tmp_path / "x.png", image)
    assert read_any(tmp_path / "x.png").node("prompt").values["text"] == "a fox"
    assert "Seed: 1" in read_text(tmp_path / "x.png")["parameters"]


def test_a_picture_goes_to_the_canvas(qtbot, window, three):
    click(qtbot, window, 0)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    choose(open_menu(window), "To canvas")
    qtbot.waitUntil(lambda: window.area.canvas.opened.canvas is not None)
    assert window.area.canvas.opened.canvas.state.width == 40


def test_several_pictures_go_to_the_canvas_as_the_layers_of_a_group(qtbot, window, three):
    click(qtbot, window, 0)
    click(qtbot, window, 2, CONTROL)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    choose(open_menu(window), "To canvas as layers")
    qtbot.waitUntil(lambda: window.area.canvas.opened.canvas is not None)
    canvas = window.area.canvas.opened.canvas
    qtbot.waitUntil(lambda: len(canvas.layers) == 3)
    assert [each.name for each in canvas.layers[:2]] == ["blue", "red"]  # by name, as batches are
    group = canvas.active
    assert group.is_group
    assert {each.group for each in canvas.layers[:2]} == {group.id}
    opened = window.area.canvas.opened
    assert opened.document.history.undo_name == "add pictures"
    opened.document.undo()
    assert canvas.layers == ()


@pytest.mark.parametrize("node", ["image.load", "mask.load"])
def test_a_picture_becomes_the_input_that_is_chosen(qtbot, window, three, node):
    window.workspace.new()
    window.library.chosen.emit(node)
    document = window.workspace.current.document
    (name,) = document.graph.nodes
    click(qtbot, window, 0)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    use = next(a.menu() for a in open_menu(window).actions() if a.text() == "Use as input")
    use.actions()[0].trigger()
    assert document.node(name).values["file"] == "asset:blue.png"
    assert document.history.undo_name == "use blue.png as input"


def test_without_an_input_a_node_is_added_and_without_a_workflow_one_is_opened(
    qtbot, window, three
):
    window.pictures.use_as_input(Picture.of_file(three[0]), None)
    current = window.workspace.current
    assert current.name == "image_to_image"
    assert "asset:blue.png" in {
        value for node in current.document.graph.nodes.values() for value in node.values.values()
    }
    window.workspace.new()
    window.pictures.use_as_input(Picture.of_file(three[0]), None)
    document = window.workspace.current.document
    assert [n.values["file"] for n in document.graph.nodes.values()] == ["asset:blue.png"]
    document.undo()
    assert not document.graph.nodes  # one step


def drop(window, widget, place: QPoint, file: Path) -> None:
    """Drop a file on a place of `widget`, as it reaches the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    at = QPointF(window.mapFromGlobal(widget.mapToGlobal(place)))
    action, keys = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(at.toPoint(), action, data, LEFT, keys))
    QApplication.sendEvent(window, QDropEvent(at, action, data, LEFT, keys))


@pytest.mark.parametrize("node", ["image.load", "mask.load"])
def test_a_picture_dropped_on_a_node_that_loads_one_is_its_input(window, three, node):
    """Window B10: it opened the picture's workflow in a new tab."""
    window.workspace.new()
    window.library.chosen.emit(node)
    opened = window.workspace.current
    (name,) = opened.document.graph.nodes
    view = window.area.view
    body = view.session.scene.node_items[name].body()
    viewer = view.session.viewer
    drop(window, viewer.viewport(), viewer.mapFromScene(body.center()), three[0])
    assert window.workspace.documents == [opened]
    assert opened.document.node(name).values["file"] == "asset:blue.png"


def test_a_picture_dropped_beside_the_nodes_opens_its_workflow(qtbot, window, three):
    window.workspace.new()
    window.library.chosen.emit("image.load")
    viewer = window.area.view.session.viewer
    drop(window, viewer.viewport(), QPoint(4, 4), three[0])
    qtbot.waitUntil(lambda: len(window.workspace.documents) == 2)
    assert window.workspace.current.document.node("prompt").values["text"] == "a blue car"


def test_a_picture_without_a_workflow_dropped_on_the_graph_is_loaded_there(qtbot, window, tmp_path):
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(0)
    image.save(str(tmp_path / "photo.png"))
    opened = window.workspace.new()
    viewer = window.area.view.session.viewer
    drop(window, viewer.viewport(), QPoint(60, 60), tmp_path / "photo.png")
    graph = opened.document.graph
    qtbot.waitUntil(lambda: bool(graph.nodes))
    nodes = list(graph.nodes.values())
    assert [(n.type, n.values["file"]) for n in nodes] == [("image.load", "asset:photo.png")]


def test_a_picture_is_made_again_with_its_seed(qtbot, window, tmp_path: Path):
    document = made_by(noise__seed=7)
    document.view.seeds = {"noise.seed": "random"}
    saved(window, tmp_path, "seven.png", document)
    click(qtbot, window, 0)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_Return, CONTROL)
    job = active_run(window).job
    assert job.graph["nodes"]["noise"]["values"]["seed"] == 7
    assert not window.workspace.current.document.view.seeds
    assert not window.workspace.current.modified


def test_variations_have_other_seeds(qtbot, window, three):
    window.pictures.make_variations(Picture.of_file(three[0]))
    jobs = [*window.runner.jobs.running.values(), *window.runner.jobs.waiting]
    seeds = {job.graph["nodes"]["noise"]["values"]["seed"] for job in jobs}
    assert len(jobs) == len(seeds) == 4


def test_settings_that_differ_are_beside_the_pictures(qtbot, window, three):
    click(qtbot, window, 0)
    click(qtbot, window, 1, CONTROL)
    qtbot.mouseClick(window.gallery._compare, LEFT)
    dialog = window.findChild(CompareDialog)
    told = dialog.settings.toPlainText()
    assert '"a blue car"' in told
    assert '"a green car"' in told
    assert "seed" in told
    dialog.close()


def test_comparing_with_one_or_none_says_what_to_select(qtbot, window, three):
    """Window C34: Compare did nothing with fewer than two."""
    qtbot.mouseClick(window.gallery._compare, LEFT)
    assert "Select two pictures" in window.status.text
    click(qtbot, window, 0)
    qtbot.mouseClick(window.gallery._compare, LEFT)
    assert "Ctrl+click another" in window.status.text
    assert window.findChild(CompareDialog) is None


def test_deleting_is_undone_while_the_window_lives(qtbot, window, three, trash: Path):
    window.results.rate(window.results.of(three[0]), 4)
    window.gallery.reload()
    click(qtbot, window, 0)
    click(qtbot, window, 1, CONTROL)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_Delete)
    assert [path.exists() for path in three] == [False, False, True]
    assert window.gallery.list.count() == 1
    assert "2 pictures moved to the trash" in window.area.message_bars.text("delete")
    undo = window.area.message_bars.findChildren(QPushButton)[0]
    qtbot.mouseClick(undo, LEFT)
    assert all(path.exists() for path in three)
    assert [result.path for result in window.gallery.list.all()] == three
    assert window.gallery.list.all()[0].stars == 4
    assert not list((trash / "info").iterdir())
    click(qtbot, window, 2)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_Delete)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_Z, CONTROL)
    assert three[2].exists()


def test_deleting_in_the_large_view_goes_on_to_the_next(qtbot, window, three):
    window.pictures.enlarge([Picture.of_file(three[0])])
    large = large_view()
    qtbot.keyClick(large, Qt.Key.Key_Delete)
    assert large.picture.path == three[1]
    qtbot.keyClick(large, Qt.Key.Key_Delete)
    qtbot.keyClick(large, Qt.Key.Key_Delete)
    assert not large.isVisible()
    assert not any(path.exists() for path in three)


def test_stars_are_given_by_keys_and_filter(qtbot, window, three):
    click(qtbot, window, 1)
    qtbot.keyClick(window.gallery.list, Qt.Key.Key_4)
    assert window.gallery.list.caption(1).startswith("★★★★ ")
    assert [r.path for r in window.gallery.list.chosen()] == [three[1]]  # it stays selected
    window.gallery.stars.setCurrentIndex(3)
    assert window.gallery.list.count() == 1
    window.gallery.stars.setCurrentIndex(5)
    assert "Press 1 to 5" in window.gallery._empty.text()  # C34: "Nothing fits this search."
    window.gallery.stars.setCurrentIndex(0)
    assert [r.path for r in window.gallery.list.chosen()] == []
    assert window.gallery.list.count() == 3


def test_pictures_are_collected(qtbot, window, three, monkeypatch):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("Cars, fast", True))
    assert not window.gallery.collection.isVisible()
    click(qtbot, window, 0)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    choose(open_menu(window), "Collections", "New collection…")
    assert window.results.collections() == ["Cars, fast"]
    window.gallery.collection.setCurrentIndex(1)
    assert [r.path for r in window.gallery.list.all()] == [three[0]]
    click(qtbot, window, 0)
    window.gallery.list.customContextMenuRequested.emit(QPoint(20, 20))
    choose(open_menu(window), "Collections", "Cars, fast")
    assert window.results.collections() == []
    assert window.gallery.list.count() == 3


@pytest.mark.parametrize(
    ("words", "count"), [("green", 1), ("nano", 3), ("seed 1", 3), ("car euler", 3), ("100%", 0)]
)
def test_pictures_are_found_by_all_that_made_them(qtbot, window, three, words, count):
    qtbot.keyClicks(window.gallery.search, words)
    assert window.gallery.list.count() == count


def test_a_saved_picture_is_named_by_its_prompt(window, tmp_path: Path):
    """Its caption was the file's name: Qt reads texts of a PNG without their line breaks."""
    document = made_by(prompt__text="a green car", noise__seed=5)
    file = tmp_path / "made.png"
    texts = stamp(document, Catalogue.shipped())
    file.write_bytes(encode(np.zeros((8, 8, 3), np.uint8), PictureFormat.PNG, texts))
    window.gallery.add(Job("", "mine", {}, RunRequest("run", stamp=texts)), str(file))
    assert window.gallery.list.caption(0) == "a green car"
    assert [r.path for r in window.results.find("green", stars=0)] == [file]


def test_a_list_of_before_gets_the_new_columns(home: Path, open_window):
    import sqlite3

    base = sqlite3.connect(home / "gallery.sqlite")
    base.executescript(
        "CREATE TABLE results (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,"
        " workflow TEXT NOT NULL, prompt TEXT NOT NULL, seed TEXT NOT NULL, made REAL NOT NULL,"
        " favourite INTEGER NOT NULL DEFAULT 0, thumbnail BLOB);"
        "INSERT INTO results VALUES (1, '/made/a.png', 'w', 'a fox', '1', 5.0, 1, NULL);"
    )
    base.close()
    window = open_window()
    assert window.results.moved_aside is None
    (result,) = window.results.find("fox", stars=1)
    assert (result.stars, result.collections) == (1, ())


def test_a_picture_brings_its_prompt_to_a_canvas_without_one(qtbot, window, three):
    """Window C28: the prompt was not taken along."""
    for file in three[:2]:
        window.pictures.to_canvas(Picture.of_file(file))
        qtbot.waitUntil(lambda: window.area.canvas.editor is not None)
        qtbot.waitUntil(
            lambda: bool(window.area.canvas.editor.form.current_values()["prompt.text"])
        )
    field = window.area.canvas.editor.generate.fields["prompt.text"].editor()
    assert field.toPlainText() == "a blue car"  # the second does not replace it


def test_a_result_that_was_not_saved_brings_its_prompt_to_a_canvas(qtbot, window):
    """Window C28: nor was that of a picture without a file."""
    window.files.open(WORKFLOWS / "text_to_image.json")
    opened = window.workspace.current
    opened.document.perform(SetValue("prompt", "text", "a red boat"))
    window.runner.pictures.show_now(opened)
    opened.document.perform(SetValue("prompt", "text", "a newer one, which has not run"))
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    image.fill(7)
    opened.show_picture("decode", image)
    window.area.view.select(["decode"])
    window.commands.run("canvas.bring")
    qtbot.waitUntil(lambda: window.area.canvas.editor is not None)
    form = window.area.canvas.editor.form
    qtbot.waitUntil(lambda: form.current_values()["prompt.text"] == "a red boat")
