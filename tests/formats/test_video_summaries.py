"""What saved videos, the inspector and the queue say of a loop that draws videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodeforge.engine.queue.expected_files import expected_files
from nodeforge.engine.sweeps.exploration import estimates_of, seeds_of
from nodeforge.formats.parameters import parameters
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.models import ModelInfo
from nodeforge.models.detection.info import Kind, Layout
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.auto_values import auto_values
from support.graphs import graph

CATALOGUE = Catalogue.shipped()


def text_to_video(**values: dict) -> Graph:
    whole = graph(
        {
            "model": Node("models.load", {"file": "model.safetensors"}),
            "prompt": Node("text.encode", {"text": "a fox"}),
            "noise": Node("sampling.video_noise", {"seed": 7}),
            "denoise": Node("sampling.denoise"),
            "decode": Node("latent.decode_video"),
            "save": Node("video.save", {"prefix": "fox"}),
        },
        "model.text_encoder > prompt.text_encoder",
        "model.model > denoise.model",
        "prompt.conditioning > denoise.positive",
        "noise.noise > denoise.noise",
        "model.vae > decode.vae",
        "denoise.latent > decode.latent",
        "decode.video > save.video",
    )
    for name, more in values.items():
        whole.nodes[name].values |= more
    return whole


def with_motion(**values: object) -> Graph:
    whole = text_to_video()
    whole.nodes["motion"] = Node("models.load_motion_module", {"file": "mm.st", **values})
    whole.links[Input("motion", "model")] = Output("model", "model")
    whole.links[Input("denoise", "model")] = Output("motion", "model")
    return whole


def of_family(family: str, variant: str = ""):
    info = ModelInfo(Path("model"), Kind.CHECKPOINT, family, Layout.OTHER, variant=variant)
    return lambda kind, name: info


@pytest.mark.parametrize(
    ("whole", "family", "size", "frames"),
    [
        (text_to_video(), "wan21", "832x480", "81"),
        (text_to_video(), "wan22_5b", "1280x704", "121"),
        (text_to_video(noise={"frames": 33, "width": 480}), "wan21", "480x480", "33"),
        (with_motion(), "sd15", "512x512", "16"),
        (with_motion(context=24), "sd15", "512x512", "24"),
    ],
)
def test_a_video_says_its_size_and_frames(whole: Graph, family: str, size: str, frames: str):
    told = parameters(whole, CATALOGUE, of_family(family)).splitlines()[-1]
    assert "Seed: 7" in told
    assert f"Size: {size}" in told
    assert f"Frames: {frames}" in told
    assert "Model: model," in told


def test_of_a_model_that_is_not_known_a_video_says_what_is_given():
    whole = text_to_video(noise={"frames": 9})
    told = parameters(whole, CATALOGUE).splitlines()[-1]
    assert "Seed: 7" in told
    assert "Frames" not in parameters(text_to_video(), CATALOGUE)
    whole.nodes["sampler"] = Node("sampling.sampler", {"name": "unipc"})
    whole.nodes["schedule"] = Node("sampling.schedule", {"name": "normal", "steps": 4})
    whole.nodes["guidance"] = Node("sampling.guidance", {"scale": 5.0})
    for name in ("sampler", "schedule", "guidance"):
        whole.links[Input("denoise", name)] = Output(name, name)
    whole.nodes["noise"].values |= {"width": 64, "height": 64}
    assert "Size: 64x64, Frames: 9" in parameters(whole, CATALOGUE)


def test_a_picture_says_no_frames():
    whole = text_to_video()
    whole.nodes["noise"].type = "sampling.noise"
    assert "Frames" not in parameters(whole, CATALOGUE, of_family("sd15"))


@pytest.mark.parametrize(
    ("whole", "family", "auto"),
    [
        (text_to_video(), "wan21", {"width": "832", "height": "480", "frames": "81"}),
        (with_motion(context=8), "sd15", {"width": "512", "height": "512", "frames": "8"}),
    ],
)
def test_the_inspector_says_what_is_left_to_the_model(whole: Graph, family: str, auto: dict):
    assert auto_values(Document(whole), CATALOGUE, of_family(family))["noise"] == auto


@pytest.mark.parametrize(
    ("values", "count", "names"),
    [
        ({}, 1, ["fox_00001.mp4"]),
        ({"format": "webm", "prefix": "a/b"}, 1, ["a/b_00001.webm"]),
        ({"format": "png sequence"}, None, []),
        ({"prefix": "x_{width}"}, 1, []),
        ({"prefix": "{nothing}"}, 1, []),
        ({"format": "avi"}, None, []),
    ],
)
def test_the_file_of_a_video_is_known_before_the_run(values, count, names):
    (found,) = expected_files(text_to_video(save=values), CATALOGUE, [], {}).values()
    assert found.count == count
    assert [path.as_posix() for path in found.names] == names


def test_estimates_of_videos_are_videos():
    whole = text_to_video(decode={"tiled": True, "rate": 8.0})
    made = estimates_of(whole, CATALOGUE, 0.3)
    save, loop = made.graph.nodes[made.saves[0]], made.graph.nodes[made.loops[0]]
    assert (save.type, loop.type) == ("video.save", "sampling.estimate")
    decode = made.graph.nodes[made.graph.links[Input(made.saves[0], "video")].node]
    assert (decode.type, decode.values) == ("latent.decode_video", {"tiled": True, "rate": 8.0})


def test_candidates_of_a_video_are_told_apart_by_its_noise():
    assert [each.name for each in seeds_of(Document(text_to_video()), CATALOGUE)] == ["noise.seed"]


def refined(**links: str) -> Graph:
    return graph(
        {
            "model": Node("models.load", {"file": "model.safetensors"}),
            "prompt": Node("text.encode", {"text": "a face"}),
            "picture": Node("image.load", {"file": "picture.png"}),
            "mask": Node("mask.load", {"file": "mask.png"}),
            "schedule": Node("sampling.schedule", {"name": "karras", "steps": 12, "strength": 0.3}),
            "refine": Node("sampling.refine_regions", {"seed": 11}),
            "save": Node("image.save"),
        },
        "model.model > refine.model",
        "model.vae > refine.vae",
        "model.text_encoder > prompt.text_encoder",
        "prompt.conditioning > refine.positive",
        "picture.image > refine.image",
        "mask.mask > refine.mask",
        "refine.image > save.image",
        *links.values(),
    )


def test_a_detail_pass_says_its_settings_but_not_the_size_of_its_parts():
    told = parameters(refined(), CATALOGUE, of_family("sd15"))
    assert told.startswith("a face\n")
    assert "Seed: 11" in told
    assert "Denoising strength: 0.5" in told
    assert "Size" not in told
    linked = refined(schedule="schedule.schedule > refine.schedule")
    told = parameters(linked, CATALOGUE, of_family("sd15"))
    assert "Steps: 12" in told
    assert "Denoising strength: 0.3" in told


def test_the_inspector_says_what_a_detail_pass_leaves_to_the_model():
    told = auto_values(Document(refined()), CATALOGUE, of_family("sd15"))["refine"]
    assert told["size"] == "512"
    assert told["guidance"] == "7"
