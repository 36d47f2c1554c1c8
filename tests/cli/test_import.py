"""`nodeforge import` as a person uses it, and what it brings in, run on nano."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from support.comfyui import WorkflowBuilder, sampler_values, text_to_image
from support.command_line import CommandHere, workflow


def write_json(path: Path, raw: Any) -> Path:
    path.write_text(json.dumps(raw), "utf-8")
    return path


def pixels(in_process: Any, file: Path) -> np.ndarray:
    done = in_process("run", file)
    assert done.code == 0, done.err
    (path,) = done.out.splitlines()
    return np.asarray(Image.open(path))


def imported(here: CommandHere, file: Path) -> Path:
    done = here("import", file)
    assert done.code == 0, done.err
    return Path(done.out.strip())


def image_to_image() -> WorkflowBuilder:
    workflow = text_to_image(denoise=0.5, steps=3)
    picture = workflow.add("LoadImage", {"image": "fox.png", "upload": "image"})
    small = workflow.add(
        "ImageScale",
        {"upscale_method": "lanczos", "width": 256, "height": 256, "crop": "center"},
        image=(picture, 0),
    )
    workflow.nodes[4].links["latent_image"] = (
        workflow.add("VAEEncode", pixels=(small, 0), vae=(1, 2)),
        0,
    )
    return workflow


def inpaint() -> WorkflowBuilder:
    workflow = image_to_image()
    read = {"image": "fox_mask.png", "channel": "red", "upload": "image"}
    mask = workflow.add("LoadImageMask", read)
    masked = workflow.add(
        "SetLatentNoiseMask", samples=workflow.nodes[4].links["latent_image"], mask=(mask, 0)
    )
    workflow.nodes[4].links["latent_image"] = (masked, 0)
    return workflow


def own(name: str, **values: dict[str, Any]) -> dict[str, Any]:
    """A shipped workflow by hand: with the prompt, the sampler and the values of the workflow."""
    raw = workflow(name)
    given = {"prompt": {"text": "a red apple"}, "negative": {"text": "blurry"}}
    given |= {
        "noise": {"seed": 5},
        "guidance": {"scale": 5.0},
        "sampler": {"name": "dpmpp_2m", "convention": "comfyui"},
    }
    for node, changed in {**given, **values}.items():
        raw["nodes"][node].setdefault("values", {}).update(changed)
    return raw


def own_inpaint() -> dict[str, Any]:
    raw = own("image_to_image", schedule={"name": "normal", "steps": 6, "strength": 0.5})
    raw["nodes"]["mask"] = {"type": "mask.load", "values": {"file": "fox_mask.png"}}
    raw["links"]["denoise.mask"] = "mask.mask"
    return raw


def own_text_to_image() -> dict[str, Any]:
    return own("text_to_image", schedule={"name": "normal", "steps": 3})


def own_image_to_image() -> dict[str, Any]:
    return own("image_to_image", schedule={"name": "normal", "steps": 6, "strength": 0.5})


@pytest.mark.parametrize(
    ("workflow", "by_hand"),
    [
        (text_to_image(steps=3), own_text_to_image),
        (image_to_image(), own_image_to_image),
        (inpaint(), own_inpaint),
    ],
    ids=["text to image", "image to image", "inpaint"],
)
def test_an_imported_workflow_makes_the_bits_of_one_made_by_hand(
    here: CommandHere, in_process: Any, tmp_path: Path, workflow: WorkflowBuilder, by_hand: Any
):
    brought = imported(here, write_json(tmp_path / "comfy.json", workflow.ui()))
    hand = write_json(tmp_path / "hand.json", by_hand())
    assert np.array_equal(pixels(in_process, brought), pixels(in_process, hand))


def test_the_report_names_what_is_missing_and_what_differs(here: CommandHere, tmp_path: Path):
    workflow = text_to_image("gone.safetensors", scheduler="bong_tangent", seed=2**64 - 1)
    workflow.add("StyleModelLoader", {"style_model_name": "redux.safetensors"})
    file = write_json(tmp_path / "comfy.json", workflow.api())
    done = here("import", file, "-o", tmp_path / "made.json")
    assert (done.code, done.out.strip()) == (0, str(tmp_path / "made.json"))
    for words in ("StyleModelLoader", "bong_tangent", "beyond ours", "gone.safetensors"):
        assert words in done.err
    told = here("import", file, "-o", tmp_path / "made.json", "--json")
    report = json.loads(told.out)
    assert [each["class"] for each in report["converted"] if "missing" in each] == [
        "StyleModelLoader"
    ]
    assert {problem["rule"] for problem in report["problems"]} >= {"ranges", "missing_models"}


def test_nothing_is_overwritten_unless_it_is_named(here: CommandHere, tmp_path: Path):
    file = write_json(tmp_path / "comfy.json", text_to_image().ui())
    first = imported(here, file)
    again = here("import", file)
    assert (again.code, "is there already" in again.err) == (2, True)
    assert here("import", file, "-o", first).code == 0
    same = here("import", file, "-o", file)
    assert (same.code, "is the file that is imported" in same.err) == (2, True)


def png(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def test_a_picture_that_comfyui_saved_is_imported(here: CommandHere, tmp_path: Path):
    workflow = text_to_image()
    broken = {"is_changed": [float("nan")]}
    api = {**workflow.api(), "99": {"class_type": "PreviewImage", "inputs": broken}}
    file = png(tmp_path / "a.png", workflow=json.dumps(workflow.ui()), prompt=json.dumps(api))
    made = json.loads(imported(here, file).read_text("utf-8"))
    assert made["nodes"]["denoise"]["type"] == "sampling.denoise"
    assert made["view"]["positions"]


@pytest.mark.parametrize("ending", ["webp", "jpg"])
def test_a_picture_whose_exif_carries_it_is_imported(
    here: CommandHere, tmp_path: Path, ending: str
):
    workflow, exif = text_to_image(), Image.Exif()
    exif[0x010F] = f"workflow:{json.dumps(workflow.ui())}"
    exif[0x0110] = f"prompt:{json.dumps(workflow.api())}"
    file = tmp_path / f"a.{ending}"
    Image.new("RGB", (8, 8)).save(file, exif=exif)
    made = json.loads(imported(here, file).read_text("utf-8"))
    assert made["nodes"]["noise"]["values"]["seed"] == 5
    assert made["view"]["positions"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.json", '{"3": {"class_type"', "ends too early"),
        ("list.json", "[1, 2]", "is not a JSON object"),
        ("other.json", '{"a": {"b": 1}}', "holds no workflow of ComfyUI"),
        ("ours.json", '{"format": 1, "nodes": {}}', "is a workflow of NodeForge: open it"),
        ("empty.json", "", "is not JSON"),
        ("binary.json", b"\xff\xfe\x00", "is not text in UTF-8"),
        ("damaged.png", b"\x89PNG\r\n\x1a\n\x00\x00", "is a picture without a workflow"),
    ],
)
def test_what_holds_no_workflow_is_refused_with_a_reason(
    here: CommandHere, tmp_path: Path, name: str, content: str | bytes, words: str
):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = here("import", file)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert name in done.err
    assert list(tmp_path.glob("*.nodeforge.json")) == []


def test_a_picture_of_another_program_is_refused(here: CommandHere, tmp_path: Path):
    done = here("import", png(tmp_path / "a.png", parameters="a fox in 20 steps"))
    assert done.code == 2
    assert "Its metadata: parameters" in done.err


def test_what_a_run_would_refuse_is_told_when_it_is_imported(here: CommandHere, tmp_path: Path):
    values = sampler_values(sampler_name="rk_beta")
    workflow = text_to_image()
    workflow.nodes[4].values = values
    done = here("import", write_json(tmp_path / "comfy.json", workflow.ui()))
    assert "There is no sampler 'rk_beta' here" in done.err


def test_a_picture_of_a1111_becomes_a_workflow_that_runs(here, in_process, tmp_path):
    """And what that saves says the same, in A1111's words, with hashes."""
    told = PngImagePlugin.PngInfo()
    told.add_text(
        "parameters",
        "a fox <lora:flat:0.5>\nNegative prompt: blurry\nSteps: 2, Sampler: Euler a, "
        "Schedule type: Karras, CFG scale: 3.0, Seed: 7, Size: 64x64, Model: nano, ENSD: 31337, "
        "Version: v1.10.1",
    )
    file = tmp_path / "p.png"
    Image.new("RGB", (8, 8)).save(file, pnginfo=told)
    refused = here("run", file)
    assert "nodeforge import 'p.png'" in refused.err
    done = here("import", file)
    assert "Settings of A1111 became" in done.err
    assert "ENSD: 31337" in done.err
    assert "To mend" not in done.err
    ran = in_process("run", Path(done.out.strip()))
    assert ran.code == 0, ran.err
    lines = Image.open(ran.out.strip()).info["parameters"].split("\n")
    assert lines[:2] == ["a fox <lora:flat:0.5>", "Negative prompt: blurry"]
    assert "Sampler: Euler a, Schedule type: Karras, CFG scale: 3.0, Seed: 7, " in lines[2]
    assert re.search(r'Model hash: [0-9a-f]{10}, Model: nano, .*Lora hashes: "flat: ', lines[2])
