"""The layer list and the properties of each kind of layer."""

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QPlainTextEdit

from nodeforge.canvas import (
    Canvas,
    ControlSettings,
    LayerKind,
    State,
    activate,
    add_layer,
    duplicate_layer,
    group_layers,
    remove_layers,
    set_layer,
)
from nodeforge.canvas.document.layer import TINTS
from nodeforge.canvas.document.nesting import misplaced
from nodeforge.canvas.edits.layers import topmost_picture_layer
from nodeforge.graph.document import Document
from nodeforge.imaging import Reading
from nodeforge.ui.canvas_view.panels.layer_list import ABOUT, EYE, ID, LOCK, NAME, THUMBNAIL
from nodeforge.ui.canvas_view.rendering.layer_thumbnails import SIDE
from nodeforge.ui.common import theme


def luminance(colour: QColor) -> float:
    """Relative luminance by WCAG 2."""
    channels = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return float(np.dot(channels, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("tint", TINTS)
@pytest.mark.parametrize("shown", [theme.DARK, theme.LIGHT], ids=lambda each: each.name)
@pytest.mark.parametrize("role", ["window", "panel", "raised"])
def test_a_mask_s_colour_stands_out_from_both_themes(tint, shown, role):
    """Graphical objects want 3:1 by WCAG 2.1, 1.4.11; light windows are not quite white."""
    low, high = sorted((luminance(QColor(tint)), luminance(getattr(shown, role))))
    assert (high + 0.05) / (low + 0.05) >= (2.7 if role == "window" else 3)


def test_the_colours_of_masks_are_told_apart():
    colours = np.array([[QColor(tint).getRgbF()[:3] for tint in TINTS]], np.float32)
    lab = np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2Lab))[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert apart[~np.eye(len(TINTS), dtype=bool)].min() > 25


def test_each_new_mask_takes_the_next_colour():
    document, canvas = Document(), Canvas(State(64, 64))

    def tints():
        return [layer.tint for layer in canvas.layers if layer.is_mask]

    for _ in TINTS:
        document.perform(add_layer(canvas, LayerKind.MASK))
        document.perform(add_layer(canvas))
    assert tints() == list(TINTS)
    document.perform(remove_layers(canvas, ["mask_3"]))
    document.perform(duplicate_layer(canvas, "mask"))
    assert sorted(tints()) == sorted(TINTS)
    document.perform(add_layer(canvas, LayerKind.MASK))
    assert max(map(tints().count, TINTS)) == 2
    document.perform(add_layer(canvas, LayerKind.MASK, tint="#102030"))
    assert canvas.layer("mask_10").tint == "#102030"


def item(driver, name):
    flags = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
    (found,) = driver.editor.layers.list.findItems(name, flags, NAME)
    return found


def seen(driver) -> QImage:
    """The list as it is on the screen, every row in view."""
    rows = driver.editor.layers.list
    rows.resize(rows.width(), 40 * (rows.topLevelItemCount() + 1))
    for _ in range(3):
        QApplication.processEvents()
    return rows.viewport().grab().toImage()


def cell(driver, image: QImage, name: str, column: int) -> np.ndarray:
    rows = driver.editor.layers.list
    index = rows.indexFromItem(item(driver, name), column)
    return pixels(image.copy(rows.visualRect(index)))


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def test_a_mask_has_its_colour_in_the_list_and_beside_its_prompt(driver):
    for _ in range(2):
        driver.do("canvas.new_mask")
    for name, tint in (("Mask 1", TINTS[0]), ("Mask 2", TINTS[1])):
        image = item(driver, name).data(NAME, THUMBNAIL).toImage()
        area = QRect(QPoint(0, (SIDE - 29) // 2), image.size())
        assert image.pixelColor(area.topLeft() + QPoint(1, 1)).name() == tint
    driver.session.perform(set_layer(driver.canvas, "mask_2", tint="#123456"))
    image = item(driver, "Mask 2").data(NAME, THUMBNAIL).toImage()
    assert image.pixelColor(1, SIDE // 2).name() == "#123456"
    swatch = driver.editor.layers.properties.tint.icon().pixmap(16, 16).toImage()
    assert swatch.pixelColor(8, 8).name() == "#123456"


def test_a_mask_with_a_prompt_is_a_region_in_the_list(driver):
    driver.do("canvas.new_mask")
    assert item(driver, "Mask 1").data(NAME, ABOUT) == "Mask"
    field = driver.editor.layers.properties.fields["prompt"]
    editor = field.editor()
    assert isinstance(editor, QPlainTextEdit)
    editor.setPlainText("a red fox\nin the snow")
    assert driver.canvas.active.prompt == "a red fox\nin the snow"
    assert item(driver, "Mask 1").data(NAME, ABOUT) == "Region: a red fox in the snow"
    assert "in the snow" in item(driver, "Mask 1").toolTip(NAME)
    editor.setPlainText("  ")
    assert item(driver, "Mask 1").data(NAME, ABOUT) == "Mask"


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (LayerKind.PAINT, {"opacity", "blend"}),
        (LayerKind.PICTURE, {"opacity", "blend"}),
        (LayerKind.MASK, {"prompt", "negative", "strength", "opacity"}),
        (LayerKind.REFERENCE, set()),
        (LayerKind.GROUP, {"opacity", "blend"}),
        (
            LayerKind.CONTROL,
            {f"control.{x}" for x in ("reading", "strength", "start", "end", "controlnet")},
        ),
    ],
)
def test_only_what_means_something_can_be_set(driver, kind, rows):
    """window 28: no opacity and blend mode where they say nothing."""
    driver.session.perform(add_layer(driver.canvas, kind))
    fields = driver.editor.layers.properties.fields
    assert {name for name, field in fields.items() if not field.isHidden()} == rows


def test_what_is_selected_keeps_its_thumbnail_its_eye_and_one_background(driver):
    """window 40, 41: thumbnails are not tinted, a hidden eye is seen, a row is one piece."""
    driver.do("canvas.new_layer")
    driver.session.perform(set_layer(driver.canvas, "paint_2", visible=False))
    selected = seen(driver)
    driver.session.perform(activate(driver.canvas, "paint"))
    other = seen(driver)
    first, last = (
        cell(driver, each, "Paint 2", NAME)[10:-10, 6 : 2 + SIDE] for each in (selected, other)
    )
    assert np.array_equal(first, last)
    for image in (selected, other):
        for name in ("Paint 1", "Paint 2"):
            for column in (EYE, LOCK):
                assert cell(driver, image, name, column)[10:-10].std() > 5
    highlight = np.array(driver.editor.layers.list.palette().highlight().color().getRgb()[:3])
    rows = driver.editor.layers.list
    rect = rows.visualItemRect(item(driver, "Paint 2"))
    line = pixels(selected)[rect.top() + 2, 8:-8]
    assert (line == highlight).all()


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("43", 0.43, "43 %"),
        ("12,5 %", 0.125, "12.5 %"),
        ("50/2", 0.25, "25 %"),
        ("150", 1, "100 %"),
    ],
)
def test_opacity_is_written_and_typed_in_percent(qtbot, driver, text, value, shown):
    """window 32: 0.43 instead of 43 %."""
    driver.session.perform(set_layer(driver.canvas, "paint", opacity=0.5))
    box = driver.editor.layers.properties.fields["opacity"].editor()
    assert box.text() == "50 %"
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert driver.canvas.active.opacity == value
    assert box.text() == shown


