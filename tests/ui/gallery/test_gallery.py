"""The gallery's list and its pictures."""

import contextlib
import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage

from nodeforge.engine.running.context import RunRequest
from nodeforge.formats import load, save, stamp
from nodeforge.graph.model import Input
from nodeforge.imaging import PictureFormat, encode, item_stamp
from nodeforge.settings import shipped
from nodeforge.ui.gallery.compare_dialog import CompareDialog
from nodeforge.ui.gallery.results_database import GalleryError, ResultsDatabase, prompt_and_seed
from nodeforge.ui.running.job_queue import Job
from nodeforge.values.output_names import told

TEXT_TO_IMAGE = shipped("workflows") / "text_to_image.json"
PARAMETERS = "a fox, red\nNegative prompt: dull\nSteps: 20, Sampler: Euler, Seed: 42, Size: 8x8"


def picture(folder: Path, name: str, colour: str = "red") -> Path:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    image.save(str(folder / name))
    return folder / name


@pytest.fixture
def results(tmp_path: Path):
    results = ResultsDatabase(tmp_path / "gallery.sqlite")
    yield results
    results.close()


def test_results_are_found_by_all_words_newest_first(results, tmp_path: Path):
    for index, prompt in enumerate(["a red fox", "a red owl", "a blue fox"]):
        texts = {"parameters": f"{prompt}\nSteps: 1, Seed: {index}"}
        results.add(tmp_path / f"{index}.png", "mine", texts, b"")
    assert [each.prompt for each in results.find()] == ["a blue fox", "a red owl", "a red fox"]
    assert [each.seed for each in results.find("fox red")] == ["0"]


def test_stars_and_removal_are_kept(results, tmp_path: Path):
    results.add(tmp_path / "0.png", "mine", {}, b"")
    (result,) = results.find()
    results.rate(result, 3)
    assert results.find(stars=3)[0].stars == 3
    assert not results.find(stars=4)
    results.remove(result)
    assert not results.find()


def filled(file: Path, count: int = 200) -> None:
    results = ResultsDatabase(file)
    for index in range(count):
        texts = {"parameters": f"prompt {index}\nSteps: 1, Seed: {index}"}
        results.add(Path(f"/made/{index}.png"), "mine", texts, b"thumbnail" * 20)
    results.rate(results.find("prompt 7.png")[0], 1) if count > 7 else None
    results.close()


def test_a_damaged_list_is_put_aside_and_overwrites_nothing(tmp_path: Path):
    """Reliability F3: the rescue copy of before was overwritten."""
    file = tmp_path / "gallery.sqlite"
    for number in (1, 2):
        file.write_bytes(b"no database %d" % number * 1000)
        results = ResultsDatabase(file)
        assert not results.find()
        aside = tmp_path / f"gallery.damaged-{number}.sqlite"
        assert aside.read_bytes().startswith(b"no database %d" % number)
        assert results.moved_aside == aside
        results.close()


def test_a_busy_list_is_not_damaged(tmp_path: Path):
    """Reliability F3: it was renamed, and the gallery was empty."""
    file = tmp_path / "gallery.sqlite"
    filled(file, 5)
    other = sqlite3.connect(file)
    other.execute("BEGIN EXCLUSIVE")
    results = ResultsDatabase(file)
    with pytest.raises(GalleryError, match="another program holds"):
        results.find()
    results.add(Path("/made/late.png"), "mine", {}, b"")  # it is kept until the list is free
    assert results.prompts() == []
    other.rollback()
    other.close()
    assert [result.path.name for result in results.find(limit=2)] == ["late.png", "4.png"]
    assert results.moved_aside is None
    assert list(tmp_path.glob("*damaged*")) == []
    results.close()


def test_the_window_opens_on_a_busy_list_and_shows_it_later(qtbot, open_window, home: Path):
    filled(home / "gallery.sqlite", 3)
    other = sqlite3.connect(home / "gallery.sqlite")
    other.execute("BEGIN EXCLUSIVE")
    window = open_window()
    assert window.gallery.list.count() == 0
    other.rollback()
    other.close()
    qtbot.waitUntil(lambda: window.gallery.list.count() == 3, timeout=10_000)


