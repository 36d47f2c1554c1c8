import pytest

from nodeforge.graph.cycles import find_cycles
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Link
from nodeforge.graph.linking import can_link
from nodeforge.graph.model import Graph, Input, Node, Output
from support.graphs import boxes, end_of, graph, start_of, text_to_image
from support.small_catalogue import CATALOGUE


def reason(document: Document, link: str) -> str | None:
    start, end = link.split(" > ")
    return can_link(document, start_of(start), end_of(end), CATALOGUE)


@pytest.mark.parametrize(
    "link",
    [
        "model.model > denoise.model",
        "negative.conditioning > denoise.positive",
        "denoise.latent > decode.latent",
    ],
)
def test_what_fits_may_be_linked(link):
    assert reason(Document(text_to_image()), link) is None


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (
            "model.vae > denoise.model",
            "'models.load · vae' gives VAE, 'sampling.denoise · model' takes model.",
        ),
        ("nobody.vae > denoise.model", "there is no node 'nobody'."),
        ("model.weights > denoise.model", "'models.load' has no output 'weights'."),
        ("model.model > denoise.models", "'sampling.denoise' has no input 'models'."),
        ("model.model > denoise.model[0]", "'sampling.denoise · model' is no list."),
        (
            "denoise.latent > denoise.latent",
            "'sampling.denoise' needs the result of 'sampling.denoise': this would be a ring.",
        ),
    ],
)
def test_what_may_not_be_linked_is_told_why(link, why):
    assert reason(Document(text_to_image()), link) == why


def test_whole_numbers_fit_where_decimals_go_and_not_the_other_way_round():
    document = Document(graph({"i": "values.integer", "f": "values.float", "g": "values.float"}))
    assert reason(document, "i.value > f.value") is None
    assert (
        reason(document, "g.value > i.value")
        == "'values.float · value' gives number, 'values.integer · value' takes whole number."
    )


def test_a_list_wants_a_place():
    document = Document(graph({"i": "image.load", "g": "image.grid"}))
    assert reason(document, "i.image > g.images[3]") is None
    assert (
        reason(document, "i.image > g.images") == "'image.grid · images' needs a place in the list."
    )


def test_a_reroute_gives_what_feeds_it():
    whole = graph({"i": "image.load", "r": "graph.reroute", "s": "image.save"}, "i.mask > r.value")
    whole.nodes["r"].title, whole.nodes["s"].title = "By the way", "Keep"
    document = Document(whole)
    told = reason(document, "r.value > s.image")
    assert told == "'By the way · value' gives mask, 'Keep · image' takes image."


def test_an_unknown_type_is_not_held_against_a_link():
    assert reason(Document(graph({"x": "gone.type", "s": "image.save"})), "x.y > s.image") is None


def test_rings_are_seen_across_nodes_and_into_subgraphs():
    document = boxes()
    assert "ring" in str(reason(document, "last.value > first.value"))
    assert "ring" in str(reason(document, "box.result > box.more"))
    assert "ring" in str(reason(document, "box/sum.value > box/one.value"))


def test_a_subgraph_may_feed_itself_where_nothing_inside_waits_for_itself():
    document = boxes()
    document.node("box").graph.nodes["free"] = Node("values.integer")
    document.node("box").outputs["free"] = Output("free", "value")
    assert reason(document, "box.free > box.more") is None


def test_nodes_in_different_subgraphs_are_linked_through_ports():
    assert "through the subgraph's ports" in str(reason(boxes(), "first.value > box/sum.b"))


def test_a_ring_is_listed_in_the_order_of_its_links():
    whole = graph(
        {"a": "values.sum", "b": "values.sum", "c": "values.sum", "d": "values.sum"},
        "c.value > a.a",
        "a.value > b.a",
        "b.value > c.a",
        "c.value > d.a",
        "d.value > d.b",
    )
    assert sorted(find_cycles(whole.links)) == [["a", "b", "c"], ["d"]]


def test_a_ring_of_10_000_nodes_is_found():
    count = 10_000
    whole = Graph()
    for i in range(count):
        whole.links[Input(f"n{i}", "a")] = Output(f"n{(i + 1) % count}", "value")
    (ring,) = find_cycles(whole.links)
    assert len(ring) == count
    assert Link(Output(ring[0], "value"), Input(ring[1], "a")).end in whole.links
