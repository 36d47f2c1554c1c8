"""A node that passes on several values takes all links that it should act on."""

import pytest

from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.edits import InsertOnLink, Link, RemoveNodes, Together, ports_through
from nodeforge.graph.edits.pass_through import links_through, passed_beside
from nodeforge.graph.model import Input, Node, Output
from nodeforge.settings import shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()


def inserted(document: Document, end: Input, type_id: str = "models.load_lora") -> str:
    """Put a node into a link, as one step; its name."""
    node = Node(type_id, version=CATALOGUE[type_id].version)
    through = ports_through(document, end, node, CATALOGUE)
    assert through is not None
    passed = passed_beside(document, end, node, through, CATALOGUE)
    insert = InsertOnLink(end, node, through)

    def edits():
        yield insert
        yield from links_through(insert.path, passed)

    document.perform(Together(insert.name, edits()))
    return insert.path


def fed_by(document: Document, node: str) -> set[str]:
    return {str(end) for end, start in document.graph.links.items() if start.node == node}


@pytest.fixture
def document() -> Document:
    return load(shipped("workflows") / "text_to_image.json")


@pytest.mark.parametrize(
    "end", [Input("denoise", "model"), Input("prompt", "text_encoder")], ids=["model", "text"]
)
def test_a_lora_in_one_link_takes_the_model_and_both_prompts(document, end):
    """window, job *Add nano's LoRA to a running graph*: links were moved by hand."""
    before = dict(document.graph.links)
    lora = inserted(document, end)
    assert fed_by(document, lora) == {
        "denoise.model",
        "prompt.text_encoder",
        "negative.text_encoder",
    }
    assert document.graph.links[Input(lora, "model")] == Output("model", "model")
    assert document.graph.links[Input(lora, "text_encoder")] == Output("model", "text_encoder")
    assert fed_by(document, "model") >= {"decode.vae"}  # what it does not pass on stays
    assert document.undo() is not None
    assert document.graph.links == before


def test_a_second_lora_lies_over_the_first(document):
    first = inserted(document, Input("denoise", "model"))
    second = inserted(document, Input("denoise", "model"))
    assert fed_by(document, first) == {f"{second}.model", f"{second}.text_encoder"}
    assert len(fed_by(document, second)) == 3
    third = inserted(document, Input(first, "model"))  # below both
    assert fed_by(document, third) == {f"{first}.model", f"{first}.text_encoder"}


def test_a_text_encoder_that_is_loaded_alone_is_taken_too(document):
    document.graph.nodes["clip"] = Node("models.load_text_encoder", version=2)
    output = CATALOGUE["models.load_text_encoder"].outputs[0].name
    for name in ("prompt", "negative"):
        document.perform(Link(Output("clip", output), Input(name, "text_encoder")))
    document.perform(RemoveNodes(["model"]))
    document.graph.nodes["unet"] = Node("models.load", version=3)
    document.perform(Link(Output("unet", "model"), Input("denoise", "model")))
    lora = inserted(document, Input("denoise", "model"))
    assert document.graph.links[Input(lora, "text_encoder")].node == "clip"
    assert len(fed_by(document, lora)) == 3


def test_only_what_leads_to_the_denoise_of_the_link_is_taken():
    """The second pass alone: the first keeps its model, and a prompt of its own."""
    document = load(shipped("workflows") / "compare_samplers.json")
    ends = [e for e in document.graph.links if e.port == "model" and "denoise" in e.node]
    assert len(ends) > 1
    lora = inserted(document, ends[0])
    models = {each for each in fed_by(document, lora) if each.endswith(".model")}
    assert models == {str(ends[0])}


def test_a_node_of_one_value_takes_one_link(document):
    node = Node("graph.reroute", version=CATALOGUE["graph.reroute"].version)
    end = Input("denoise", "model")
    through = ports_through(document, end, node, CATALOGUE)
    assert passed_beside(document, end, node, through, CATALOGUE) == []
