"""What counts as a change from one workflow to another, and which node is which."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.formats import load, read, write
from nodeforge.graph.comparison.compare import Difference, Kind, compare
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue
from support.graphs import documents

CATALOGUE = Catalogue.shipped()
NAMES = sorted(path.stem for path in shipped("workflows").glob("*.json"))


def opened(name: str = "text_to_image") -> Document:
    return load(shipped("workflows") / f"{name}.json")


def changes(before: Document, after: Document) -> list[Difference]:
    return compare(before, after, CATALOGUE)


def renamed(document: Document, names: dict[str, str]) -> Document:
    """The same workflow with other ids, its nodes in the order of the new ones."""
    old = document.graph
    nodes = {names[name]: node for name, node in old.nodes.items()}
    links = {
        end._replace(node=names[end.node]): start._replace(node=names[start.node])
        for end, start in old.links.items()
    }
    return Document(Graph(dict(sorted(nodes.items())), links), assets=document.assets)


@settings(deadline=None)
@given(documents())
def test_a_document_is_the_same_as_itself(document: Document):
    assert changes(document, read(write(document))) == []


@pytest.mark.parametrize("name", NAMES)
def test_other_ids_and_places_are_no_change(name: str):
    document = opened(name)
    ids = list(document.graph.nodes)
    shuffled = random.Random(0).sample(ids, len(ids))
    other = renamed(document, dict(zip(ids, (f"n_{i}" for i in shuffled), strict=True)))
    assert changes(document, other) == []


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_ids_that_are_swapped_are_seen_by_what_differs(name: str, seed: int):
    document = opened(name)
    node = random.Random(seed).choice(sorted(document.graph.nodes))
    other = renamed(document, {each: each for each in document.graph.nodes})
    other.graph.nodes = copy.deepcopy(other.graph.nodes)
    other.graph.nodes[node].values["new"] = 1
    assert changes(document, other) == [Difference(Kind.VALUE, node, port="new", after=1)]


def test_a_default_that_is_written_is_no_change():
    other = opened()
    other.graph.nodes["denoise"].values["start_at"] = 0
    assert changes(opened(), other) == []
    other.graph.nodes["denoise"].values["start_at"] = 2
    assert changes(opened(), other) == [
        Difference(Kind.VALUE, "denoise", port="start_at", before=0, after=2)
    ]


def test_a_value_under_a_link_is_no_change():
    other = opened()
    other.graph.nodes["seed"] = Node("values.seed", {"value": 1})
    other.graph.links[Input("noise", "seed")] = Output("seed", "value")
    once = changes(opened(), other)
    assert [(each.kind, each.node) for each in once] == [
        (Kind.ADDED, "seed"),
        (Kind.LINK, "noise"),
    ]
    again = copy.deepcopy(other)
    again.graph.nodes["noise"].values["seed"] = 99
    assert changes(other, again) == []


def test_title_mode_and_pin_are_told():
    other = opened()
    node = other.graph.nodes["prompt"]
    node.title, node.mode, node.pin = "What to draw", Mode.MUTE, True
    assert [(e.kind, e.before, e.after) for e in changes(opened(), other)] == [
        (Kind.TITLE, "Prompt", "What to draw"),
        (Kind.MODE, "", "mute"),
        (Kind.PIN, False, True),
    ]


def test_a_node_of_another_type_at_the_same_place_was_replaced():
    other = opened()
    other.graph.nodes["model"] = Node("models.load_denoiser", {"file": "nano"})
    found = changes(opened(), other)
    assert found == [
        Difference(Kind.REPLACED, "model", before="models.load", after="models.load_denoiser")
    ]


def test_a_node_between_two_others_changes_their_link_alone():
    other = opened()
    other.graph.nodes["lora"] = Node("models.load_lora", {"file": "a"})
    other.graph.links[Input("lora", "model")] = Output("model", "model")
    other.graph.links[Input("denoise", "model")] = Output("lora", "model")
    assert changes(opened(), other) == [
        Difference(Kind.ADDED, "lora", after="models.load_lora"),
        Difference(Kind.LINK, "denoise", port="model", before="model.model", after="lora.model"),
    ]


def test_an_asset_counts_by_its_content():
    before, after = opened("image_to_image"), opened("image_to_image")
    before.graph.nodes["image"].values["file"] = "asset:a.png"
    after.graph.nodes["image"].values["file"] = "asset:b.png"
    before.assets, after.assets = {"a.png": {"sha256": "1"}}, {"b.png": {"sha256": "1"}}
    assert changes(before, after) == []
    after.assets["b.png"]["sha256"] = "2"
    assert [each.kind for each in changes(before, after)] == [Kind.VALUE]


def test_inside_of_subgraphs_nodes_are_found_under_other_ids_too():
    before, after = opened(), opened()
    for document, title in ((before, "Prompts"), (after, "Both prompts")):
        document.perform(Collapse(["prompt", "negative"], title))
    box = after.graph.nodes["both_prompts"]
    assert isinstance(box, Subgraph)
    box.graph.nodes["prompt"].values["text"] = "a cat"
    assert [(e.kind, e.node) for e in changes(before, after)] == [
        (Kind.TITLE, "both_prompts"),
        (Kind.VALUE, "both_prompts/prompt"),
    ]


def test_what_a_subgraphs_port_stands_for_is_told():
    before, after = opened(), opened()
    for document in (before, after):
        document.perform(Collapse(["prompt", "negative"], "Prompts"))
    box = after.graph.nodes["prompts"]
    assert isinstance(box, Subgraph)
    port, (end, *_) = next(iter(box.inputs.items()))
    box.inputs[port] = [end]
    assert [(e.kind, e.port) for e in changes(before, after)] == [(Kind.PORT, port)]


def test_one_of_four_branches_is_told_under_other_ids():
    document = opened("compare_samplers")
    ids = list(document.graph.nodes)
    shuffled = random.Random(1).sample(range(len(ids)), len(ids))
    other = renamed(document, dict(zip(ids, (f"n{i}" for i in shuffled), strict=True)))
    other.graph.nodes = copy.deepcopy(other.graph.nodes)
    (name,) = [n for n, node in other.graph.nodes.items() if node.values.get("name") == "euler"]
    other.graph.nodes[name].values["name"] = "heun"
    (found,) = changes(document, other)
    assert (found.kind, found.node, found.before, found.after) == (
        Kind.VALUE,
        name,
        "euler",
        "heun",
    )


@settings(deadline=None)
@given(documents(), documents())
def test_any_two_documents_are_compared(before: Document, after: Document):
    assert all(each.to_json() for each in changes(before, after))
