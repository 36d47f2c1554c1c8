"""A picture that was made behind a list opens with its own values in place of the list."""

from __future__ import annotations

import json

import pytest

from nodeforge.engine.running.context import stamp_of
from nodeforge.formats import load, read, stamp
from nodeforge.formats.copies import COPY, narrow
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.planned import expand_shipped, original
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()


@pytest.fixture
def listed() -> Document:
    """Two prompts with two seeds each."""
    document = load(shipped("workflows") / "text_to_image.json")
    graph = document.graph
    graph.nodes["prompts"] = Node("lists.texts", {"lines": "a fox\na castle"}, title="Prompts")
    graph.nodes["seeds"] = Node("lists.seeds", {"seed": 5, "count": 2})
    graph.nodes["prompt"].values.pop("text", None)
    graph.links[Input("prompt", "text")] = Output("prompts", "text")
    graph.links[Input("noise", "seed")] = Output("seeds", "seed")
    return document


def values(document: Document) -> list[tuple[str, int]]:
    """Prompt and seed of each picture that is saved."""
    flat = flatten(document.graph, CATALOGUE)
    savers = [path for path in flat.nodes if path == "save"]
    made = expand_shipped(flat, CATALOGUE, savers)
    nodes = made.graph.nodes
    named = [(original(path).rpartition("/")[2], node) for path, node in nodes.items()]
    prompts = [node.values["text"] for name, node in named if name == "prompt"]
    seeds = [node.values["seed"] for name, node in named if name == "noise"]
    assert len(made.ids(savers)) == len(prompts) * len(seeds)
    return [(prompt, seed) for seed in seeds for prompt in prompts]


def opened(document: Document, copy: str) -> Document:
    texts = stamp_of(stamp(document, CATALOGUE), copy)
    again = read(texts["nodeforge"], "picture.png")
    narrow(again, texts[COPY])
    return again


def test_each_copy_opens_with_its_own_values(listed: Document):
    found = [values(opened(listed, f"save#{n}:4")) for n in (1, 2, 3, 4)]
    assert sorted(found) == [[("a castle", 5)], [("a castle", 6)], [("a fox", 5)], [("a fox", 6)]]
    again = opened(listed, "save#1:4")
    assert {"prompts", "seeds"}.isdisjoint(again.graph.nodes)
    assert again.graph.nodes["prompts_2"].title == "Prompts"


def test_its_summary_says_the_same(listed: Document):
    texts = stamp(listed, CATALOGUE)
    for number in (1, 2, 3, 4):
        own = stamp_of(texts, f"save#{number}:4")
        ((prompt, seed),) = values(opened(listed, f"save#{number}:4"))
        assert own["parameters"].startswith(f"{prompt}\n")
        assert f"Seed: {seed}," in own["parameters"]


def test_lists_in_a_subgraph_are_replaced_there(listed: Document):
    listed.perform(Collapse(["prompts", "prompt"], "words"))
    found = [values(opened(listed, f"save#{n}:4")) for n in (1, 2, 3, 4)]
    assert sorted(found) == [[("a castle", 5)], [("a castle", 6)], [("a fox", 5)], [("a fox", 6)]]


def test_without_a_list_there_is_no_chunk(listed: Document):
    plain = load(shipped("workflows") / "text_to_image.json")
    assert set(stamp(plain, CATALOGUE)) == {"nodeforge", "parameters"}


@pytest.mark.parametrize(
    "chunk",
    [
        *("", "{", "[]", "3", '{"nowhere": {"text": "x"}}', '{"prompts": 3}', '{"a/b": {"c": 1}}'),
        json.dumps({"prompts": {"gone": "x"}}),
        json.dumps({"prompts": {"text": None}}),
    ],
)
def test_a_damaged_chunk_changes_nothing(listed: Document, chunk: str):
    before = values(listed)
    narrow(listed, chunk)
    assert values(listed) == before
