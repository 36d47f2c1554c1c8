"""What the linter knows of videos, beyond one bad and one good workflow for each rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodeforge.formats.shipped.rule_examples import rule_example
from nodeforge.graph.document import Document
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.lint import Problem, Severity, lint
from nodeforge.media import VideoFormat, write_video
from nodeforge.models import ModelFolders
from nodeforge.spec import Catalogue
from support.graphs import graph
from support.problems import serious
from tests.lint.example_models import make_models, motion_module, safetensors

CATALOGUE = Catalogue.shipped()


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> ModelFolders:
    home = tmp_path_factory.mktemp("models")
    made = make_models(home)
    places = motion_module((320, 640, 1280, 1280), frames=24)
    safetensors(home / "models" / "motion_modules" / "motion_v1.safetensors", places)
    xl = motion_module((320, 640, 1280))
    safetensors(home / "models" / "motion_modules" / "motion_xl.safetensors", xl)
    return made


def text_to_video(file: str = "wan21", **values: dict) -> Graph:
    whole = graph(
        {
            "model": Node("models.load", {"file": f"{file}.safetensors"}),
            "prompt": Node("text.encode", {"text": "a lighthouse at dusk"}),
            "noise": Node("sampling.video_noise", {"seed": 7}),
            "denoise": Node("sampling.denoise"),
            "decode": Node("latent.decode_video"),
            "save": Node("video.save"),
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


def with_motion(file: str = "motion_v2", model: str = "sd15", **values: object) -> Graph:
    whole = text_to_video(model)
    given = {"file": f"{file}.safetensors", **values}
    whole.nodes["motion"] = Node("models.load_motion_module", given)
    whole.links[Input("motion", "model")] = Output("model", "model")
    whole.links[Input("denoise", "model")] = Output("motion", "model")
    return whole


def codes(whole: Graph, models: ModelFolders, pictures=None) -> set[str]:
    return {each.code for each in found(whole, models, pictures)}


def found(whole: Graph, models: ModelFolders, pictures=None) -> list[Problem]:
    return lint(Document(whole), CATALOGUE, models, pictures=pictures)


@pytest.mark.parametrize(
    "whole",
    [
        text_to_video(),
        text_to_video(noise={"frames": 1}),
        text_to_video(noise={"frames": 33, "width": 832, "height": 480}),
        text_to_video(noise={"frames": 121, "width": 1280, "height": 720}),
        text_to_video(noise={"width": 480, "height": 832}, decode={"rate": 24.0}),
        text_to_video("wan2.2_t2v_high_noise"),
        with_motion(),
        with_motion("motion_v1", context=24),
        with_motion(context=8, overlap=2),
        rule_example("NF906")[1].graph,  # pyright: ignore[reportOptionalSubscript]
        rule_example("NF907")[1].graph,  # pyright: ignore[reportOptionalSubscript]
    ],
)
def test_usual_videos_are_quiet(whole: Graph, models: ModelFolders):
    assert found(whole, models) == []


@pytest.mark.parametrize(
    ("frames", "code"),
    [(2, "NF901"), (80, "NF901"), (82, "NF901"), (5, "NF902"), (241, "NF902"), (81, "")],
)
def test_frames_are_those_that_can_be_coded_and_were_trained_on(frames, code, models):
    told = codes(text_to_video(noise={"frames": frames}), models)
    assert (code in told) if code else not told


def test_frames_of_a_calculation_count(models):
    whole = text_to_video()
    whole.nodes["count"] = Node("values.expression", {"formula": "a * 16", "a": 5})
    whole.links[Input("noise", "frames")] = Output("count", "whole")
    assert "NF901" in codes(whole, models)
    whole.nodes["count"].values["formula"] = "a * 16 + 1"
    assert codes(whole, models) == set()


def test_the_fix_is_the_nearest_number_of_frames(models):
    document = Document(text_to_video(noise={"frames": 83}))
    problem = next(each for each in lint(document, CATALOGUE, models) if each.code == "NF901")
    assert problem.fix is not None
    document.perform(problem.fix)
    assert document.node("noise").values["frames"] == 81


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A video of 20 frames."""
    file = tmp_path_factory.mktemp("clips") / "clip.mkv"
    frames = np.zeros((20, 32, 32, 3), np.uint8)
    write_video(file, frames, 8.0, VideoFormat.MKV)
    return file


