"""Each tool, driven by mouse, pen and keys; undo gives the first bytes back."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import group_layers
from nodeforge.ui.canvas_view.tools import GROUPS, MoveTool

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
LINE = [(60, 60), (100, 80), (150, 200), (290, 270)]


def undone(driver, before) -> bool:
    """Whether one undo gives `before` back, and a redo what was there."""
    after = driver.pixels()
    driver.undo()
    back = np.array_equal(driver.pixels(), before)
    driver.do("edit.redo")
    same = np.array_equal(driver.pixels(), after)
    driver.undo()
    return back and same and not np.array_equal(before, after)


def test_the_brush_paints_where_the_mouse_goes_and_one_undo_takes_it_back(driver):
    before = driver.pixels()
    driver.tool("brush", size=20, hardness=1.0, opacity=1.0)
    driver.pointer.drag(LINE)
    assert driver.pixels()[60, 60].tolist() == [0, 0, 0, 255]
    assert driver.pixels()[10, 300].tolist() == [255] * 4
    assert len(driver.document.history) == 1
    assert undone(driver, before)


def test_the_eraser_makes_transparent(driver):
    before = driver.pixels()
    driver.tool("eraser", size=30, hardness=1.0)
    driver.pointer.drag(LINE)
    assert driver.pixels()[60, 60, 3] == 0
    assert undone(driver, before)


def test_a_pens_pressure_makes_the_stroke_wider_and_its_other_end_erases(driver):
    driver.tool("brush", size=60, hardness=1.0, pressure_size=True)
    driver.pointer.pen([(40, 100, 0.1), (120, 100, 0.1), (200, 100, 1.0), (280, 100, 1.0)])
    dark = driver.pixels()[..., 0] < 128
    assert dark[:, 270].sum() > 3 * dark[:, 60].sum() > 0
    assert len(driver.document.history) == 1
    driver.pointer.pen([(40, 100, 1.0), (280, 100, 1.0)], eraser=True)
    assert driver.pixels()[100, 150, 3] == 0


def test_with_shift_a_stroke_begins_where_the_last_one_ended(driver):
    driver.tool("brush", size=10, hardness=1.0)
    driver.pointer.click((50, 50))
    driver.pointer.click((250, 250), SHIFT)
    assert driver.pixels()[150, 150, 0] == 0
    assert driver.pixels()[150, 100, 0] == 255


def test_alt_takes_a_colour_and_paints_nothing(driver):
    driver.session.tool_options.set_foreground(QColor("#c3272b"))
    driver.tool("brush", size=40, hardness=1.0)
    driver.pointer.click((100, 100))
    driver.session.tool_options.set_foreground(QColor("#000000"))
    before = driver.pixels()
    driver.pointer.click((100, 100), ALT)
    assert driver.session.tool_options.foreground.name() == "#c3272b"
    assert np.array_equal(driver.pixels(), before)


def test_the_picker_takes_the_back_colour_with_shift(driver):
    driver.session.tool_options.set_foreground(QColor("#336699"))
    driver.session.tool_options.set_background(QColor("#000000"))
    driver.tool("picker")
    driver.pointer.click((20, 20), SHIFT)
    assert driver.session.tool_options.background.name() == "#ffffff"
    assert driver.session.tool_options.foreground.name() == "#336699"


def test_a_right_drag_sets_size_and_hardness(driver):
    driver.tool("brush", size=20, hardness=0.5)
    driver.pointer.drag([(100, 100), (130, 100)], button=Qt.MouseButton.RightButton)
    assert driver.session.tool.value("size") == pytest.approx(50, abs=2)
    assert len(driver.document.history) == 0


def test_two_quick_clicks_are_two_dabs(driver):
    driver.tool("brush", size=20)
    driver.pointer.double_click((50, 50))
    assert len(driver.document.history) == 2


def test_brackets_set_the_size(qtbot, driver):
    driver.tool("brush", size=40)
    qtbot.keyClick(driver.view, Qt.Key.Key_BracketRight)
    assert driver.session.tool.value("size") > 40
    qtbot.keyClick(driver.view, Qt.Key.Key_BracketLeft)
    assert driver.session.tool.value("size") == 40


def test_every_tools_key_takes_it(qtbot, driver):
    driver.tool("box")
    for kind in (kind for group in GROUPS for kind in group):
        shifted = kind.key.startswith("Shift+")
        keys = SHIFT if shifted else Qt.KeyboardModifier.NoModifier
        qtbot.keyClick(driver.view, kind.key[-1], keys)
        assert driver.session.tool.name == kind.name
        assert driver.editor.tool_bar.buttons[kind.name].isChecked()


def test_fill_stops_at_lines(driver):
    driver.tool("brush", size=8, hardness=1.0)
    driver.pointer.drag([(100, 0), (100, 287)])
    before = driver.pixels()
    driver.session.tool_options.set_foreground(QColor("#2f6fd0"))
    driver.tool("fill", tolerance=10)
    driver.pointer.click((30, 30))
    assert driver.pixels()[200, 50].tolist() == [47, 111, 208, 255]
    assert driver.pixels()[200, 200].tolist() == [255] * 4
    assert undone(driver, before)


def test_a_gradient_goes_from_one_colour_to_the_other(driver):
    before = driver.pixels()
    driver.tool("gradient")
    driver.pointer.drag([(20, 100), (200, 100), (300, 100)])
    row = driver.pixels()[100, :, 0].astype(int)
    assert row[10] == 0
    assert row[310] == 255
    assert (np.diff(row) >= 0).all()
    assert undone(driver, before)


def test_clone_paints_what_is_elsewhere(driver):
    driver.session.tool_options.set_foreground(QColor("#5a9e3d"))
    driver.tool("brush", size=40, hardness=1.0)
    driver.pointer.click((60, 60))
    before = driver.pixels()
    driver.tool("clone", size=30, hardness=1.0, opacity=1.0)
    driver.pointer.click((200, 200))
    assert np.array_equal(driver.pixels(), before)  # it does not know yet where from
    driver.pointer.click((60, 60), ALT)
    driver.pointer.click((200, 200))
    assert driver.pixels()[200, 200].tolist() == [90, 158, 61, 255]
    assert undone(driver, before)


def selected(driver) -> np.ndarray:
    selection = driver.canvas.selection
    size = driver.canvas.box
    return np.zeros((size.height, size.width)) if selection is None else selection.read(size)


def test_a_rectangle_is_selected_added_to_and_taken_from(driver):
    driver.tool("rectangle")
    driver.session.snapping.enabled = False
    driver.pointer.drag([(50, 50), (80, 80), (100, 120)])
    assert selected(driver).sum() / 255 == pytest.approx(50 * 70, rel=0.06)
    driver.pointer.drag([(200, 50), (230, 80)], SHIFT)
    assert selected(driver)[60, 60] == selected(driver)[60, 210] == 255
    driver.pointer.drag([(40, 40), (150, 150)], ALT)
    assert selected(driver)[60, 60] == 0
    driver.pointer.click((10, 10))
    assert driver.canvas.selection is None


def test_ellipse_lasso_and_polygon_select(qtbot, driver):
    driver.session.snapping.enabled = False
    driver.tool("ellipse")
    driver.pointer.drag([(50, 50), (150, 150)])
    assert selected(driver)[100, 100] == 255
    assert selected(driver)[54, 54] == 0
    driver.tool("lasso")
    driver.pointer.drag([(200, 50), (280, 50), (280, 130), (200, 130)])
    assert selected(driver)[90, 240] == 255
    driver.tool("polygon")
    for corner in ((20, 200), (120, 200), (70, 280)):
        driver.pointer.click(corner)
    qtbot.keyClick(driver.view, Qt.Key.Key_Return)
    assert selected(driver)[220, 70] == 255
    assert selected(driver)[270, 25] == 0


def test_a_click_selects_all_of_a_colour(driver):
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.click((50, 50))
    driver.pointer.click((250, 200))
    driver.tool("by_colour", connected=False, tolerance=5)
    driver.pointer.click((50, 50))
    assert selected(driver)[200, 250] == 255
    assert selected(driver)[120, 150] == 0


def test_a_selection_limits_the_brush(driver):
    driver.session.snapping.enabled = False
    driver.tool("rectangle")
    driver.pointer.drag([(100, 100), (200, 200)])
    driver.tool("brush", size=60, hardness=1.0)
    driver.pointer.drag([(50, 150), (280, 150)])
    assert driver.pixels()[150, 150, 0] == 0
    assert driver.pixels()[150, 60, 0] == 255


def painted_spot(driver) -> np.ndarray:
    """A dark spot on a layer of its own; what is shown then."""
    driver.do("canvas.new_layer")
    driver.tool("brush", size=40, hardness=1.0)
    driver.pointer.click((100, 100))
    return driver.pixels()


def test_move_takes_the_layer_along(driver):
    before = painted_spot(driver)
    driver.tool("move")
    driver.session.snapping.enabled = False
    driver.pointer.drag([(100, 100), (150, 130), (200, 150)])
    assert driver.pixels()[150, 200, 0] == 0
    assert driver.pixels()[100, 100, 0] == 255
    assert undone(driver, before)


def test_move_takes_a_group_along(driver):
    before = painted_spot(driver)
    driver.do("canvas.new_layer")
    driver.tool("brush", size=40, hardness=1.0)
    driver.pointer.click((300, 100))
    before = driver.pixels()
    driver.session.perform(group_layers(driver.canvas, {"paint_2", "paint_3"}))
    driver.tool("move")
    driver.session.snapping.enabled = False
    driver.view.repaint()
    steps = len(driver.document.history)
    driver.pointer.drag([(200, 100), (200, 130), (200, 200)])
    assert driver.pixels()[200, 100, 0] == driver.pixels()[200, 300, 0] == 0
    assert driver.pixels()[100, 100, 0] == driver.pixels()[100, 300, 0] == 255
    assert len(driver.document.history) == steps + 1
    assert undone(driver, before)


def test_arrows_move_by_a_pixel(qtbot, driver):
    painted_spot(driver)
    driver.tool("move")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(driver.view, key)
    assert driver.canvas.active.offset == (1, 2)


def test_handles_scale_and_enter_applies_once(qtbot, driver):
    driver.session.snapping.enabled = False
    driver.do("canvas.new_layer")
    driver.tool("rectangle")
    driver.pointer.drag([(100, 100), (140, 140)])
    driver.tool("fill")
    driver.pointer.click((120, 120))
    before, steps = driver.pixels(), len(driver.document.history)
    driver.tool("move")
    driver.view.repaint()
    driver.pointer.drag([(140, 140), (160, 160), (180, 180)])
    driver.pointer.drag([(180, 180), (220, 220)])
    tool = driver.session.tool
    assert isinstance(tool, MoveTool)
    assert tool.busy
    assert len(driver.document.history) == steps
    qtbot.keyClick(driver.view, Qt.Key.Key_Return)
    assert len(driver.document.history) == steps + 1
    assert driver.pixels()[200, 200, 0] < 30
    assert undone(driver, before)


def test_escape_leaves_a_transform(qtbot, driver):
    before = painted_spot(driver)
    driver.tool("move")
    driver.pointer.press((100, 100))
    driver.pointer.move((200, 200))
    assert not np.array_equal(driver.pixels(), before)
    qtbot.keyClick(driver.view, Qt.Key.Key_Escape)
    driver.pointer.release((200, 200))
    assert np.array_equal(driver.pixels(), before)


def test_crop_keeps_the_rectangle_and_undo_the_rest(qtbot, driver):
    before = driver.pixels()
    driver.session.snapping.enabled = False
    driver.tool("crop")
    driver.view.repaint()
    driver.pointer.drag([(40, 30), (100, 100), (140, 110)])
    assert driver.canvas.size == (320, 288)
    qtbot.keyClick(driver.view, Qt.Key.Key_Return)
    assert driver.canvas.size == (100, 80)
    driver.undo()
    assert np.array_equal(driver.pixels(), before)


def test_the_box_is_drawn_moved_and_given_back_to_the_mask(driver):
    driver.session.snapping.enabled = False
    driver.tool("box", grid=8)
    driver.view.repaint()
    driver.session.set_box(None)
    driver.session.auto_box = lambda: None
    driver.pointer.drag([(40, 40), (100, 100), (168, 136)])
    box = driver.session.box
    assert (box.width, box.height) == (128, 96)
    driver.view.repaint()
    driver.pointer.drag([(100, 80), (900, 900)])
    assert driver.session.box == (320 - 16, 288 - 16, 128, 96)  # a part stays on the canvas
    driver.view.repaint()
    driver.pointer.drag([(310, 280), (-900, -900)])
    assert driver.session.box == (16 - 128, 16 - 96, 128, 96)
    driver.view.repaint()
    driver.pointer.drag([(0, 0), (112 - 5, 80 - 3)])
    assert driver.session.box == (0, 0, 128, 96)  # less than a step beyond is meant to be inside
    driver.do("canvas.auto_box")
    assert driver.session.box is None
    assert len(driver.document.history) == 0


def test_x_goes_to_the_mask_and_back_and_masks_take_the_brush(qtbot, driver):
    before = driver.pixels()
    qtbot.keyClick(driver.view, Qt.Key.Key_X)
    assert driver.canvas.active.is_mask
    driver.tool("brush", size=30, hardness=1.0)
    driver.pointer.drag([(60, 60), (120, 60)])
    assert driver.canvas.active.read(driver.canvas.box)[60, 90] == 255
    assert np.array_equal(driver.pixels(), before)
    qtbot.keyClick(driver.view, Qt.Key.Key_X)
    assert not driver.canvas.active.is_mask


def test_a_stroke_in_hand_is_finished_before_undo_and_nothing_is_lost(driver):
    before = driver.pixels()
    driver.tool("brush", size=20, hardness=1.0)
    driver.pointer.press((60, 60))
    driver.pointer.move((120, 120))
    driver.undo()
    assert np.array_equal(driver.pixels(), before)
    driver.do("edit.redo")
    assert driver.pixels()[60, 60, 0] == 0
    driver.pointer.release((120, 120))
    assert len(driver.document.history) == 1


def test_a_stroke_in_hand_survives_showing_the_graph(driver):
    driver.tool("brush", size=20, hardness=1.0)
    driver.pointer.press((60, 60))
    driver.pointer.move((120, 120))
    driver.do("view.graph")
    assert len(driver.document.history) == 1
    assert driver.window.area.canvas is None


def test_escape_takes_a_stroke_back(qtbot, driver):
    before = driver.pixels()
    driver.tool("brush", size=20)
    driver.pointer.press((60, 60))
    driver.pointer.move((120, 120))
    qtbot.keyClick(driver.view, Qt.Key.Key_Escape)
    driver.pointer.release((120, 120))
    assert np.array_equal(driver.pixels(), before)
    assert len(driver.document.history) == 0


def test_a_locked_layer_says_so(driver, qtbot):
    from nodeforge.canvas import set_layer

    driver.session.perform(set_layer(driver.canvas, driver.canvas.active.id, locked=True))
    before = driver.pixels()
    driver.tool("brush")
    with qtbot.waitSignal(driver.session.status_message) as status_message:
        driver.pointer.drag(LINE)
    assert "locked" in status_message.args[0]
    assert np.array_equal(driver.pixels(), before)


def test_with_shift_a_drag_goes_across_or_down_only(driver):
    driver.tool("brush", size=6, hardness=1.0)
    driver.pointer.press((60, 60))
    for place in ((100, 63), (180, 80), (250, 120)):
        driver.pointer.move(place, SHIFT)
    driver.pointer.release((250, 120), SHIFT)
    dark = np.argwhere(driver.pixels()[..., 0] < 128)
    assert set(dark[:, 0]) <= set(range(56, 65))
    assert dark[:, 1].max() > 240


def test_the_brush_is_where_the_mouse_is_when_a_canvas_comes_under_it(driver):
    """window D41: its ring lay in the corner until the mouse was moved."""
    driver.tool("brush")
    driver.view.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    place = QPointF(90, 70)
    QApplication.sendEvent(driver.view, QEnterEvent(place, place, place))
    assert driver.view.overlay.brush_position == place
