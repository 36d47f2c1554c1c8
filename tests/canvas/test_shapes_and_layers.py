"""Transform, crop, flip, copy, and the pile of layers."""

import numpy as np
import pytest

from nodeforge.canvas import (
    Affine,
    Canvas,
    CanvasSizeError,
    ChangeKind,
    LayerClosedError,
    LayerKind,
    NoSuchLayerError,
    NothingSelectedError,
    State,
    Tiles,
    Transform,
    activate,
    add_layer,
    composite,
    copied,
    crop_canvas,
    cut,
    duplicate_layer,
    flatten,
    flip_canvas,
    group_layers,
    merge_down,
    move_layer,
    paste,
    pictured,
    rectangle,
    remove_layers,
    resize_canvas,
    select,
    set_layer,
    straight,
    visible,
)
from nodeforge.errors import RequestError
from nodeforge.imaging import Box
from support.noise import noise

WHOLE = Box(0, 0, 400, 300)


def shown(canvas, box=None):
    return composite(pictured(canvas.state), box or canvas.box)


def transformed(document, canvas, affine):
    lifted = Transform(canvas)
    lifted.show(affine)
    document.perform(lifted.end(affine))


def test_the_largest_canvas_is_8192_and_more_is_refused_by_name(document):
    canvas = Canvas(State(8192, 8192))
    with pytest.raises(CanvasSizeError, match=r"8193 × 5 .* 8192"):
        State(8193, 5)
    with pytest.raises(CanvasSizeError):
        document.perform(resize_canvas(canvas, 0, 50))
    assert canvas.size == (8192, 8192)


def test_moving_a_whole_layer_only_changes_its_offset(document, painted):
    canvas = painted()
    document.perform(activate(canvas, "paint"))
    tiles = canvas.layer("paint").tiles
    transformed(document, canvas, Affine.moved(-500, 20))
    assert canvas.layer("paint").tiles is tiles
    assert canvas.layer("paint").offset == (-500, 20)
    assert document.history.undo_name == "move"


def grouped(document, canvas) -> dict[str, bytes]:
    """Two painted layers and an empty one in a group; what each shows."""
    document.perform(activate(canvas, "paint"))
    document.perform(duplicate_layer(canvas, "paint"))
    second = canvas.state.active
    document.perform(add_layer(canvas, LayerKind.PAINT))
    document.perform(group_layers(canvas, {"paint", second, canvas.state.active}))
    return {id: canvas.layer(id).read(WHOLE).tobytes() for id in ("paint", second)}


def test_moving_a_group_moves_all_in_it_as_one_step(document, painted):
    canvas = painted()
    before = grouped(document, canvas)
    steps = len(document.history)
    offsets = {id: canvas.layer(id).offset for id in before}
    transformed(document, canvas, Affine.moved(-30, 20))
    for id, (x, y) in offsets.items():
        assert canvas.layer(id).offset == (x - 30, y + 20)
    assert len(document.history) == steps + 1
    document.undo()
    for id, pixels in before.items():
        assert canvas.layer(id).read(WHOLE).tobytes() == pixels


def test_scaling_a_group_scales_all_in_it_about_one_point(document, painted):
    canvas = painted()
    before = grouped(document, canvas)
    box = Transform(canvas).box
    transformed(document, canvas, Affine.scaled(0.5, 0.5, box.left, box.top))
    bounds = [canvas.layer(id).tiles.bounds().moved(*canvas.layer(id).offset) for id in before]
    assert bounds[0] == bounds[1]
    assert abs(bounds[0].width - box.width / 2) <= 4
    document.undo()
    for id, pixels in before.items():
        assert canvas.layer(id).read(WHOLE).tobytes() == pixels


