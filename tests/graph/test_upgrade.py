"""Nodes saved with older versions of their types, in every place that names their ports."""

from dataclasses import replace

import pytest

from nodeforge.graph.document import Document, View
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph, Upgraded
from nodeforge.graph.upgrade import upgrade
from nodeforge.spec import Catalogue, NodeSpec, PortSpec, Upgrade
from support.graphs import graph
from support.timing import best


def catalogue(version: int, **steps: Upgrade) -> Catalogue:
    """Of `a.mix` with these steps, ``v1`` from version 1 to 2."""
    upgrades = {int(name[1:]): step for name, step in steps.items()}
    ports = tuple(PortSpec(name, "float") for name in ("share", "mode"))
    made = NodeSpec("a.mix", version, "Mix", "", "", ports, ports[:1], upgrades=upgrades)
    return Catalogue([made])


def mix(version: int = 1, **values) -> Node:
    return Node("a.mix", values, version=version)


RENAME = Upgrade(rename={"weight": "share"}, rename_outputs={"value": "share"})


def test_a_renamed_port_keeps_its_value():
    document = Document(graph({"m": mix(weight=0.5, mode=1)}))
    assert upgrade(document, catalogue(2, v1=RENAME)) == [Upgraded("m", "a.mix", 1, 2)]
    assert document.node("m").values == {"mode": 1, "share": 0.5}
    assert document.node("m").version == 2


def test_what_the_file_said_is_not_changed():
    raw = {"weight": 0.5}
    document = Document(Graph({"m": Node("a.mix", raw, version=1)}))
    upgrade(document, catalogue(2, v1=RENAME))
    assert raw == {"weight": 0.5}


def test_a_renamed_port_keeps_links_ports_of_subgraphs_form_and_seed():
    inner = graph({"m": mix(), "n": mix()}, "m.value > n.weight")
    inner.links[Input("n", "weight", 1)] = Output("m", "value")
    box = Subgraph(
        graph=inner,
        inputs={"weight": [Input("m", "weight")], "list": [Input("m", "weight", 2)]},
        outputs={"value": Output("n", "value")},
        values={"weight": 0.25},
    )
    document = Document(
        graph({"box": box, "m": mix()}, "box.value > m.weight"),
        form={"box/m.weight": {"label": "W"}, "box.weight": {}, "m.mode": {}},
        view=View(seeds={"m.weight": "random", "box/n.weight": "count"}),
    )
    assert len(upgrade(document, catalogue(2, v1=RENAME))) == 3
    assert inner.links == {
        Input("n", "share"): Output("m", "share"),
        Input("n", "share", 1): Output("m", "share"),
    }
    assert box.inputs == {"weight": [Input("m", "share")], "list": [Input("m", "share", 2)]}
    assert box.outputs == {"value": Output("n", "share")}
    assert box.values == {"weight": 0.25}
    assert document.graph.links == {Input("m", "share"): Output("box", "value")}
    assert document.form == {"box/m.share": {"label": "W"}, "box.weight": {}, "m.mode": {}}
    assert document.view.seeds == {"m.share": "random", "box/n.share": "count"}


def test_steps_follow_each_other_from_the_version_of_the_file():
    known = catalogue(
        4, v1=Upgrade(rename={"a": "b"}), v3=Upgrade(rename={"b": "share"}, scale={"share": 0.01})
    )
    nodes = {"one": mix(1, a=50), "three": mix(3, b=50), "four": mix(4, share=0.5)}
    document = Document(graph(nodes, "x.y > one.a", "x.y > three.b", "x.y > four.share"))
    changed = upgrade(document, known)
    assert [each.path for each in changed] == ["one", "three"]
    assert all(node.values == {"share": 0.5} for node in document.graph.nodes.values())
    assert {end.port for end in document.graph.links} == {"share"}


def test_two_ports_can_change_names():
    swap = Upgrade(rename={"share": "mode", "mode": "share"})
    document = Document(graph({"m": mix(share=1, mode=2)}, "x.y > m.share"))
    upgrade(document, catalogue(2, v1=swap))
    assert document.node("m").values == {"mode": 1, "share": 2}
    assert list(document.graph.links) == [Input("m", "mode")]


def test_a_default_that_changed_is_written_out_where_nothing_stands():
    known = catalogue(2, v1=Upgrade(set={"share": 1.0}))
    nodes = {"bare": mix(), "given": mix(share=0.5), "fed": mix()}
    document = Document(graph(nodes, "x.y > fed.share"))
    assert [each.path for each in upgrade(document, known)] == ["bare"]
    values = {name: node.values for name, node in document.graph.nodes.items()}
    assert values == {"bare": {"share": 1.0}, "given": {"share": 0.5}, "fed": {}}


