"""A model in a pickle: where the window meets one, the person is asked, and can go on."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from nodeforge.diffusion.weights.pickles import convert_pickle
from nodeforge.engine.worker_client import pickle_permission
from nodeforge.settings import load_settings, shipped
from nodeforge.ui.fields import pickle_dialog
from nodeforge.ui.fields.model_field import ModelDialog
from tests import tiny_upscalers


class Opens:
    """What a pickle can do: here it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture(autouse=True)
def converted_here(monkeypatch: pytest.MonkeyPatch):
    """The worker's own code in this process: a process of its own takes seconds."""

    def convert(settings, path, target, check):
        check()
        return convert_pickle(path, target)

    allow = partial(pickle_permission.allow_pickle, convert=convert)
    monkeypatch.setattr(pickle_dialog, "allow_pickle", allow)


@pytest.fixture
def pickled(home: Path) -> Path:
    folder = home / "models" / "upscalers"
    folder.mkdir(parents=True)
    torch.save({"params_ema": tiny_upscalers.state(tiny_upscalers.compact())}, folder / "x2.pth")
    return folder / "x2.pth"


@pytest.fixture
def asked():
    """Answers questions by the texts of their buttons, and keeps what they said."""
    told: list[str] = []
    answers: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox) and answers:
            told.append(f"{box.text()} {box.informativeText()}")
            name = answers.pop(0)
            next(each for each in box.buttons() if each.text() == name).click()

    clock = QTimer()
    clock.timeout.connect(answer)
    clock.start(5)
    yield answers, told
    clock.stop()


def enlarging(window, folder: Path):
    raw = json.loads((shipped("workflows") / "enlarge.json").read_text())
    raw["nodes"]["upscaler"]["values"] = {"file": "x2.pth"}
    picture = shipped("resources") / "samples" / "mushroom.png"
    raw["nodes"]["image"]["values"] = {"file": str(picture)}
    file = folder / "enlarge.json"
    file.write_text(json.dumps(raw))
    window.files.open(file)
    return window.workspace.current


def choose(dialog: ModelDialog) -> str:
    """Choose the person's own upscaler in the list; what is said of it."""
    items = (dialog._list.topLevelItem(at) for at in range(dialog._list.topLevelItemCount()))
    item = next(each for each in items if each.text(0).startswith("x2"))
    dialog._list.setCurrentItem(item)
    return item.text(1)


def press(qtbot, widget, name: str) -> None:
    button = next(each for each in widget.findChildren(QPushButton) if each.text() == name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_picker_allows_a_pickle_and_takes_it(qtbot, window, pickled: Path, asked, home: Path):
    answers, told = asked
    dialog = ModelDialog(window.workspace, "upscaler", window)
    qtbot.addWidget(dialog)
    dialog.show()
    assert choose(dialog) == "not allowed yet"
    answers += ["Cancel"]
    press(qtbot, dialog, "Allow this file…")
    assert dialog.isVisible()
    assert "runs nothing" in told[0]
    assert "x2.pth" in told[0]
    assert not load_settings(home).pickles_allowed
    answers += ["&Allow"]
    press(qtbot, dialog, "Allow this file…")
    assert dialog.chosen == "x2.pth"
    assert list(load_settings(home).pickles_allowed.values()) == ["x2.pth"]
    again = ModelDialog(window.workspace, "upscaler", window)
    qtbot.addWidget(again)
    assert choose(again) == "Real-ESRGAN compact ×2"
    assert again._use.text() == "Use"


def test_a_pickle_that_runs_code_is_refused_and_runs_none(
    qtbot, window, pickled: Path, asked, home: Path, tmp_path: Path
):
    torch.save({"params": Opens(tmp_path / "ran")}, pickled)
    answers, told = asked
    dialog = ModelDialog(window.workspace, "upscaler", window)
    qtbot.addWidget(dialog)
    dialog.show()
    choose(dialog)
    answers += ["&Allow", "OK"]
    press(qtbot, dialog, "Allow this file…")
    assert "None of it was run" in told[1]
    assert not dialog.chosen
    assert not (tmp_path / "ran").exists()
    assert not load_settings(home).pickles_allowed


def test_a_refused_run_offers_to_allow_the_pickle_and_runs(
    qtbot, window, pickled: Path, asked, tmp_path: Path
):
    answers, _ = asked
    opened = enlarging(window, tmp_path)
    window.run_menu.run()
    bars = window.area.message_bars
    assert "is a pickle" in bars.text("refused")
    answers += ["&Allow"]
    press(qtbot, bars, "Allow this file…")
    assert not bars.text("refused")
    assert not [each for each in opened.problems if each.rule == "model_files"]
    assert window.runner.jobs.pending


def test_the_problems_panel_offers_to_allow_the_pickle(
    qtbot, window, pickled: Path, asked, tmp_path: Path
):
    answers, _ = asked
    opened = enlarging(window, tmp_path)
    window.runner.planner.check(opened)
    window.docks.show("problems")
    answers += ["&Allow"]
    press(qtbot, window.problems, "Allow this file…")
    assert not [each for each in opened.problems if each.rule == "model_files"]
    assert not window.problems.widget().findChildren(QPushButton, "Allow this file…")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
def test_a_dropped_pickle_is_allowed_then_moved_or_used(
    qtbot, window, pickled: Path, asked, tmp_path: Path, suffix: str
):
    answers, _ = asked
    dropped = tmp_path / f"mine{suffix}"
    pickled.rename(dropped)
    window.files.open(dropped)
    bars = window.area.message_bars
    assert "is a pickle" in bars.text("model")
    answers += ["&Allow"]
    press(qtbot, bars, "Allow this file…")
    assert bars.text("model").startswith(f"mine{suffix} is an upscaler")
    press(qtbot, bars, "Move it there")
    qtbot.waitUntil(lambda: (pickled.parent / dropped.name).is_file())
    assert window.workspace.folders.info("upscaler", dropped.name).is_usable