def test_a_group_with_a_locked_layer_or_nothing_in_it_is_not_moved(document, painted):
    canvas = painted()
    grouped(document, canvas)
    document.perform(set_layer(canvas, "paint", locked=True))
    with pytest.raises(LayerClosedError, match="Unlock it, so that the group"):
        Transform(canvas)
    document.perform(set_layer(canvas, "paint", locked=False))
    document.perform(set_layer(canvas, canvas.state.active, locked=True))
    with pytest.raises(LayerClosedError, match="locked"):
        Transform(canvas)
    document.perform(set_layer(canvas, canvas.state.active, locked=False))
    document.perform(add_layer(canvas, LayerKind.GROUP))
    with pytest.raises(NothingSelectedError):
        Transform(canvas)


def test_moving_a_selection_moves_its_pixels_and_itself(document, painted):
    canvas = painted()
    document.perform(activate(canvas, "paint"))
    before = canvas.layer("paint").read(WHOLE)
    document.perform(select(canvas, rectangle(210, 130, 250, 160)))
    transformed(document, canvas, Affine.moved(-100, -50))
    after = canvas.layer("paint").read(WHOLE)
    assert np.array_equal(after[80:110, 110:150], before[130:160, 210:250])
    assert not after[130:160, 210:250].any()
    assert canvas.selection.bounds() == Box(110, 80, 40, 30)


def test_turning_by_a_right_angle_keeps_the_pixels(document):
    canvas = Canvas(State(64, 64))
    pixels = noise(64, 64, 5)
    document.perform(add_layer(canvas, tiles=Tiles.of(pixels)))
    transformed(document, canvas, Affine.turned(90, 32, 32))
    assert np.array_equal(canvas.layers[0].read(canvas.box), np.rot90(pixels, -1))


def test_scaling_up_and_mirroring_are_where_they_should_be(document):
    canvas = Canvas(State(64, 64))
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[10:20, 8:16] = (0, 0, 255, 255)
    document.perform(add_layer(canvas, tiles=Tiles.of(pixels)))
    transformed(document, canvas, Affine.scaled(-2, 1, 32, 0))
    alpha = canvas.layers[0].read(canvas.box)[..., 3]
    assert alpha[10:20, 64:].sum() == 0
    assert not alpha[:9].any()
    document.undo()
    transformed(document, canvas, Affine.scaled(2, 2))
    alpha = canvas.layers[0].read(canvas.box)[..., 3] / 255
    assert alpha[22:38, 18:30].min() == 1
    assert alpha.sum() == pytest.approx(20 * 16, rel=0.02)


def test_scaling_down_averages(document):
    canvas = Canvas(State(256, 256))
    stripes = np.zeros((256, 256, 4), np.uint8)
    stripes[..., 3] = 255
    stripes[:, ::2, :3] = 255
    document.perform(add_layer(canvas, tiles=Tiles.of(stripes)))
    transformed(document, canvas, Affine.scaled(0.125, 0.125))
    grey = canvas.layers[0].read(Box(4, 4, 24, 24))[..., 0].astype(int)
    assert np.abs(grey - 127).max() <= 2


def test_turning_blurs_once_however_often_it_is_shown(document):
    canvas = Canvas(State(128, 128))
    document.perform(add_layer(canvas, tiles=Tiles.of(noise(64, 64, 5), 32, 32)))
    lifted = Transform(canvas)
    for degrees in range(0, 350, 10):
        lifted.show(Affine.turned(degrees, 64, 64))
    document.perform(lifted.end(Affine.turned(30, 64, 64)))
    often = canvas.layers[0].read(canvas.box)
    document.undo()
    transformed(document, canvas, Affine.turned(30, 64, 64))
    assert np.array_equal(canvas.layers[0].read(canvas.box), often)
    assert (often <= often[..., 3:]).all()


def test_a_cancelled_transform_leaves_the_very_state(document, painted):
    canvas = painted()
    document.perform(activate(canvas, "paint"))
    before = canvas.state
    lifted = Transform(canvas)
    lifted.show(Affine.turned(30))
    lifted.cancel()
    assert canvas.state is before


def test_there_is_nothing_to_move_where_nothing_is(document, painted):
    canvas = painted()
    document.perform(select(canvas, rectangle(350, 5, 390, 15)))
    with pytest.raises(NothingSelectedError, match="Mask 1"):
        Transform(canvas)
    with pytest.raises(NothingSelectedError):
        copied(canvas.state)


