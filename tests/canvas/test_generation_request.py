"""What Generate submits: the workflow with the canvas's pixels, masks and wishes in it."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from nodeforge.canvas import ControlSettings
from nodeforge.canvas.generation.controls import ControlPicture, ControlRangeError
from nodeforge.canvas.generation.intents import CONTROLLED, METHODS, Intent
from nodeforge.canvas.generation.loras import LORA, Lora, add_loras, loras_from_json
from nodeforge.canvas.generation.native_size import USUAL, native_size
from nodeforge.canvas.generation.regions import NoRegionsError
from nodeforge.canvas.generation.request import (
    EmptyMaskError,
    NotForCanvasError,
    Selection,
    Source,
    request,
)
from nodeforge.canvas.generation.special_models import SPECIAL
from nodeforge.errors import RequestError
from nodeforge.formats import load, write
from nodeforge.graph.assets import ASSET
from nodeforge.graph.model import Input, Output
from nodeforge.imaging import Box, Fill, Reading, decode, to_bytes
from nodeforge.lint import lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from nodeforge.values import SizeMismatchError
from tests.support.problems import serious

SIZE = (96, 64)


@pytest.fixture
def workflow():
    def open_it(intent=Intent.FILL):
        return load(shipped("workflows") / f"{METHODS[intent].workflow}.json")

    return open_it


def source(box=None, canvas=SIZE, channels=3, seed=0):
    box = box or Box(0, 0, *canvas)
    shape = (box.height, box.width, channels)
    return Source(np.random.default_rng(seed).integers(0, 256, shape, np.uint8), box, canvas)


def spot(box=(30, 20, 20, 16), value=255, size=SIZE):
    mask = np.zeros((size[1], size[0]), np.uint8)
    left, top, width, height = box
    mask[top : top + height, left : left + width] = value
    return mask


def made(workflow, intent=Intent.FILL, masks=None, values=None, given=None):
    selections = [Selection(spot())] if masks is None else masks
    return request(workflow(intent), given or source(), selections, intent, values or {}, 16)


def file_of(generation, node):
    name = generation.document.node(node).values["file"].removeprefix(ASSET)
    return to_bytes(decode(generation.files[name]).pixels)


PREPARED = [intent for intent in Intent if intent not in SPECIAL]
"""Those whose workflow fills the masked area before it is painted."""


@pytest.mark.parametrize("intent", PREPARED)
def test_each_intent_gives_pixels_mask_fill_and_strength_to_its_workflow(workflow, intent):
    given = source(channels=4)
    generation = made(workflow, intent, given=given)
    assert np.array_equal(file_of(generation, "image"), given.pixels)
    assert np.array_equal(file_of(generation, "mask")[..., 0], generation.mask)
    assert generation.results == ("result",)
    values = generation.document.node("schedule").values
    assert values["strength"] == METHODS[intent].strength
    fill = Fill(generation.document.node("prepare").values["fill"])
    assert fill is METHODS[intent].fill_at(METHODS[intent].strength)


def test_the_form_s_values_are_set_and_win(workflow):
    values = {"prompt.text": "a pear", "noise.seed": 7, "noise.batch": 3, "schedule.strength": 0.5}
    document = made(workflow, values=values).document
    assert document.node("prompt").values["text"] == "a pear"
    assert document.node("noise").values == {"batch": 3, "seed": 7}
    assert document.node("schedule").values["strength"] == 0.5
    assert document.node("prepare").values["fill"] == Fill.ORIGINAL  # what it changes is itself


def test_every_form_names_a_port_that_is_there(workflow):
    catalogue = Catalogue.shipped()
    for intent in Intent:
        document = workflow(intent)
        ports = {name.rpartition(".")[2] for name in document.form}
        usual = {"text", "strength", "steps", "seed", "batch", "scale", "name"}
        others = {Intent.EDIT: {"strength"}, Intent.SEPARATE: {"strength", "batch", "layers"}}
        assert ports == usual ^ others.get(intent, set())
        for name in document.form:
            node, _, port = name.rpartition(".")
            assert port in catalogue[document.node(node).type].input


def test_the_workflow_stays_as_it_is(workflow):
    opened = workflow()
    before = repr(opened)
    request(opened, source(), [Selection(spot(), prompt="a pear")], Intent.FILL, {}, 16)
    assert repr(opened) == before


def test_files_are_named_by_their_content(workflow):
    generation = made(workflow, masks=[Selection(spot(), prompt="a pear")])
    assert len(generation.files) == 3
    for name, data in generation.files.items():
        entry = generation.document.assets[name]
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["size"] == len(data)


def test_masks_are_joined_each_with_its_strength(workflow):
    weak = Selection(spot((10, 10, 20, 20)), strength=0.4)
    strong = Selection(spot((20, 20, 20, 20)))
    mask = made(workflow, masks=[weak, strong]).mask
    assert mask[12, 12] == 102
    assert mask[25, 25] == mask[35, 35] == 255
    assert mask[5, 5] == 0


def test_a_box_beyond_the_picture_is_filled_to_its_outer_edge(workflow):
    given = source(Box(-32, 16, 80, 48), channels=4)
    given.pixels[..., 3] = 255
    given.pixels[:, :32] = 0
    generation = made(workflow, Intent.EXPAND, [], given=given)
    assert generation.box == given.box
    assert generation.mask[1:, :32].all()
    assert not generation.mask[0].any()  # the picture goes on above
    assert not generation.mask[:, 32:].any()


def test_expanding_takes_what_is_transparent(workflow):
    given = source(channels=4)
    given.pixels[..., 3] = 255
    given.pixels[:, 80:, 3] = 0
    mask = made(workflow, Intent.EXPAND, [], given=given).mask
    assert mask[:, 80:].min() == 255
    assert mask[:, :80].max() == 0


@pytest.mark.parametrize("channels", [3, 4])
def test_expanding_leaves_masks_of_earlier_work_alone(workflow, channels):
    """Window 27: with a mask, Expand filled just the mask."""
    given = source(channels=channels)
    if channels == 4:
        given.pixels[..., 3] = 255
        given.pixels[:, 80:, 3] = 0
    earlier, at_the_rim = Selection(spot((10, 10, 20, 20))), Selection(spot((60, 20, 20, 20)))
    if channels == 3:
        with pytest.raises(EmptyMaskError, match="the box lies on the picture"):
            made(workflow, Intent.EXPAND, [earlier], given=given)
        return
    mask = made(workflow, Intent.EXPAND, [earlier], given=given).mask
    assert mask[:, 80:].min() == 255
    assert mask[:, :80].max() == 0
    mask = made(workflow, Intent.EXPAND, [earlier, at_the_rim], given=given).mask
    assert mask[20:40, 60:].min() == 255
    assert mask[:, :60].max() == 0


@pytest.mark.parametrize("soft", [1, 128, 254])
def test_what_is_transparent_in_part_is_new_in_part(workflow, soft):
    given = source(channels=4)
    given.pixels[..., 3] = 255
    given.pixels[:, 80:, 3] = soft
    mask = made(workflow, Intent.EXPAND, [Selection(spot((70, 20, 20, 20)))], given=given).mask
    assert mask[20:40, 70:90].min() == 255
    assert mask[50, 85] == 255 - soft


@pytest.mark.parametrize("intent", [Intent.REFINE, Intent.IMAGE_TO_IMAGE])
def test_without_a_mask_the_whole_box_is_changed(workflow, intent):
    assert made(workflow, intent, []).mask.min() == 255


def test_a_mask_ends_before_a_box_that_the_canvas_goes_on_beyond(workflow):
    box = Box(0, 16, 64, 32)
    mask = made(workflow, Intent.REFINE, [], given=source(box, SIZE)).mask
    assert mask[1:-1, :-1].min() == 255
    assert mask[0].max() == mask[-1].max() == mask[:, -1].max() == 0
    assert mask[1:-1, 0].min() == 255


def controlled():
    return load(shipped("workflows") / f"{CONTROLLED}.json")


def test_what_control_layers_show_goes_to_their_node_alone():
    shown = source(channels=4, seed=1).pixels
    given = replace(source(), controls=(ControlPicture(shown),))
    generation = request(controlled(), given, [Selection(spot())], Intent.FILL, {}, 16)
    assert np.array_equal(file_of(generation, "control"), shown)
    assert generation.document.node("control").values["file"].endswith("canvas_control.png")


def steered(*settings, workflow=None, values=None):
    """What comes of control layers of these settings, each with a picture of its own."""
    pictures = tuple(
        ControlPicture(source(channels=4, seed=number).pixels, each, f"Control {number}")
        for number, each in enumerate(settings, 1)
    )
    given = replace(source(), controls=pictures)
    document = workflow or controlled()
    return request(document, given, [Selection(spot())], Intent.FILL, values or {}, 16)


def test_control_layers_that_are_set_otherwise_steer_one_after_the_other():
    """window 28: kind, strength, start and end of each layer are obeyed."""
    generation = steered(
        ControlSettings(Reading.SOFT_EDGES, 0.5, 0.0, 0.4),
        ControlSettings(),
        ControlSettings(Reading.PICTURE, 1.5, 0.2, 1.0),
        values={"control.strength": 0.8},
    )
    document, names = generation.document, ["control", "control_2", "control_3"]
    values = [document.node(name).values for name in names]
    assert [each.get("reading") for each in values] == ["soft edges", None, "picture"]
    assert [each["strength"] for each in values] == pytest.approx([0.4, 0.8, 1.2])
    assert [(each["start"], each["end"]) for each in values] == [(0, 0.4), (0, 1), (0.2, 1)]
    assert len({each["file"] for each in values}) == 3
    links = document.graph.links
    for before, after in zip(["region", *names], [*names, "denoise"], strict=True):
        port = "positive" if after == "denoise" else "conditioning"
        assert links[Input(after, port)] == Output(before, "conditioning")
    for name in names:
        assert links[Input(name, "controlnet")] == Output("controlnet", "controlnet")
        assert document.node(name).type == "canvas.control"


def test_control_layers_of_one_controlnet_share_its_loader():
    """Kinds need models of their own; each is loaded once, and the others keep the workflow's."""
    depth, pose = (ControlSettings(controlnet=f"{name}.safetensors") for name in ("depth", "pose"))
    settings = (depth, ControlSettings(), pose, replace(depth, strength=0.5))
    generation = steered(*settings)
    graph = generation.document.graph
    loaders = {name for name, node in graph.nodes.items() if node.type == "control.load"}
    assert len(loaders) == 3
    used = [
        graph.nodes[graph.links[Input(f"control{end}", "controlnet")].node].values["file"]
        for end in ("", "_2", "_3", "_4")
    ]
    assert used == ["depth.safetensors", "nano/controlnet", "pose.safetensors", "depth.safetensors"]
    same = steered(ControlSettings(controlnet="nano/controlnet")).document.graph
    assert sum(node.type == "control.load" for node in same.nodes.values()) == 1