def video_to_video(**load: object) -> Graph:
    whole = text_to_video()
    sides = {"width": 832, "height": 480}
    whole.nodes["load"] = Node("video.load", {"file": "clip.mkv", **sides, **load})
    whole.nodes["encode"] = Node("latent.encode_video")
    whole.nodes["schedule"] = Node("sampling.schedule", {"strength": 0.6})
    whole.links |= {
        Input("encode", "video"): Output("load", "video"),
        Input("encode", "vae"): Output("model", "vae"),
        Input("denoise", "latent"): Output("encode", "latent"),
        Input("denoise", "schedule"): Output("schedule", "schedule"),
    }
    return whole


@pytest.mark.parametrize(
    ("load", "severity"),
    [
        ({}, Severity.WARNING),
        ({"most": 17}, None),
        ({"most": 16}, Severity.ERROR),
        ({"every": 4}, None),
        ({"every": 2}, Severity.WARNING),
        ({"most": 200}, Severity.WARNING),
        ({"start": 1.0}, None),
        ({"rate": 16.0}, None),
    ],
)
def test_a_clip_has_frames_that_can_be_coded_as_far_as_that_is_known(load, severity, models, clip):
    pictures = {"clip.mkv": clip}.get
    whole = found(video_to_video(**load), models, pictures)
    told = [each.severity for each in whole if each.code == "NF901"]
    assert told == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("start", "end", "told"), [(0, 17, False), (0, 16, True), (3, 20, False), (0, -1, False)]
)
def test_a_trimmed_clip_is_counted(start, end, told, models, clip):
    whole = video_to_video()
    values = {"start": start, "end": end, "unit": "frames"}
    whole.nodes["trim"] = Node("video.trim", values)
    whole.links[Input("trim", "video")] = Output("load", "video")
    whole.links[Input("encode", "video")] = Output("trim", "video")
    assert ("NF901" in codes(whole, models, {"clip.mkv": clip}.get)) is told


@pytest.mark.parametrize(
    ("file", "values", "port"),
    [
        ("motion_v1", {"context": 25}, "context"),
        ("motion_v2", {"context": 33}, "context"),
        ("motion_v2", {"context": 8, "overlap": 8}, "overlap"),
        ("motion_v2", {"context": 16, "overlap": 20}, "overlap"),
    ],
)
def test_windows_are_those_that_a_motion_module_knows(file, values, port, models):
    told = [each for each in found(with_motion(file, **values), models) if each.code == "NF903"]
    assert [each.port for each in told] == [port]
    assert told[0].severity is Severity.ERROR


def test_a_motion_module_is_of_the_models_family(models):
    """NF701 says it, by the headers."""
    assert "NF701" in codes(with_motion("motion_xl"), models)
    assert "NF701" in codes(with_motion("motion_v2", "sdxl"), models)
    assert "NF701" not in codes(with_motion("motion_xl", "sdxl"), models)


def test_long_clips_go_through_windows(models):
    whole = with_motion()
    whole.nodes["noise"].values["frames"] = 96
    assert found(whole, models) == []


@pytest.mark.parametrize("made", [text_to_video, with_motion])
def test_noise_of_a_picture_makes_no_clip_of_ones_own_length(made, models):
    whole = made()
    whole.nodes["noise"].type = "sampling.noise"
    assert codes(whole, models) == {"NF904"}


def test_noise_of_a_video_makes_one_picture(models):
    whole = text_to_video("sd15")
    whole.nodes["decode"].type, whole.nodes["save"].type = "latent.decode", "image.save"
    del whole.links[Input("save", "video")]
    whole.links[Input("save", "image")] = Output("decode", "image")
    assert codes(whole, models) == {"NF904"}


@pytest.mark.parametrize("kind", ["latent.upscale", "latent.repeat"])
def test_latents_of_videos_and_pictures_are_told_apart_behind_others(kind, models):
    whole = text_to_video("sd15")
    whole.nodes["noise"].type = "sampling.noise"
    whole.nodes["more"] = Node(kind)
    whole.links[Input("more", "latent")] = Output("denoise", "latent")
    whole.links[Input("decode", "latent")] = Output("more", "latent")
    assert {each.node for each in found(whole, models) if each.code == "NF905"} == {"decode"}