def test_a_crop_shows_what_was_there_and_drops_the_rest(document, painted):
    canvas = painted()
    box = Box(205, 115, 90, 77)
    before = shown(canvas, box)
    document.perform(crop_canvas(canvas, box))
    assert canvas.size == (90, 77)
    assert np.array_equal(shown(canvas), before)
    for layer in canvas.layers:
        bounds = layer.tiles.bounds()
        assert bounds is None or bounds.moved(*layer.offset).overlap(canvas.box) == bounds.moved(
            *layer.offset
        )


def test_a_larger_canvas_has_room_where_asked(document, painted):
    canvas = painted()
    before = shown(canvas)
    document.perform(resize_canvas(canvas, 500, 400, across=1, down=0))
    assert np.array_equal(shown(canvas)[:300, 100:], before)
    assert not shown(canvas)[:, :100].any()


@pytest.mark.parametrize("across", [True, False])
def test_a_flip_mirrors_and_twice_is_nothing(document, painted, across):
    canvas = painted()
    document.perform(select(canvas, rectangle(10, 20, 50, 90)))
    document.perform(set_layer(canvas, "paint", offset=(13, -7)))
    before, mask = shown(canvas), canvas.selection.read(WHOLE)
    document.perform(flip_canvas(canvas, across))
    axis = 1 if across else 0
    assert np.array_equal(shown(canvas), np.flip(before, axis))
    assert np.array_equal(canvas.selection.read(WHOLE), np.flip(mask, axis))
    document.perform(flip_canvas(canvas, across))
    assert np.array_equal(shown(canvas), before)


def test_cut_and_paste_puts_the_same_pixels_into_a_layer_of_their_own(document, painted):
    canvas = painted()
    before = shown(canvas)
    document.perform(activate(canvas, "picture"))
    document.perform(select(canvas, rectangle(20, 10, 90, 44)))
    clip, edit = cut(canvas)
    document.perform(edit)
    assert not canvas.layer("picture").read(Box(20, 10, 70, 34)).any()
    document.perform(paste(canvas, clip))
    assert np.array_equal(shown(canvas), before)
    assert canvas.active.name == "Pasted"
    assert document.undo() == "paste"
    assert document.undo() == "cut"


def test_a_merged_copy_is_what_is_seen(document, painted):
    canvas = painted()
    document.perform(set_layer(canvas, "paint", opacity=0.6))
    assert np.array_equal(copied(canvas.state, merged=True).pixels, shown(canvas))


def test_merging_down_looks_the_same(document, painted):
    canvas = painted()
    document.perform(set_layer(canvas, "paint", opacity=0.6, offset=(-30, 50)))
    before = shown(canvas)
    document.perform(merge_down(canvas, "paint"))
    assert [layer.id for layer in canvas.layers] == ["picture", "mask"]
    assert canvas.active.id == "picture"
    assert np.array_equal(shown(canvas), before)


def test_masks_merge_to_where_either_is(document, painted):
    canvas = painted()
    document.perform(add_layer(canvas, LayerKind.MASK, tiles=rectangle(0, 0, 40, 40)))
    masks = [canvas.layer(id).read(WHOLE) for id in ("mask", "mask_2")]
    document.perform(merge_down(canvas, "mask_2"))
    assert np.array_equal(canvas.layer("mask").read(WHOLE), np.maximum(*masks))


def test_what_cannot_be_merged_is_refused(document, painted):
    canvas = painted()
    for id, why in (("picture", "no layer below"), ("mask", "another kind")):
        with pytest.raises(RequestError, match=why):
            document.perform(merge_down(canvas, id))


def test_flattening_looks_the_same_and_keeps_masks(document, painted):
    canvas = painted()
    before = composite(visible(canvas.state), WHOLE)
    document.perform(flatten(canvas))
    assert [layer.kind for layer in canvas.layers] == [LayerKind.PICTURE, LayerKind.MASK]
    assert np.array_equal(composite(visible(canvas.state), WHOLE), before)


