"""Edits of groups of layers."""

import numpy as np
import pytest

from nodeforge.canvas import (
    Canvas,
    LayerClosedError,
    LayerKind,
    State,
    Tiles,
    activate,
    add_layer,
    clear_area,
    composite,
    copied,
    crop_canvas,
    duplicate_layer,
    flatten,
    flip_layer,
    fold_group,
    group_layers,
    merge_down,
    move_layer,
    pictured,
    remove_layers,
    scaled,
    set_layer,
    ungroup,
    visible,
)
from nodeforge.canvas.document.nesting import misplaced
from nodeforge.errors import RequestError
from nodeforge.imaging import BlendMode, Box
from support.noise import noise


@pytest.fixture
def canvas(document):
    """paint; in group_2: group (paint_2, mask, paint_3) and paint_4; paint_5."""
    made = Canvas(State(120, 90))
    for number in range(5):
        document.perform(add_layer(made, tiles=Tiles.of(noise(40, 50, number), 15 * number, 9)))
    mask = Tiles.of(np.full((20, 20), 255, np.uint8))
    document.perform(add_layer(made, LayerKind.MASK, above="paint_2", tiles=mask))
    document.perform(group_layers(made, {"paint_2", "mask", "paint_3"}))
    document.perform(group_layers(made, {"group", "paint_4"}))
    document.perform(set_layer(made, "group", opacity=0.5, blend=BlendMode.MULTIPLY))
    return made


def nesting(canvas):
    assert misplaced(canvas.layers) is None
    return " ".join(f"{layer.group or '-'}:{layer.id}" for layer in canvas.layers)


START = (
    "-:paint group:paint_2 group:mask group:paint_3 group_2:group group_2:paint_4 -:group_2 "
    "-:paint_5"
)


def shown(canvas):
    return composite(pictured(canvas.state), canvas.box)


@pytest.mark.parametrize(
    ("id", "place", "group", "expected"),
    [
        ("paint", 0, "group", "group:paint group:paint_2 group:mask group:paint_3 group_2:group "
         "group_2:paint_4 -:group_2 -:paint_5"),
        ("paint_5", 9, "group", "-:paint group:paint_2 group:mask group:paint_3 group:paint_5 "
         "group_2:group group_2:paint_4 -:group_2"),
        ("group", 0, "", "group:paint_2 group:mask group:paint_3 -:group -:paint "
         "group_2:paint_4 -:group_2 -:paint_5"),
        ("group", 1, "group_2", "-:paint group_2:paint_4 group:paint_2 group:mask group:paint_3 "
         "group_2:group -:group_2 -:paint_5"),
        ("paint_3", 1, "group_2", "-:paint group:paint_2 group:mask group_2:group "
         "group_2:paint_3 group_2:paint_4 -:group_2 -:paint_5"),
        ("group_2", -5, "", "group:paint_2 group:mask group:paint_3 group_2:group "
         "group_2:paint_4 -:group_2 -:paint -:paint_5"),
        ("group_2", 1, "", START),
    ],
)  # fmt: skip
def test_layers_move_in_and_out_with_what_is_in_them(document, canvas, id, place, group, expected):
    steps = len(document.history)
    document.perform(move_layer(canvas, id, place, group))
    assert nesting(canvas) == expected
    if expected != START:
        assert len(document.history) == steps + 1
        document.undo()
    assert nesting(canvas) == START


@pytest.mark.parametrize("into", ["group_2", "group"])
def test_a_group_is_not_put_into_itself(document, canvas, into):
    with pytest.raises(RequestError, match="cannot be put into itself"):
        document.perform(move_layer(canvas, "group_2", 0, into))
    with pytest.raises(RequestError, match="is no group"):
        document.perform(move_layer(canvas, "group", 0, "paint"))


def test_a_removed_group_takes_along_what_is_in_it(document, canvas):
    document.perform(remove_layers(canvas, ["group"]))
    assert nesting(canvas) == "-:paint group_2:paint_4 -:group_2 -:paint_5"
    document.perform(remove_layers(canvas, ["group_2"]))
    assert nesting(canvas) == "-:paint -:paint_5"


