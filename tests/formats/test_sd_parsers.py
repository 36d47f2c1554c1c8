"""The package `sd-parsers`, which others read pictures with, understands ours."""

from pathlib import Path

import numpy as np
import pytest
from sd_parsers import ParserManager

from nodeforge.engine.content.model_hashes import finished_stamp
from nodeforge.formats import load, run_stamp
from nodeforge.imaging import PictureFormat, encode, item_stamp
from nodeforge.models import ModelFolders, sha256
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()
PICTURE = np.zeros((8, 8, 3), np.uint8)
WORKFLOWS = ("text_to_image", "lora_style", "image_to_image", "inpaint", "two_pass_upscale")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are remembered there."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_another_reader_understands_our_pictures(name: str, tmp_path: Path):
    document = load(shipped("workflows") / f"{name}.json")
    document.node("negative").values["text"] = "blurry"
    folders = ModelFolders(Settings(home=tmp_path))
    texts = finished_stamp(run_stamp(document, CATALOGUE, folders.info))[0]
    file = tmp_path / "p.png"
    file.write_bytes(encode(PICTURE, PictureFormat.PNG, item_stamp(texts, 1)))
    told = ParserManager().parse(file)
    assert told is not None
    (sampler,) = told.samplers
    prompt = document.node("prompt").values["text"]
    tag = " <lora:flat:1>" if name == "lora_style" else ""
    assert [each.value for each in sampler.prompts] == [prompt + tag]
    assert [each.value for each in sampler.negative_prompts] == ["blurry"]
    assert (sampler.name, sampler.parameters["scheduler"]) == ("DPM++ 2M", "Normal")
    assert (sampler.parameters["steps"], sampler.parameters["seed"]) == ("20", "2")
    assert sampler.model is not None
    assert sampler.model.name == "nano"
    assert sampler.model.hash == sha256(folders.find("checkpoint", "nano"))[:10]
    if name == "image_to_image":
        assert told.metadata["Denoising strength"] == "0.6"
    if name == "lora_style":
        assert told.metadata["Hashes"].keys() == {"model", "lora:flat"}
