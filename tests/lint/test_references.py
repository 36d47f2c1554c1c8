"""References that a model does not take are told before a run."""

from __future__ import annotations

import diffusers
import pytest
import tiny_models
import tiny_transformers
from PIL import Image as Pillow

from nodeforge.formats import load
from nodeforge.graph.model import Input, Node, Output
from nodeforge.lint import Severity, lint
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Writes a folder, once."""
    root = tmp_path_factory.mktemp("edited")

    def written(name):
        path = root / name
        if not path.exists():
            made = tiny_transformers.PIPELINES[name.removesuffix("_kontext")]()
            if name.endswith("_kontext"):
                made = diffusers.FluxKontextPipeline(**made.components)
            made.save_pretrained(path)
        return path

    return written


def edited(path, count, added=0):
    """The shipped workflow with an instruction that shows pictures."""
    document = load(shipped("workflows") / "text_to_image.json")
    graph = document.graph
    graph.nodes["model"].values["file"] = str(path)
    graph.nodes["prompt"] = Node("text.instruct", {"text": "make it night"})
    graph.nodes["picture"] = Node("image.load", {"file": "a.png"})
    graph.links[Input("prompt", "vae")] = Output("model", "vae")
    for number in range(count):
        graph.links[Input("prompt", "images", number)] = Output("picture", "image")
    last = "prompt"
    for number in range(added):
        graph.nodes[f"more_{number}"] = Node("text.add_reference")
        graph.nodes[f"seen_{number}"] = Node("latent.encode")
        graph.links[Input(f"seen_{number}", "image")] = Output("picture", "image")
        graph.links[Input(f"seen_{number}", "vae")] = Output("model", "vae")
        graph.links[Input(f"more_{number}", "latent")] = Output(f"seen_{number}", "latent")
        graph.links[Input(f"more_{number}", "conditioning")] = Output(last, "conditioning")
        last = f"more_{number}"
    graph.links[Input("denoise", "positive")] = Output(last, "conditioning")
    return document


@pytest.mark.parametrize(
    ("name", "count", "added", "fact"),
    [
        ("flux1_kontext", 1, 0, ""),
        ("flux1_kontext", 2, 0, "Flux.1 (kontext) takes 1 reference picture, these are 2."),
        ("flux2_klein", 4, 0, ""),
        ("flux2_klein", 3, 1, ""),
        ("flux2_klein", 3, 2, "takes 4 reference pictures, these are 5."),
        ("flux1", 1, 0, "takes no reference pictures."),
        ("z_image", 0, 1, "takes no reference pictures."),
    ],
)
def test_as_many_references_as_the_model_takes(tmp_path, model, name, count, added, fact):
    path = model(name)
    document = edited(path, count, added)
    folders = ModelFolders(Settings(home=tmp_path))
    found = lint(document, CATALOGUE, folders, granted=[path])
    problems = [problem for problem in found if problem.rule == "references"]
    if not fact:
        assert problems == []
        return
    (problem,) = problems
    assert fact in problem.fact
    assert problem.severity is Severity.ERROR
    assert problem.port == ("latent" if added else "images")
    assert problem.way_out


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    return tiny_models.write_folder(tmp_path_factory.mktemp("ip2p"), edits=True)


def problems_of(document, path, home):
    folders = ModelFolders(Settings(home=home))
    a_picture = home / "a.png"
    found = lint(document, CATALOGUE, folders, granted=[path], pictures=lambda _: a_picture)
    return [problem for problem in found if problem.rule == "references"]


def with_image_guidance(document, scale):
    graph = document.graph
    graph.nodes["kept"] = Node("sampling.image_guidance", {"scale": scale})
    graph.links[Input("kept", "guidance")] = graph.links[Input("denoise", "guidance")]
    graph.links[Input("denoise", "guidance")] = Output("kept", "guidance")
    return document


def test_an_edit_model_is_shown_its_picture(tmp_path, editor):
    assert problems_of(edited(editor, 1), editor, tmp_path) == []
    (problem,) = problems_of(edited(editor, 0), editor, tmp_path)
    assert (problem.node, problem.port) == ("denoise", "positive")
    assert "shows it none" in problem.fact
    plain = load(shipped("workflows") / "text_to_image.json")
    plain.graph.nodes["model"].values["file"] = str(editor)
    (problem,) = problems_of(plain, editor, tmp_path)
    assert "Encode instruction" in problem.way_out


def test_a_model_that_takes_a_picture_apart_is_shown_one(tmp_path, model):
    layered = model("qwen_image_layered")
    assert problems_of(edited(layered, 1), layered, tmp_path) == []
    (problem,) = problems_of(edited(layered, 0), layered, tmp_path)
    assert "takes a picture apart into layers" in problem.fact
    (problem,) = problems_of(edited(layered, 2), layered, tmp_path)
    assert "takes 1 reference picture" in problem.fact


@pytest.mark.parametrize(
    ("scale", "fact"), [(1.5, ""), (None, ""), (1.0, ""), (8.0, "hardly anything changes")]
)
def test_image_guidance_of_an_edit_model_leaves_room_to_change(tmp_path, editor, scale, fact):
    found = problems_of(with_image_guidance(edited(editor, 1), scale), editor, tmp_path)
    assert [fact in each.fact for each in found] == ([True] if fact else [])
    assert all(each.severity is Severity.WARNING for each in found)


def test_image_guidance_of_another_model_acts_on_nothing(tmp_path, model):
    path = model("flux2_klein")
    (problem,) = problems_of(with_image_guidance(edited(path, 1), 1.5), path, tmp_path)
    assert (problem.node, problem.severity) == ("kept", Severity.ERROR)
    assert problems_of(with_image_guidance(edited(path, 1), None), path, tmp_path) == []


@pytest.mark.parametrize(("side", "told"), [(64, True), (400, False), (1000, False), (2000, True)])
def test_a_picture_shown_as_it_is_has_about_the_size_of_the_training(tmp_path, editor, side, told):
    Pillow.new("RGB", (side, side)).save(tmp_path / "a.png")
    document = edited(editor, 1)
    assert problems_of(document, editor, tmp_path) == []
    document.graph.nodes["prompt"].values["size"] = "original"
    found = problems_of(document, editor, tmp_path)
    assert [each.port for each in found] == (["size"] if told else [])
    assert all(each.fix for each in found)
