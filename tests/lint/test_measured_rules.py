"""Rules about steps go by what was measured of the model, where the loop is as measured."""

from collections.abc import Callable

import pytest

from nodeforge.formats import load
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.lint import Problem, Severity, lint
from nodeforge.models import ModelFolders
from nodeforge.models.measurements.store import Measurements
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from support.measurements import keep_nano

CATALOGUE = Catalogue.shipped()


@pytest.fixture
def usual(tmp_path) -> ModelFolders:
    """Nothing was measured."""
    return ModelFolders(Settings(home=tmp_path / "usual"))


@pytest.fixture
def measured(tmp_path) -> ModelFolders:
    """nano was."""
    keep_nano(tmp_path / "measured")
    return ModelFolders(Settings(home=tmp_path / "measured"))


def workflow(sampler: str = "auto", **values) -> Document:
    document = load(shipped("workflows") / "text_to_image.json")
    document.node("sampler").values["name"] = sampler
    document.node("schedule").values.update(values)
    return document


def codes(document: Document, folders: ModelFolders) -> dict[str, Problem]:
    """What is said about steps, by the rule's code."""
    told = lint(document, CATALOGUE, folders)
    return {each.code: each for each in told if each.node == "schedule"}


def test_steps_that_bring_it_no_nearer_are_named_with_those_that_do(measured, usual):
    found = codes(workflow(steps=40), measured)["NF321"]
    assert "30 steps of DPM++ 2M are as near" in found.fact
    assert "2.9 s instead of 3.8 s" in found.way_out
    assert found.severity is Severity.HINT
    document = workflow(steps=40)
    document.perform(found.fix)
    assert document.node("schedule").values["steps"] == 30
    assert codes(document, measured) == {}
    assert codes(workflow(steps=40), usual) == {}


def test_many_steps_leaves_it_to_what_was_measured(measured, usual):
    assert codes(workflow(steps=150), usual).keys() == {"NF308"}
    assert codes(workflow(steps=150), measured).keys() == {"NF321"}


def test_slow_starters_has_changed_its_mind_of_unipc(measured, usual):
    """Usually UniPC is as good as any; of nano at 8 and 12 steps Euler is nearer."""
    for steps in (8, 12):
        assert codes(workflow("unipc", steps=steps), usual) == {}
        found = codes(workflow("unipc", steps=steps), measured)
        assert found.keys() & {"NF305", "NF307"}
        assert "behind Euler" in found["NF305"].fact
    assert "NF305" not in codes(workflow("unipc", steps=20), measured)
    assert "NF305" not in codes(workflow("dpmpp_2m", steps=8), measured)


def test_few_steps_has_changed_its_mind_of_six(measured, usual):
    assert codes(workflow(steps=6), usual) == {}
    assert "of what another seed does" in codes(workflow(steps=6), measured)["NF307"].fact
    assert codes(workflow(steps=8), measured) == {}


def test_fewer_steps_than_were_measured_are_judged_as_usual(measured):
    assert "needs about 6 or more" in codes(workflow(steps=3), measured)["NF307"].fact


def test_samplers_that_add_noise_are_judged_as_usual(measured):
    assert codes(workflow("euler_a", steps=40), measured) == {}
    assert codes(workflow("dpmpp_2m_sde", steps=4), measured).keys() >= {"NF305"}


def set_in(path: str, **values) -> Callable[[Document], object]:
    return lambda document: document.node(path).values.update(values)


def with_lora(document: Document) -> None:
    document.graph.nodes["lora"] = Node("models.load_lora", {"file": "flat"})
    document.graph.links[Input("lora", "model")] = Output("model", "model")
    document.graph.links[Input("denoise", "model")] = Output("lora", "model")


def from_picture(document: Document) -> None:
    document.graph.nodes["picture"] = Node("image.load", {"file": "a.png"})
    document.graph.nodes["encode"] = Node("latent.encode")
    document.graph.links[Input("encode", "image")] = Output("picture", "image")
    document.graph.links[Input("encode", "vae")] = Output("model", "vae")
    document.graph.links[Input("denoise", "latent")] = Output("encode", "latent")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(set_in("schedule", name="karras"), id="schedule"),
        pytest.param(set_in("schedule", strength=0.5), id="strength"),
        pytest.param(set_in("guidance", scale=8.0), id="scale"),
        pytest.param(set_in("guidance", scale=2.0), id="lower scale"),
        pytest.param(set_in("sampler", convention="comfyui"), id="convention"),
        pytest.param(set_in("noise", width=512, height=512), id="size"),
        pytest.param(set_in("denoise", start_at=4), id="first step"),
        pytest.param(set_in("denoise", stop_at=20), id="last step"),
        pytest.param(set_in("model", prediction="epsilon"), id="prediction"),
        pytest.param(with_lora, id="LoRA"),
        pytest.param(from_picture, id="picture"),
    ],
)
def test_a_loop_that_does_something_else_is_judged_as_usual(measured, change):
    document = workflow(steps=40)
    change(document)
    assert "NF321" not in codes(document, measured)


@pytest.mark.parametrize(
    "change", [set_in("guidance", scale=3.3), set_in("noise", width=320, height=256)]
)
def test_what_hardly_differs_counts(measured, change):
    document = workflow(steps=40)
    change(document)
    assert "NF321" in codes(document, measured)


def test_a_damaged_file_changes_nothing(measured, usual):
    (file,) = measured.measurements.folder.iterdir()
    assert isinstance(measured.measurements, Measurements)
    file.write_text("{")
    assert codes(workflow(steps=40), measured) == codes(workflow(steps=40), usual) == {}
    assert file.exists()  # the linter moves nothing
