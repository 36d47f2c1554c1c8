"""Broadcasting: a model, text encoder or VAE to all open inputs of its type."""

import pytest

from nodeforge.errors import RequestError
from nodeforge.formats import workflow
from nodeforge.graph.document import Document
from nodeforge.graph.edits import AddNodes, Broadcast, JoinBroadcasts, Link, StopBroadcast
from nodeforge.graph.model import Input, Node, Output
from nodeforge.spec import Catalogue
from support.graphs import graph

CATALOGUE = Catalogue.shipped()


@pytest.fixture
def document() -> Document:
    return Document(
        graph(
            {
                "model": "models.load",
                "other": "models.load",
                "prompt": "text.encode",
                "negative": "text.encode",
                "denoise": "sampling.denoise",
                "decode": "latent.decode",
                "lora": "models.load_lora",
            },
            "other.text_encoder > negative.text_encoder",
        )
    )


def links(document: Document) -> dict[str, str]:
    return {str(end): str(start) for end, start in document.graph.links.items()}


def test_all_open_inputs_are_linked_and_linked_ones_stay(document):
    before = dict(document.graph.links)
    document.perform(Broadcast("model", CATALOGUE))
    assert links(document) == {
        "negative.text_encoder": "other.text_encoder",
        "prompt.text_encoder": "model.text_encoder",
        "denoise.model": "model.model",
        "decode.vae": "model.vae",
        "lora.model": "model.model",
    }
    assert set(document.view.broadcasts) == {"model.model", "model.text_encoder", "model.vae"}
    document.undo()
    assert document.graph.links == before
    assert document.view.broadcasts == {}


def test_a_ring_is_not_made(document):
    document.perform(Link(Output("other", "model"), Input("lora", "model")))
    document.perform(Broadcast("lora", CATALOGUE))
    assert links(document)["denoise.model"] == "lora.model"
    assert links(document)["lora.model"] == "other.model"


def test_nodes_that_are_added_later_are_linked_too(document):
    document.perform(Broadcast("model", CATALOGUE))
    add = AddNodes([Node("text.encode"), Node("latent.encode")])
    document.perform(add)
    document.perform(JoinBroadcasts(add.paths, CATALOGUE))
    assert links(document)["encode.text_encoder"] == "model.text_encoder"
    assert links(document)["encode_2.vae"] == "model.vae"


def test_two_that_broadcast_a_type_leave_new_inputs_open(document):
    document.perform(Broadcast("model", CATALOGUE))
    document.perform(Broadcast("other", CATALOGUE))
    add = AddNodes([Node("text.encode")])
    document.perform(add)
    document.perform(JoinBroadcasts(add.paths, CATALOGUE))
    assert "encode.text_encoder" not in links(document)


def test_stopping_keeps_the_links(document):
    document.perform(Broadcast("model", CATALOGUE))
    before = links(document)
    document.perform(StopBroadcast("model"))
    assert document.view.broadcasts == {}
    assert links(document) == before


def test_what_gives_none_is_refused(document):
    with pytest.raises(RequestError, match="gives no model, text encoder or VAE"):
        document.perform(Broadcast("denoise", CATALOGUE))


def test_it_is_kept_in_the_file_and_marks_of_nodes_that_are_gone_do_no_harm(document):
    document.perform(Broadcast("model", CATALOGUE))
    document.view.broadcasts |= {"gone.model": True, "nonsense": 3, "model.gone": None}
    again = workflow.read(workflow.write(document))
    assert again.view.broadcasts == document.view.broadcasts
    add = AddNodes([Node("text.encode")])
    again.perform(add)
    again.perform(JoinBroadcasts(add.paths, CATALOGUE))
    assert links(again)["encode.text_encoder"] == "model.text_encoder"