def test_the_window_says_that_a_list_was_damaged(qtbot, open_window, home: Path):
    (home / "gallery.sqlite").write_bytes(b"no database" * 1000)
    told: list[str] = []
    window = open_window()
    window.gallery.failed.connect(told.append)
    (home / "gallery.sqlite").write_bytes(b"damaged while it is open" * 1000)
    window.results._base.close()
    window.gallery.reload()
    assert len(told) == 1
    assert "gallery.damaged-2.sqlite" in told[0]
    window.gallery.reload()
    assert len(told) == 1
    assert (home / "gallery.damaged-1.sqlite").exists()


@pytest.mark.parametrize("page", range(1, 12))
def test_what_can_be_read_of_a_damaged_list_is_kept(tmp_path: Path, page: int):
    """Reliability F4: one page of 0xff kept the window from opening."""
    file = tmp_path / "gallery.sqlite"
    filled(file)
    data = bytearray(file.read_bytes())
    data[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    file.write_bytes(data)
    results = ResultsDatabase(file)
    found = results.find(limit=1000)
    assert len(found) > (0 if page < 3 else 100)
    results.add(Path("/made/new.png"), "mine", {}, b"")
    assert results.find(limit=1)[0].path.name == "new.png"
    results.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE results RENAME COLUMN prompt TO p2",
        "ALTER TABLE results DROP COLUMN thumbnail",
        "UPDATE results SET made = 'x', seed = x'ff00', prompt = 5",
        "UPDATE results SET prompt = CAST(x'fffe41' AS TEXT), thumbnail = 'text'",
        "DROP TABLE results; CREATE TABLE results (id, path, workflow)",
        "PRAGMA user_version = 99",
    ],
)
def test_a_list_of_another_shape_is_read_as_far_as_it_goes(tmp_path: Path, statement: str):
    file = tmp_path / "gallery.sqlite"
    filled(file, 20)
    base = sqlite3.connect(file)
    base.executescript(statement)
    base.close()
    results = ResultsDatabase(file)
    found = results.find(limit=100)
    assert len(found) == (0 if "DROP TABLE" in statement else 20)
    assert all(isinstance(prompt, str) for prompt in results.prompts())
    results.close()


def test_mutated_lists_never_raise_anything_else(tmp_path: Path):
    """A short form of the fuzzing of lists: what is raised is a GalleryError, if anything."""
    file = tmp_path / "whole.sqlite"
    filled(file, 60)
    whole, chance = file.read_bytes(), random.Random(5)
    for number in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 30, 400))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        mutated = tmp_path / f"{number}.sqlite"
        mutated.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        results = ResultsDatabase(mutated)
        with contextlib.suppress(GalleryError):
            results.find("prompt")
            results.newest()
            results.prompts()
            results.add(Path("/made/new.png"), "mine", {}, b"")
        results.close()


def test_prompt_and_seed_come_from_the_parameters():
    assert prompt_and_seed(PARAMETERS) == ("a fox, red", "42")
    assert prompt_and_seed("") == ("", "")


def test_pictures_are_searched_and_dragged_out(qtbot, window, tmp_path: Path):
    for name in ("fox", "owl"):
        path = picture(tmp_path, f"{name}.png")
        window.results.add(path, "mine", {"parameters": f"a {name}\nSeed: 1"}, b"")
    window.gallery.reload()
    qtbot.keyClicks(window.gallery.search, "owl")
    assert window.gallery.list.count() == 1
    window.gallery.list.select_row(0)
    urls = window.gallery.list.mime_data().urls()
    assert [url.toLocalFile() for url in urls] == [str(tmp_path / "owl.png")]


