"""Control layers: filled from the picture, and what of them steers."""

import numpy as np
import pytest

from nodeforge.canvas import (
    PREPROCESSORS,
    Canvas,
    ControlSettings,
    LayerKind,
    State,
    Tiles,
    add_layer,
    composite,
    control_from_picture,
    pictured,
    set_layer,
    straight,
)
from nodeforge.canvas.edits import control as control_edits
from nodeforge.errors import RequestError
from nodeforge.imaging import BlendMode, Reading, control_hint, to_bytes, to_float
from nodeforge.ui.canvas_view.generation.generation_source import generation_source, has_control
from support.noise import noise


@pytest.fixture
def canvas(document):
    """A disc, noise beside it, and an empty control layer above."""
    made = Canvas(State(300, 280))
    pixels = np.full((280, 300, 4), 255, np.uint8)
    y, x = np.mgrid[:280, :300]
    pixels[(x - 100) ** 2 + (y - 120) ** 2 < 60**2, :3] = (180, 40, 20)
    pixels[200:, 200:] = noise(80, 100, 1, opaque=True)
    document.perform(add_layer(made, LayerKind.PICTURE, tiles=Tiles.of(pixels)))
    document.perform(add_layer(made, LayerKind.CONTROL))
    return made


@pytest.mark.parametrize("preprocessor", PREPROCESSORS)
def test_what_a_layer_is_filled_with_is_what_the_preprocessor_finds(canvas, document, preprocessor):
    """The hint of the filled layer, taken by its new kind, is the picture's own hint."""
    picture = to_float(straight(composite(pictured(canvas.state), canvas.box)))
    document.perform(control_from_picture(canvas, "control", preprocessor))
    layer = canvas.layer("control")
    drawn = to_float(straight(layer.read(canvas.box)))
    made, wanted = control_hint(drawn, layer.control.reading), control_hint(picture, preprocessor)
    assert np.abs(made - wanted).max() <= 0.502 / 255
    assert wanted.max() > 0.5
    in_colours = preprocessor in (Reading.TILE, Reading.PICTURE)
    assert layer.control.reading is (Reading.PICTURE if in_colours else Reading.LINES)
    document.undo()
    assert not len(canvas.layer("control").tiles)
    assert canvas.layer("control").control == ControlSettings()


def test_lines_let_the_picture_show_between_them(canvas, document):
    document.perform(control_from_picture(canvas, "control", Reading.EDGES))
    alpha = canvas.layer("control").read(canvas.box)[..., 3]
    assert alpha[120, 150:170].max() == 255
    assert alpha[100:140, 80:120].max() == 0


def test_only_what_is_shown_below_counts(canvas, document):
    document.perform(add_layer(canvas, tiles=Tiles.of(noise(280, 300, 3, opaque=True))))
    document.perform(control_from_picture(canvas, "control", Reading.PICTURE))
    filled = canvas.layer("control").read(canvas.box)
    assert np.array_equal(filled, canvas.layer("picture").read(canvas.box))
    document.perform(set_layer(canvas, "picture", visible=False))
    with pytest.raises(RequestError, match="Control 1: there is no picture below"):
        document.perform(control_from_picture(canvas, "control", Reading.EDGES))


def test_a_closed_layer_and_one_of_another_kind_are_refused(canvas, document):
    with pytest.raises(RequestError, match="is no control layer"):
        document.perform(control_from_picture(canvas, "picture", Reading.EDGES))
    document.perform(set_layer(canvas, "control", locked=True))
    with pytest.raises(RequestError, match="is locked"):
        document.perform(control_from_picture(canvas, "control", Reading.EDGES))


def test_a_large_picture_is_made_smaller_for_the_preprocessor(canvas, document, monkeypatch):
    monkeypatch.setattr(control_edits, "FINEST", 100)
    document.perform(control_from_picture(canvas, "control", Reading.SOFT_EDGES))
    alpha = canvas.layer("control").read(canvas.box)[..., 3]
    assert alpha[115:125, 150:170].max() > 200
    assert alpha[110:130, 90:110].max() < 40


@pytest.mark.parametrize("reading", Reading)
def test_every_reading_gives_a_hint_of_the_picture_s_size(reading):
    pixels = to_float(noise(40, 50, 1))
    hint = control_hint(pixels, reading)
    assert (hint.shape, hint.dtype) == ((40, 50, 3), np.float32)
    assert 0 <= hint.min() <= hint.max() <= 1


def test_layers_of_one_setting_steer_as_one_picture_and_looks_do_not_count(canvas, document):
    soft = ControlSettings(Reading.SOFT_EDGES, 0.5, 0.1, 0.9)
    for left in (0, 100):
        tiles = Tiles.of(noise(50, 60, left), left, 0)
        document.perform(add_layer(canvas, LayerKind.CONTROL, tiles=tiles, control=soft))
    seen = {"opacity": 0.2, "blend": BlendMode.MULTIPLY}
    tiles = Tiles.of(noise(50, 60, 5, opaque=True), 0, 100)
    document.perform(add_layer(canvas, LayerKind.CONTROL, tiles=tiles, **seen))
    source, _ = generation_source(canvas.state, canvas.box)
    first, second = source.controls
    assert (first.settings, first.name) == (soft, "Control 2")
    assert first.pixels[:50, :160, 3].any(axis=0).sum() == 120
    assert not first.pixels[100:, :, 3].any()
    assert (second.settings, second.name) == (ControlSettings(), "Control 4")
    assert np.array_equal(second.pixels[100:150, :60], noise(50, 60, 5, opaque=True))


@pytest.mark.parametrize("off", [{"visible": False}, {"control": ControlSettings(strength=0)}])
def test_a_layer_that_is_off_needs_no_controlnet(canvas, document, off):
    document.perform(control_from_picture(canvas, "control", Reading.LINE_ART))
    assert has_control(canvas.state)
    document.perform(set_layer(canvas, "control", **off))
    assert not has_control(canvas.state)
    assert generation_source(canvas.state, canvas.box)[0].controls == ()


def test_bytes_of_lines_are_the_hint_s(canvas, document):
    document.perform(control_from_picture(canvas, "control", Reading.SCRIBBLE))
    picture = to_float(straight(composite(pictured(canvas.state), canvas.box)))
    alpha = canvas.layer("control").read(canvas.box)[..., 3]
    assert np.array_equal(alpha, to_bytes(control_hint(picture, Reading.SCRIBBLE))[..., 0])
