"""What the view shows, how it is looked at, and the panels around it."""

import random

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRectF, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QImage,
    QNativeGestureEvent,
    QPainter,
    QPointingDevice,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication

from nodeforge.canvas import (
    Brush,
    ChangeKind,
    ColourPaint,
    LayerKind,
    Sample,
    Stroke,
    add_layer,
    crop_canvas,
    resize_canvas,
)
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.panels.colour_panel import ColourPanel
from nodeforge.ui.canvas_view.panels.layer_list import ROW_HEIGHT
from nodeforge.ui.canvas_view.panels.layers_panel import LayersPanel
from nodeforge.ui.canvas_view.rendering.canvas_renderer import level_for
from nodeforge.ui.common import theme
from support.canvas_driver import CanvasDriver


def generation_source(driver: CanvasDriver) -> np.ndarray:
    """The view's own picture, RGB, without what tools draw over it."""
    view = driver.view
    view.overlay.brush_position = None
    image = QImage(view.size(), QImage.Format.Format_RGB888)
    image.fill(0)
    painter = QPainter(image)
    view.renderer.paint(painter, view.rect(), view.camera, 1.0)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def dab(driver: CanvasDriver, x: float, y: float) -> None:
    stroke = Stroke(driver.canvas, Brush(size=50, hardness=0.2), ColourPaint((200, 40, 30, 255)))
    stroke.begin(Sample(x, y))
    driver.session.perform(stroke.end())


def test_at_one_to_one_the_screen_shows_the_canvas_bytes(driver):
    dab(driver, 100, 100)
    driver.do("canvas.zoom_whole")
    corner = driver.view.camera.to_view(QPointF(0, 0)).toPoint()
    width, height = driver.canvas.size
    part = generation_source(driver)[
        corner.y() : corner.y() + height, corner.x() : corner.x() + width
    ]
    assert np.array_equal(part, driver.pixels()[..., :3])


def test_a_new_size_is_shown_at_once(driver):
    """Window fault 3: no edge of the old size stays, and the corner says the new one."""
    for edit in (
        resize_canvas(driver.canvas, 768, 288),
        crop_canvas(driver.canvas, Box(40, 30, 200, 150)),
    ):
        before = driver.canvas.size
        driver.session.perform(edit)
        for size in (driver.canvas.size, before):
            assert driver.canvas.size == size
            seen = driver.view.camera.transform().mapRect(driver.session.canvas_rect())
            assert QRectF(driver.view.rect()).contains(seen)
            assert driver.editor._place.text().startswith(f"{size[0]} × {size[1]} px")
            kept = generation_source(driver)
            driver.view.renderer.invalidate()
            assert np.array_equal(kept, generation_source(driver))
            if size != before:
                driver.undo()


def test_a_kept_frame_shows_what_a_fresh_one_would(driver):
    view, rng = driver.view, random.Random(3)
    for _ in range(40):
        match rng.randrange(6):
            case 4:  # also beyond the canvas
                left, top = rng.randint(-60, 60), rng.randint(-60, 60)
                box = Box(left, top, rng.randint(90, 400), rng.randint(90, 400))
                driver.session.perform(crop_canvas(driver.canvas, box))
            case 5:
                size = rng.randint(90, 400), rng.randint(90, 400)
                driver.session.perform(resize_canvas(driver.canvas, *size))
            case 0:
                view.pan(QPointF(rng.randint(-90, 90), rng.randint(-90, 90)))
            case 1:
                dab(driver, rng.randint(-20, 340), rng.randint(-20, 300))
            case 2:
                view.camera.zoom_to(rng.choice((0.2, 0.5, 0.77, 1.0, 3.0)))
            case 3:
                driver.document.undo()
        kept = generation_source(driver)
        view.renderer.invalidate()
        fresh = generation_source(driver)
        assert np.abs(kept.astype(int) - fresh).max() <= 2


