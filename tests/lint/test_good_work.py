"""What people do on purpose is left in peace: no error and no warning."""

from pathlib import Path

import PIL.Image
import pytest

from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.lint import Problem, Severity, lint
from nodeforge.lint.loras import LoadedLora
from nodeforge.models import ModelFolders
from nodeforge.spec import Catalogue
from support.graphs import end_of, start_of, text_to_image
from support.problems import serious
from tests.lint.example_models import make_models

CATALOGUE = Catalogue.shipped()


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> ModelFolders:
    return make_models(tmp_path_factory.mktemp("models"))


def workflow(file: str, **values: dict) -> Graph:
    """Text to image with a model of the examples, with its own settings and these values."""
    whole = text_to_image()
    for name in ("noise", "sampler", "schedule", "guidance"):
        whole.nodes[name].values.clear()
    whole.nodes["noise"].values["seed"] = 7
    whole.nodes["model"].values["file"] = f"{file}.safetensors"
    for name, more in values.items():
        whole.nodes[name].values |= more
    return whole


def add(whole: Graph, name: str, kind: str, values: dict | None = None, *links: str) -> None:
    whole.nodes[name] = Node(kind, values or {})
    for link in links:
        start, end = link.split(" > ")
        whole.links[end_of(end)] = start_of(start)


def found(whole: Graph, models: ModelFolders, pictures=None) -> list[Problem]:
    return serious(lint(Document(whole), CATALOGUE, models, pictures=pictures))


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("sd15", {"noise": {"width": 768, "height": 768}}),
        ("sd15", {"noise": {"width": 512, "height": 768}}),
        ("sdxl", {"noise": {"width": 1536, "height": 1024}}),
        ("sdxl_turbo", {"noise": {"width": 512, "height": 512}}),
        ("sdxl_turbo", {"guidance": {"scale": 2.0}, "schedule": {"steps": 7}}),
        ("sdxl_lightning_4step", {"sampler": {"name": "dpmpp_sde"}}),
        ("sdxl", {"guidance": {"scale": 15.0, "rescale": 0.7}}),
        ("sdxl", {"sampler": {"name": "euler_a"}, "schedule": {"steps": 60}}),
        (
            "sdxl",
            {
                "sampler": {"name": "dpmpp_2m", "convention": "comfyui"},
                "schedule": {"name": "sgm_uniform", "steps": 25},
            },
        ),
        ("sdxl", {"schedule": {"name": "karras", "steps": 30}, "sampler": {"name": "dpmpp_2m"}}),
        ("sd15", {"prompt": {"clip_skip": 1}, "negative": {"clip_skip": 1}}),
        ("sdxl", {"prompt": {"text": 'a sign that says "(open)"; a smile :)'}}),
        ("sdxl", {"prompt": {"text": r"a \(fictional\) painter, (oil:1.2), [dusk:night:0.4]"}}),
        ("z_image", {"prompt": {"text": '{"scene": "a harbour", "mood": "calm"}'}}),
        ("z_image", {"prompt": {"text": "a harbour (at night), seen from above"}}),
        ("flux1-schnell", {"schedule": {"steps": 4}}),
        ("flux1-dev", {"guidance": {"scale": 3.5}, "noise": {"width": 1920, "height": 1088}}),
    ],
)
def test_usual_settings_are_quiet(file, values, models):
    assert found(workflow(file, **values), models) == []


@pytest.mark.parametrize(
    ("name", "hurries"),
    [
        ("sdxl_lightning_8step_lora", True),
        ("lcm-lora-sdv1-5", True),
        ("Hyper-SDXL-8steps-lora", True),
        ("FLUX.1-Turbo-Alpha", True),
        ("pixel_art_style_z_image_turbo", False),
        ("lightningstorm", False),
        ("hyperrealistic_skin", False),
        ("turbocharged_cars", False),
        ("z_image_turbo_distill_patch_lora", False),
    ],
)
def test_a_lora_for_few_steps_is_told_by_its_name(name, hurries):
    lora = LoadedLora("lora", f"styles/{name}.safetensors", 1.0, 1.0, None)
    assert lora.hurries is hurries


def test_a_lora_that_keeps_guidance_is_guided(models):
    whole = workflow("sdxl", guidance={"scale": 6.0}, schedule={"steps": 8})
    add(
        whole,
        "lora",
        "models.load_lora",
        {"file": "Hyper-SDXL-8steps-CFG-lora.safetensors"},
        "model.model > lora.model",
        "lora.model > denoise.model",
    )
    assert {each.rule for each in found(whole, models)} == {"missing_models"}


def test_a_second_pass_from_a_picture_is_quiet(models):
    whole = workflow("sdxl", schedule={"strength": 0.4, "steps": 30})
    add(whole, "picture", "image.load", {"file": "picture.png"})
    links = ("picture.image > encode.image", "model.vae > encode.vae")
    add(whole, "encode", "latent.encode", {}, *links, "encode.latent > denoise.latent")
    assert found(whole, models) == []


def controlled(models: ModelFolders, kind: str, picture: Path) -> set[str]:
    whole = workflow("sdxl")
    add(whole, "picture", "image.load", {"file": "picture.png"})
    add(whole, "net", "control.load", {"file": f"{kind}_sdxl.safetensors"})
    links = (
        "picture.image > control.image",
        "net.controlnet > control.controlnet",
        "prompt.conditioning > control.conditioning",
        "control.conditioning > denoise.positive",
    )
    add(whole, "control", "control.apply", {}, *links)
    problems = lint(Document(whole), CATALOGUE, models, pictures=lambda name: picture)
    return {each.rule for each in problems if each.rule == "control_kind"}


def test_only_a_coloured_picture_is_no_edge_map(models, tmp_path):
    photograph, lines = tmp_path / "photograph.png", tmp_path / "lines.png"
    PIL.Image.new("RGB", (64, 64), (200, 90, 40)).save(photograph)
    PIL.Image.new("L", (64, 64), 255).save(lines)
    assert controlled(models, "canny", photograph) == {"control_kind"}
    assert controlled(models, "canny", lines) == set()
    assert controlled(models, "depth", photograph) == set()


def test_a_panorama_in_tiles_is_a_hint_and_a_strong_second_pass_a_warning(models):
    whole = workflow("sdxl", noise={"width": 2048, "height": 1024})
    add(whole, "tile", "models.tile", {}, "model.model > tile.model", "tile.model > denoise.model")
    (tiles,) = [e for e in lint(whole, CATALOGUE, models) if e.rule == "strong_tiles"]
    assert tiles.severity is Severity.HINT
    whole.nodes["empty"] = Node("latent.empty", {"width": 1024, "height": 1024})
    whole.links[Input("empty", "vae")] = Output("model", "vae")
    whole.links[Input("denoise", "latent")] = Output("empty", "latent")
    (tiles,) = [e for e in lint(whole, CATALOGUE, models) if e.rule == "strong_tiles"]
    assert tiles.severity is Severity.WARNING