def test_a_value_of_another_meaning_changes_also_at_the_ports_of_subgraphs():
    step = Upgrade(values={"mode": {"old": "new"}}, rename={"how": "mode"})
    inside = Subgraph(graph=graph({"m": mix()}), inputs={"how": [Input("m", "how")]})
    outside = Subgraph(
        graph=Graph({"inside": inside}),
        inputs={"it": [Input("inside", "how")], "more": [Input("inside", "how"), Input("x", "y")]},
        values={"it": "old", "more": "old"},
    )
    document = Document(Graph({"outside": outside, "m": mix(how="old"), "n": mix(how="else")}))
    upgrade(document, catalogue(2, v1=step))
    assert outside.values == {"it": "new", "more": "old"}
    assert outside.inputs["more"] == [Input("inside", "how"), Input("x", "y")]  # 'it' came first
    assert document.node("m").values == {"mode": "new"}
    assert document.node("n").values == {"mode": "else"}


def test_an_exposed_port_of_several_inputs_is_converted_for_all_or_left():
    """One that stands for equal inputs is converted once; one of others lets the node go."""
    step = Upgrade(rename={"weight": "share"}, scale={"share": 0.01})
    both = [Input("m", "weight"), Input("n", "weight")]
    alike = Subgraph(
        graph=graph({"m": mix(), "n": mix()}), inputs={"p": list(both)}, values={"p": 50}
    )
    mixed = Subgraph(
        graph=graph({"m": mix(), "n": Node("b.other")}), inputs={"p": list(both)}, values={"p": 50}
    )
    document = Document(Graph({"alike": alike, "mixed": mixed}))
    upgrade(document, catalogue(2, v1=step))
    assert (alike.inputs, alike.values) == (
        {"p": [Input("m", "share"), Input("n", "share")]},
        {"p": 0.5},
    )
    assert (mixed.inputs, mixed.values) == ({"p": [Input("n", "weight")]}, {"p": 50})
    assert mixed.graph.nodes["m"].values == {"share": 0.5}


@pytest.mark.parametrize("node", [mix(1, mode=1), mix(2, weight=1), mix(7, weight=1), mix(0)])
def test_where_no_step_changes_anything_there_is_no_notice(node):
    node = replace(node, values=dict(node.values))
    before = dict(node.values)
    assert upgrade(Document(Graph({"m": node})), catalogue(2, v1=RENAME)) == []
    assert node.values == before
    assert node.version in (0, 2, 7)


def test_a_node_of_an_unknown_type_keeps_its_version():
    document = Document(Graph({"m": Node("gone.mix", {"weight": 1}, version=3)}))
    assert upgrade(document, catalogue(2, v1=RENAME)) == []
    assert document.node("m").version == 3


def test_upgrading_twice_is_upgrading_once():
    document = Document(graph({"m": mix(weight=1)}))
    known = catalogue(2, v1=Upgrade(rename={"weight": "share"}, scale={"share": 2}))
    upgrade(document, known)
    assert upgrade(document, known) == []
    assert document.node("m").values == {"share": 2}
    assert document.upgraded == (Upgraded("m", "a.mix", 1, 2),)


def test_it_is_no_edit():
    document = Document(graph({"m": mix(weight=1)}))
    upgrade(document, catalogue(2, v1=RENAME))
    assert not document.history.modified
    assert document.undo() == ""


def many(count: int) -> Document:
    whole = Graph({f"m_{i}": mix(weight=i) for i in range(count)})
    for i in range(1, count):
        whole.links[Input(f"m_{i}", "weight")] = Output(f"m_{i - 1}", "value")
    return Document(whole)


def test_the_time_grows_with_the_number_of_nodes():
    known = catalogue(2, v1=replace(RENAME, set={"mode": 1}))

    def seconds(count: int) -> float:
        documents = [many(count) for _ in range(5)]
        return best(lambda: upgrade(documents.pop(), known), 5)

    assert seconds(8000) < 8 * 3 * seconds(1000)


def test_the_range_of_an_exposed_port_gets_the_new_unit():
    box = Subgraph(
        graph=graph({"m": mix(1, share=50)}),
        inputs={"share": [Input("m", "share")]},
        exposed={"share": {"label": "Share", "minimum": 10, "maximum": 90}},
    )
    document = Document(graph({"box": box}))
    upgrade(document, catalogue(2, v1=Upgrade(scale={"share": 0.01})))
    assert box.exposed == {"share": {"label": "Share", "minimum": 0.1, "maximum": 0.9}}
