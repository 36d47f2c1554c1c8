import pytest
from hypothesis import given, settings

from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from support.graphs import end_of, graph, graphs, start_of, text_to_image
from support.naive_flatten import naive_flatten
from support.small_catalogue import CATALOGUE
from support.timing import best


def links(whole: Graph) -> dict[str, str]:
    return {str(end): str(start) for end, start in flatten(whole, CATALOGUE).links.items()}


def test_a_plain_graph_stays_as_it_is():
    whole = text_to_image()
    flat = flatten(whole, CATALOGUE)
    assert flat.nodes.keys() == whole.nodes.keys()
    assert flat.links == whole.links
    assert flat.nodes["prompt"].values == {"text": "a red cube"}
    assert flat.nodes["prompt"].spec is CATALOGUE["text.encode"]


def boxed(**values) -> Graph:
    inner = graph({"one": "values.integer", "sum": "values.sum"}, "one.value > sum.a")
    box = Subgraph(
        graph=inner,
        values=values,
        inputs={"start": [Input("one", "value")], "more": [Input("sum", "b")]},
        outputs={"result": Output("sum", "value")},
    )
    return graph(
        {"first": "values.integer", "box": box, "last": "values.sum"},
        "first.value > box.start",
        "box.result > last.a",
    )


def test_a_subgraph_is_inlined_under_its_path():
    assert links(boxed()) == {
        "box/one.value": "first.value",
        "box/sum.a": "box/one.value",
        "last.a": "box/sum.value",
    }


def test_a_value_on_a_subgraphs_port_fills_the_inputs_it_stands_for():
    flat = flatten(boxed(more=5), CATALOGUE)
    assert flat.nodes["box/sum"].values == {"b": 5}


def test_a_link_wins_over_a_value_on_the_same_port():
    flat = flatten(boxed(start=5), CATALOGUE)
    assert flat.nodes["box/one"].values == {}
    assert flat.links[end_of("box/one.value")] == start_of("first.value")


def test_a_subgraphs_port_can_stand_for_a_whole_list():
    box = Subgraph(
        graph=graph({"grid": "image.grid"}), inputs={"images": [Input("grid", "images")]}
    )
    whole = graph(
        {"a": "image.load", "b": "image.load", "box": box},
        "a.image > box.images[0]",
        "b.image > box.images[4]",
    )
    assert links(whole) == {"box/grid.images[0]": "a.image", "box/grid.images[1]": "b.image"}


def test_a_muted_node_takes_with_it_what_needs_it():
    whole = text_to_image()
    whole.nodes["denoise"].mode = Mode.MUTE
    assert {"denoise", "decode", "save"}.isdisjoint(flatten(whole, CATALOGUE).nodes)


def test_an_optional_input_survives_a_muted_node():
    whole = text_to_image()
    whole.nodes["negative"].mode = Mode.MUTE
    flat = flatten(whole, CATALOGUE)
    assert "denoise" in flat.nodes
    assert end_of("denoise.negative") not in flat.links


def test_a_list_closes_the_gap_of_a_muted_node():
    whole = graph(
        {"a": Node("image.load", mode=Mode.MUTE), "b": "image.load", "grid": "image.grid"},
        "a.image > grid.images[0]",
        "b.image > grid.images[1]",
    )
    assert links(whole) == {"grid.images[0]": "b.image"}


def test_a_list_that_loses_all_its_items_takes_its_node_with_it():
    whole = graph(
        {"a": Node("image.load", mode=Mode.MUTE), "grid": "image.grid"}, "a.image > grid.images[0]"
    )
    assert flatten(whole, CATALOGUE).nodes == {}


def test_a_bypassed_node_passes_on_what_feeds_its_first_input_of_the_type():
    whole = graph(
        {
            "a": "latent.encode",
            "b": "latent.encode",
            "blend": Node("latent.blend", mode=Mode.BYPASS),
            "decode": "latent.decode",
        },
        "a.latent > blend.first",
        "b.latent > blend.second",
        "blend.latent > decode.latent",
    )
    assert links(whole) == {"decode.latent": "a.latent"}


def test_a_bypassed_node_with_nothing_to_pass_on_counts_as_muted():
    whole = text_to_image()
    whole.nodes["decode"].mode = Mode.BYPASS  # its output is an image, it takes none
    assert "save" not in flatten(whole, CATALOGUE).nodes


def test_a_bypassed_subgraph_passes_on_by_the_types_of_what_is_inside():
    box = Subgraph(
        graph=graph({"invert": "image.invert"}),
        inputs={"picture": [Input("invert", "image")]},
        outputs={"result": Output("invert", "image")},
        mode=Mode.BYPASS,
    )
    whole = graph(
        {"load": "image.load", "box": box, "save": "image.save"},
        "load.image > box.picture",
        "box.result > save.image",
    )
    assert links(whole) == {"save.image": "load.image"}