@pytest.mark.parametrize(("scale", "level"), [(4, 0), (1, 0), (0.6, 0), (0.5, 1), (0.2, 2)])
def test_no_tile_is_enlarged_where_a_larger_one_is_there(scale, level):
    assert level_for(scale) == level


def test_the_wheel_zooms_about_the_mouse(driver):
    view, place = driver.view, QPointF(100, 80)
    at = view.camera.to_view(place)
    nothing = Qt.MouseButton.NoButton
    event = QWheelEvent(
        at,
        QPointF(view.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 240),
        nothing,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    before = view.camera.zoom
    QApplication.sendEvent(view, event)
    assert view.camera.zoom > before
    assert (view.camera.to_view(place) - at).manhattanLength() < 3


def test_the_middle_button_and_space_pan_and_shift_turns(qtbot, driver):
    view = driver.view
    before = QPointF(view.camera.centre)
    driver.pointer.drag([(100, 100), (120, 110), (150, 130)], button=Qt.MouseButton.MiddleButton)
    assert (view.camera.centre - before).manhattanLength() > 20
    before = QPointF(view.camera.centre)
    qtbot.keyPress(view, Qt.Key.Key_Space)
    driver.pointer.drag([(100, 100), (150, 130)])
    qtbot.keyRelease(view, Qt.Key.Key_Space)
    assert (view.camera.centre - before).manhattanLength() > 20
    keys = Qt.KeyboardModifier.ShiftModifier
    driver.pointer.drag([(100, 100), (200, 100)], keys, Qt.MouseButton.MiddleButton)
    assert view.camera.rotation != 0
    driver.do("canvas.turn_back")
    assert view.camera.rotation == 0
    assert len(driver.document.history) == 0


def test_one_paints_where_one_points_also_on_a_turned_view(driver):
    driver.do("canvas.turn_right")
    driver.do("canvas.zoom_in")
    driver.tool("brush", size=10, hardness=1.0)
    driver.pointer.click((77, 133))
    assert driver.pixels()[133, 77].tolist() == [0, 0, 0, 255]


def test_fit_shows_all_and_the_selection(driver):
    driver.view.zoom_to(20)
    driver.do("view.zoom_all")
    inside = QRectF(driver.view.rect())
    assert inside.contains(driver.view.camera.transform().mapRect(driver.session.canvas_rect()))
    driver.session.snapping.enabled = False
    driver.tool("rectangle")
    driver.pointer.drag([(100, 100), (120, 120), (140, 130)])
    driver.do("view.zoom_selection")
    assert driver.view.camera.zoom > 3


def test_a_drag_out_of_a_ruler_makes_a_guide_to_which_corners_cling(qtbot, driver):
    ruler = driver.editor.rulers[0]
    far = ruler.mapFromGlobal(driver.view.mapToGlobal(driver.pointer.at((0, 100)).toPoint()))
    qtbot.mousePress(ruler, Qt.MouseButton.LeftButton, pos=QPoint(100, 5))
    qtbot.mouseMove(ruler, QPoint(100, far.y() - 20))
    qtbot.mouseMove(ruler, QPoint(100, far.y()))
    qtbot.mouseRelease(ruler, Qt.MouseButton.LeftButton, pos=QPoint(100, far.y()))
    assert driver.session.snapping.horizontal == [pytest.approx(100, abs=1)]
    guide = driver.session.snapping.horizontal[0]
    assert driver.session.snapping.snapped(QPointF(50, guide + 2), 1.0).y() == guide
    driver.tool("move")
    driver.pointer.drag([(50, guide), (50, 150)])
    assert driver.session.snapping.horizontal == [150]
    assert len(driver.document.history) == 0
    driver.do("canvas.clear_guides")
    assert not driver.session.snapping.horizontal


def test_masks_are_tints_while_they_are_worked_on_and_lines_elsewhere(driver):
    driver.session.perform(add_layer(driver.canvas, LayerKind.MASK))
    driver.tool("brush", size=60, hardness=1.0)
    driver.pointer.click((100, 100))
    assert driver.view.overlay.masks_tinted()
    driver.do("canvas.swap_mask")
    assert not driver.view.overlay.masks_tinted()
    driver.view.repaint()


def test_both_themes_are_worn(driver):
    for each in (theme.LIGHT, theme.DARK):
        driver.tab.set_theme(each)
        driver.view.repaint()
        assert driver.view.overlay.theme is each


def names(panel: LayersPanel) -> list[str]:
    items = (panel.list.topLevelItem(row) for row in range(panel.list.topLevelItemCount()))
    return [item.text(1) for item in items if item is not None]


def test_the_layers_panel_shows_orders_names_and_hides(driver):
    panel = driver.editor.layers
    driver.do("canvas.new_layer")
    driver.do("canvas.new_layer")
    assert names(panel) == ["Paint 3", "Paint 2", "Paint 1"]
    panel._reorder(driver.canvas.layers[0].id, "", 2)
    assert names(panel) == ["Paint 1", "Paint 3", "Paint 2"]
    top = panel.list.topLevelItem(0)
    top.setText(1, "Sky")
    assert driver.canvas.layers[-1].name == "Sky"
    panel._clicked(top, 0)
    assert not driver.canvas.layers[-1].visible
    panel.list.setCurrentItem(panel.list.topLevelItem(2))
    assert driver.canvas.active.name == "Paint 2"
    panel.remove()
    assert names(panel) == ["Sky", "Paint 3"]
    steps = len(driver.document.history)
    for _ in range(steps):
        driver.undo()
    assert names(panel) == ["Paint 1"]


def test_a_slider_of_the_panel_is_one_step(driver):
    field = driver.editor.layers.properties.fields["opacity"]
    field.new_gesture()
    for value in (0.8, 0.6, 0.4):
        field.edited.emit(value, [])
    assert driver.canvas.active.opacity == pytest.approx(0.4)
    assert len(driver.document.history) == 1
    driver.undo()
    assert driver.canvas.active.opacity == 1


def test_a_mask_has_strength_and_prompt_of_its_own(driver):
    driver.do("canvas.new_mask")
    about = driver.editor.layers.properties
    about.fields["strength"].edited.emit(0.5, [])
    about.fields["prompt"].edited.emit("a cat", [])
    assert (driver.canvas.active.strength, driver.canvas.active.prompt) == (
        0.5,
        "a cat",
    )


def test_masks_are_made_of_selections_and_of_what_is_empty(driver):
    driver.session.snapping.enabled = False
    driver.tool("rectangle")
    driver.pointer.drag([(50, 50), (80, 80), (100, 100)])
    driver.do("canvas.mask_from_selection")
    assert driver.canvas.active.is_mask
    assert driver.canvas.selection is None
    assert driver.canvas.active.read(driver.canvas.box)[75, 75] == 255
    driver.do("canvas.invert_mask")
    assert driver.canvas.active.read(driver.canvas.box)[75, 75] == 0
    driver.do("canvas.mask_from_empty")
    assert not driver.canvas.active.read(driver.canvas.box).any()  # all of the canvas is white


def test_edit_commands_go_to_the_canvas_while_it_is_in_front(driver):
    before = driver.pixels()
    driver.do("edit.select_all")
    assert driver.canvas.selection is not None
    driver.do("edit.delete")
    assert not driver.pixels().any()
    driver.do("canvas.deselect")
    driver.do("edit.duplicate")
    assert len(driver.canvas.layers) == 2
    driver.undo()
    driver.undo()
    driver.undo()
    assert np.array_equal(driver.pixels(), before)
    assert not driver.window.commands["node.mute"].isEnabled()
    driver.do("view.graph")
    assert not driver.window.commands["canvas.new_layer"].isEnabled()
    assert not driver.window.docks.all["library"].isHidden()


def test_colours_are_chosen_by_hex_pad_and_swatch(qtbot, driver):
    tool_options = driver.session.tool_options
    panel = driver.editor.colours
    panel.hex.setText("#123456")
    panel.hex.editingFinished.emit()
    assert tool_options.foreground.name() == "#123456"
    qtbot.mouseClick(panel.pad, Qt.MouseButton.LeftButton, pos=QPoint(7, 3))
    assert tool_options.foreground.lightnessF() > 0.9
    driver.do("canvas.swap_colours")
    assert tool_options.background.lightnessF() > 0.9


def test_options_bar_and_tool_agree(driver):
    driver.tool("brush", size=33)
    assert driver.editor.options.fields["size"].editor().text() == "33"
    driver.editor.options.fields["size"].edited.emit(44, [])
    assert driver.session.tool.value("size") == 44


def test_what_is_out_of_reach_is_no_change(driver):
    changes = []
    end = driver.canvas.subscribe(changes.extend)
    driver.tool("fill")
    driver.pointer.click((-40, -40))
    end()
    assert not [change for change in changes if change.kind is ChangeKind.PIXELS]


def test_two_fingers_zoom_and_turn(driver):
    view, place = driver.view, QPointF(160, 140)
    at = view.camera.to_view(place)
    far = QPointF(view.mapToGlobal(at.toPoint()))
    kinds = Qt.NativeGestureType
    before = view.camera.zoom
    for kind, value in ((kinds.ZoomNativeGesture, 0.25), (kinds.RotateNativeGesture, 12.0)):
        device = QPointingDevice.primaryPointingDevice()
        event = QNativeGestureEvent(kind, device, 2, at, at, far, value, QPointF())
        QApplication.sendEvent(view, event)
    assert view.camera.zoom == pytest.approx(before * 1.25)
    assert view.camera.rotation == pytest.approx(12)
    assert (view.camera.to_view(place) - at).manhattanLength() < 4


def test_a_workflow_that_is_dropped_is_no_picture(driver, tmp_path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "text_to_image.json"))])
    assert not driver.tab.drop(data)