@pytest.fixture
def compared(qtbot, tmp_path: Path):
    files = picture(tmp_path, "a.png"), picture(tmp_path, "b.png", "blue")
    dialog = CompareDialog(*((file.name, QImage(str(file))) for file in files))
    qtbot.addWidget(dialog)
    dialog.resize(500, 400)
    dialog.show()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def colour_at(pair, share: float) -> QColor:
    shown = pair.grab().toImage()
    return shown.pixelColor(int(shown.width() * share), shown.height() // 2)


def test_two_pictures_are_compared_across_a_line(qtbot, compared):
    pair = compared.pair
    assert colour_at(pair, 0.4) == QColor("red")
    assert colour_at(pair, 0.6) == QColor("blue")
    qtbot.keyClick(pair, Qt.Key.Key_Right)
    assert pair.share == pytest.approx(0.55)
    qtbot.mouseClick(pair, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert pair.share < 0.01


def test_two_pictures_are_compared_in_turns_and_by_what_differs(qtbot, compared):
    pair = compared.pair
    qtbot.mouseClick(compared.buttons["blink"], Qt.MouseButton.LeftButton)
    assert colour_at(pair, 0.5) == QColor("red")
    qtbot.waitUntil(lambda: pair.shows_second)
    assert colour_at(pair, 0.5) == QColor("blue")
    qtbot.keyClick(pair, Qt.Key.Key_Space)  # stops, and shows the other
    assert colour_at(pair, 0.5) == QColor("red")
    qtbot.keyClick(compared, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: pair.mode == "difference")
    assert colour_at(pair, 0.5) == QColor(255, 0, 255)
    assert "100.0 % of the pixels differ" in compared._fact.text()


def test_settings_of_a_picture_of_one_draw_make_it_alone(qtbot, window, tmp_path: Path):
    window.files.open(TEXT_TO_IMAGE)
    ours = window.workspace.current.document
    theirs = load(TEXT_TO_IMAGE)
    theirs.node("noise").values["batch"] = 3
    theirs.node("sampler").values["convention"] = "comfyui"
    file = tmp_path / "second.png"
    texts = item_stamp(stamp(theirs, window.workspace.catalogue), 1)
    file.write_bytes(encode(np.zeros((8, 8, 3), np.uint8), PictureFormat.PNG, texts))
    window.gallery.settings_requested.emit(file)
    qtbot.waitUntil(lambda: ours.node("noise").values["batch"] == 3)
    assert ours.node("noise").values["item"] == 1


def test_settings_alone_are_loaded_into_the_open_workflow(qtbot, window, tmp_path: Path):
    file = tmp_path / "theirs.json"
    window.files.open(TEXT_TO_IMAGE)
    ours = window.workspace.current.document
    theirs = load(TEXT_TO_IMAGE)
    theirs.node("prompt").values["text"] = "an owl"
    theirs.node("noise").values["seed"] = 7
    del theirs.graph.nodes["save"], theirs.graph.links[Input("save", "image")]
    theirs.graph.nodes["renamed"] = theirs.graph.nodes.pop("schedule")
    theirs.node("renamed").values["steps"] = 9
    save(theirs, file)
    nodes = set(ours.graph.nodes)
    window.gallery.settings_requested.emit(file)
    qtbot.waitUntil(lambda: ours.node("prompt").values["text"] == "an owl")
    assert ours.node("noise").values["seed"] == 7
    assert ours.node("schedule").values["steps"] == 9
    assert set(ours.graph.nodes) == nodes
    assert ours.history.undo_name == "load settings"
    assert window.status.text == "Settings of theirs.json were loaded."
    ours.undo()
    assert ours.node("prompt").values["text"] == "a fox"


@pytest.mark.parametrize("format", [PictureFormat.PNG, PictureFormat.WEBP, PictureFormat.JPEG])
def test_each_picture_of_a_batch_has_a_row_with_its_own_seed(window, tmp_path: Path, format):
    """files A16, in the gallery: all rows showed the first seed."""
    document = load(TEXT_TO_IMAGE)
    document.node("noise").values |= {"batch": 3, "seed": 5}
    texts = stamp(document, window.workspace.catalogue)
    job = Job("a", "mine", {}, RunRequest(run="r", stamp=texts))
    for item in range(3):
        file = tmp_path / f"{item}.{format.value}"
        own = item_stamp(texts, item)
        file.write_bytes(encode(np.zeros((8, 8, 3), np.uint8), format, own))
        window.gallery.add(job, str(file))
    seeds = [result.seed for result in window.results.find()]
    assert seeds == [told(item_stamp(texts, item)["parameters"])[1]["Seed"] for item in (2, 1, 0)]
    assert len(set(seeds)) == 3