def test_what_a_workflow_s_own_control_node_says_holds_for_every_layer():
    workflow = controlled()
    own = {"reading": "line art", "start": 0.1, "end": 0.7, "strength": 9.0}
    workflow.node("control").values |= own
    document = steered(
        ControlSettings(),
        ControlSettings(Reading.LINES, 2.0, 0.0, 0.5),
        ControlSettings(start=0.3),
        workflow=workflow,
    ).document
    values = [document.node(f"control{end}").values for end in ("", "_2", "_3")]
    assert [each["reading"] for each in values] == ["line art", "lines", "line art"]
    assert [(each["start"], each["end"]) for each in values] == [(0.1, 0.7), (0.1, 0.5), (0.3, 0.7)]
    assert [each["strength"] for each in values] == [9, 10, 9]


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.5), (0.8, 0.2), (1.0, 1.0)])
def test_a_control_layer_that_ends_before_it_begins_is_named(start, end):
    with pytest.raises(ControlRangeError, match=f"Control 2: .* from {start:.0%} to {end:.0%}"):
        steered(ControlSettings(), ControlSettings(start=start, end=end))


def test_without_control_layers_nothing_steers():
    generation = request(controlled(), source(), [Selection(spot())], Intent.FILL, {}, 16)
    assert generation.document.node("control").values["file"] is None