def test_a_control_layer_is_set_and_filled_in_its_properties(driver):
    """window 28: kind, strength, start and end, and *From picture*."""
    driver.session.perform(add_layer(driver.canvas, LayerKind.CONTROL))
    panel = driver.editor.layers.properties
    assert not panel.from_picture.isHidden()
    for name, value in (("reading", "scribble"), ("strength", 1.5), ("start", 0.1), ("end", 0.6)):
        panel.fields[f"control.{name}"].edited.emit(value, [])
    settings = driver.canvas.active.control
    assert settings == ControlSettings(Reading.SCRIBBLE, 1.5, 0.1, 0.6)
    model = panel.fields["control.controlnet"]
    assert model.editor().text() == "Auto: the workflow's"
    model.edited.emit("nano/controlnet", [])
    assert driver.canvas.active.control.controlnet == "nano/controlnet"
    model.edited.emit(None, [])
    assert driver.canvas.active.control == settings
    assert item(driver, "Control 1").data(NAME, ABOUT) == "Control: scribble"
    driver.session.perform(activate(driver.canvas, "paint"))
    driver.pointer.drag([(60, 60), (200, 200)])
    driver.session.perform(activate(driver.canvas, "control"))
    (lines,) = [each for each in panel.from_picture.menu().actions() if each.text() == "Line art"]
    lines.trigger()
    assert driver.canvas.active.tiles.bounds() is not None
    assert driver.canvas.active.control == ControlSettings(Reading.LINES, 1.5, 0.1, 0.6)
    kind = panel.fields["control.reading"].editor()
    assert isinstance(kind, QComboBox)
    assert kind.currentText() == "As drawn"
    driver.session.perform(set_layer(driver.canvas, "paint", visible=False))
    lines.trigger()
    assert len(driver.document.history) == 10


ABOVE, ON, BELOW = (
    getattr(QAbstractItemView.DropIndicatorPosition, f"{name}Item")
    for name in ("Above", "On", "Below")
)


def tree(driver) -> list:
    """Names as the list has them, of groups with what is in them."""

    def branch(above):
        children = (above.child(row) for row in range(above.childCount()))
        return [
            [each.text(NAME), *branch(each)]
            if each.data(NAME, THUMBNAIL) in ("folder", "folder-open")
            else each.text(NAME)
            for each in children
        ]

    return branch(driver.editor.layers.list.invisibleRootItem())