def test_the_colours_are_in_sight_and_chosen_from_the_tool_bar(qtbot, driver):
    """Window fault 31."""
    button, options = driver.editor.tool_bar.colours, driver.session.tool_options
    assert button.isVisibleTo(driver.editor)
    options.set_foreground(QColor("#12ab34"))
    assert button.grab().toImage().pixelColor(8, 8) == QColor("#12ab34")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    panel = button.popup.findChild(ColourPanel)
    assert panel.isVisible()
    assert panel.hex.text() == "#12ab34"
    panel.hex.setText("#aa0011")
    panel.hex.editingFinished.emit()
    assert options.foreground == QColor("#aa0011")
    button.popup.close()


@pytest.mark.parametrize(("height", "rows"), [(1000, 6), (700, 3), (560, 3)])
def test_layers_keep_their_rows_in_sight(canvas_window, driver, height, rows):
    """Window fault 25: six rows at 1080 px, also while a mask's fields are below them."""
    before = canvas_window.size()
    canvas_window.resize(1600, height)
    QApplication.processEvents()
    top = driver.editor.layers.mapTo(canvas_window, QPoint()).y()
    driver.session.perform(add_layer(driver.canvas, LayerKind.MASK))
    QApplication.processEvents()
    assert driver.editor.layers.mapTo(canvas_window, QPoint()).y() == top
    shown = driver.editor.layers.list.viewport().height()
    prompt = driver.editor.layers.properties.fields["prompt"]
    assert prompt.visibleRegion().boundingRect().height() == prompt.height()  # beside its mask
    wanted = driver.editor.generate.fields["prompt.text"]
    assert height < 700 or wanted.visibleRegion().boundingRect().height() > 40
    canvas_window.resize(before)
    QApplication.processEvents()
    assert shown >= rows * ROW_HEIGHT - 4