def test_layers_get_ids_that_stay_and_are_never_taken(document, painted):
    canvas = painted()
    document.perform(add_layer(canvas))
    document.perform(remove_layers(canvas, ["paint"]))
    document.perform(duplicate_layer(canvas, "paint_2"))
    assert [layer.id for layer in canvas.layers] == ["picture", "mask", "paint_2", "paint"]
    assert canvas.active.name == "Paint 2 copy"
    with pytest.raises(NoSuchLayerError, match="gone"):
        document.perform(remove_layers(canvas, ["gone"]))


def test_removing_the_active_layer_makes_the_one_below_active(document, painted):
    canvas = painted()
    document.perform(remove_layers(canvas, ["mask"]))
    assert canvas.active.id == "paint"
    document.perform(remove_layers(canvas, ["paint", "picture"]))
    assert canvas.active is None


def test_reordering_changes_what_is_on_top(document, painted):
    canvas = painted()
    document.perform(move_layer(canvas, "picture", 2))
    assert [layer.id for layer in canvas.layers] == ["paint", "mask", "picture"]
    assert np.array_equal(shown(canvas), canvas.layer("picture").read(WHOLE))


def test_one_drag_of_a_slider_is_one_step(document, painted):
    canvas = painted()
    steps = len(document.history)
    for opacity in (0.9, 0.5, 0.2):
        document.perform(set_layer(canvas, "paint", opacity=opacity, gesture="drag 1"))
    assert len(document.history) == steps + 1
    document.undo()
    assert canvas.layer("paint").opacity == 1.0
    document.redo()
    assert canvas.layer("paint").opacity == 0.2


def test_listeners_hear_what_a_view_must_paint_again(document, painted):
    canvas = painted()
    heard = []
    canvas.subscribe(heard.append)
    document.perform(set_layer(canvas, "paint", offset=(10, 0)))
    document.perform(set_layer(canvas, "paint", name="Hat"))
    document.perform(activate(canvas, "paint"))
    document.perform(select(canvas, rectangle(0, 0, 5, 5)))
    moved, renamed, chosen, marked = (changes[0] for changes in heard)
    assert moved.kind is ChangeKind.LAYER
    assert moved.box == Box(0, 0, 522, 256)
    assert (renamed.kind, renamed.layer, renamed.box) == (ChangeKind.LAYER, "paint", None)
    assert (chosen.kind, chosen.layer) == (ChangeKind.ACTIVE, "paint")
    assert marked.kind is ChangeKind.SELECTION


def test_the_documents_listeners_hear_of_edits_on_its_canvas(document, painted):
    heard = []
    document.subscribe(heard.append)
    canvas = painted()
    assert len(heard) == 3
    document.history.mark_saved()
    document.perform(set_layer(canvas, "paint", visible=False))
    assert document.history.modified


def test_a_turned_edge_gets_no_light_rim(document):
    canvas = Canvas(State(200, 200))
    pixels = np.full((80, 80, 4), (40, 160, 170, 255), np.uint8)
    document.perform(add_layer(canvas, tiles=Tiles.of(pixels, 60, 60)))
    transformed(document, canvas, Affine.turned(25, 100, 100))
    colours = straight(canvas.layers[0].read(canvas.box))
    solid = colours[..., 3] > 128
    assert np.abs(colours[solid][:, :3].astype(int) - (40, 160, 170)).max() <= 2


def test_choosing_a_layer_is_no_step_and_undo_goes_back_to_where_it_was_done(document, painted):
    canvas = painted()
    steps = len(document.history)
    document.perform(activate(canvas, "paint"))
    document.perform(set_layer(canvas, "paint", name="Hat"))
    document.perform(activate(canvas, "picture"))
    assert len(document.history) == steps + 1
    document.undo()
    assert canvas.active.id == "paint"
    document.redo()
    assert canvas.active.id == "picture"
    assert canvas.layer("paint").name == "Hat"
