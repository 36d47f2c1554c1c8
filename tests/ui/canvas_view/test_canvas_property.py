"""Whatever a pointer does, in whatever order: nothing raises, and undo leads back to the start."""

import random

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.generation.staging_area import Candidate
from support.canvas_driver import CanvasDriver

KEYS = "BEGLMVICWSKXDQ[]456"
SPECIAL = (Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
MODIFIERS = (
    *[Qt.KeyboardModifier.NoModifier] * 4,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
COMMANDS = (
    *("canvas.new_layer", "canvas.new_mask", "canvas.merge_down", "canvas.flip_across"),
    *("canvas.deselect", "canvas.invert_selection", "canvas.mask_from_layer", "edit.duplicate"),
    *("canvas.flatten", "edit.cut", "canvas.accept_part", "view.zoom_all", "edit.select_all"),
    *("edit.undo", "edit.undo", "edit.undo", "edit.redo", "canvas.invert_mask"),
)


def act(qtbot, driver: CanvasDriver, rng: random.Random) -> None:
    """One thing that a person could do."""

    def place() -> tuple[float, float]:
        return rng.uniform(-60, 380), rng.uniform(-60, 340)

    match rng.randrange(8):
        case 0 | 1 | 2:
            keys = rng.choice(MODIFIERS)
            driver.pointer.press(place(), keys)
            for _ in range(rng.randrange(4)):
                driver.pointer.move(place(), keys)
            if rng.random() < 0.8:  # else the press is still held when the next thing happens
                driver.pointer.release(place(), keys)
        case 3:
            qtbot.keyClick(driver.view, rng.choice(KEYS))
        case 4:
            qtbot.keyClick(driver.view, rng.choice(SPECIAL))
        case 5:
            driver.do(rng.choice(COMMANDS))
        case 6:
            spots = [(*place(), rng.random()) for _ in range(rng.randrange(1, 4))]
            driver.pointer.pen(spots, eraser=rng.random() < 0.2)
        case 7:
            box = Box(rng.randrange(-50, 250), rng.randrange(-50, 250), 64, 48)
            patch = np.full((box.height, box.width, 4), rng.randrange(256), np.uint8)
            driver.editor.staging.add(Candidate(patch, box))


@pytest.mark.parametrize("seed", range(4))
def test_anything_in_any_order(qtbot, driver, seed: int):
    before, rng = driver.pixels(), random.Random(seed)
    driver.tool("brush", size=24)
    for step in range(120):
        act(qtbot, driver, rng)
        if step % 12 == 0:
            driver.view.render(QImage(driver.view.size(), QImage.Format.Format_RGB32))
    driver.pointer.release((10, 10))
    driver.session.commit()
    for _ in range(len(driver.document.history)):
        driver.undo()
    assert driver.canvas.size == (320, 288)
    assert np.array_equal(driver.pixels(), before)
