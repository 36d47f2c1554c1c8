"""The layer list and the properties of each kind of layer."""

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QPlainTextEdit

from nodeforge.canvas import (
    Canvas,
    ControlSettings,
    LayerKind,
    State,
    activate,
    add_layer,
    duplicate_layer,
    remove_layers,
    set_layer,
)
from nodeforge.canvas.document.layer import TINTS
from nodeforge.graph.document import Document
from nodeforge.imaging import Reading
from nodeforge.ui.canvas_view.panels.layer_list import ABOUT, EYE, LOCK, NAME, THUMBNAIL
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
    (found,) = driver.editor.layers.list.findItems(name, Qt.MatchFlag.MatchExactly, NAME)
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
        (LayerKind.CONTROL, {f"control.{x}" for x in ("reading", "strength", "start", "end")}),
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


def test_a_control_layer_is_set_and_filled_in_its_properties(driver):
    """window 28: kind, strength, start and end, and *From picture*."""
    driver.session.perform(add_layer(driver.canvas, LayerKind.CONTROL))
    panel = driver.editor.layers.properties
    assert not panel.from_picture.isHidden()
    for name, value in (("reading", "scribble"), ("strength", 1.5), ("start", 0.1), ("end", 0.6)):
        panel.fields[f"control.{name}"].edited.emit(value, [])
    settings = driver.canvas.active.control
    assert settings == ControlSettings(Reading.SCRIBBLE, 1.5, 0.1, 0.6)
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
    assert len(driver.document.history) == 8
