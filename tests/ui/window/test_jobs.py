"""The table of jobs: how many actions each takes in the real window.

An action is a click, a drag, a key chord or one typed text.
"""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from ui.graph_view.conftest import Screen

from nodeforge.canvas.generation.intents import Intent
from nodeforge.graph.model import Input
from nodeforge.imaging import PictureFormat, encode
from nodeforge.settings import shipped
from support.canvas_driver import driver_in
from support.windows import active_run

LEFT, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
KEYS = Qt.Key
WIDE = 320
"""Scene units between nodes that are added beside each other."""


class Hand:
    """Mouse and keys on a window; counts the actions."""

    def __init__(self, window) -> None:
        self.window = window
        self.actions = 0

    @property
    def screen(self) -> Screen:
        screen = Screen.__new__(Screen)
        screen.view, screen.document, screen.refused = self.window.area.view, self.document, []
        return screen

    @property
    def document(self):
        return self.window.workspace.current.document

    def chord(self, key: Qt.Key, modifiers=PLAIN, at: QWidget | None = None) -> None:
        self.actions += 1
        QTest.keyClick(at or QApplication.focusWidget(), key, modifiers)
        QApplication.processEvents()

    def type(self, text: str) -> None:
        self.actions += 1
        QTest.keyClicks(QApplication.focusWidget(), text)

    def click(self, widget: QWidget, place: QPoint | None = None, *, double: bool = False) -> None:
        self.actions += 1
        QTest.mouseClick(widget, LEFT, PLAIN, place or QPoint())
        if double:
            QTest.mouseDClick(widget, LEFT, PLAIN, place or QPoint())
        QApplication.processEvents()

    def hover(self, place: QPointF) -> None:
        """Move the mouse over a place of the graph; no action."""
        viewport = self.screen.viewer.viewport()
        QTest.mouseMove(viewport, self.screen.pixel(place))
        QApplication.processEvents()

    def drag(self, start: QPointF, end: QPointF) -> None:
        """Drag in the graph, between places of the scene."""
        self.actions += 1
        self.screen.drag(start, end)
        QApplication.processEvents()

    def edit(self, address: str, text: str) -> None:
        """Replace a text in its node."""
        place = self.screen.row(address)
        self.actions += 1
        self.screen.show(place)
        self.screen.double_click(place)
        QApplication.processEvents()
        self.type(text)

    def add(self, text: str = "") -> str:
        """Choose the first entry of the search that is open, after a text; the new node."""
        before = set(self.document.graph.nodes)
        if text:
            self.type(text)
        self.chord(KEYS.Key_Return)
        (added,) = set(self.document.graph.nodes) - before
        return added

    def drop_link(self, address: str, across: int, text: str = "", *, down: int = 0) -> str:
        """Drag a link from a port to an empty place, and choose what to add there."""
        is_input = across < 0
        start = self.screen.port(address, is_input=is_input)
        self.drag(start, start + QPointF(across, down))
        return self.add(text)


@pytest.fixture
def hand(window) -> Hand:
    window.activateWindow()
    QApplication.processEvents()
    return Hand(window)


def test_text_to_image_from_empty(hand: Hand):
    """window, job *Text to image from empty*: 42 actions before, 20 at most."""
    hand.chord(KEYS.Key_N, CONTROL, hand.window)
    hand.window.area.view.session.viewer.setFocus()
    hand.chord(KEYS.Key_Tab)
    assert hand.add("load model") == "load"
    assert hand.document.node("load").values["file"] == "nano"  # the only one there is
    denoise = hand.drop_link("load.model", 2 * WIDE)
    prompt = hand.drop_link("load.text_encoder", 40, down=300)
    hand.drop_link(f"{denoise}.noise", -120, down=500)
    hand.drag(
        hand.screen.port(f"{prompt}.conditioning", is_input=False),
        hand.screen.port(f"{denoise}.positive", is_input=True),
    )
    decode = hand.drop_link(f"{denoise}.latent", 60)
    hand.drag(
        hand.screen.port("load.vae", is_input=False),
        hand.screen.port(f"{decode}.vae", is_input=True),
    )
    hand.drop_link(f"{decode}.image", 60)
    hand.edit(f"{prompt}.text", "a fox")
    hand.chord(KEYS.Key_Return, CONTROL)
    job = active_run(hand.window).job
    types = {node["type"] for node in job.graph["nodes"].values()}
    assert types == {
        *("models.load", "text.encode", "sampling.noise", "sampling.denoise"),
        *("latent.decode", "image.save"),
    }
    assert job.graph["nodes"][prompt]["values"]["text"] == "a fox"
    assert hand.actions <= 20


def test_a_lora_into_a_running_graph(hand: Hand):
    """window, job *Add nano's LoRA to a running graph*: 10 actions before, 4 at most."""
    hand.window.files.open(shipped("workflows") / "text_to_image.json")
    line = hand.window.area.view.session.scene.link_items[Input("denoise", "model")]
    hand.hover(line.path().pointAtPercent(0.5))
    hand.window.area.view.session.viewer.setFocus()
    hand.chord(KEYS.Key_Tab)
    lora = hand.add("lora")
    assert hand.document.node(lora).values["file"] == "nano/lora/flat.safetensors"
    hand.chord(KEYS.Key_Return, CONTROL, hand.window)
    links = active_run(hand.window).job.graph["links"]
    assert links["denoise.model"] == f"{lora}.model"
    assert links["prompt.text_encoder"] == links["negative.text_encoder"]
    assert links["prompt.text_encoder"] == f"{lora}.text_encoder"
    assert hand.actions <= 4


def test_a_gallery_picture_is_looked_at_and_saved(hand: Hand, tmp_path, monkeypatch):
    """window, jobs *Look at a gallery picture*, *Save a picture*: not possible before, 2 now."""
    window, file, copy = hand.window, tmp_path / "mine.png", tmp_path / "copy.png"
    file.write_bytes(encode(np.full((30, 40, 3), 90, np.uint8), PictureFormat.PNG))
    window.results.add(file, "text_to_image", {}, b"", "")
    window.gallery.reload()
    shown = window.gallery.list
    hand.click(shown.viewport(), shown.row_rect(0).center())
    assert window.viewer.picture.path == file
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    hand.click(window.viewer.save_button)
    assert copy.read_bytes() == file.read_bytes()
    assert hand.actions <= 2


def test_a_picture_is_expanded(hand: Hand, monkeypatch):
    """window, job *Outpaint*: 5 actions before, 3 at most."""
    driver = driver_in(hand.window)
    started = []
    monkeypatch.setattr(
        driver.editor.generator, "start", lambda *_: started.append(driver.session.box)
    )
    driver.view.setFocus()
    hand.chord(KEYS.Key_K, at=driver.view)
    hand.actions += 1
    driver.pointer.drag([(-90, 10), (100, 120), (200, 270)])
    hand.chord(KEYS.Key_Return, CONTROL, driver.view)
    assert started
    assert started[0].left < 0
    assert driver.editor.form.intent is Intent.EXPAND
    assert hand.actions <= 3
