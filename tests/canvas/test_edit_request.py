"""What Generate submits to edit by instruction: references, and the layers that prompts call."""

import numpy as np
import pytest

from nodeforge.canvas.document.layer_tags import layer_tag
from nodeforge.canvas.generation.intents import METHODS, Intent
from nodeforge.canvas.generation.references import (
    EmptyInstructionError,
    ReferencePicture,
    UnknownLayerError,
)
from nodeforge.canvas.generation.request import Selection, Source, request
from nodeforge.formats import load
from nodeforge.graph.assets import ASSET
from nodeforge.graph.model import Graph, Input, Node, Subgraph
from nodeforge.imaging import Box, decode, to_bytes
from nodeforge.settings import shipped

SIZE = (64, 48)


def pixels(seed, width=SIZE[0], height=SIZE[1], channels=4):
    shape = (height, width, channels)
    made = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    made[..., 3:] = 255
    return made


def edited(text, references=(), masks=(), intent=Intent.EDIT, family=""):
    source = Source(pixels(0)[..., :3], Box(0, 0, *SIZE), SIZE, references=tuple(references))
    workflow = load(shipped("workflows") / f"{METHODS[intent].workflow}.json")
    port = "instruction.text" if intent is Intent.EDIT else "prompt.text"
    return request(workflow, source, list(masks), intent, {port: text}, 16, family)


JACKET = ReferencePicture("red jacket", pixels(1, 20, 30))
SCARF = ReferencePicture("Scarf", pixels(2, 31, 10))


def test_reference_layers_are_pictures_of_the_instruction_after_the_canvas():
    made = edited("put it on her", [JACKET, SCARF])
    links, files = made.document.graph.links, made.files
    for name in ("instruction", "negative"):
        assert links[Input(name, "images", 0)].node == "image"
        for number, picture in enumerate((JACKET, SCARF), 1):
            loader = made.document.node(links[Input(name, "images", number)].node)
            file = files[loader.values["file"].removeprefix(ASSET)]
            shown = to_bytes(decode(file).pixels)
            assert np.array_equal(shown, picture.pixels[..., :3])  # it is opaque
    assert (made.mask[1:-1, 1:-1] == 255).all()  # without a mask, the whole box


def test_a_prompt_calls_layers_by_name_and_the_model_reads_their_numbers():
    text = f"put {layer_tag('red jacket')} and {layer_tag('Scarf')} on her, {layer_tag('Scarf')}"
    made = edited(text, [JACKET, SCARF])
    assert made.document.node("instruction").values["text"] == (
        "put image 2 and image 3 on her, image 3"
    )
    mask = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    region = Selection(mask, prompt=f"wear {layer_tag('Scarf')}")
    made = edited("", [JACKET, SCARF], [region])
    assert made.document.node("region").values["text"] == "wear image 3"


@pytest.mark.parametrize(
    ("family", "word"),
    [
        ("flux2_klein_4b", "image 2"),
        ("flux3_klein", "<ref_image_1>"),
        ("qwen_image_21", "<image2>"),
    ],
)
def test_layers_are_called_as_the_model_was_taught(family, word):
    made = edited(f"wear {layer_tag('Scarf')}", [SCARF], family=family)
    assert made.document.node("instruction").values["text"] == f"wear {word}"


@pytest.mark.parametrize(
    ("text", "references", "fact"),
    [
        (layer_tag("scarf"), [JACKET, SCARF], "'scarf', and no reference layer"),
        (layer_tag("Scarf"), [], "no reference layer that is seen"),
        (layer_tag("Scarf"), [SCARF, SCARF], "2 reference layers are called 'Scarf'"),
    ],
)
def test_a_layer_that_is_none_is_told_before_the_run(text, references, fact):
    with pytest.raises(UnknownLayerError, match=fact) as caught:
        edited(text, references)
    assert caught.value.way_out


def test_other_intents_call_no_layers():
    mask = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    with pytest.raises(UnknownLayerError, match="shows the model none") as caught:
        edited(f"as {layer_tag('Scarf')}", (), [Selection(mask)], Intent.FILL)
    assert "Choose 'Edit'" in str(caught.value)


def test_an_edit_needs_an_instruction_somewhere():
    with pytest.raises(EmptyInstructionError, match="no instruction"):
        edited("  ")
    mask = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    edited("", masks=[Selection(mask, prompt="make it night")])


def test_layers_are_called_inside_subgraphs_too():
    mask = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    source = Source(pixels(0)[..., :3], Box(0, 0, *SIZE), SIZE, references=(SCARF,))
    text = f"as {layer_tag('Scarf')}"
    for intent in (Intent.EDIT, Intent.FILL):
        workflow = load(shipped("workflows") / f"{METHODS[intent].workflow}.json")
        workflow.graph.nodes["group"] = Subgraph(
            graph=Graph(nodes={"said": Node("values.text", {"value": text})})
        )
        values = {"instruction.text": "wear it"} if intent is Intent.EDIT else {}
        ask = (workflow, source, [Selection(mask)], intent, values, 16)
        if intent is Intent.EDIT:
            assert request(*ask).document.node("group/said").values["value"] == "as image 2"
        else:
            with pytest.raises(UnknownLayerError, match="shows the model none"):
                request(*ask)