@pytest.mark.parametrize("kind", ["control", "reference"])
def test_layers_that_a_workflow_has_no_node_for_are_told(workflow, kind):
    pixels = source(channels=4).pixels
    shown = {"controls": (ControlPicture(pixels),)} if kind == "control" else {"reference": pixels}
    given = replace(source(), **shown)
    with pytest.raises(NotForCanvasError, match=f"no node 'Canvas {kind}'") as refused:
        made(workflow, given=given)
    assert f"hide the {kind} layers" in refused.value.way_out


def test_a_control_layer_of_another_size_is_refused():
    small = ControlPicture(source(canvas=(8, 8), channels=4).pixels, name="Pose")
    given = replace(source(), controls=(small,))
    with pytest.raises(SizeMismatchError, match="control layer 'Pose' is 8 × 8"):
        request(controlled(), given, [Selection(spot())], Intent.FILL, {}, 16)


def test_each_prompt_gets_a_region_after_the_other(workflow):
    masks = [Selection(spot((8 * i, 8, 8, 8)), prompt=p) for i, p in enumerate("abc")]
    document = made(workflow, masks=[*masks, Selection(spot())]).document
    names = ["region", "region_2", "region_3"]
    assert [document.node(name).values["text"] for name in names] == ["a", "b", "c"]
    assert len({document.node(name).values["file"] for name in names}) == 3
    links = document.graph.links
    for before, after in zip(["prompt", *names], [*names, "denoise"], strict=True):
        port = "positive" if after == "denoise" else "conditioning"
        assert links[Input(after, port)] == Output(before, "conditioning")
    assert links[Input("region_3", "text_encoder")] == Output("model", "text_encoder")


