"""The gallery's list and its pictures."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage

from nodeforge.ui.gallery.compare import CompareDialog
from nodeforge.ui.gallery.store import Results, prompt_and_seed

PARAMETERS = "a fox, red\nNegative prompt: dull\nSteps: 20, Sampler: Euler, Seed: 42, Size: 8x8"


def picture(folder: Path, name: str, colour: str = "red") -> Path:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    image.save(str(folder / name))
    return folder / name


@pytest.fixture
def results(tmp_path: Path):
    results = Results(tmp_path / "gallery.sqlite")
    yield results
    results.close()


def test_results_are_found_by_all_words_newest_first(results, tmp_path: Path):
    for index, prompt in enumerate(["a red fox", "a red owl", "a blue fox"]):
        texts = {"parameters": f"{prompt}\nSteps: 1, Seed: {index}"}
        results.add(tmp_path / f"{index}.png", "mine", texts, b"")
    assert [each.prompt for each in results.find()] == ["a blue fox", "a red owl", "a red fox"]
    assert [each.seed for each in results.find("fox red")] == ["0"]


def test_favourites_and_removal_are_kept(results, tmp_path: Path):
    results.add(tmp_path / "0.png", "mine", {}, b"")
    (result,) = results.find()
    results.mark(result, True)
    assert results.find(favourites=True)[0].favourite
    results.remove(result)
    assert not results.find()


def test_a_damaged_list_is_put_aside(tmp_path: Path):
    file = tmp_path / "gallery.sqlite"
    file.write_bytes(b"no database" * 1000)
    results = Results(file)
    assert not results.find()
    assert file.with_suffix(".damaged").exists()
    results.close()


def test_prompt_and_seed_come_from_the_parameters():
    assert prompt_and_seed(PARAMETERS) == ("a fox, red", "42")
    assert prompt_and_seed("") == ("", "")


def test_pictures_are_searched_dragged_out_and_deleted(qtbot, window, tmp_path: Path):
    for name in ("fox", "owl"):
        path = picture(tmp_path, f"{name}.png")
        window.results.add(path, "mine", {"parameters": f"a {name}\nSeed: 1"}, b"")
    window.gallery.reload()
    qtbot.keyClicks(window.gallery.search, "owl")
    assert window.gallery.list.count() == 1
    item = window.gallery.list.item(0)
    urls = window.gallery.list.mimeData([item]).urls()
    assert [url.toLocalFile() for url in urls] == [str(tmp_path / "owl.png")]
    item.setSelected(True)
    window.gallery.delete(window.gallery.list.chosen())
    assert not (tmp_path / "owl.png").exists()
    window.gallery.search.clear()
    assert window.gallery.list.count() == 1


def test_two_pictures_are_compared_across_a_line(qtbot, tmp_path: Path):
    first = picture(tmp_path, "a.png")
    dialog = CompareDialog(first, picture(tmp_path, "b.png", "blue"))
    qtbot.addWidget(dialog)
    dialog.resize(400, 400)
    dialog.show()
    split = dialog.split
    shown = split.grab().toImage()
    middle = shown.height() // 2
    assert shown.pixelColor(10, middle) == QColor("red")
    assert shown.pixelColor(shown.width() - 10, middle) == QColor("blue")
    qtbot.keyClick(split, Qt.Key.Key_Right)
    assert split.share == pytest.approx(0.55)
    qtbot.mouseClick(split, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    assert split.share < 0.01
