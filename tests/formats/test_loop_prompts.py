"""The prompts that made a picture, as the summary in it names them."""

import pytest

from nodeforge.formats import load
from nodeforge.formats.parameters import LoopPrompt, parameters, summarised
from nodeforge.graph.document import Document
from nodeforge.graph.edits import SetValue
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue

SHIPPED = Catalogue.shipped()


def text_to_image() -> Document:
    return load(shipped("workflows") / "text_to_image.json")


def summary(document: Document) -> str:
    return parameters(document.graph, SHIPPED).split("\n")[0]


def prompt_from(document: Document, step: float, text: str) -> None:
    """Another prompt from a share of the steps, as *Continue from here* wires it."""
    graph = document.graph
    graph.nodes["later"] = Node("text.encode", {"text": text})
    graph.nodes["first"] = Node("text.range", {"end": step})
    graph.nodes["second"] = Node("text.range", {"start": step})
    graph.nodes["both"] = Node("text.combine")
    graph.links |= {
        Input("later", "text_encoder"): Output("model", "text_encoder"),
        Input("first", "conditioning"): Output("prompt", "conditioning"),
        Input("second", "conditioning"): Output("later", "conditioning"),
        Input("both", "first"): Output("first", "conditioning"),
        Input("both", "second"): Output("second", "conditioning"),
        Input("denoise", "positive"): Output("both", "conditioning"),
    }


def test_a_prompt_that_changes_at_a_step_is_named_with_both():
    """Window B8: the caption and the search had the first prompt alone."""
    document = text_to_image()
    document.perform(SetValue("prompt", "text", "a red car"))
    prompt_from(document, 0.45, "a green car")
    assert summary(document) == "[a red car:a green car:0.45]"


@pytest.mark.parametrize(
    ("steps", "strength", "text"),
    [(10, 1.0, "[a fox:a green car:0.3]"), (20, 0.5, "[a fox:a green car:0.3]"), (3, 1.0, "a fox")],
)
def test_a_prompt_changed_at_a_step_is_named_with_both(steps: int, strength: float, text: str):
    document = text_to_image()
    graph = document.graph
    graph.nodes["schedule"].values.update(steps=steps, strength=strength)
    graph.nodes["change"] = Node("text.change_at_step", {"text": "a green car", "step": 3})
    graph.links[Input("change", "conditioning")] = Output("prompt", "conditioning")
    graph.links[Input("denoise", "positive")] = Output("change", "conditioning")
    assert summary(document) == text


def test_a_copy_that_was_not_edited_is_one_prompt():
    document = text_to_image()
    prompt_from(document, 0.45, "a fox")
    assert summary(document) == "a fox"


def test_prompts_of_regions_are_all_named():
    regional = load(shipped("workflows") / "regional_prompts.json")
    named = summary(regional)
    texts = {node.values.get("text") for node in regional.graph.nodes.values()} - {None, ""}
    positive = {text for text in texts if text in named}
    assert " AND " in named
    assert len(positive) >= 2


@pytest.mark.parametrize(
    ("prompts", "text"),
    [
        ([], ""),
        ([("a", 0, 1)], "a"),
        ([("a", 0, 0.3), ("b", 0.3, 0.7), ("c", 0.7, 1)], "[a:[b:c:0.7]:0.3]"),
        ([("a", 0, 1), ("b", 0, 1)], "a AND b"),
        ([("a", 0, 1), ("a", 0.5, 0.6)], "a"),
    ],
)
def test_prompts_are_written_as_a1111_does(prompts: list[tuple[str, float, float]], text: str):
    assert summarised([LoopPrompt(*each) for each in prompts]) == text


def test_a_long_chain_of_combinations_is_walked_once():
    document = text_to_image()
    source = Output("prompt", "conditioning")
    for index in range(2000):
        name = f"both_{index}"
        document.graph.nodes[name] = Node("text.combine")
        document.graph.links |= {Input(name, "first"): source, Input(name, "second"): source}
        source = Output(name, "conditioning")
    document.graph.links[Input("denoise", "positive")] = source
    assert summary(document) == "a fox"