@pytest.mark.parametrize("intent", [*PREPARED, Intent.EDIT])
def test_a_mask_s_negative_prompt_goes_to_the_negative_side(workflow, intent):
    selection = Selection(spot(), negative="a dog")
    document = made(workflow, intent, [selection], given=source(channels=4)).document
    assert document.node("region_negative").values["text"] == "a dog"
    assert not document.node("region").values.get("file")
    links = document.graph.links
    assert links[Input("denoise", "negative")] == Output("region_negative", "conditioning")


def test_a_negative_prompt_needs_a_node_that_is_marked_for_it(workflow):
    bare = workflow()
    del bare.graph.nodes["region_negative"]
    with pytest.raises(NoRegionsError, match="'negative' switched on"):
        request(bare, source(), [Selection(spot(), negative="a dog")], Intent.FILL, {}, 16)


@pytest.mark.parametrize("intent", Intent)
def test_an_empty_mask_is_refused_with_a_way_out_or_means_the_whole_box(workflow, intent):
    if METHODS[intent].whole:
        return
    with pytest.raises(EmptyMaskError) as caught:
        made(workflow, intent, [Selection(spot(value=0))])
    assert caught.value.way_out


BAD = {
    "does not lie on the canvas": {"given": source(Box(90, 0, 64, 64), SIZE)},
    "works in pieces of 16 × 16": {"given": source(Box(0, 0, 8, 64), SIZE)},
    "the mask is 10 × 10 pixels": {"masks": [Selection(spot((0, 0, 9, 9), size=(10, 10)))]},
    "the picture is 96 × 64 pixels": {
        "given": Source(source().pixels, Box(0, 0, 64, 64), SIZE),
    },
    "there is no node 'nobody'": {"values": {"nobody.text": "x"}},
}


