"""What layers show together, against the formulas of W3C written plainly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.canvas import (
    TILE,
    Brush,
    Canvas,
    ColourPaint,
    CompositeTiles,
    Layer,
    LayerKind,
    Sample,
    State,
    Stroke,
    Tiles,
    add_layer,
    composite,
    composite_tiles,
    crop_canvas,
    duplicate_layer,
    group_layers,
    merge_down,
    move_layer,
    pictured,
    premultiplied,
    remove_layers,
    set_layer,
    straight,
    ungroup,
    visible,
)
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode, Box
from support.noise import noise
from support.random_edits import paint, start

Colour = tuple[float, ...]


def lum(colour: Colour) -> float:
    return 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]


def sat(colour: Colour) -> float:
    return max(colour) - min(colour)


def clip_colour(colour: Colour) -> Colour:
    middle, least, most = lum(colour), min(colour), max(colour)
    if least < 0:
        colour = tuple(middle + (c - middle) * middle / (middle - least) for c in colour)
    if most > 1:
        colour = tuple(middle + (c - middle) * (1 - middle) / (most - middle) for c in colour)
    return colour


def set_lum(colour: Colour, wanted: float) -> Colour:
    return clip_colour(tuple(c + wanted - lum(colour) for c in colour))


def set_sat(colour: Colour, wanted: float) -> Colour:
    made = [0.0, 0.0, 0.0]
    least, middle, most = sorted(range(3), key=lambda channel: colour[channel])
    if colour[most] > colour[least]:
        made[middle] = (colour[middle] - colour[least]) * wanted / sat(colour)
        made[most] = wanted
    return tuple(made)


def plain_colours(mode: BlendMode, below: Colour, above: Colour) -> Colour:
    """B(cb, cs) of whole colours, as the specification has it."""
    match mode:
        case BlendMode.HUE:
            return set_lum(set_sat(above, sat(below)), lum(below))
        case BlendMode.SATURATION:
            return set_lum(set_sat(below, sat(above)), lum(below))
        case BlendMode.COLOUR:
            return set_lum(above, lum(below))
        case BlendMode.LUMINOSITY:
            return set_lum(below, lum(above))
    return tuple(plain_mix(mode, *pair) for pair in zip(below, above, strict=True))


def plain_mix(mode: BlendMode, below: float, above: float) -> float:
    """B(cb, cs) for one channel, as the specification has it."""
    match mode:
        case BlendMode.NORMAL:
            return above
        case BlendMode.MULTIPLY:
            return below * above
        case BlendMode.SCREEN:
            return below + above - below * above
        case BlendMode.OVERLAY:
            return plain_mix(BlendMode.HARD_LIGHT, above, below)
        case BlendMode.DARKEN:
            return min(below, above)
        case BlendMode.LIGHTEN:
            return max(below, above)
        case BlendMode.COLOUR_DODGE:
            if below == 0:
                return 0
            return 1 if above == 1 else min(1, below / (1 - above))
        case BlendMode.COLOUR_BURN:
            if below == 1:
                return 1
            return 0 if above == 0 else 1 - min(1, (1 - below) / above)
        case BlendMode.HARD_LIGHT:
            if above <= 0.5:
                return below * 2 * above
            return plain_mix(BlendMode.SCREEN, below, 2 * above - 1)
        case BlendMode.SOFT_LIGHT:
            if above <= 0.5:
                return below - (1 - 2 * above) * below * (1 - below)
            curve = ((16 * below - 12) * below + 4) * below if below <= 0.25 else below**0.5
            return below + (2 * above - 1) * (curve - below)
        case BlendMode.DIFFERENCE:
            return abs(below - above)
        case BlendMode.EXCLUSION:
            return below + above - 2 * below * above
        case BlendMode.ADD:
            return min(1, below + above)
        case BlendMode.SUBTRACT:
            return max(0, below - above)
    raise AssertionError(mode)


def plain(layers: list[Layer], x: int, y: int, group: str = "") -> list[float]:
    """One pixel of the layers of a group, premultiplied, 0..255."""
    shown = [0.0] * 4
    for layer in layers:
        if layer.group != group:
            continue
        pixel = layer.read(Box(x, y, 1, 1))[0, 0] / 255 * layer.opacity
        if layer.is_group:
            pixel = np.array(plain(layers, x, y, layer.id)) / 255 * layer.opacity
        over, under = pixel[3], shown[3]
        mixed: Colour = (0.0, 0.0, 0.0)
        if over and under:
            below = tuple(min(shown[channel] / under, 1) for channel in range(3))
            above = tuple(min(pixel[channel] / over, 1) for channel in range(3))
            mixed = plain_colours(layer.blend, below, above)
        for channel in range(3):
            kept = pixel[channel] * (1 - under) + shown[channel] * (1 - over)
            shown[channel] = kept + over * under * mixed[channel]
        shown[3] = over + under - over * under
    return [value * 255 for value in shown]


@pytest.mark.parametrize("mode", list(BlendMode))
@pytest.mark.parametrize("opacity", [1.0, 0.4])
def test_each_mode_is_the_formula_of_the_specification(mode, opacity):
    layers = [
        Layer("a", "", LayerKind.PAINT, Tiles.of(noise(12, 16, 1)), offset=(-3, 2)),
        Layer("b", "", LayerKind.PAINT, Tiles.of(noise(12, 16, 2)), opacity, mode),
    ]
    made = composite(layers, Box(0, 0, 16, 14))
    expected = [[plain(layers, x, y) for x in range(16)] for y in range(14)]
    assert np.abs(made - expected).max() <= 1.01


@pytest.mark.parametrize("opacity", [1.0, 0.4])
@pytest.mark.parametrize("mode", list(BlendMode))
def test_groups_are_isolated_groups_of_the_specification(mode, opacity):
    """What is in a group is laid on nothing, and that on what is below it."""
    kinds = LayerKind

    def one(id, kind, seed, group="", **settings):
        tiles = Tiles() if kind is kinds.GROUP else Tiles.of(noise(6, 8, seed))
        return Layer(id, "", kind, tiles, group=group, **settings)

    layers = [
        one("a", kinds.PAINT, 1),
        one("b", kinds.PAINT, 2, "g"),
        one("c", kinds.PAINT, 3, "h", blend=mode),
        one("d", kinds.PAINT, 4, "h", opacity=0.7),
        one("h", kinds.GROUP, 0, "g", opacity=opacity),
        one("g", kinds.GROUP, 0, blend=mode, opacity=opacity),
        one("e", kinds.PAINT, 5, blend=mode),
    ]
    made = composite(layers, Box(0, 0, 8, 6))
    expected = [[plain(layers, x, y) for x in range(8)] for y in range(6)]
    apart = np.abs(made - expected)  # 8 bits between the groups
    if mode in (BlendMode.HUE, BlendMode.SATURATION):  # near grey a bit turns the hue
        assert np.percentile(apart, 90) <= 2.1
    else:
        assert apart.max() <= 3


@pytest.mark.parametrize("mode", list(BlendMode))
def test_what_is_transparent_above_leaves_the_bits_below(mode):
    below, above = noise(40, 30, 1), noise(40, 30, 2)
    above[:20] = 0
    layers = [
        Layer("a", "", LayerKind.PICTURE, Tiles.of(below)),
        Layer("b", "", LayerKind.PAINT, Tiles.of(above), 0.7, mode),
    ]
    assert np.array_equal(composite(layers, Box(0, 0, 30, 40))[:20], below[:20])


def test_what_is_opaque_above_gives_its_own_bits():
    above = noise(40, 30, 2, opaque=True)
    layers = [
        Layer("a", "", LayerKind.PICTURE, Tiles.of(noise(40, 30, 1))),
        Layer("b", "", LayerKind.PAINT, Tiles.of(above)),
    ]
    assert np.array_equal(composite(layers, Box(0, 0, 30, 40)), above)


def test_every_8_bit_pixel_survives_without_its_alpha_and_back():
    colours, alphas = np.meshgrid(np.arange(256), np.arange(256))
    pixels = np.dstack([np.minimum(colours, alphas)] * 3 + [alphas]).astype(np.uint8)
    assert np.array_equal(premultiplied(straight(pixels)), pixels)


def test_a_mask_shows_as_its_tint_and_is_no_part_of_the_picture(painted):
    state = painted().state
    with_tint, without = (composite(choice(state), state.box) for choice in (visible, pictured))
    mask = state.layers[2].read(state.box)
    changed = (with_tint != without).any(axis=2)
    assert changed[mask > 60].any()
    assert not changed[mask == 0].any()


def test_tiles_of_a_composite_show_the_same(painted):
    state = painted(700, 300).state
    layers = list(visible(state))
    tiles = composite_tiles(layers)
    assert np.array_equal(tiles.read(state.box), composite(layers, state.box))


def looks(view: CompositeTiles, canvas: Canvas, level: int) -> np.ndarray:
    """All tiles of a level side by side."""
    columns, rows = (-(-side // (TILE << level)) for side in canvas.size)
    out = np.zeros((rows * TILE, columns * TILE, 4), np.uint8)
    for row in range(rows):
        for column in range(columns):
            tile = view.tile(column, row, level)
            if tile is not None:
                out[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE] = tile
    return out


STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 599), st.integers(0, 599)), max_size=6)


@settings(max_examples=15, deadline=None)
@given(STEPS)
def test_kept_tiles_show_what_tiles_made_anew_would(steps):
    document, canvas = Document(), Canvas(State(600, 520))
    document.perform(add_layer(canvas, LayerKind.PICTURE, tiles=Tiles.of(noise(520, 600, 1))))
    document.perform(add_layer(canvas))
    kept = CompositeTiles(canvas, limit=9)
    for what, x, y in steps:
        if not canvas.layer("paint").visible:
            document.undo()
        stroke = Stroke(canvas, Brush(60), ColourPaint((x % 256, y % 256, 9, 200)))
        stroke.begin(Sample(x, y))
        looks(kept, canvas, 1)
        stroke.extend(Sample(y, x))
        if what == 0:
            stroke.cancel()
        elif what == 1:
            document.perform(stroke.end())
            document.undo()
        else:
            document.perform(stroke.end())
        if what == 3:
            document.perform(set_layer(canvas, "paint", offset=(x - 300, 5)))
        if what == 4:
            document.perform(set_layer(canvas, "paint", visible=x > 300))
        if what == 5:
            document.perform(crop_canvas(canvas, Box(x // 9, 3, 590, 500)))
    for level in (0, 1, 3):
        fresh = CompositeTiles(canvas)
        assert np.array_equal(looks(kept, canvas, level), looks(fresh, canvas, level))


def grouped(document, canvas):
    """A group in a group, and layers in, between and beside them."""
    for number in range(4):
        tiles = Tiles.of(noise(90, 120, number), 40 * number, 30 * number)
        document.perform(add_layer(canvas, tiles=tiles, blend=list(BlendMode)[number * 4]))
    document.perform(group_layers(canvas, {"paint_2", "paint_3"}))
    document.perform(group_layers(canvas, {"group", "paint_4"}))
    document.perform(set_layer(canvas, "group", blend=BlendMode.MULTIPLY, opacity=0.7))
    document.perform(set_layer(canvas, "group_2", blend=BlendMode.COLOUR, opacity=0.4))


def check_kept_tiles(seeds):
    document, canvas = start()
    grouped(document, canvas)
    kept = [CompositeTiles(canvas, choice, limit=9) for choice in (visible, pictured)]
    for seed in seeds:
        for view in kept:
            looks(view, canvas, seed % 3)
        paint(document, canvas, seed)
        if seed % 5 == 0:
            document.undo()
    for view, choice in zip(kept, (visible, pictured), strict=True):
        for level in (0, 1):
            fresh = CompositeTiles(canvas, choice)
            assert np.array_equal(looks(view, canvas, level), looks(fresh, canvas, level))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 2**32), max_size=8))
def test_kept_tiles_are_exact_whatever_is_done_to_groups_and_layers(seeds):
    check_kept_tiles(seeds)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 2**32), max_size=20))
def test_kept_tiles_are_exact_whatever_is_done_at_length(seeds):
    check_kept_tiles(seeds)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: set_layer(c, "group", opacity=0.2),
        lambda c: set_layer(c, "group", visible=False),
        lambda c: set_layer(c, "group_2", blend=BlendMode.DIFFERENCE),
        lambda c: set_layer(c, "group_2", visible=False),
        lambda c: set_layer(c, "paint_2", visible=False),
        lambda c: move_layer(c, "paint_2", 0, ""),
        lambda c: move_layer(c, "paint", 1, "group"),
        lambda c: move_layer(c, "group", 9, ""),
        lambda c: move_layer(c, "group_2", 0, ""),
        lambda c: ungroup(c, "group"),
        lambda c: ungroup(c, "group_2"),
        lambda c: remove_layers(c, {"group_2"}),
        lambda c: duplicate_layer(c, "group_2"),
        lambda c: merge_down(c, "group"),
        lambda c: group_layers(c, {"group_2"}),
    ],
)
def test_each_change_of_a_group_is_seen_at_once_and_undone(change):
    document, canvas = start()
    grouped(document, canvas)
    kept = CompositeTiles(canvas)
    before = looks(kept, canvas, 0).copy()
    document.perform(change(canvas))
    for _ in range(2):
        for level in (0, 1):
            fresh = looks(CompositeTiles(canvas), canvas, level)
            assert np.array_equal(looks(kept, canvas, level), fresh)
        document.undo()
    document.redo()
    assert np.array_equal(looks(kept, canvas, 0), before)


def test_a_normal_group_changes_nothing_where_it_is_opaque_or_empty(document, painted):
    canvas = painted()
    before = composite(pictured(canvas.state), canvas.box)
    document.perform(group_layers(canvas, {"picture"}))
    assert np.array_equal(composite(pictured(canvas.state), canvas.box), before)
    document.perform(add_layer(canvas, LayerKind.GROUP))
    assert np.array_equal(composite(pictured(canvas.state), canvas.box), before)


def test_a_kept_tile_stays_the_same_array_while_it_changes(painted, document):
    canvas = painted()
    view = CompositeTiles(canvas)
    before = view.tile(0, 0)
    assert before is not None
    bits = before.copy()
    document.perform(set_layer(canvas, "paint", opacity=0.1))
    document.perform(set_layer(canvas, "picture", opacity=0.5))
    assert view.tile(0, 0) is before
    assert not np.array_equal(before, bits)


def test_where_nothing_is_there_is_no_tile():
    document, canvas = Document(), Canvas(State(2000, 2000))
    document.perform(add_layer(canvas, tiles=Tiles.of(noise(9, 9), 700, 20)))
    view = CompositeTiles(canvas)
    assert view.tile(0, 0) is None
    assert view.tile(2, 0) is not None
    assert view.tile(1, 0, level=1) is not None
    assert view.tile(3, 3, level=1) is None
