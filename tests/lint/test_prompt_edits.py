"""What other programs write into prompts becomes nodes, in one step that undo takes back."""

import pytest

from nodeforge.formats.workflow import write
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.lint import Problem, lint
from nodeforge.models import ModelFolders
from nodeforge.spec import Catalogue
from support.graphs import text_to_image
from tests.lint.example_models import make_models

CATALOGUE = Catalogue.shipped()


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> ModelFolders:
    return make_models(tmp_path_factory.mktemp("models"))


def document(text: str) -> Document:
    made = Document(text_to_image())
    made.graph.nodes["model"].values["file"] = "sdxl.safetensors"
    made.graph.nodes["noise"].values |= {"width": 1024, "height": 1024}
    made.graph.nodes["prompt"].values["text"] = text
    return made


def syntax(made: Document, models: ModelFolders) -> list[Problem]:
    return [each for each in lint(made, CATALOGUE, models) if each.rule == "prompt_syntax"]


def mended(text: str, models: ModelFolders) -> Document:
    made = document(text)
    before = write(made)
    problem = syntax(made, models)[0]
    assert problem.fix is not None
    made.perform(problem.fix)
    after = write(made)
    made.undo()
    assert write(made) == before
    made.redo()
    assert write(made) == after
    return made


def text_of(made: Document, name: str = "prompt") -> str:
    return made.graph.nodes[name].values["text"]


@pytest.mark.parametrize("tag", ["<lora:ink:0.8>", "<lora:ink.safetensors:0.8>", "<lora:x/INK:.8>"])
def test_a_lora_tag_becomes_a_lora_node_on_model_and_text_encoder(tag, models):
    made = mended(f"a lighthouse, {tag}, at dusk", models)
    assert text_of(made) == "a lighthouse, at dusk"
    (name,) = [name for name, node in made.graph.nodes.items() if node.type == "models.load_lora"]
    assert made.graph.nodes[name].values == {
        "file": "ink.safetensors",
        "model_weight": 0.8,
        "text_weight": 0.8,
    }
    links = made.graph.links
    assert links[Input("denoise", "model")] == Output(name, "model")
    assert links[Input("prompt", "text_encoder")] == Output(name, "text_encoder")
    assert links[Input("negative", "text_encoder")] == Output(name, "text_encoder")
    assert links[Input(name, "model")] == Output("model", "model")


def test_two_lora_tags_become_two_nodes_one_after_the_other(models):
    made = mended("a lighthouse <lora:ink:0.8> <lora:strong:0.4:0>", models)
    (second,) = syntax(made, models)
    assert second.fix is not None
    made.perform(second.fix)
    assert text_of(made) == "a lighthouse"
    loras = [node for node in made.graph.nodes.values() if node.type == "models.load_lora"]
    assert [node.values["model_weight"] for node in loras] == [0.8, 0.4]
    assert loras[1].values["text_weight"] == 0
    assert syntax(made, models) == []


def test_a_lora_that_is_not_there_has_no_fix(models):
    (problem,) = syntax(document("a lighthouse <lora:not_here:1>"), models)
    assert problem.fix is None
    assert problem.words == "<lora:not_here:1>"


@pytest.mark.parametrize(
    ("text", "parts", "joining"),
    [
        ("a lighthouse BREAK a boat", ["a lighthouse", "a boat"], "text.concatenate"),
        ("a BREAK b BREAK c", ["a", "b", "c"], "text.concatenate"),
        ("a lighthouse AND a boat", ["a lighthouse", "a boat"], "text.combine"),
    ],
)
def test_parts_are_encoded_by_themselves_and_joined(text, parts, joining, models):
    made = mended(text, models)
    encoders = [n.values["text"] for n in made.graph.nodes.values() if n.type == "text.encode"]
    assert sorted(encoders) == sorted([*parts, "blurry"])
    feed = made.graph.links[Input("denoise", "positive")]
    assert made.graph.nodes[feed.node].type == joining
    assert not [each for each in lint(made, CATALOGUE, models) if each.rule == "missing_inputs"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a {bright} boat", "a (bright:1.05) boat"),
        ("a boat --ar 16:9", "a boat"),
        ("BREAK a boat", "a boat"),
    ],
)
def test_words_become_plain(text, plain, models):
    made = mended(text, models)
    assert text_of(made) == plain
    assert syntax(made, models) == []


@pytest.mark.parametrize(
    "text",
    [
        "a __animals/cats__ on a roof",
        "a __cat*__",
        "a {red|blue} boat",
        "a {2$$red|blue} boat",
        "a {0.3::red|blue} boat",
        "a {{old|new} red|blue} __x__",
    ],
)
def test_choices_and_wildcards_go_through_a_node_that_resolves_them(text, models):
    """wildcards 3: one undo step, and silent behind the node."""
    made = mended(text, models)
    (name,) = [name for name, node in made.graph.nodes.items() if node.type == "text.wildcards"]
    assert made.graph.nodes[name].values == {"text": text}
    assert made.graph.links[Input("prompt", "text")] == Output(name, "value")
    assert text_of(made) == ""
    assert syntax(made, models) == []


def test_a_linked_text_goes_through_wildcards_on_its_link(models):
    made = document("")
    made.graph.nodes["words"] = Node("values.text", {"value": "a {red|blue} boat"})
    made.graph.links[Input("prompt", "text")] = Output("words", "value")
    (problem,) = syntax(made, models)
    assert problem.fix is not None
    made.perform(problem.fix)
    (name,) = [name for name, node in made.graph.nodes.items() if node.type == "text.wildcards"]
    assert made.graph.links[Input(name, "text")] == Output("words", "value")
    assert made.graph.links[Input("prompt", "text")] == Output(name, "value")
    assert made.graph.nodes["words"].values["value"] == "a {red|blue} boat"
    assert syntax(made, models) == []


def test_a_linked_text_is_mended_where_it_stands(models):
    made = document("")
    made.graph.nodes["words"] = Node("values.text", {"value": "a {bright} boat"})
    made.graph.links[Input("prompt", "text")] = Output("words", "value")
    (problem,) = syntax(made, models)
    assert problem.fix is not None
    made.perform(problem.fix)
    assert made.graph.nodes["words"].values["value"] == "a (bright:1.05) boat"
