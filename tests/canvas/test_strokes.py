import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.canvas import (
    Brush,
    Canvas,
    ChangeKind,
    ClonePaint,
    ColourPaint,
    EraserPaint,
    LayerClosedError,
    LayerKind,
    NoSuchLayerError,
    Sample,
    State,
    Stroke,
    Tiles,
    activate,
    add_layer,
    composite,
    pictured,
    rectangle,
    select,
    set_layer,
    straight,
)
from nodeforge.graph.document import Document
from nodeforge.imaging import Box
from support.noise import noise

RED = ColourPaint((200, 30, 40, 255))
WHOLE = Box(0, 0, 400, 300)


def drawn(document, canvas, brush, points, ink=RED, straight=False):
    """Perform a stroke through points."""
    stroke = Stroke(canvas, brush, ink)
    stroke.begin(Sample(*points[0]))
    for point in points[1:]:
        stroke.extend(Sample(*point), straight)
    document.perform(stroke.end())


@pytest.fixture
def blank(document):
    """A canvas of 400 x 300 with an empty paint layer."""
    canvas = Canvas(State(400, 300))
    document.perform(add_layer(canvas))
    return canvas


def test_a_stroke_is_one_step_with_a_name(document, blank):
    drawn(document, blank, Brush(20), [(20, 20), (90, 50), (60, 200)])
    assert document.history.undo_name == "brush stroke"
    document.undo()
    assert not len(blank.layers[0].tiles)
    document.redo()
    assert blank.layers[0].read(WHOLE)[20, 20].tolist() == [200, 30, 40, 255]


POINT = st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.floats(0, 1))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(POINT, min_size=1, max_size=6),
    st.floats(1, 200),
    st.floats(0, 1),
    st.floats(0.01, 1),
    st.floats(0, 1),
    st.booleans(),
)
def test_no_pixel_of_a_stroke_passes_its_opacity(points, size, hardness, flow, opacity, pressed):
    canvas = Canvas(State(400, 300))
    Document().perform(add_layer(canvas))
    brush = Brush(size, hardness, opacity, flow, 0.1, pressed, pressed)
    stroke = Stroke(canvas, brush, RED)
    stroke.begin(Sample(*points[0]))
    for point in (*points, *reversed(points)):
        stroke.extend(Sample(*point), straight=True)
    alpha = canvas.layers[0].read(WHOLE)[..., 3]
    most = max(p for _, _, p in points) if pressed else 1.0
    assert alpha.max() <= round(255 * opacity * most) + 1


def test_going_over_a_stroke_again_in_one_stroke_changes_nothing_when_it_is_full(document, blank):
    brush = Brush(40, 1.0, opacity=0.5)
    drawn(document, blank, brush, [(50, 50), (300, 50)], straight=True)
    once = blank.layers[0].read(WHOLE)
    document.undo()
    drawn(document, blank, brush, [(50, 50), (300, 50), (50, 50)], straight=True)
    again = blank.layers[0].read(WHOLE)
    middle = (slice(40, 60), slice(60, 290))
    assert np.array_equal(once[middle], again[middle])
    assert set(once[middle][..., 3].ravel()) == {128}


def test_two_strokes_darken_more_than_one(document, blank):
    for _ in range(2):
        drawn(document, blank, Brush(40, 1.0, opacity=0.5), [(50, 50), (300, 50)])
    assert blank.layers[0].read(WHOLE)[50, 150, 3] == 192


def test_what_is_seen_while_drawing_is_what_the_edit_makes(document, blank):
    stroke = Stroke(blank, Brush(31), RED)
    stroke.begin(Sample(20, 30))
    for place in range(1, 20):
        stroke.extend(Sample(20 + place * 15, 30 + place * place * 0.5))
    seen = blank.layers[0].read(WHOLE)
    document.perform(stroke.end())
    made = blank.layers[0].read(WHOLE)
    # only the rest of the curve, from the last middle to the pen, came with the end
    assert np.array_equal(seen[:, :280], made[:, :280])
    assert (made[..., 3] >= seen[..., 3]).all()


