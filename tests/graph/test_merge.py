"""Workflows that two people changed become one."""

import copy
import random

import pytest

from nodeforge.errors import RequestError
from nodeforge.graph.comparison.merge import merge
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    AddNodes,
    Collapse,
    Link,
    Pin,
    RemoveNodes,
    Rename,
    SetMode,
    SetValue,
    Unlink,
)
from nodeforge.graph.edits.base import GraphEdit
from nodeforge.graph.model import Input, Mode, Node, Output, Subgraph
from support.graphs import text_to_image

PAIRS = 500
TYPES = ("graph.note", "text.join", "image.load", "mask.load")


def document() -> Document:
    return Document(text_to_image())


def changed(*edits: GraphEdit) -> Document:
    made = document()
    for edit in edits:
        made.perform(edit)
    return made


def grouped() -> Document:
    return changed(Collapse(["prompt", "negative"], "words"))


class Chooser:
    """Random edits of a document, as people make them."""

    def __init__(self, start: Document, number: int) -> None:
        self.random, self.start, self.number = random.Random(number), start, number

    def edit(self) -> GraphEdit:
        rng = self.random
        nodes = sorted(self.start.graph.nodes)
        inner = [f"words/{name}" for name in self.start.group("words").nodes]
        node, one = rng.choice(nodes), rng.choice([*nodes, *inner])
        links = sorted(self.start.graph.links.items(), key=str)
        end, _ = rng.choice(links)
        _, start = rng.choice(links)
        port = rng.choice(["steps", "text", "seed", "name", "scale"])
        return rng.choice(
            [
                SetValue(one, port, rng.randrange(3)),
                SetValue(one, port, rng.randrange(3)),
                SetMode([node], rng.choice([Mode.MUTE, Mode.BYPASS])),
                Pin([one], True),
                Rename(one, rng.choice(["Fox", "Cat"])),
                RemoveNodes([node]),
                Unlink(end),
                Link(start, end),
                Link(start, Input(node, port)),
                AddNodes([Node(rng.choice(TYPES), {"text": str(rng.random())})]),
            ]
        )


def after(base: Document, *edits: GraphEdit) -> Document | None:
    made = copy.deepcopy(base)
    try:
        for edit in edits:
            made.perform(copy.deepcopy(edit))
    except RequestError:
        return None
    return made


def test_edits_that_lie_apart_commute():
    """Where the order of two edits does not matter, a merge is both of them, either way round."""
    base = grouped()
    found = number = 0
    while found < PAIRS:
        number += 1
        one, other = (Chooser(base, 2 * number + n).edit() for n in (0, 1))
        both, reverse = after(base, one, other), after(base, other, one)
        ours, theirs = after(base, one), after(base, other)
        if both is None or both != reverse or ours is None or theirs is None:
            continue
        found += 1
        for merged in (merge(base, ours, theirs), merge(base, theirs, ours)):
            assert merged.conflicts == {}, (one, other)
            assert merged == both, (one, other)


def test_of_a_conflict_ours_stays_and_it_is_listed():
    ours = changed(SetValue("schedule", "steps", 30), SetValue("noise", "seed", 1))
    theirs = changed(SetValue("schedule", "steps", 40), SetValue("guidance", "scale", 2.0))
    merged = merge(document(), ours, theirs)
    assert merged.node("schedule").values["steps"] == 30
    assert merged.node("noise").values["seed"] == 1
    assert merged.node("guidance").values["scale"] == 2.0
    told = {"path": "schedule", "port": "steps", "base": 20, "ours": 30, "theirs": 40}
    assert merged.conflicts == {"schedule.values.steps": told}


def test_the_same_change_on_both_sides_is_none():
    ours, theirs = (changed(SetValue("schedule", "steps", 30)) for _ in range(2))
    assert merge(document(), ours, theirs) == ours


def test_a_node_that_one_removed_and_the_other_changed_is_a_conflict():
    removed, edited = changed(RemoveNodes(["negative"])), changed(SetValue("negative", "text", "x"))
    merged = merge(document(), removed, edited)
    assert "negative" not in merged.graph.nodes
    assert merged.conflicts["negative"]["theirs"] == "text.encode"
    merged = merge(document(), edited, removed)
    assert merged.graph.links[Input("denoise", "negative")] == Output("negative", "conditioning")
    assert merged.conflicts["negative"]["theirs"] is None