def test_a_switch_is_replaced_by_what_feeds_its_chosen_branch():
    whole = graph(
        {
            "a": "image.load",
            "b": "image.load",
            "switch": Node("graph.switch", {"choice": 1}),
            "save": "image.save",
        },
        "a.image > switch.choices[0]",
        "b.image > switch.choices[1]",
        "switch.value > save.image",
    )
    assert links(whole) == {"save.image": "b.image"}
    whole.nodes["switch"].values = {}
    assert links(whole) == {"save.image": "a.image"}


def test_a_subgraphs_port_can_choose_the_branch():
    inner = graph(
        {
            "a": "values.integer",
            "b": "values.integer",
            "switch": "graph.switch",
            "sum": "values.sum",
        },
        "a.value > switch.choices[0]",
        "b.value > switch.choices[1]",
        "switch.value > sum.a",
    )
    box = Subgraph(graph=inner, inputs={"which": [Input("switch", "choice")]}, values={"which": 1})
    assert links(graph({"box": box})) == {"box/sum.a": "box/b.value"}


@pytest.mark.parametrize("values", [{}, {"x": 0}])
def test_a_node_of_unknown_type_needs_what_is_muted_unless_it_has_a_value(values):
    whole = graph({"pass": "graph.reroute", "odd": "gone.unknown"}, "pass.value > odd.x")
    whole.nodes["pass"].mode = Mode.MUTE
    whole.nodes["odd"].values = dict(values)
    assert ("odd" in flatten(whole, CATALOGUE).nodes) is bool(values)


def test_nodes_of_unknown_types_stay():
    whole = graph({"a": "gone.type", "b": "values.sum"}, "a.y > b.a")
    flat = flatten(whole, CATALOGUE)
    assert flat.nodes["a"].spec is None
    assert links(whole) == {"b.a": "a.y"}


def test_notes_go_and_links_to_nothing_too():
    whole = graph({"note": "graph.note", "b": "values.sum"}, "nobody.y > b.a")
    flat = flatten(whole, CATALOGUE)
    assert (set(flat.nodes), flat.links) == ({"b"}, {})


def test_rings_do_not_hang_it():
    whole = graph(
        {"a": "graph.reroute", "b": "graph.reroute", "c": "values.sum", "d": "values.sum"},
        "a.value > b.value",
        "b.value > a.value",
        "b.value > c.a",
        "c.value > d.a",
        "d.value > c.b",
    )
    assert links(whole) == {"d.a": "c.value", "c.b": "d.value"}


def test_the_document_is_not_touched():
    whole = boxed(more=5)
    flatten(whole, CATALOGUE)
    assert whole == boxed(more=5)


def test_10_000_reroutes_in_a_row_are_followed():
    count = 10_000
    nodes = {f"r_{i}": Node("graph.reroute") for i in range(count)}
    nodes |= {"a": Node("values.integer"), "z": Node("values.sum")}
    whole = Graph(nodes, {Input("r_0", "value"): Output("a", "value")})
    for i in range(1, count):
        whole.links[Input(f"r_{i}", "value")] = Output(f"r_{i - 1}", "value")
    whole.links[Input("z", "a")] = Output(f"r_{count - 1}", "value")
    assert links(whole) == {"z.a": "a.value"}


def test_hundreds_of_levels_are_inlined():
    whole = graph({"in": "values.sum"})
    port, end = Output("in", "value"), Input("in", "a")
    for _ in range(500):
        box = Subgraph(graph=whole, inputs={"a": [end]}, outputs={"value": port})
        whole = graph({"in": box})
        port, end = Output("in", "value"), Input("in", "a")
    whole.nodes["in"].values["a"] = 3
    whole.nodes["z"] = Node("values.sum")
    whole.links[Input("z", "a")] = Output("in", "value")
    flat = flatten(whole, CATALOGUE)
    deep = "/".join(["in"] * 501)
    assert flat.nodes[deep].values == {"a": 3}
    assert flat.links == {Input("z", "a"): Output(deep, "value")}


def test_ten_times_the_nodes_take_about_ten_times_as_long():
    def seconds(count: int) -> float:
        nodes = {f"n_{i}": Node("values.sum", {"b": i}) for i in range(count)}
        whole = Graph(nodes)
        for i in range(1, count):
            whole.links[Input(f"n_{i}", "a")] = Output(f"n_{i - 1}", "value")
        return best(lambda: flatten(whole, CATALOGUE))

    assert seconds(10_000) < 60 * seconds(1_000)  # with the square it would be 100


def check_against_the_naive_one(whole: Graph) -> None:
    flat = flatten(whole, CATALOGUE)
    nodes, naive_links = naive_flatten(whole, CATALOGUE)
    assert {name: node.values for name, node in flat.nodes.items()} == nodes
    assert {str(end): str(start) for end, start in flat.links.items()} == naive_links


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_it_equals_a_naive_reference(whole: Graph):
    check_against_the_naive_one(whole)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(graphs())
def test_it_equals_a_naive_reference_at_length(whole: Graph):
    check_against_the_naive_one(whole)
