import pytest

from nodeforge.errors import RequestError
from nodeforge.graph.assets import asset_name
from nodeforge.graph.document import Document, NoSuchNodeError, View
from nodeforge.graph.edits import (
    ABSENT,
    AddNodes,
    Collapse,
    Fold,
    InsertOnLink,
    Link,
    Move,
    Paste,
    Pin,
    Recolour,
    RemoveNodes,
    Rename,
    SetEntry,
    SetMode,
    SetPorts,
    SetValue,
    Together,
    Unlink,
    Unpack,
    extract,
    free_item,
    ports_through,
)
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph, Input, Mode, Node, Output, Subgraph
from support.graphs import boxes, end_of, graph, start_of, text_to_image
from support.small_catalogue import CATALOGUE


@pytest.fixture
def document() -> Document:
    made = Document(text_to_image())
    made.view.positions = {name: [100 * i, 0] for i, name in enumerate(made.graph.nodes)}
    return made


def flat_links(document: Document) -> dict[str, str]:
    return {str(end): str(s) for end, s in flatten(document.graph, CATALOGUE).links.items()}


def test_ids_come_from_the_types_last_part(document):
    edit = AddNodes([Node("sampling.denoise"), Node("sampling.denoise"), Node("x.Foo-Bar")])
    document.perform(edit)
    assert edit.paths == ["denoise_2", "denoise_3", "foo_bar"]


def test_a_removed_node_takes_its_links_and_its_place_along(document):
    document.perform(RemoveNodes(["denoise"]))
    assert "denoise" not in document.graph.nodes
    assert not [e for e, s in document.graph.links.items() if "denoise" in (e.node, s.node)]
    assert "denoise" not in document.view.positions


def test_healing_links_what_fed_a_removed_node_to_what_it_fed():
    whole = graph(
        {"a": "image.load", "b": "image.invert", "c": "image.invert", "d": "image.save"},
        "a.image > b.image",
        "b.image > c.image",
        "c.image > d.image",
    )
    document = Document(whole)
    document.perform(RemoveNodes(["b", "c"], heal=CATALOGUE))
    assert document.graph.links == {end_of("d.image"): start_of("a.image")}


def test_healing_leaves_out_what_does_not_fit(document):
    document.perform(RemoveNodes(["decode"], heal=CATALOGUE))
    assert end_of("save.image") not in document.graph.links


def test_a_link_replaces_what_fed_the_input_and_undo_brings_it_back(document):
    end = end_of("denoise.positive")
    document.perform(Link(start_of("negative.conditioning"), end))
    assert document.graph.links[end] == start_of("negative.conditioning")
    document.undo()
    assert document.graph.links[end] == start_of("prompt.conditioning")


def test_links_between_different_graphs_are_refused_and_nothing_changes():
    document = boxes()
    before = boxes()
    with pytest.raises(RequestError, match="not in the same graph"):
        document.perform(Link(Output("first", "value"), Input("box/sum", "b")))
    assert document == before
    assert not document.history.undo_name


def test_what_is_not_there_is_named(document):
    with pytest.raises(NoSuchNodeError, match="there is no node 'nobody'"):
        document.perform(SetValue("nobody", "x", 1))


def test_an_edit_that_fails_half_way_leaves_the_document_as_it_was(document):
    edit = Together("both", [SetValue("noise", "seed", 1), SetValue("nobody", "x", 1)])
    with pytest.raises(NoSuchNodeError):
        document.perform(edit)
    assert document.node("noise").values["seed"] == 7


def test_a_value_can_be_given_and_taken_away(document):
    document.perform(SetValue("noise", "seed", 8))
    document.perform(SetValue("noise", "seed", ABSENT))
    assert "seed" not in document.node("noise").values
    document.undo()
    assert document.node("noise").values["seed"] == 8


def test_setting_what_is_there_already_is_no_step(document):
    document.perform(SetValue("noise", "seed", 7))
    document.perform(Rename("noise", ""))
    assert not document.history.undo_name


def test_one_and_one_point_zero_are_different_values(document):
    document.perform(SetValue("noise", "seed", 7.0))
    assert isinstance(document.node("noise").values["seed"], float)


def test_a_drag_is_one_step(document):
    for x in range(5):
        document.perform(Move({"noise": (x, 1.0), "save": (x, 2.0)}, gesture="drag 1"))
    assert document.history.undo_name == "move 2 nodes"
    document.undo()
    assert document.view.positions["noise"] == [300, 0]
    assert not document.history.undo_name
    document.redo()
    assert document.view.positions["noise"] == [4, 1.0]


def test_two_drags_are_two_steps(document):
    document.perform(Move({"noise": (1, 1)}, gesture="drag 1"))
    document.perform(Move({"noise": (2, 2)}, gesture="drag 2"))
    document.undo()
    assert document.view.positions["noise"] == [1, 1]