def test_no_link_leads_to_a_node_that_is_gone():
    removed = changed(RemoveNodes(["negative"]))
    linked = changed(Link(Output("negative", "conditioning"), Input("denoise", "positive")))
    merged = merge(document(), removed, linked)
    ends = {end.node for link in merged.graph.links.items() for end in link}
    assert ends <= merged.graph.nodes.keys()
    assert "negative" in merged.conflicts


def test_two_links_to_one_port_are_a_conflict():
    ours = changed(Link(Output("negative", "conditioning"), Input("denoise", "positive")))
    theirs = changed(Unlink(Input("denoise", "positive")))
    merged = merge(document(), ours, theirs)
    told = merged.conflicts["denoise.links.positive"]
    sides = ("prompt.conditioning", "negative.conditioning", None)
    assert (told["base"], told["ours"], told["theirs"]) == sides


def test_nodes_inside_subgraphs_are_merged_one_by_one():
    names = ("prompt", "negative")
    ours, theirs = (after(grouped(), SetValue(f"words/{name}", "text", name)) for name in names)
    assert ours is not None
    assert theirs is not None
    merged = merge(grouped(), ours, theirs)
    texts = {name: merged.node(f"words/{name}").values["text"] for name in names}
    assert (texts, merged.conflicts) == ({"prompt": "prompt", "negative": "negative"}, {})


@pytest.mark.parametrize(("ours", "theirs"), [(1, True), (1, 1.0), (None, 0)])
def test_values_that_python_takes_for_equal_are_not(ours: object, theirs: object):
    sides = [changed(SetValue("schedule", "steps", value)) for value in (ours, theirs)]
    assert merge(document(), *sides).conflicts


def test_new_nodes_that_both_gave_one_id_are_two():
    ours, theirs = document(), document()
    for side, text in ((ours, "one"), (theirs, "other")):
        side.graph.nodes["encode"] = Node("text.encode", {"text": text})
        side.graph.links[Input("encode", "text_encoder")] = Output("model", "text_encoder")
        side.view.positions["encode"] = [len(text), 0]
    theirs.graph.links[Input("denoise", "positive")] = Output("encode", "conditioning")
    merged = merge(document(), ours, theirs)
    texts = [merged.node(name).values["text"] for name in ("encode", "encode_2")]
    assert (texts, merged.conflicts) == (["one", "other"], {})
    assert merged.graph.links[Input("denoise", "positive")].node == "encode_2"
    assert merged.graph.links[Input("encode_2", "text_encoder")].node == "model"
    assert merged.view.positions == {"encode": [3, 0], "encode_2": [5, 0]}


def test_new_nodes_inside_a_subgraph_are_two_also_at_its_ports():
    sides = []
    for text in ("one", "other"):
        side = grouped()
        group = side.node("words")
        assert isinstance(group, Subgraph)
        group.graph.nodes["note"] = Node("text.encode", {"text": text})
        group.outputs[text] = Output("note", "conditioning")
        sides.append(side)
    words = merge(grouped(), *sides).node("words")
    assert isinstance(words, Subgraph)
    found = {port: words.graph.nodes[words.outputs[port].node] for port in ("one", "other")}
    assert {port: node.values["text"] for port, node in found.items()} == {
        "one": "one",
        "other": "other",
    }


def test_the_same_new_node_on_both_sides_is_one():
    ours, theirs = document(), document()
    for side in (ours, theirs):
        side.graph.nodes["encode"] = Node("text.encode", {"text": "a"})
    assert merge(document(), ours, theirs) == ours


def test_a_port_that_both_linked_to_new_nodes_is_a_conflict():
    end = Input("denoise", "positive")
    ours, theirs = document(), document()
    for side, name in ((ours, "one"), (theirs, "other")):
        side.graph.nodes[name] = Node("text.encode")
        side.graph.links[end] = Output(name, "conditioning")
    merged = merge(document(), ours, theirs)
    assert {"one", "other"} <= merged.graph.nodes.keys()
    assert merged.graph.links[end] == Output("one", "conditioning")
    assert merged.conflicts.keys() == {"denoise.links.positive"}
