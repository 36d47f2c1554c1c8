"""*Verify* makes a saved picture again in the queue, and shows the verdict."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from nodeforge.engine.content.assets import keep_picture
from nodeforge.formats import read_any
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.imaging import PictureFormat, decode, encode, read_text
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.gallery.compare_dialog import BESIDE, CompareDialog
from support.processes import ForkedWorker

LONG = 240_000
"""Milliseconds; a busy machine takes a minute to import the worker's libraries."""


@pytest.fixture
def working(open_window):
    """A window with a real worker."""
    return open_window(ForkedWorker)


@pytest.fixture
def picture(qtbot, working, tmp_path: Path) -> Path:
    """A saved picture in the gallery, made without a model."""
    document, source = Document(), tmp_path / "source.png"
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor(140, 80, 120))
    image.save(str(source))
    document.assets["source.png"] = keep_picture(source, working.workspace.settings)
    document.graph.nodes["load"] = Node("image.load", {"file": "asset:source.png"})
    document.graph.nodes["adjust"] = Node("image.adjust", {"brightness": 0.1})
    document.graph.nodes["save"] = Node("image.save")
    document.graph.links[Input("adjust", "image")] = Output("load", "image")
    document.graph.links[Input("save", "image")] = Output("adjust", "image")
    opened = OpenDocument(document, name="bright")
    working.workspace.add(opened)
    with qtbot.waitSignal(working.runner.finished, timeout=LONG):
        working.runner.run(opened)
    qtbot.waitUntil(lambda: working.gallery.list.count() == 1)
    return working.gallery.all()[0].path


def verified(qtbot, window, picture: Path) -> CompareDialog:
    window.pictures.verify(Picture.of_file(picture))
    qtbot.waitUntil(lambda: window.findChild(CompareDialog) is not None, timeout=LONG)
    dialog = window.findChild(CompareDialog)
    qtbot.waitExposed(dialog)
    return dialog


def test_a_picture_is_verified_and_nothing_is_added(qtbot, working, picture: Path):
    before = sorted(picture.parent.iterdir())
    dialog = verified(qtbot, working, picture)
    assert dialog.windowTitle() == f"Verify {picture.name}"
    assert dialog.settings.toPlainText().startswith("Identical: every pixel is the same.")
    assert dialog.pair.mode == BESIDE
    assert working.gallery.list.count() == 1
    assert sorted(picture.parent.iterdir()) == before
    assert working.runner.jobs.ended[0].name == f"Verify {picture.name}"
    assert not working.runner.jobs.ended[0].request.outputs.exists()
    dialog.close()
    dialog.setParent(None)

    changed = decode(picture).pixels.copy()
    changed[:5] = 0
    texts = read_text(picture)
    picture.write_bytes(encode(changed, PictureFormat.PNG, texts))
    told = verified(qtbot, working, picture).settings.toPlainText()
    assert told.startswith("Different: at most ")
    assert "the file was changed after it was saved" in told


def test_what_keeps_a_picture_from_being_verified_is_said(qtbot, window, tmp_path: Path):
    path = tmp_path / "old.png"
    pixels = np.zeros((8, 8, 3), np.uint8)
    path.write_bytes(encode(pixels, PictureFormat.PNG, {"nodeforge": '{"format": 2}'}))
    assert read_any(path)
    window.pictures.verify(Picture.of_file(path))
    bars = window.area.message_bars
    qtbot.waitUntil(lambda: "holds no lock" in bars.text("verify"), timeout=LONG)