def test_a_cancelled_stroke_leaves_the_very_state(document, painted):
    canvas = painted()
    document.perform(activate(canvas, "paint"))
    before = canvas.state
    stroke = Stroke(canvas, Brush(50), RED)
    stroke.begin(Sample(50, 50))
    stroke.extend(Sample(150, 90))
    assert canvas.state is not before
    stroke.cancel()
    assert canvas.state is before


def test_listeners_hear_where_each_dab_fell(blank):
    heard = []
    blank.subscribe(heard.extend)
    stroke = Stroke(blank, Brush(20, spacing=0.5), RED)
    stroke.begin(Sample(100, 100))
    box = heard[-1].box
    assert heard[-1].kind is ChangeKind.PIXELS
    assert heard[-1].layer == "paint"
    assert box.left <= 90
    assert box.right >= 110
    assert box.width < 30
    stroke.cancel()


def test_the_edge_of_a_hard_brush_is_as_wide_as_it_says(document, blank):
    drawn(document, blank, Brush(64, 1.0), [(200.5, 150.5)])
    alpha = blank.layers[0].read(WHOLE)[..., 3]
    assert alpha[150].sum() / 255 == pytest.approx(64, abs=1)
    assert alpha.sum() / 255 == pytest.approx(np.pi * 32 * 32, rel=0.01)


@pytest.mark.parametrize("size", [1, 2, 3, 5.5])
def test_small_brushes_leave_about_their_area(document, blank, size):
    drawn(document, blank, Brush(size, 1.0), [(100.5, 100.5)])
    alpha = blank.layers[0].read(WHOLE)[..., 3]
    assert alpha.sum() / 255 == pytest.approx(np.pi * size * size / 4, rel=0.35)


def test_a_line_of_few_points_has_no_corners_and_no_gaps(document, blank):
    drawn(document, blank, Brush(6, 1.0, spacing=0.1), [(20, 20), (120, 20), (120, 120)])
    alpha = blank.layers[0].read(WHOLE)[..., 3]
    assert alpha[20, 21:60].min() == 255
    assert alpha[80:119, 120].min() == 255
    assert alpha[20, 118] < 128  # the corner is cut


def test_a_straight_line_goes_through_its_corner(document, blank):
    drawn(document, blank, Brush(6, 1.0), [(20, 20), (120, 20), (120, 120)], straight=True)
    alpha = blank.layers[0].read(WHOLE)[..., 3]
    assert alpha[20, 118] == 255


def test_pressure_makes_a_stroke_thinner_and_fainter(document, blank):
    brush = Brush(40, 1.0, pressure_size=True, pressure_opacity=True)
    drawn(document, blank, brush, [(50, 50, 0.5), (300, 50, 0.5)], straight=True)
    alpha = blank.layers[0].read(WHOLE)[..., 3]
    assert alpha.max() in (127, 128)
    assert np.count_nonzero(alpha[:, 150]) == pytest.approx(20, abs=3)


def test_the_eraser_takes_away_and_leaves_no_empty_tiles(document, blank):
    drawn(document, blank, Brush(40), [(50, 50), (90, 90)])
    drawn(document, blank, Brush(200, 1.0), [(50, 50), (90, 90)], EraserPaint())
    assert not len(blank.layers[0].tiles)


def test_a_mask_is_painted_and_erased(document, blank):
    document.perform(add_layer(blank, LayerKind.MASK))
    drawn(document, blank, Brush(40, 1.0), [(50, 50), (90, 50)], ColourPaint((0, 0, 0, 255)))
    assert blank.layer("mask").read(WHOLE)[50, 70] == 255
    drawn(document, blank, Brush(40, 1.0, opacity=0.5), [(50, 50), (90, 50)], EraserPaint())
    assert blank.layer("mask").read(WHOLE)[50, 70] in (127, 128)


def test_nothing_outside_of_the_selection_changes(document, painted):
    canvas = painted()
    document.perform(activate(canvas, "picture"))
    before = canvas.layer("picture").read(WHOLE)
    document.perform(select(canvas, rectangle(100, 100, 200, 150)))
    drawn(document, canvas, Brush(300, 0.2), [(50, 50), (300, 250)])
    changed = (canvas.layer("picture").read(WHOLE) != before).any(axis=2)
    assert changed[100:150, 100:200].all()
    changed[100:150, 100:200] = False
    assert not changed.any()