def test_small_settings_of_nodes(document):
    document.perform(SetMode(["noise", "save"], Mode.MUTE))
    document.perform(Pin(["denoise"]))
    document.perform(Recolour(["denoise"], "#102030"))
    document.perform(Fold(["denoise"]))
    document.perform(SetEntry("notes", "n1", {"text": "hello"}, what="add a note"))
    assert document.history.undo_name == "add a note"
    assert document.node("save").mode is Mode.MUTE
    assert document.node("denoise").pin
    assert document.view.collapsed == {"denoise": True}
    for _ in range(5):
        document.undo()
    fresh = Document(text_to_image())
    assert document.graph == fresh.graph
    assert document.view == View(positions=document.view.positions)


def test_names_of_edits_say_what_they_do():
    assert RemoveNodes(["a", "b", "c"]).name == "remove 3 nodes"
    assert SetMode(["group/denoise"], Mode.BYPASS).name == "bypass denoise"
    assert AddNodes([Node("sampling.denoise")]).name == "add denoise"
    assert SetValue("noise", "seed", 1).name == "change seed of noise"


def test_pasted_nodes_have_new_ids_their_own_links_and_a_place_beside(document):
    fragment = extract(document, ["prompt", "denoise"])
    paste = Paste(fragment, offset=(10, 20))
    document.perform(paste)
    assert paste.paths == ["prompt_2", "denoise_2"]
    linked = {str(e): str(s) for e, s in document.graph.links.items() if e.node in paste.paths}
    assert linked == {"denoise_2.positive": "prompt_2.conditioning"}
    assert document.view.positions["denoise_2"] == [710, 20]
    assert document.node("prompt_2") == document.node("prompt")
    assert document.node("prompt_2") is not document.node("prompt")


def test_a_paste_can_keep_what_fed_the_originals(document):
    document.perform(Paste(extract(document, ["prompt"]), keep_inputs=True))
    assert document.graph.links[end_of("prompt_2.text_encoder")] == start_of("model.text_encoder")


def test_pasting_twice_and_into_a_subgraph():
    document = boxes()
    fragment = extract(document, ["box"])
    document.perform(Paste(fragment))
    inner = Paste(fragment, group="box")
    document.perform(inner)
    assert inner.paths == ["box/box"]
    assert document.node("box/box/sum") == document.node("box_2/sum")
    assert document.node("box/box/sum") is not document.node("box_2/sum")


def test_a_node_inserted_on_a_link_takes_its_place():
    document = Document(graph({"a": "image.load", "b": "image.save"}, "a.image > b.image"))
    end, node = end_of("b.image"), Node("image.invert")
    through = ports_through(document, end, node, CATALOGUE)
    assert through is not None
    document.perform(InsertOnLink(end, node, through, (5, 5)))
    assert flat_links(document) == {"invert.image": "a.image", "b.image": "invert.image"}
    document.undo()
    assert flat_links(document) == {"b.image": "a.image"}


def test_only_nodes_of_fitting_types_can_be_inserted(document):
    assert ports_through(document, end_of("save.image"), Node("text.encode"), CATALOGUE) is None
    reroute = ports_through(document, end_of("save.image"), Node("graph.reroute"), CATALOGUE)
    assert reroute == ("value", "value", None)


def test_the_first_free_place_of_a_list_is_found():
    whole = graph({"a": "image.load", "g": "image.grid"}, "a.image > g.images[0]")
    document = Document(whole)
    document.perform(Link(start_of("a.image"), free_item(document, "g", "images")))
    document.perform(Link(start_of("a.image"), free_item(document, "g", "images")))
    document.perform(Unlink(end_of("g.images[1]")))
    assert free_item(document, "g", "images") == end_of("g.images[1]")


def test_collapsing_and_unpacking_change_nothing_that_is_computed(document):
    before = flat_links(document)
    edit = Collapse(["denoise", "decode", "guidance"], title="Two steps")
    document.perform(edit)
    assert edit.path == "two_steps"
    inside = {"denoise", "decode", "guidance"}

    def moved(text: str) -> str:
        return f"two_steps/{text}" if text.split(".")[0] in inside else text

    assert flat_links(document) == {moved(end): moved(start) for end, start in before.items()}
    assert document.view.positions["two_steps/denoise"] == [700, 0]
    document.perform(Unpack("two_steps"))
    assert flat_links(document) == before


def test_a_subgraphs_ports_are_named_after_those_inside(document):
    document.perform(Collapse(["prompt", "negative"]))
    box = document.node("subgraph")
    assert isinstance(box, Subgraph)
    assert box.inputs == {
        "text_encoder": [end_of("prompt.text_encoder"), end_of("negative.text_encoder")]
    }
    assert set(box.outputs) == {"conditioning", "conditioning_2"}


def test_chosen_parameters_become_ports_and_their_values_count(document):
    ports = {"words": [end_of("prompt.text")], "avoid": [end_of("negative.text")]}
    document.perform(Collapse(["prompt", "negative"], inputs=ports))
    document.perform(SetValue("subgraph", "words", "a blue ball"))
    flat = flatten(document.graph, CATALOGUE)
    assert flat.nodes["subgraph/prompt"].values["text"] == "a blue ball"
    document.perform(Unpack("subgraph"))
    assert document.node("prompt").values["text"] == "a blue ball"
    document.undo()
    document.undo()
    document.undo()
    assert document.graph == text_to_image()


