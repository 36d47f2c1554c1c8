"""A picture taken apart: a group of layers in its place, in one step."""

import numpy as np
import pytest

from nodeforge.canvas import (
    Canvas,
    LayerKind,
    NothingSelectedError,
    State,
    Tiles,
    add_layer,
    composite,
    group_layers,
    pictured,
    premultiplied,
    rectangle,
    remove_layers,
    select,
    set_layer,
)
from nodeforge.canvas.document.nesting import misplaced
from nodeforge.canvas.generation.intents import Intent
from nodeforge.canvas.generation.request import Source, request
from nodeforge.canvas.generation.separation import (
    NoLayersError,
    TakenApart,
    check_takes_apart,
    laid_over_each_other,
    separate,
)
from nodeforge.formats import load
from nodeforge.imaging import BlendMode, Box
from nodeforge.models import FAMILIES
from nodeforge.settings import shipped
from nodeforge.ui.canvas_view.generation.generation_source import layer_box, separation_source
from support.noise import noise


@pytest.fixture
def canvas(document):
    """An opaque background, and a smaller layer on it, 40 x 30 at 20, 10."""
    made = Canvas(State(120, 90))
    white = Tiles.plain(made.box, (255, 255, 255, 255))
    document.perform(add_layer(made, name="Background", tiles=white))
    document.perform(add_layer(made, name="fox", tiles=Tiles.of(noise(30, 40, 1)), offset=(20, 10)))
    document.perform(set_layer(made, "paint_2", opacity=0.5, blend=BlendMode.MULTIPLY))
    document.perform(add_layer(made, name="above"))
    return made


def parts():
    return [Tiles.of(noise(30, 40, seed)) for seed in (5, 6, 7)]


def test_layers_come_as_one_group_in_place_of_their_source_in_one_step(canvas, document):
    before, steps = canvas.state, len(document.history)
    taken, made = TakenApart.of(canvas.layer("paint_2")), parts()
    document.perform(separate(canvas, taken, made, 20, 10))
    names = ["Background", "fox", "fox 1", "fox 2", "fox 3", "fox", "above"]
    assert [each.name for each in canvas.layers] == names
    assert misplaced(canvas.layers) is None
    group = canvas.active
    assert group.is_group
    assert (group.opacity, group.blend) == (0.5, BlendMode.MULTIPLY)
    assert not canvas.layer("paint_2").visible
    assert canvas.layer("paint_2").tiles is before.layer("paint_2").tiles
    for layer, tiles in zip(canvas.layers[2:5], made, strict=True):
        assert (layer.group, layer.offset, layer.visible) == (group.id, (20, 10), True)
        place = Box(20, 10, 40, 30)
        assert np.array_equal(layer.read(place), tiles.read(Box(0, 0, 40, 30)))
    assert len(document.history) == steps + 1
    document.undo()
    assert [each.name for each in canvas.layers] == ["Background", "fox", "above"]
    assert np.array_equal(composite(pictured(canvas.state), canvas.box),
                          composite(pictured(before), canvas.box))  # fmt: skip
    document.redo()
    assert [each.name for each in canvas.layers] == names


def test_a_layer_in_a_group_is_followed_in_it_and_one_that_is_gone_is_not_missed(canvas, document):
    document.perform(group_layers(canvas, {"paint_2"}))
    taken = TakenApart.of(canvas.layer("paint_2"))
    document.perform(separate(canvas, taken, parts(), 20, 10))
    assert canvas.active.group == "group"
    document.undo()
    document.perform(remove_layers(canvas, ["group"]))
    document.perform(separate(canvas, taken, parts(), 20, 10))
    assert canvas.layers[-1] is canvas.active  # above all of the picture
    assert misplaced(canvas.layers) is None


def test_of_what_is_seen_what_lies_in_the_box_is_hidden(canvas):
    source, selections, taken = separation_source(canvas.state, Box(10, 0, 60, 50))
    assert (taken.name, taken.hides, selections) == ("fox", ("paint_2",), [])
    assert source.pixels.shape == (50, 60, 3)
    whole = separation_source(canvas.state, canvas.box)[2]
    assert (whole.name, whole.hides) == ("Picture", ("paint", "paint_2"))
    assert separation_source(canvas.state, Box(30, 0, 60, 50))[2].hides == ()


