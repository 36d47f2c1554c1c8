"""Each tool, driven by mouse, pen and keys; undo gives the first bytes back."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from nodeforge.ui.canvas_view.tools import GROUPS, MoveTool

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
LINE = [(60, 60), (100, 80), (150, 200), (290, 270)]


def undone(easel, before) -> bool:
    """Whether one undo gives `before` back, and a redo what was there."""
    after = easel.pixels()
    easel.undo()
    back = np.array_equal(easel.pixels(), before)
    easel.do("edit.redo")
    same = np.array_equal(easel.pixels(), after)
    easel.undo()
    return back and same and not np.array_equal(before, after)


def test_the_brush_paints_where_the_mouse_goes_and_one_undo_takes_it_back(easel):
    before = easel.pixels()
    easel.tool("brush", size=20, hardness=1.0, opacity=1.0)
    easel.hand.drag(LINE)
    assert easel.pixels()[60, 60].tolist() == [0, 0, 0, 255]
    assert easel.pixels()[10, 300].tolist() == [255] * 4
    assert len(easel.document.history) == 1
    assert undone(easel, before)


def test_the_eraser_makes_transparent(easel):
    before = easel.pixels()
    easel.tool("eraser", size=30, hardness=1.0)
    easel.hand.drag(LINE)
    assert easel.pixels()[60, 60, 3] == 0
    assert undone(easel, before)


def test_a_pens_pressure_makes_the_stroke_wider_and_its_other_end_erases(easel):
    easel.tool("brush", size=60, hardness=1.0, pressure_size=True)
    easel.hand.pen([(40, 100, 0.1), (120, 100, 0.1), (200, 100, 1.0), (280, 100, 1.0)])
    dark = easel.pixels()[..., 0] < 128
    assert dark[:, 270].sum() > 3 * dark[:, 60].sum() > 0
    assert len(easel.document.history) == 1
    easel.hand.pen([(40, 100, 1.0), (280, 100, 1.0)], eraser=True)
    assert easel.pixels()[100, 150, 3] == 0


def test_with_shift_a_stroke_begins_where_the_last_one_ended(easel):
    easel.tool("brush", size=10, hardness=1.0)
    easel.hand.click((50, 50))
    easel.hand.click((250, 250), SHIFT)
    assert easel.pixels()[150, 150, 0] == 0
    assert easel.pixels()[150, 100, 0] == 255


def test_alt_takes_a_colour_and_paints_nothing(easel):
    easel.session.tool_options.set_foreground(QColor("#c3272b"))
    easel.tool("brush", size=40, hardness=1.0)
    easel.hand.click((100, 100))
    easel.session.tool_options.set_foreground(QColor("#000000"))
    before = easel.pixels()
    easel.hand.click((100, 100), ALT)
    assert easel.session.tool_options.foreground.name() == "#c3272b"
    assert np.array_equal(easel.pixels(), before)


def test_the_picker_takes_the_back_colour_with_shift(easel):
    easel.session.tool_options.set_foreground(QColor("#336699"))
    easel.session.tool_options.set_background(QColor("#000000"))
    easel.tool("picker")
    easel.hand.click((20, 20), SHIFT)
    assert easel.session.tool_options.background.name() == "#ffffff"
    assert easel.session.tool_options.foreground.name() == "#336699"


def test_a_right_drag_sets_size_and_hardness(easel):
    easel.tool("brush", size=20, hardness=0.5)
    easel.hand.drag([(100, 100), (130, 100)], button=Qt.MouseButton.RightButton)
    assert easel.session.tool.value("size") == pytest.approx(50, abs=2)
    assert len(easel.document.history) == 0


def test_two_quick_clicks_are_two_dabs(easel):
    easel.tool("brush", size=20)
    easel.hand.double_click((50, 50))
    assert len(easel.document.history) == 2


def test_brackets_set_the_size(qtbot, easel):
    easel.tool("brush", size=40)
    qtbot.keyClick(easel.view, Qt.Key.Key_BracketRight)
    assert easel.session.tool.value("size") > 40
    qtbot.keyClick(easel.view, Qt.Key.Key_BracketLeft)
    assert easel.session.tool.value("size") == 40


def test_every_tools_key_takes_it(qtbot, easel):
    easel.tool("box")
    for kind in (kind for group in GROUPS for kind in group):
        shifted = kind.key.startswith("Shift+")
        keys = SHIFT if shifted else Qt.KeyboardModifier.NoModifier
        qtbot.keyClick(easel.view, kind.key[-1], keys)
        assert easel.session.tool.name == kind.name
        assert easel.editor.tool_bar.buttons[kind.name].isChecked()


def test_fill_stops_at_lines(easel):
    easel.tool("brush", size=8, hardness=1.0)
    easel.hand.drag([(100, 0), (100, 287)])
    before = easel.pixels()
    easel.session.tool_options.set_foreground(QColor("#2f6fd0"))
    easel.tool("fill", tolerance=10)
    easel.hand.click((30, 30))
    assert easel.pixels()[200, 50].tolist() == [47, 111, 208, 255]
    assert easel.pixels()[200, 200].tolist() == [255] * 4
    assert undone(easel, before)


def test_a_gradient_goes_from_one_colour_to_the_other(easel):
    before = easel.pixels()
    easel.tool("gradient")
    easel.hand.drag([(20, 100), (200, 100), (300, 100)])
    row = easel.pixels()[100, :, 0].astype(int)
    assert row[10] == 0
    assert row[310] == 255
    assert (np.diff(row) >= 0).all()
    assert undone(easel, before)


def test_clone_paints_what_is_elsewhere(easel):
    easel.session.tool_options.set_foreground(QColor("#5a9e3d"))
    easel.tool("brush", size=40, hardness=1.0)
    easel.hand.click((60, 60))
    before = easel.pixels()
    easel.tool("clone", size=30, hardness=1.0, opacity=1.0)
    easel.hand.click((200, 200))
    assert np.array_equal(easel.pixels(), before)  # it does not know yet where from
    easel.hand.click((60, 60), ALT)
    easel.hand.click((200, 200))
    assert easel.pixels()[200, 200].tolist() == [90, 158, 61, 255]
    assert undone(easel, before)


def selected(easel) -> np.ndarray:
    selection = easel.canvas.selection
    size = easel.canvas.box
    return np.zeros((size.height, size.width)) if selection is None else selection.read(size)


def test_a_rectangle_is_selected_added_to_and_taken_from(easel):
    easel.tool("rectangle")
    easel.session.snapping.enabled = False
    easel.hand.drag([(50, 50), (80, 80), (100, 120)])
    assert selected(easel).sum() / 255 == pytest.approx(50 * 70, rel=0.06)
    easel.hand.drag([(200, 50), (230, 80)], SHIFT)
    assert selected(easel)[60, 60] == selected(easel)[60, 210] == 255
    easel.hand.drag([(40, 40), (150, 150)], ALT)
    assert selected(easel)[60, 60] == 0
    easel.hand.click((10, 10))
    assert easel.canvas.selection is None


def test_ellipse_lasso_and_polygon_select(qtbot, easel):
    easel.session.snapping.enabled = False
    easel.tool("ellipse")
    easel.hand.drag([(50, 50), (150, 150)])
    assert selected(easel)[100, 100] == 255
    assert selected(easel)[54, 54] == 0
    easel.tool("lasso")
    easel.hand.drag([(200, 50), (280, 50), (280, 130), (200, 130)])
    assert selected(easel)[90, 240] == 255
    easel.tool("polygon")
    for corner in ((20, 200), (120, 200), (70, 280)):
        easel.hand.click(corner)
    qtbot.keyClick(easel.view, Qt.Key.Key_Return)
    assert selected(easel)[220, 70] == 255
    assert selected(easel)[270, 25] == 0


def test_a_click_selects_all_of_a_colour(easel):
    easel.tool("brush", size=30, hardness=1.0)
    easel.hand.click((50, 50))
    easel.hand.click((250, 200))
    easel.tool("by_colour", connected=False, tolerance=5)
    easel.hand.click((50, 50))
    assert selected(easel)[200, 250] == 255
    assert selected(easel)[120, 150] == 0


def test_a_selection_limits_the_brush(easel):
    easel.session.snapping.enabled = False
    easel.tool("rectangle")
    easel.hand.drag([(100, 100), (200, 200)])
    easel.tool("brush", size=60, hardness=1.0)
    easel.hand.drag([(50, 150), (280, 150)])
    assert easel.pixels()[150, 150, 0] == 0
    assert easel.pixels()[150, 60, 0] == 255


def painted_spot(easel) -> np.ndarray:
    """A dark spot on a layer of its own; what is shown then."""
    easel.do("canvas.new_layer")
    easel.tool("brush", size=40, hardness=1.0)
    easel.hand.click((100, 100))
    return easel.pixels()


def test_move_takes_the_layer_along(easel):
    before = painted_spot(easel)
    easel.tool("move")
    easel.session.snapping.enabled = False
    easel.hand.drag([(100, 100), (150, 130), (200, 150)])
    assert easel.pixels()[150, 200, 0] == 0
    assert easel.pixels()[100, 100, 0] == 255
    assert undone(easel, before)


def test_arrows_move_by_a_pixel(qtbot, easel):
    painted_spot(easel)
    easel.tool("move")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(easel.view, key)
    assert easel.canvas.active.offset == (1, 2)


def test_handles_scale_and_enter_applies_once(qtbot, easel):
    easel.session.snapping.enabled = False
    easel.do("canvas.new_layer")
    easel.tool("rectangle")
    easel.hand.drag([(100, 100), (140, 140)])
    easel.tool("fill")
    easel.hand.click((120, 120))
    before, steps = easel.pixels(), len(easel.document.history)
    easel.tool("move")
    easel.view.repaint()
    easel.hand.drag([(140, 140), (160, 160), (180, 180)])
    easel.hand.drag([(180, 180), (220, 220)])
    tool = easel.session.tool
    assert isinstance(tool, MoveTool)
    assert tool.busy
    assert len(easel.document.history) == steps
    qtbot.keyClick(easel.view, Qt.Key.Key_Return)
    assert len(easel.document.history) == steps + 1
    assert easel.pixels()[200, 200, 0] < 30
    assert undone(easel, before)


def test_escape_leaves_a_transform(qtbot, easel):
    before = painted_spot(easel)
    easel.tool("move")
    easel.hand.press((100, 100))
    easel.hand.move((200, 200))
    assert not np.array_equal(easel.pixels(), before)
    qtbot.keyClick(easel.view, Qt.Key.Key_Escape)
    easel.hand.release((200, 200))
    assert np.array_equal(easel.pixels(), before)


def test_crop_keeps_the_rectangle_and_undo_the_rest(qtbot, easel):
    before = easel.pixels()
    easel.session.snapping.enabled = False
    easel.tool("crop")
    easel.view.repaint()
    easel.hand.drag([(40, 30), (100, 100), (140, 110)])
    assert easel.canvas.size == (320, 288)
    qtbot.keyClick(easel.view, Qt.Key.Key_Return)
    assert easel.canvas.size == (100, 80)
    easel.undo()
    assert np.array_equal(easel.pixels(), before)


def test_the_box_is_drawn_moved_and_given_back_to_the_mask(easel):
    easel.session.snapping.enabled = False
    easel.tool("box", grid=8)
    easel.view.repaint()
    easel.session.set_box(None)
    easel.session.auto_box = lambda: None
    easel.hand.drag([(40, 40), (100, 100), (168, 136)])
    box = easel.session.box
    assert (box.width, box.height) == (128, 96)
    easel.view.repaint()
    easel.hand.drag([(100, 80), (900, 900)])
    assert easel.session.box == (320 - 128, 288 - 96, 128, 96)  # never outside the canvas
    easel.do("canvas.auto_box")
    assert easel.session.box is None
    assert len(easel.document.history) == 0


def test_x_goes_to_the_mask_and_back_and_masks_take_the_brush(qtbot, easel):
    before = easel.pixels()
    qtbot.keyClick(easel.view, Qt.Key.Key_X)
    assert easel.canvas.active.is_mask
    easel.tool("brush", size=30, hardness=1.0)
    easel.hand.drag([(60, 60), (120, 60)])
    assert easel.canvas.active.read(easel.canvas.box)[60, 90] == 255
    assert np.array_equal(easel.pixels(), before)
    qtbot.keyClick(easel.view, Qt.Key.Key_X)
    assert not easel.canvas.active.is_mask


def test_a_stroke_in_hand_is_finished_before_undo_and_nothing_is_lost(easel):
    before = easel.pixels()
    easel.tool("brush", size=20, hardness=1.0)
    easel.hand.press((60, 60))
    easel.hand.move((120, 120))
    easel.undo()
    assert np.array_equal(easel.pixels(), before)
    easel.do("edit.redo")
    assert easel.pixels()[60, 60, 0] == 0
    easel.hand.release((120, 120))
    assert len(easel.document.history) == 1


def test_a_stroke_in_hand_survives_showing_the_graph(easel):
    easel.tool("brush", size=20, hardness=1.0)
    easel.hand.press((60, 60))
    easel.hand.move((120, 120))
    easel.do("view.graph")
    assert len(easel.document.history) == 1
    assert easel.window.area.canvas is None


def test_escape_takes_a_stroke_back(qtbot, easel):
    before = easel.pixels()
    easel.tool("brush", size=20)
    easel.hand.press((60, 60))
    easel.hand.move((120, 120))
    qtbot.keyClick(easel.view, Qt.Key.Key_Escape)
    easel.hand.release((120, 120))
    assert np.array_equal(easel.pixels(), before)
    assert len(easel.document.history) == 0


def test_a_locked_layer_says_so(easel, qtbot):
    from nodeforge.canvas import set_layer

    easel.session.perform(set_layer(easel.canvas, easel.canvas.active.id, locked=True))
    before = easel.pixels()
    easel.tool("brush")
    with qtbot.waitSignal(easel.session.status_message) as status_message:
        easel.hand.drag(LINE)
    assert "locked" in status_message.args[0]
    assert np.array_equal(easel.pixels(), before)


def test_with_shift_a_drag_goes_across_or_down_only(easel):
    easel.tool("brush", size=6, hardness=1.0)
    easel.hand.press((60, 60))
    for place in ((100, 63), (180, 80), (250, 120)):
        easel.hand.move(place, SHIFT)
    easel.hand.release((250, 120), SHIFT)
    dark = np.argwhere(easel.pixels()[..., 0] < 128)
    assert set(dark[:, 0]) <= set(range(56, 65))
    assert dark[:, 1].max() > 240