def test_a_picture_is_no_start_for_a_video_nor_a_video_for_a_picture(models):
    whole = video_to_video()
    whole.nodes["load"] = Node("image.load", {"file": "picture.png"})
    whole.nodes["encode"] = Node("latent.encode")
    del whole.links[Input("encode", "video")]
    whole.links[Input("encode", "image")] = Output("load", "image")
    told = [each for each in found(whole, models) if each.code == "NF905"]
    assert [(each.node, each.port) for each in told] == [("denoise", "latent")]
    assert told[0].severity is Severity.ERROR


def test_guidance_for_low_noise_needs_a_second_expert(models):
    bad, good = (each.graph for each in rule_example("NF906"))  # pyright: ignore
    assert codes(bad, models) == {"NF906"}
    for name in ("wan2.2_t2v_high_noise", "wan21"):
        good.nodes["model"].values["file"] = f"{name}.safetensors"
        assert ("NF906" in codes(good, models)) is (name == "wan21")
    good.nodes["model"].values["low_noise"] = "wan2.2_t2v_low_noise.safetensors"
    assert "NF906" not in codes(good, models)


def one_expert(name: str, **values: object) -> Graph:
    whole: Graph = rule_example("NF907")[0].graph  # pyright: ignore
    whole.nodes["high"].values["file"] = f"wan2.2_t2v_{name}_noise.safetensors"
    whole.nodes["denoise"].values |= values
    return whole


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("high", {}, True),
        ("low", {}, True),
        ("high", {"stop_at": 20}, False),
        ("low", {"start_at": 20}, False),
    ],
)
def test_an_expert_runs_its_part_of_the_steps(name, values, told, models):
    assert ("NF907" in codes(one_expert(name, **values), models)) is told


@pytest.mark.parametrize(
    ("shift", "told"), [(3.0, False), (5.0, False), (8.0, False), (1.0, True), (0.1, True)]
)
def test_a_shift_of_wan_is_its_schedulers_or_comfyuis(shift, told, models):
    whole = text_to_video()
    whole.nodes["shift"] = Node("models.flow_shift", {"shift": shift})
    whole.links[Input("shift", "model")] = Output("model", "model")
    whole.links[Input("denoise", "model")] = Output("shift", "model")
    assert ("NF317" in codes(whole, models)) is told


@pytest.mark.parametrize(
    ("sides", "code"),
    [((128, 128), "NF503"), ((2048, 1152), "NF504"), ((832, 480), ""), ((832, 484), "NF501")],
)
def test_sizes_are_those_of_videos(sides, code, models):
    whole = text_to_video(noise={"width": sides[0], "height": sides[1]})
    told = found(whole, models)
    assert {each.code for each in told} == ({code} if code else set())
    assert all("832 × 480" in each.fact for each in told if each.code in ("NF503", "NF504"))


def refined(**schedule: object) -> Graph:
    """A detail pass over a picture."""
    whole = graph(
        {
            "model": Node("models.load", {"file": "sdxl.safetensors"}),
            "prompt": Node("text.encode", {"text": "a face"}),
            "picture": Node("image.load", {"file": "picture.png"}),
            "mask": Node("mask.load", {"file": "mask.png"}),
            "refine": Node("sampling.refine_regions"),
            "save": Node("image.save"),
        },
        "model.text_encoder > prompt.text_encoder",
        "model.model > refine.model",
        "model.vae > refine.vae",
        "prompt.conditioning > refine.positive",
        "picture.image > refine.image",
        "mask.mask > refine.mask",
        "refine.image > save.image",
    )
    if schedule:
        whole.nodes["schedule"] = Node("sampling.schedule", schedule)
        whole.links[Input("refine", "schedule")] = Output("schedule", "schedule")
    return whole


def test_a_detail_pass_is_a_loop(models):
    """Its steps, strength and guidance are looked at; what it does itself is not asked for."""
    assert serious(found(refined(), models)) == []
    assert codes(refined(), models).isdisjoint({"NF510", "NF512"})
    told = {each.rule for each in found(refined(steps=20, strength=0.05), models)}
    assert "faint_strength" in told
    whole = refined(steps=20, strength=0.5)
    whole.nodes["guidance"] = Node("sampling.guidance", {"scale": 30.0})
    whole.links[Input("refine", "guidance")] = Output("guidance", "guidance")
    assert "guidance_too_high" in {each.rule for each in found(whole, models)}
