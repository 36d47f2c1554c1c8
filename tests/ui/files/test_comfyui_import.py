"""Opening and dropping workflows of ComfyUI."""

import json
from pathlib import Path

from PIL import Image, PngImagePlugin
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QPushButton

from nodeforge.ui.files.comfyui_import import ReportDialog
from support.comfyui import text_to_image


def notice(window) -> str:
    return window.area.message_bars.text(f"imported {window.workspace.current.id}")


def write(path: Path, raw) -> Path:
    path.write_text(json.dumps(raw), "utf-8")
    return path


def test_a_dropped_workflow_of_comfyui_opens_as_a_new_one(window, tmp_path: Path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(write(tmp_path / "fox.json", text_to_image().ui())))])
    assert window.files.drop(data)
    opened = window.workspace.current
    assert (opened.name, opened.path) == ("fox", None)
    assert opened.document.graph.nodes["noise"].values["seed"] == 5
    assert "7 nodes of ComfyUI became 10" in notice(window)


def test_a_picture_of_comfyui_opens_with_its_report(qtbot, window, tmp_path: Path, monkeypatch):
    workflow = text_to_image()
    workflow.add("StyleModelLoader", {"style_model_name": "4x.st"})
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(workflow.api()))
    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png", pnginfo=info)
    shown: list[str] = []
    monkeypatch.setattr(ReportDialog, "exec", lambda self: shown.append(self.text.toPlainText()))
    window.files.open(tmp_path / "fox.png")
    qtbot.waitUntil(lambda: not window.files._reader.busy)
    assert "1 has no counterpart" in notice(window)
    bar = window.area.message_bars
    button = next(b for b in bar.findChildren(QPushButton) if b.text() == "Report…")
    button.click()
    assert "StyleModelLoader" in shown[0]


def test_a_picture_of_comfyui_can_go_to_the_canvas_instead(qtbot, window, tmp_path: Path):
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", json.dumps(text_to_image().ui()))
    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png", pnginfo=info)
    window.files.open(tmp_path / "fox.png")
    qtbot.waitUntil(lambda: not window.files._reader.busy)
    buttons = [each.text() for each in window.area.message_bars.findChildren(QPushButton)]
    assert buttons == ["Report…", "Open on the canvas"]


def test_a_picture_of_a1111_opens_as_a_workflow(qtbot, window, tmp_path: Path):
    info = PngImagePlugin.PngInfo()
    text = "a fox\nNegative prompt: blurry\nSteps: 4, Sampler: Euler a, Seed: 7, Size: 64x64"
    info.add_text("parameters", f"{text}, Model: nano, ENSD: 31337, Version: v1.10.1")
    Image.new("RGB", (8, 8)).save(tmp_path / "fox.png", pnginfo=info)
    window.files.open(tmp_path / "fox.png")
    qtbot.waitUntil(lambda: not window.files._reader.busy)
    opened = window.workspace.current
    assert opened.document.node("noise").values == {"seed": 7, "width": 64, "height": 64}
    assert "Settings of A1111 became 10 nodes. Not understood: ENSD." in notice(window)


def test_its_notice_goes_with_the_document(window, tmp_path: Path):
    window.files.open(write(tmp_path / "fox.json", text_to_image().api()))
    opened = window.workspace.current
    window.workspace.close(opened)
    assert window.area.message_bars.text(f"imported {opened.id}") == ""


def test_other_json_is_refused_as_before(window, tmp_path: Path):
    before = len(window.workspace.documents)
    window.files.open(write(tmp_path / "other.json", {"a": {"b": 1}}))
    assert len(window.workspace.documents) == before
    assert "says no format" in window.area.message_bars.text("open")