def test_collapsing_inside_a_subgraph_keeps_the_ports_around():
    document = boxes()
    before = flat_links(document)
    document.perform(Collapse(["box/one", "box/sum"]))
    assert flat_links(document) == {
        end.replace("box/", "box/subgraph/"): start.replace("box/", "box/subgraph/")
        for end, start in before.items()
    }
    document.perform(Unpack("box/subgraph"))
    assert flat_links(document) == before


def test_nodes_of_different_graphs_cannot_be_collapsed():
    with pytest.raises(RequestError, match="not in one graph"):
        boxes().perform(Collapse(["first", "box/one"]))


def test_removing_a_node_closes_the_ports_that_stood_for_it():
    document = boxes()
    document.perform(SetValue("box", "more", 3))
    document.perform(RemoveNodes(["box/sum"]))
    box = document.node("box")
    assert isinstance(box, Subgraph)
    assert (list(box.inputs), box.outputs, box.values) == (["start"], {}, {})
    assert list(document.graph.links) == [end_of("box.start")]
    document.undo()
    document.undo()
    assert document == boxes()


def test_closed_ports_close_the_ports_around_them():
    document = boxes()
    document.perform(Collapse(["first", "box", "last"], inputs={"m": [end_of("box.more")]}))
    document.perform(SetValue("subgraph", "m", 1))
    document.perform(RemoveNodes(["subgraph/box/sum"]))
    outer = document.node("subgraph")
    assert isinstance(outer, Subgraph)
    assert (outer.inputs, outer.values) == ({}, {})


def test_ports_can_be_chosen_anew():
    document = boxes()
    document.perform(SetPorts("box", {"b": [end_of("sum.b")]}, {}))
    assert document.graph.links == {}
    document.undo()
    assert document == boxes()


def test_the_form_follows_its_nodes(document):
    document.perform(SetEntry("form", "prompt.text", {"label": "Words"}))
    document.perform(Collapse(["prompt"]))
    assert document.form == {"subgraph/prompt.text": {"label": "Words"}}
    document.perform(RemoveNodes(["subgraph"]))
    assert document.form == {}


def test_a_muted_subgraph_unpacks_to_muted_nodes():
    document = boxes()
    document.perform(SetMode(["box"], Mode.MUTE))
    document.perform(Unpack("box"))
    assert document.node("one").mode is Mode.MUTE


def test_names_stay_fast_with_many_nodes_of_a_type():
    document = Document(Graph())
    edit = AddNodes([Node("values.sum") for _ in range(20_000)])
    document.perform(edit)
    assert edit.paths[-1] == "sum_20000"


def picture(sha256):
    return {"sha256": sha256, "kind": "image", "size": 3, "origin": "in.png"}


def with_picture(sha256, name="in.png"):
    inner = Node("image.load", {"file": f"asset:{name}"})
    box = Subgraph(graph=Graph({"load": Node("image.load", {"file": f"asset:{name}"})}))
    return Document(Graph({"load": inner, "box": box}), assets={name: picture(sha256)})


@pytest.mark.parametrize("nodes", [["load"], ["box"], ["load", "box"]])
def test_a_pasted_picture_of_a_taken_name_stays_another_picture(nodes):
    """files A0: two pictures of one file name."""
    document, other = with_picture("a" * 64), with_picture("b" * 64)
    document.perform(paste := Paste(extract(other, nodes)))
    assert document.assets == {"in.png": picture("a" * 64), "in_2.png": picture("b" * 64)}
    for path in paste.paths:
        node = document.node(path)
        node = node.graph.nodes["load"] if isinstance(node, Subgraph) else node
        assert node.values["file"] == "asset:in_2.png"
    assert document.node("load").values["file"] == "asset:in.png"
    document.undo()
    assert document == with_picture("a" * 64)


def test_a_pasted_picture_that_is_there_keeps_its_name_and_unused_ones_stay_away():
    """files A0: the same name when the content is the same."""
    document, other = with_picture("a" * 64), with_picture("a" * 64)
    other.assets["unused.png"] = picture("c" * 64)
    document.perform(paste := Paste(extract(other, ["load"])))
    assert document.assets == {"in.png": picture("a" * 64)}
    assert document.node(paste.paths[0]).values["file"] == "asset:in.png"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["in.png"], "in_2.png"),
        (["in.png", "in_2.png"], "in_3.png"),
        (["other.png"], "in.png"),
        (["in"], "in.png"),
    ],
)
def test_a_free_name_of_an_asset(names, expected):
    """files A0."""
    taken = {name: picture(str(number) * 64) for number, name in enumerate(names)}
    assert asset_name(taken, "in.png", "f" * 64) == expected
    assert asset_name({"in.png": 5}, "in.png", "f" * 64) == "in_2.png"
