"""References that a model does not take are told before a run."""

from __future__ import annotations

import diffusers
import pytest
import tiny_transformers

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
