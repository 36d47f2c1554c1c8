"""Every shipped workflow opens, lints clean, is written as we write, and runs on nano."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_transformers
from PIL import Image

from benchmarks.reuse import another_ending
from nodeforge import media, models
from nodeforge.engine import events
from nodeforge.formats import WrongShapeError, load, needed_models, write
from nodeforge.formats.parameters import parameters
from nodeforge.formats.workflow import document_from_json
from nodeforge.lint import lint
from nodeforge.settings import Settings, save_settings, shipped
from nodeforge.spec import Catalogue
from support.command_line import WORKFLOWS, workflow
from support.problems import serious
from support.processes import Watched

FILES = sorted(WORKFLOWS.glob("*.json"))
NAMES = [file.stem for file in FILES]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    save_settings(settings)
    made = Watched(settings)
    yield made
    made.close()


def run(watched: Watched, raw: dict[str, Any], **options: Any) -> events.RunFinished:
    last = watched.run({"nodes": raw["nodes"], "links": raw["links"]}, **options)
    assert isinstance(last, events.RunFinished), last
    return last


def computed(watched: Watched) -> set[str]:
    return {event.node for event in watched.told(events.Finished)}


def test_the_workflows_that_the_readme_names_are_there():
    assert {
        "text_to_image", "image_to_image", "inpaint", "two_pass_upscale", "compare_samplers",
        "controlnet_edges", "lora_style",
    } <= set(NAMES)  # fmt: skip


NEEDING = sorted((WORKFLOWS / "with_models").glob("*.json"))
"""Workflows for models that a person has."""


@pytest.mark.parametrize("file", NEEDING, ids=lambda file: file.stem)
def test_a_workflow_for_a_model_of_yours_lacks_nothing_but_that(file: Path, tmp_path: Path):
    document = load(file)
    assert write(document) == file.read_bytes()
    needed = needed_models(document)
    assert needed
    for each in needed:
        assert each.kind in {*models.Kind}
        assert each.family in models.FAMILIES
        assert each.size > 1e8
        assert each.licence
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    found = serious(lint(document, catalogue, models.ModelFolders(Settings(home=tmp_path))))
    assert {each.rule for each in found} <= {"missing_inputs", "missing_models"}
    assert {document.node(each.node).type.partition(".")[0] for each in found} == {"models"}


def test_what_a_workflow_needs_is_checked():
    document = load(NEEDING[0])
    for wrong in (
        {},
        ["nano"],
        [{"kind": "checkpoint"}],
        [{**document.extra["needs"][0], "size": "1"}],
    ):
        document.extra["needs"] = wrong
        with pytest.raises(WrongShapeError, match="needs"):
            needed_models(document)


EDITS = {
    "edit_with_references": "model",
    "canvas_layers": "layers_model",
}
"""Workflows for a model that the person has and that is shown pictures, with its loader."""


@pytest.fixture(scope="module")
def editors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small random model for each of them, as different as their kinds are."""
    root = tmp_path_factory.mktemp("editors")
    several = root / "flux2_klein"
    tiny_transformers.PIPELINES["flux2_klein"]().save_pretrained(several)
    apart = root / "layered"
    tiny_transformers.qwen_image_layered(3).save_pretrained(apart)
    return {"edit_with_references": several, "canvas_layers": apart}


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_a_workflow_is_clean_and_canonical(file: Path, tmp_path: Path, editors: dict[str, Path]):
    document = load(file)
    assert write(document) == file.read_bytes()
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    granted = []
    if loader := EDITS.get(file.stem):
        granted = [editors[file.stem]]
        document.node(loader).values["file"] = str(editors[file.stem])
    folders = models.ModelFolders(Settings(home=tmp_path))
    assert serious(lint(document, catalogue, folders, granted=granted)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_makes_a_picture_that_is_not_flat(
    watched: Watched, name: str, editors: dict[str, Path]
):
    raw, options = workflow(name), {}
    for node in raw["nodes"].values():
        if "steps" in node.get("values", {}):
            node["values"]["steps"] = 4
        if node["type"] == "text.instruct":
            node["values"]["size"] = "original"
    if loader := EDITS.get(name):
        raw["nodes"][loader]["values"] = {"file": str(editors[name])}
        raw["nodes"]["schedule"]["values"]["steps"] = 2
        options["granted"] = [str(editors[name])]
    (path,) = run(watched, raw, **options).outputs
    if path.endswith(".mp4"):
        assert all(frame.std() > 5 for frame in media.read_video(Path(path)).frames)
    else:
        assert np.asarray(Image.open(path)).std() > 5


def test_text_to_audio_makes_a_sound_of_the_length_asked_for(watched: Watched, tmp_path: Path):
    """On a small random model of 8000 samples a second."""
    tiny_transformers.stable_audio(cells=256, rate=8000).save_pretrained(tmp_path)
    raw = workflow("with_models/text_to_audio")
    raw["nodes"]["model"]["values"]["file"] = str(tmp_path)
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    folders = models.ModelFolders(Settings(home=tmp_path))
    assert serious(lint(document_from_json(raw), catalogue, folders, granted=[tmp_path])) == []
    raw["nodes"]["noise"]["values"]["seconds"] = 0.1
    raw["nodes"]["schedule"]["values"]["steps"] = 2
    (path,) = run(watched, raw, granted=[str(tmp_path)]).outputs
    sound = media.read_audio(Path(path))
    assert sound.samples.shape == (2, 800)
    assert sound.samples.std() > 0


def test_text_to_song_makes_a_song_of_the_length_asked_for(watched: Watched, tmp_path: Path):
    """On a small random model of 8000 samples a second."""
    tiny_transformers.ace_step(rate=8000).save_pretrained(tmp_path)
    raw = workflow("with_models/text_to_song")
    raw["nodes"]["model"]["values"]["file"] = str(tmp_path)
    catalogue = Catalogue.read(shipped("resources") / "catalogue.json")
    folders = models.ModelFolders(Settings(home=tmp_path))
    assert serious(lint(document_from_json(raw), catalogue, folders, granted=[tmp_path])) == []
    raw["nodes"]["length"]["values"]["value"] = 1.0
    raw["nodes"]["schedule"]["values"]["steps"] = 2
    (path,) = run(watched, raw, granted=[str(tmp_path)]).outputs
    sound = media.read_audio(Path(path))
    assert sound.samples.shape == (2, 8000)
    assert abs(sound.samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)


def short(seed: int = 1) -> dict[str, Any]:
    raw = workflow()
    raw["nodes"]["noise"]["values"]["seed"] = seed
    raw["nodes"]["noise"]["values"]["width"] = 128
    raw["nodes"]["noise"]["values"]["height"] = 128
    return raw


def test_another_seed_encodes_no_text_and_loads_nothing(watched: Watched):
    run(watched, short(seed=1))
    assert run(watched, short(seed=2)).model_calls == 20
    assert computed(watched) == {"noise", "denoise", "decode", "save"}


def test_text_to_image_needs_six_nodes(watched: Watched):
    """What nothing is linked to is the model's own: no step is made anew, and no pixel differs."""
    raw = short(seed=5)
    (first,) = run(watched, raw).outputs
    for name in ("sampler", "schedule", "guidance", "negative"):
        del raw["nodes"][name]
        raw["links"] = {end: at for end, at in raw["links"].items() if not at.startswith(name)}
    assert len(raw["nodes"]) == 6
    again = run(watched, raw)
    assert again.model_calls == 0
    (second,) = again.outputs
    one, other = Image.open(first), Image.open(second)
    assert np.array_equal(np.asarray(one), np.asarray(other))
    graph = document_from_json(raw).graph
    folders = models.ModelFolders(watched.settings)
    told = parameters(graph, Catalogue.shipped(), folders.info)
    assert "Steps: 20, Sampler: DPM++ 2M, Schedule type: Normal, CFG scale: 3" in told


def test_a_change_from_step_15_on_runs_five_steps(watched: Watched):
    raw = short(seed=3)
    run(watched, raw)
    raw = another_ending(raw)
    assert run(watched, raw).model_calls == 5
    raw["nodes"]["other"]["values"]["text"] = "a green apple"
    assert run(watched, raw).model_calls == 5


def test_the_same_run_in_a_new_process_calls_and_loads_nothing(watched: Watched):
    raw = short(seed=4)
    run(watched, raw)
    again = Watched(watched.settings)
    watched.client.close()  # it has written its cache now
    again.run({"nodes": {}, "links": {}})  # the worker is up
    last = run(again, raw)
    again.close()
    assert last.model_calls == 0
    assert computed(again) == {"save"}
    assert last.seconds < 1


def test_each_picture_of_a_batch_can_be_made_again_alone(watched: Watched):
    batch = short(seed=7)
    batch["nodes"]["noise"]["values"]["batch"] = 3
    together = run(watched, batch).outputs
    (alone,) = run(watched, short(seed=9)).outputs
    third, single = (np.asarray(Image.open(path), dtype=int) for path in (together[2], alone))
    assert abs(third - single).max() <= 1  # kernels for other batch sizes add in another order