@pytest.fixture
def grouped(driver):
    """A group of two layers between two others."""
    for _ in range(3):
        driver.do("canvas.new_layer")
    driver.session.perform(group_layers(driver.canvas, {"paint_2", "paint_3"}))
    assert tree(driver) == ["Paint 4", ["Group 1", "Paint 3", "Paint 2"], "Paint 1"]
    return driver


@pytest.mark.parametrize(
    ("dragged", "target", "where", "expected"),
    [
        ("Paint 4", "Group 1", ON, [["Group 1", "Paint 4", "Paint 3", "Paint 2"], "Paint 1"]),
        ("Paint 4", "Group 1", BELOW, [["Group 1", "Paint 4", "Paint 3", "Paint 2"], "Paint 1"]),
        ("Paint 4", "Paint 3", BELOW, [["Group 1", "Paint 3", "Paint 4", "Paint 2"], "Paint 1"]),
        ("Paint 4", "Paint 2", BELOW, [["Group 1", "Paint 3", "Paint 2", "Paint 4"], "Paint 1"]),
        ("Paint 4", "Paint 1", ABOVE, [["Group 1", "Paint 3", "Paint 2"], "Paint 4", "Paint 1"]),
        ("Paint 3", "Group 1", ABOVE, ["Paint 4", "Paint 3", ["Group 1", "Paint 2"], "Paint 1"]),
        ("Paint 3", "Paint 2", BELOW, ["Paint 4", ["Group 1", "Paint 2", "Paint 3"], "Paint 1"]),
        ("Paint 3", None, ON, ["Paint 4", ["Group 1", "Paint 2"], "Paint 1", "Paint 3"]),
        ("Group 1", "Paint 4", ABOVE, [["Group 1", "Paint 3", "Paint 2"], "Paint 4", "Paint 1"]),
        ("Group 1", "Paint 1", BELOW, ["Paint 4", "Paint 1", ["Group 1", "Paint 3", "Paint 2"]]),
        ("Paint 1", "Paint 1", BELOW, ["Paint 4", ["Group 1", "Paint 3", "Paint 2"], "Paint 1"]),
        ("Group 1", "Paint 3", ABOVE, ["Paint 4", ["Group 1", "Paint 3", "Paint 2"], "Paint 1"]),
    ],
)  # fmt: skip
def test_layers_are_dragged_into_groups_and_out(grouped, dragged, target, where, expected):
    panel = grouped.editor.layers
    moved = item(grouped, dragged)
    place = panel.list.drop_place(moved, target and item(grouped, target), where)
    panel._reorder(moved.data(NAME, ID), *place)
    assert tree(grouped) == expected
    assert misplaced(grouped.canvas.layers) is None


def test_a_group_folds_without_a_step_to_undo(grouped):
    steps = len(grouped.document.history)
    item(grouped, "Group 1").setExpanded(False)
    assert grouped.canvas.layer("group").folded
    assert item(grouped, "Group 1").data(NAME, THUMBNAIL) == "folder"
    grouped.do("canvas.new_layer")
    assert grouped.canvas.active.group == ""  # not into what is folded
    assert not item(grouped, "Group 1").isExpanded()
    assert len(grouped.document.history) == steps + 1


def test_a_group_is_hidden_locked_and_set_like_a_layer(grouped):
    panel = grouped.editor.layers
    panel._clicked(item(grouped, "Group 1"), EYE)
    assert not grouped.canvas.layer("group").visible
    panel._clicked(item(grouped, "Group 1"), LOCK)
    assert grouped.canvas.layer("group").locked
    panel.properties.fields["opacity"].edited.emit(0.5, [])
    panel.properties.fields["blend"].edited.emit("multiply", [])
    group = grouped.canvas.layer("group")
    assert (group.opacity, group.blend.value) == (0.5, "multiply")


@pytest.mark.parametrize("closed", [{"locked": True}, {"visible": False}])
def test_nothing_is_painted_in_a_group_that_is_closed_or_on_a_group(grouped, closed):
    grouped.session.perform(set_layer(grouped.canvas, "group", **closed))
    grouped.session.perform(activate(grouped.canvas, "paint_2"))
    said: list[str] = []
    grouped.session.status_message.connect(said.append)
    steps = len(grouped.document.history)
    grouped.pointer.drag([(60, 60), (200, 200)])
    assert "is in the group 'Group 1'" in said[-1]
    grouped.session.perform(activate(grouped.canvas, "group"))
    grouped.pointer.drag([(60, 60), (200, 200)])
    assert "is a group" in said[-1]
    assert len(grouped.document.history) == steps


def test_a_new_layer_comes_into_the_active_group_and_a_candidate_above_it(grouped):
    grouped.session.perform(activate(grouped.canvas, "group"))
    grouped.do("canvas.new_layer")
    assert tree(grouped)[1] == ["Group 1", "Paint 5", "Paint 3", "Paint 2"]
    grouped.session.perform(remove_layers(grouped.canvas, ["paint_4"]))
    assert topmost_picture_layer(grouped.canvas.state) == "group"
