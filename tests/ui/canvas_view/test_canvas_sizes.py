"""Scaling the picture, resizing and cropping the canvas, as a person asks for it."""

import numpy as np
import pytest
from PySide6.QtWidgets import QDialogButtonBox

from nodeforge.canvas import LONGEST_SIDE, rectangle, select
from nodeforge.imaging import Box, Method
from nodeforge.ui.canvas_view.editor.size_dialogs import ScaleDialog, SizeDialog
from support.easel import shown

OK = QDialogButtonBox.StandardButton.Ok


@pytest.fixture
def deeds(easel):
    assert easel.tab.deeds is not None
    return easel.tab.deeds


def test_scaling_takes_guides_and_box_along_and_undo_brings_all_back(easel, deeds):
    snap, before = easel.studio.snap, easel.pixels()
    easel.tool("brush", size=30, hardness=1.0)
    easel.hand.drag([(50, 50), (200, 200)])
    painted = easel.pixels()
    snap.put(72, across=True)
    snap.put(160, across=False)
    easel.studio.set_box(Box(32, 48, 128, 64))
    deeds.scale_to(640, 576, Method.LANCZOS)
    assert easel.canvas.size == (640, 576)
    assert (snap.across, snap.down) == ([144], [320])
    assert easel.studio.box == Box(64, 96, 256, 128)
    assert np.abs(shown(easel.canvas)[1::2, 1::2].astype(int) - painted).mean() < 2
    easel.tab.opened.undo()
    assert np.array_equal(easel.pixels(), painted)
    assert (snap.across, snap.down) == ([72], [160])
    assert easel.studio.box == Box(32, 48, 128, 64)
    easel.tab.opened.redo()
    assert easel.canvas.size == (640, 576)
    assert snap.across == [144]
    easel.tab.opened.undo()
    easel.tab.opened.undo()
    assert np.array_equal(easel.pixels(), before)


def test_an_impossible_size_is_refused_in_words(qtbot, easel, deeds):
    with qtbot.waitSignal(easel.studio.said) as said:
        deeds.scale_to(LONGEST_SIDE + 1, 10, Method.AREA)
    assert str(LONGEST_SIDE) in said.args[0]
    assert easel.canvas.size == (320, 288)


def test_the_dialog_keeps_proportions_and_shows_percent(qtbot, easel):
    dialog = ScaleDialog(easel.tab, (1000, 500))
    qtbot.addWidget(dialog)
    dialog.wide.setValue(250)
    assert dialog.value() == (250, 125, Method.LANCZOS)
    assert dialog.percent.value() == 25
    dialog.percent.setValue(300)
    assert dialog.value()[:2] == (3000, 1500)
    dialog.linked.setChecked(False)
    dialog.high.setValue(7)
    dialog.kinds.setCurrentIndex(4)
    assert dialog.value() == (3000, 7, Method.NEAREST)
    dialog.wide.setValue(LONGEST_SIDE + 1)
    assert str(LONGEST_SIDE) in dialog.about.text()
    assert not dialog.buttons.button(OK).isEnabled()


def test_the_canvas_grows_away_from_the_anchor(qtbot, easel):
    dialog = SizeDialog(easel.tab, (1000, 500))
    qtbot.addWidget(dialog)
    assert dialog.value() == (1000, 500, 0.5, 0.5)
    dialog.anchors.button(2).click()
    dialog.wide.setValue(1200)
    assert dialog.value() == (1200, 500, 1.0, 0.0)


def test_the_canvas_is_cropped_to_what_is_selected_or_to_the_box(easel, deeds):
    assert not deeds.can("crop_to_selection")
    easel.studio.perform(select(easel.canvas, rectangle(10, 20, 110, 80)))
    assert deeds.can("crop_to_selection")
    deeds.crop_to_selection()
    assert easel.canvas.size == (100, 60)
    easel.tab.opened.undo()
    easel.studio.set_box(Box(0, 0, 64, 128))
    deeds.crop_to_box()
    assert easel.canvas.size == (64, 128)