def test_of_a_selection_the_rest_is_transparent_and_nothing_is_hidden_but_what_it_covers(
    canvas, document
):
    document.perform(select(canvas, rectangle(20, 10, 50, 40)))
    source, (selection,), taken = separation_source(canvas.state, Box(10, 0, 60, 50))
    assert taken.hides == ()
    assert np.array_equal(source.pixels[..., 3], selection.mask)
    document.perform(select(canvas, rectangle(20, 10, 60, 40)))
    assert separation_source(canvas.state, Box(10, 0, 60, 50))[2].hides == ("paint_2",)


def test_a_layer_is_taken_apart_as_it_was_painted_also_off_the_canvas_or_hidden(canvas, document):
    document.perform(select(canvas, rectangle(0, 0, 5, 5)))
    document.perform(set_layer(canvas, "paint_2", offset=(100, 80)))
    document.perform(set_layer(canvas, "paint_2", visible=False))
    box = layer_box(canvas.state, "paint_2")
    assert box == (100, 80, 20, 10)
    source, selections, taken = separation_source(canvas.state, box, "paint_2")
    assert (taken.above, selections) == ("paint_2", [])
    shown = premultiplied(source.pixels)
    assert np.abs(shown.astype(int) - canvas.layer("paint_2").read(box)).max() <= 1
    document.perform(set_layer(canvas, "paint_2", offset=(200, 0)))
    for id, what in (("paint_2", "fox"), ("paint_3", "above")):
        with pytest.raises(NothingSelectedError, match=f"{what}.*shows nothing on the canvas"):
            layer_box(canvas.state, id)


def test_a_group_is_taken_apart_as_it_looks(canvas, document):
    document.perform(group_layers(canvas, {"paint_2", "paint_3"}))
    assert layer_box(canvas.state, "group") == (20, 10, 40, 30)
    _, _, taken = separation_source(canvas.state, Box(20, 10, 40, 30), "group")
    assert taken.hides == ("group",)


def test_an_empty_box_holds_nothing(document):
    made = Canvas(State(64, 64))
    document.perform(add_layer(made, LayerKind.PAINT))
    with pytest.raises(NothingSelectedError, match="nothing to take apart"):
        separation_source(made.state, made.box)


def test_a_run_changes_the_box_to_its_edges_and_gives_layers():
    workflow = load(shipped("workflows") / "canvas_layers.json")
    pixels = noise(64, 64, 1)
    source = Source(pixels, Box(20, 10, 64, 64), (120, 90))
    values = {"noise.layers": 2, "prompt.text": "a fox"}
    made = request(workflow, source, [], Intent.SEPARATE, values, 16)
    assert made.takes_apart
    assert made.results == ("result",)
    assert (made.mask == 255).all()
    assert made.document.node("noise").values["layers"] == 2
    with pytest.raises(NoLayersError):
        request(workflow, source, [], Intent.SEPARATE, values, 16, "nano")


def test_layers_show_together_what_the_canvas_shows_of_them(document):
    made = Canvas(State(40, 30))
    straight = [np.random.default_rng(n).integers(0, 256, (30, 40, 4), np.uint8) for n in range(3)]
    for each in straight:
        document.perform(add_layer(made, tiles=Tiles.of(premultiplied(each))))
    together = premultiplied(laid_over_each_other(straight))
    assert np.abs(together.astype(int) - composite(made.layers, made.box)).max() <= 1


def test_a_model_that_takes_nothing_apart_is_refused_by_name_and_an_unknown_one_is_not():
    check_takes_apart("")
    for family in FAMILIES.values():
        if family.layers:
            check_takes_apart(family.name)
        else:
            with pytest.raises(NoLayersError, match="does not take pictures apart") as caught:
                check_takes_apart(family.name)
            assert family.label in str(caught.value)
            assert "Qwen-Image Layered" in caught.value.way_out
