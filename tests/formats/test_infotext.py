"""What the summary in a picture says of models, LoRAs, pictures to start from and second passes."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nodeforge.engine.content.model_hashes import finished_stamp
from nodeforge.formats import load, run_stamp
from nodeforge.formats.parameters import HASHED_FILES, PARAMETERS, with_hashes
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.imaging import PictureFormat, encode, item_stamp
from nodeforge.models import ModelFolders, sha256
from nodeforge.settings import ModelFolder, Settings, shipped
from nodeforge.spec import Catalogue
from nodeforge.values import infotext
from nodeforge.values.output_names import told, words_of

CATALOGUE = Catalogue.shipped()
FLAT = shipped("resources") / "models" / "nano" / "lora" / "flat.safetensors"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are remembered there."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))


@pytest.fixture
def folders(tmp_path) -> ModelFolders:
    return ModelFolders(Settings(home=tmp_path / "home"))


def workflow(name: str) -> Document:
    return load(shipped("workflows") / f"{name}.json")


def facts(document: Document, folders: ModelFolders) -> dict[str, str]:
    texts = run_stamp(document, CATALOGUE, folders.info)
    return infotext.read(finished_stamp(texts)[0][PARAMETERS]).facts


def test_the_base_model_is_named_and_the_lora_stands_in_the_prompt(folders):
    document = workflow("lora_style")
    text = run_stamp(document, CATALOGUE, folders.info)[PARAMETERS]
    assert text.startswith("a car on a yellow background <lora:flat:1>\n")
    assert ", Model: nano, " in text
    document.node("style").values |= {"model_weight": 0.8, "text_weight": 0.5}
    assert "<lora:flat:0.5:0.8>" in run_stamp(document, CATALOGUE, folders.info)[PARAMETERS]


def test_a_name_of_a_file_and_the_prompt_to_go_on_with_leave_the_lora_out(folders):
    text = run_stamp(workflow("lora_style"), CATALOGUE, folders.info)[PARAMETERS]
    assert told(text)[0] == "a car on a yellow background"
    assert words_of(text, (256, 256))["prompt"] == "a car on a yellow background"


def test_hashes_are_those_of_the_whole_file_and_of_what_follows_the_header(folders):
    found = facts(workflow("lora_style"), folders)
    content = FLAT.read_bytes()
    body = content[8 + int.from_bytes(content[:8], "little") :]
    whole = hashlib.sha256(content).hexdigest()
    assert found["Lora hashes"] == f"flat: {hashlib.sha256(body).hexdigest()[:12]}"
    assert json.loads(found["Hashes"])["lora:flat"] == whole[:10]
    assert found["Model hash"] == sha256(folders.find("checkpoint", "nano"))[:10]


def test_a_file_checkpoint_is_called_by_its_name_alone(tmp_path):
    settings = Settings(home=tmp_path, model_folders=(ModelFolder(str(tmp_path / "models")),))
    file = tmp_path / "models" / "checkpoints" / "sdxl" / "big one, v2.safetensors"
    file.parent.mkdir(parents=True)
    shutil.copy(FLAT, file)
    document = workflow("text_to_image")
    document.node("model").values["file"] = "sdxl/big one, v2.safetensors"
    found = facts(document, ModelFolders(settings))
    assert found["Model"] == "big one, v2"
    assert found["Model hash"] == hashlib.sha256(FLAT.read_bytes()).hexdigest()[:10]


def test_a_hash_that_is_not_known_is_left_out_and_told(folders):
    texts = run_stamp(workflow("lora_style"), CATALOGUE, folders.info)
    known, unknown = with_hashes(texts, lambda path, after_header=False: None)
    assert unknown == ["lora:flat", "model"]
    assert HASHED_FILES not in known
    assert known[PARAMETERS] == texts[PARAMETERS]


def test_no_path_reaches_a_picture(folders):
    texts = finished_stamp(run_stamp(workflow("lora_style"), CATALOGUE, folders.info))[0]
    assert str(FLAT.parent) not in json.dumps(texts)
    content = encode(np.zeros((8, 8, 3), np.uint8), PictureFormat.PNG, item_stamp(texts, 0))
    assert str(FLAT.parent).encode() not in content


def test_a_picture_to_picture_says_its_strength_also_where_it_is_whole(folders):
    document = workflow("image_to_image")
    assert facts(document, folders)["Denoising strength"] == "0.6"
    document.node("schedule").values.pop("strength")
    assert facts(document, folders)["Denoising strength"] == "1.0"
    assert facts(document, folders)["Size"] == "256x256"
    assert "Denoising strength" not in facts(workflow("text_to_image"), folders)


def test_a_mask_is_told(folders):
    document = workflow("inpaint")
    assert facts(document, folders)["Inpaint area"] == "Only masked"
    graph = document.graph
    graph.nodes["soft"] = Node("mask.feather", {"radius": 6})
    graph.links[Input("soft", "mask")] = Output("mask", "mask")
    graph.links[Input("denoise", "mask")] = Output("soft", "mask")
    found = facts(document, folders)
    assert (found["Mask blur"], found["Inpaint area"]) == ("6", "Whole picture")


def test_a_second_pass_says_its_size_steps_and_strength(folders):
    found = facts(workflow("two_pass_upscale"), folders)
    names = ("Size", "Hires resize", "Hires steps", "Hires upscaler", "Denoising strength")
    assert [found[n] for n in names] == ["256x256", "512x512", "5", "Latent (bicubic)", "0.25"]


def test_a_vae_of_its_own_is_named(folders):
    document = workflow("text_to_image")
    document.graph.nodes["vae"] = Node("models.load_vae", {"file": "soft.safetensors"})
    document.graph.links[Input("decode", "vae")] = Output("vae", "vae")
    assert facts(document, folders)["VAE"] == "soft"


def test_clip_skip_is_counted_as_a1111_does(folders):
    document = workflow("text_to_image")
    assert "Clip skip" not in facts(document, folders)
    document.node("prompt").values["clip_skip"] = 1
    assert facts(document, folders)["Clip skip"] == "2"


@pytest.mark.parametrize(
    "value", ["plain", "a, b", "a: b", 'with "quotes", and more', "line\nbreak", "Beta 0.5, 0.7"]
)
def test_a_fact_comes_back_as_it_was_written(value: str):
    line = infotext.write_facts({"Steps": 20, "Model": value, "Left": None, "Seed": 7})
    assert infotext.read_facts(line) == {"Steps": "20", "Model": value, "Seed": "7"}


def test_a_prompt_may_look_like_facts():
    text = "a: b, c: d, e: f\nNegative prompt: x: y\nSteps: 20, Sampler: Euler, Seed: 7"
    read = infotext.read(text)
    assert (read.prompt, read.negative) == ("a: b, c: d, e: f", "x: y")
    assert read.facts["Seed"] == "7"


def test_texts_of_any_length_are_read_at_once():
    """Patterns that look back and forth would take minutes."""
    for text in ("a: " + ', b: "' * 50_000, "a: " + ("," + " " * 3000) * 50, "<lora:" * 50_000):
        infotext.without_loras(infotext.read(text).prompt)


def test_a_hash_is_made_once(tmp_path: Path):
    from nodeforge.models import Fingerprints

    file = tmp_path / "model.safetensors"
    shutil.copy(FLAT, file)
    prints = Fingerprints(tmp_path / "cache")
    assert prints.known_sha256(file) is None
    made = prints.sha256(file, after_header=True)
    assert Fingerprints(tmp_path / "cache").known_sha256(file, after_header=True) in (made, None)
    assert prints.known_sha256(file) is None
