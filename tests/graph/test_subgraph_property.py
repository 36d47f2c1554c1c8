"""Putting nodes into a subgraph, and taking one apart, changes nothing that is computed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse, Unpack
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input, Mode, Output, Subgraph
from nodeforge.graph.paths import join, split
from support.graphs import graph, graphs, paths
from support.small_catalogue import CATALOGUE


def computed(whole: Graph, moved) -> tuple[dict, dict]:
    """The flat graph, with every path renamed by `moved`."""
    flat = flatten(whole, CATALOGUE)
    nodes = {moved(path): (node.type, node.values) for path, node in flat.nodes.items()}
    links = {
        (moved(end.node), end.port, end.item): (moved(start.node), start.port)
        for end, start in flat.links.items()
    }
    return nodes, links


def renaming(pairs: dict[str, str]):
    def moved(path: str) -> str:
        for old, new in pairs.items():
            if path == old or path.startswith(f"{old}/"):
                return new + path[len(old) :]
        return path

    return moved


def same(path: str) -> str:
    return path


def check_collapse(whole: Graph, rng: random.Random) -> None:
    document = Document(whole)
    group = split(rng.choice(paths(whole)))[0]
    names = sorted(document.group(group).nodes)
    chosen = [join(group, name) for name in rng.sample(names, rng.randint(1, len(names)))]
    edit = Collapse(chosen)
    before = flatten(whole, CATALOGUE)
    document.perform(edit)
    moved = renaming({path: f"{edit.path}/{split(path)[1]}" for path in chosen})
    document.undo()
    expected = computed(whole, moved)
    assert flatten(whole, CATALOGUE) == before
    document.redo()
    assert computed(whole, same) == expected


def check_unpack(whole: Graph, rng: random.Random) -> None:
    document = Document(whole)
    groups = [path for path in paths(whole) if isinstance(document.node(path), Subgraph)]
    groups = [path for path in groups if document.node(path).mode is Mode.ACTIVE]
    if not groups:
        return
    path = rng.choice(groups)
    names = list(document.group(path).nodes)
    before = computed(whole, same)
    edit = Unpack(path)
    document.perform(edit)
    pairs = {new: join(path, name) for name, new in zip(names, edit.paths, strict=True)}
    assert computed(whole, renaming(pairs)) == before


@settings(max_examples=50, deadline=None)
@given(graphs(), st.integers(0, 2**32))
def test_collapsing_changes_nothing_that_is_computed(whole, seed):
    check_collapse(whole, random.Random(seed))


@settings(max_examples=50, deadline=None)
@given(graphs(), st.integers(0, 2**32))
def test_unpacking_changes_nothing_that_is_computed(whole, seed):
    check_unpack(whole, random.Random(seed))


def test_a_value_behind_an_empty_reroute_is_kept():
    """The link brings nothing, so the value of the subgraph's port counts."""
    box = Subgraph(graph=graph({"sum": "values.sum"}), inputs={"port": [Input("sum", "a")]})
    box.values["port"] = 7
    whole = graph({"empty": "graph.reroute", "box": box}, "empty.value > box.port")
    document = Document(whole)
    document.perform(Unpack("box"))
    assert document.node("sum").values["a"] == 7
    assert document.graph.links == {Input("sum", "a"): Output("empty", "value")}
    document.undo()
    assert document.node("box").values == {"port": 7}


def test_an_input_that_shares_a_port_gets_no_other_one():
    """Its link inside goes before what the subgraph around would feed it."""
    inner = graph(
        {"same": "graph.reroute", "one": "values.sum", "other": "values.sum"},
        "same.value > one.a",
        "same.value > other.a",
    )
    box = Subgraph(graph=inner, inputs={"port": [Input("other", "a")]})
    whole = graph({"from": "values.integer", "box": box}, "from.value > box.port")
    document = Document(whole)
    edit = Collapse(["box/one", "box/other"])
    document.perform(edit)
    made = document.node(edit.path)
    assert isinstance(made, Subgraph)
    assert [end for ends in made.inputs.values() for end in ends] == [
        Input("one", "a"),
        Input("other", "a"),
    ]


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(graphs(), st.integers(0, 2**32))
def test_subgraphs_change_nothing_at_length(whole, seed):
    check_unpack(whole, random.Random(seed))
    check_collapse(whole, random.Random(seed))


def test_a_value_under_a_link_of_the_subgraph_stays_out_when_it_is_unpacked():
    box = Subgraph(
        graph=graph({"one": "values.sum"}),
        inputs={"port": [Input("one", "a")]},
        values={"port": 7},
    )
    whole = graph({"from": "values.integer", "box": box}, "from.value > box.port")
    document = Document(whole)
    before = computed(whole, same)
    edit = Unpack("box")
    document.perform(edit)
    assert computed(whole, renaming({edit.paths[0]: "box/one"})) == before
    assert document.undo()
    assert computed(whole, same) == before
