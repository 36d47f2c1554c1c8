"""A model file on the window: named, moved, copied or used where it is."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from nodeforge.settings import shipped
from nodeforge.ui.fields.model_field import ModelDialog

LORA = shipped("resources") / "models" / "nano" / "lora" / "flat.safetensors"


@pytest.fixture
def dropped(window, tmp_path: Path) -> Path:
    path = tmp_path / "mine.safetensors"
    shutil.copyfile(LORA, path)
    return path


def press(qtbot, window, name: str) -> None:
    buttons = window.area.message_bars.findChildren(QPushButton)
    button = next(button for button in buttons if button.text() == name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(("name", "stays"), [("Move it there", False), ("Copy it there", True)])
def test_a_model_goes_to_its_folder_as_the_person_says(
    qtbot, window, home: Path, dropped: Path, name: str, stays: bool
):
    """Window, missing 9."""
    window.files.open(dropped)
    told = window.area.message_bars.text("model")
    assert told.startswith("mine.safetensors is a LoRA for nano. ")
    assert "LoRA" in told
    press(qtbot, window, name)
    target = home / "models" / "loras" / "mine.safetensors"
    qtbot.waitUntil(target.is_file)
    assert target.read_bytes() == LORA.read_bytes()
    assert dropped.exists() == stays
    assert not list(target.parent.glob(".*"))
    qtbot.waitUntil(lambda: "offers it now" in window.area.message_bars.text("model"))


def test_a_model_of_the_same_name_is_not_overwritten(qtbot, window, home: Path, dropped: Path):
    target = home / "models" / "loras" / "mine.safetensors"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"another")
    window.files.open(dropped)
    press(qtbot, window, "Move it there")
    qtbot.waitUntil(lambda: "is there already" in window.area.message_bars.text("model"))
    assert target.read_bytes() == b"another"
    assert dropped.exists()


def test_a_model_is_used_where_it_is(qtbot, window, dropped: Path):
    window.files.open(shipped("workflows") / "lora_style.json")
    window.files.open(dropped)
    press(qtbot, window, "Use it where it is")
    opened = window.workspace.current
    values = [v for n in opened.document.graph.nodes.values() for v in n.values.values()]
    assert str(dropped) in values
    assert str(dropped) in opened.granted


def test_what_is_no_model_says_so(window, tmp_path: Path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"nothing")
    window.files.open(path)
    assert "broken.safetensors" in window.area.message_bars.text("model")


def test_an_empty_picker_says_where_files_go(qtbot, window, home: Path):
    dialog = ModelDialog(window.workspace, "t2i_adapter", window)
    qtbot.addWidget(dialog)
    texts = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert str(home / "models" / "t2i_adapters") in texts
    assert "T2I-Adapter" in texts