def test_a_copied_group_is_whole_and_on_its_own(document, canvas):
    document.perform(duplicate_layer(canvas, "group_2"))
    assert nesting(canvas) == START.replace(
        "-:group_2",
        "-:group_2 group_3:paint_6 group_3:mask_2 group_3:paint_7 group_4:group_3 "
        "group_4:paint_8 -:group_4",
    )
    assert canvas.active.name == "Group 2 copy"
    assert canvas.layer("group_3").blend is BlendMode.MULTIPLY
    assert canvas.layer("mask").tint != canvas.layer("mask_2").tint
    before = canvas.layer("paint_2").read(canvas.box)
    document.perform(activate(canvas, "paint_6"))
    document.perform(clear_area(canvas))
    assert np.array_equal(canvas.layer("paint_2").read(canvas.box), before)


def test_a_merged_group_looks_as_before_and_keeps_what_is_no_picture(document, canvas):
    before = shown(canvas)
    document.perform(merge_down(canvas, "group"))
    assert nesting(canvas) == (
        "-:paint group_2:paint_6 group_2:mask group_2:paint_4 -:group_2 -:paint_5"
    )
    merged = canvas.layer("paint_6")
    assert (merged.name, merged.opacity, merged.blend) == ("Group 1", 0.5, BlendMode.MULTIPLY)
    assert np.array_equal(shown(canvas), before)
    document.perform(merge_down(canvas, "group_2"))
    assert np.array_equal(shown(canvas), before)
    document.undo()
    document.undo()
    assert nesting(canvas) == START


def test_a_layer_merges_only_with_one_beside_it(document, canvas):
    with pytest.raises(RequestError, match="'Group 2' below it is a group"):
        document.perform(merge_down(canvas, "paint_5"))
    with pytest.raises(RequestError, match="no layer below"):
        document.perform(merge_down(canvas, "paint_2"))
    document.perform(set_layer(canvas, "paint_3", visible=False))
    document.perform(set_layer(canvas, "paint_2", visible=False))
    with pytest.raises(RequestError, match="shows no picture"):
        document.perform(merge_down(canvas, "group"))


def test_flattening_looks_as_before_and_keeps_masks(document, canvas):
    before = shown(canvas)
    document.perform(flatten(canvas))
    assert nesting(canvas) == "-:paint -:mask"
    assert np.array_equal(shown(canvas), before)


def test_ungrouped_layers_stay_in_their_order(document, canvas):
    document.perform(ungroup(canvas, "group"))
    assert nesting(canvas) == (
        "-:paint group_2:paint_2 group_2:mask group_2:paint_3 group_2:paint_4 -:group_2 -:paint_5"
    )
    with pytest.raises(RequestError, match="is no group"):
        document.perform(ungroup(canvas, "paint"))


def test_layers_of_two_groups_are_not_grouped(document, canvas):
    with pytest.raises(RequestError, match="only layers beside each other"):
        document.perform(group_layers(canvas, {"paint", "paint_2"}))


@pytest.mark.parametrize("group", ["group", "group_2"])
@pytest.mark.parametrize("closed", [{"locked": True}, {"visible": False}])
def test_a_closed_group_closes_what_is_in_it(document, canvas, group, closed):
    document.perform(set_layer(canvas, group, **closed))
    document.perform(activate(canvas, "paint_2"))
    with pytest.raises(LayerClosedError, match="is in the group 'Group") as refused:
        document.perform(clear_area(canvas))
    assert "the group" in refused.value.way_out
    assert {layer.id for layer in visible(canvas.state)} == {
        ("locked", "group"): {layer.id for layer in canvas.layers},
        ("locked", "group_2"): {layer.id for layer in canvas.layers},
        ("visible", "group"): {"paint", "paint_4", "group_2", "paint_5"},
        ("visible", "group_2"): {"paint", "paint_5"},
    }[next(iter(closed)), group]


def test_a_group_is_copied_mirrored_cut_and_scaled_with_what_is_in_it(document, canvas):
    document.perform(activate(canvas, "group_2"))
    clip = copied(canvas.state)
    assert clip.pixels.any()
    before = canvas.layer("paint_2").read(canvas.box)
    document.perform(flip_layer(canvas, "group_2", True))
    assert np.array_equal(canvas.layer("paint_2").read(canvas.box), before[:, ::-1])
    document.perform(crop_canvas(canvas, Box(5, 5, 80, 60)))
    state = scaled(canvas.state, 40, 30)
    assert [layer.group for layer in state.layers] == [layer.group for layer in canvas.layers]
    assert composite(pictured(state), state.box).any()


def test_only_groups_are_folded(document, canvas):
    for id in ("group", "paint"):
        document.perform(fold_group(canvas, id, True))
    assert [layer.id for layer in canvas.layers if layer.folded] == ["group"]