def test_alpha_lock_keeps_alpha_and_changes_colours(document, blank):
    document.perform(set_layer(blank, "paint", alpha_locked=False))
    drawn(document, blank, Brush(80, 0.1), [(100, 100), (200, 100)])
    before = blank.layers[0].read(WHOLE)
    document.perform(set_layer(blank, "paint", alpha_locked=True))
    drawn(document, blank, Brush(90, 1), [(100, 100), (300, 200)], ColourPaint((0, 255, 0, 255)))
    after = blank.layers[0].read(WHOLE)
    assert np.array_equal(after[..., 3], before[..., 3])
    assert straight(after)[100, 150].tolist() == [0, 255, 0, 255]


def test_colours_never_pass_their_alpha(document, blank):
    rng = np.random.default_rng(0)
    for number in range(12):
        ink = ColourPaint(tuple(rng.integers(0, 256, 4).tolist()))
        brush = Brush(90, rng.random(), rng.random(), rng.random())
        drawn(document, blank, brush, rng.integers(0, 300, (4, 2)).tolist(), ink)
        document.perform(set_layer(blank, "paint", alpha_locked=number % 3 == 0))
    pixels = blank.layers[0].read(WHOLE)
    assert (pixels <= pixels[..., 3:]).all()


def test_the_clone_stamp_repeats_what_was_there(document, painted):
    canvas = painted()
    before = composite(pictured(canvas.state), WHOLE)
    document.perform(activate(canvas, "picture"))
    ink = ClonePaint(canvas.layers[:2], 40, 10)
    drawn(document, canvas, Brush(50, 1.0), [(100, 60), (120, 60)], ink)
    after = canvas.layer("picture").read(WHOLE)
    assert np.array_equal(after[55:65, 100:120], before[65:75, 140:160])


@pytest.mark.parametrize("setting", [{"locked": True}, {"visible": False}])
def test_a_closed_layer_is_not_painted_on(document, blank, setting):
    document.perform(set_layer(blank, "paint", **setting))
    with pytest.raises(LayerClosedError, match="Paint 1"):
        Stroke(blank, Brush(), RED)


def test_without_a_layer_there_is_no_stroke():
    with pytest.raises(NoSuchLayerError):
        Stroke(Canvas(State(10, 10)), Brush(), RED)


def test_a_layer_that_was_moved_is_painted_where_the_brush_is(document, blank):
    document.perform(set_layer(blank, "paint", offset=(-77, 41)))
    drawn(document, blank, Brush(20, 1.0), [(100.5, 100.5)])
    box = blank.layers[0].tiles.bounds().moved(-77, 41)
    assert (box.left + box.right) / 2 == pytest.approx(100.5, abs=0.5)


def test_a_stroke_holds_only_the_pixels_it_changed_for_undo(document):
    canvas = Canvas(State(1200, 1200))
    document.perform(add_layer(canvas, tiles=Tiles.of(noise(1200, 1200, opaque=True))))
    before = document.history.bytes
    drawn(document, canvas, Brush(128), [(100, 100), (524, 524)], straight=True)
    assert document.history.bytes - before <= 2 * 2**20


def test_painting_nothing_is_no_step(document, blank):
    steps = len(document.history)
    drawn(document, blank, Brush(20), [(-500, -500), (-400, -450)])
    assert len(document.history) == steps


@pytest.mark.parametrize("other", ["undo", "edit"])
def test_what_is_done_meanwhile_ends_a_stroke_cleanly(document, blank, other):
    drawn(document, blank, Brush(20), [(20, 20), (90, 50)])
    stroke = Stroke(blank, Brush(50), RED)
    stroke.begin(Sample(50, 50))
    if other == "undo":
        document.undo()
    else:
        document.perform(set_layer(blank, "paint", opacity=0.5))
    after, steps = blank.state, len(document.history)
    stroke.extend(Sample(150, 90))
    document.perform(stroke.end())
    assert blank.state is after
    assert len(document.history) == steps
    while document.undo():
        pass
    assert not blank.layers