@pytest.mark.parametrize("fact", BAD)
def test_bad_input_is_refused(workflow, fact):
    with pytest.raises((RequestError, SizeMismatchError), match=fact):
        made(workflow, **BAD[fact])


def test_a_workflow_without_canvas_nodes_is_refused(workflow):
    plain = load(shipped("workflows") / "text_to_image.json")
    with pytest.raises(NotForCanvasError, match="no node 'Canvas image'"):
        request(plain, source(), [Selection(spot())], Intent.FILL, {}, 16)
    bare = workflow()
    del bare.graph.nodes["region"]
    with pytest.raises(NoRegionsError, match="no node 'Canvas region'"):
        request(bare, source(), [Selection(spot(), prompt="a")], Intent.FILL, {}, 16)


def test_the_model_s_own_size_is_known_before_a_run(workflow, tmp_path):
    folders = ModelFolders(Settings(home=tmp_path))
    assert native_size(workflow(), folders) == (256, 16, "nano", "")
    unknown = workflow()
    unknown.node("model").values["file"] = "not there"
    assert native_size(unknown, folders) == USUAL


def test_what_is_removed_is_covered_beyond_its_mask(workflow):
    """A patch fades in from its mask's edge: there, what hugs the mask would stay as a rim."""
    given = spot()
    fill, remove = (made(workflow, intent).mask for intent in (Intent.FILL, Intent.REMOVE))
    assert np.array_equal(fill, given)
    ys, xs = np.nonzero(remove)
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (22, 12, 57, 43)


@pytest.mark.parametrize("intent", Intent)
def test_loras_lie_over_all_that_the_model_feeds(workflow, intent, tmp_path):
    document = workflow(intent)
    model = next(n for n, node in document.graph.nodes.items() if node.type == "models.load")
    fed = {e for e, s in document.graph.links.items() if s in _of(model)}
    add_loras(document, [Lora("nano/lora/flat", 0.5), Lora(""), Lora("nano/lora/flat", 0.25)])
    first, second = (n for n, node in document.graph.nodes.items() if node.type == LORA)
    links = document.graph.links
    assert {links[end].node for end in fed} == {second}
    assert {links[Input(second, port)] for port in ("model", "text_encoder")} == _of(first)
    assert {links[Input(first, port)] for port in ("model", "text_encoder")} == _of(model)
    assert links[Input("decode", "vae")].node == model
    weights = [document.node(name).values["model_weight"] for name in (first, second)]
    assert weights == [0.5, 0.25]
    if intent in SPECIAL:
        return  # it has no model until the person chooses one
    folders = ModelFolders(Settings(home=tmp_path))
    problems = serious(lint(document, Catalogue.shipped(), folders))
    assert {p.rule for p in problems} <= {"idle_lora"}  # the shipped style stands for two


def _of(name: str) -> set[Output]:
    return {Output(name, "model"), Output(name, "text_encoder")}


def test_without_loras_a_workflow_stays_as_it_is(workflow):
    document = workflow()
    before = write(document)
    add_loras(document, [Lora(""), Lora("nano/lora/flat", 0.0)])
    assert write(document) == before


@pytest.mark.parametrize(
    ("raw", "loras"),
    [
        (None, []),
        ([{"file": "a", "weight": 0.5}], [Lora("a", 0.5)]),
        ([{"file": 3}, "a", {"weight": 1}, {"file": "b", "weight": "x"}], [Lora("b", 1.0)]),
        ([{"file": "b", "weight": 1e9}], [Lora("b", 1.0)]),
    ],
)
def test_saved_loras_are_read_and_what_is_none_is_left_out(raw, loras):
    assert loras_from_json(raw) == loras
