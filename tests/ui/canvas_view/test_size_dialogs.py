"""Scaling the picture, resizing and cropping the canvas, as a person asks for it."""

import numpy as np
import pytest
from PySide6.QtWidgets import QDialogButtonBox

from nodeforge.canvas import LONGEST_SIDE, rectangle, select
from nodeforge.imaging import Box, Method
from nodeforge.ui.canvas_view.editor.size_dialogs import CanvasSizeDialog, ScaleDialog
from support.canvas_driver import shown

OK = QDialogButtonBox.StandardButton.Ok


@pytest.fixture
def commands(driver):
    assert driver.tab.commands is not None
    return driver.tab.commands


def test_scaling_takes_guides_and_box_along_and_undo_brings_all_back(driver, commands):
    snap, before = driver.session.snapping, driver.pixels()
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.drag([(50, 50), (200, 200)])
    painted = driver.pixels()
    snap.add_guide(72, is_horizontal=True)
    snap.add_guide(160, is_horizontal=False)
    driver.session.set_box(Box(32, 48, 128, 64))
    commands.scale_to(640, 576, Method.LANCZOS)
    assert driver.canvas.size == (640, 576)
    assert (snap.horizontal, snap.vertical) == ([144], [320])
    assert driver.session.box == Box(64, 96, 256, 128)
    assert np.abs(shown(driver.canvas)[1::2, 1::2].astype(int) - painted).mean() < 2
    driver.tab.opened.undo()
    assert np.array_equal(driver.pixels(), painted)
    assert (snap.horizontal, snap.vertical) == ([72], [160])
    assert driver.session.box == Box(32, 48, 128, 64)
    driver.tab.opened.redo()
    assert driver.canvas.size == (640, 576)
    assert snap.horizontal == [144]
    driver.tab.opened.undo()
    driver.tab.opened.undo()
    assert np.array_equal(driver.pixels(), before)


def test_an_impossible_size_is_refused_in_words(qtbot, driver, commands):
    with qtbot.waitSignal(driver.session.status_message) as status_message:
        commands.scale_to(LONGEST_SIDE + 1, 10, Method.AREA)
    assert str(LONGEST_SIDE) in status_message.args[0]
    assert driver.canvas.size == (320, 288)


def test_the_dialog_keeps_proportions_and_shows_percent(qtbot, driver):
    dialog = ScaleDialog(driver.tab, (1000, 500))
    qtbot.addWidget(dialog)
    dialog.width_box.setValue(250)
    assert dialog.value() == (250, 125, Method.LANCZOS)
    assert dialog.percent.value() == 25
    dialog.percent.setValue(300)
    assert dialog.value()[:2] == (3000, 1500)
    dialog.keep_proportions.setChecked(False)
    dialog.height_box.setValue(7)
    dialog.resampling.setCurrentIndex(4)
    assert dialog.value() == (3000, 7, Method.NEAREST)
    dialog.width_box.setValue(LONGEST_SIDE + 1)
    assert str(LONGEST_SIDE) in dialog.summary.text()
    assert not dialog.buttons.button(OK).isEnabled()


def test_the_canvas_grows_away_from_the_anchor(qtbot, driver):
    dialog = CanvasSizeDialog(driver.tab, (1000, 500))
    qtbot.addWidget(dialog)
    assert dialog.value() == (1000, 500, 0.5, 0.5)
    dialog.anchors.button(2).click()
    dialog.width_box.setValue(1200)
    assert dialog.value() == (1200, 500, 1.0, 0.0)


def test_the_canvas_is_cropped_to_what_is_selected_or_to_the_box(driver, commands):
    assert not commands.is_enabled("crop_to_selection")
    driver.session.perform(select(driver.canvas, rectangle(10, 20, 110, 80)))
    assert commands.is_enabled("crop_to_selection")
    commands.crop_to_selection()
    assert driver.canvas.size == (100, 60)
    driver.tab.opened.undo()
    driver.session.set_box(Box(0, 0, 64, 128))
    commands.crop_to_box()
    assert driver.canvas.size == (64, 128)
