"""Pictures of other programs open as workflows that say the same."""

import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nodeforge.formats import stamp
from nodeforge.formats.comfyui import NotComfyUIError
from nodeforge.formats.parameters.foreign.novelai import weighted
from nodeforge.formats.parameters.foreign.picture_settings import PictureSettings
from nodeforge.formats.parameters.foreign.reading import import_any, settings_of
from nodeforge.formats.parameters.foreign.report import ImportedSettings
from nodeforge.formats.parameters.foreign.settings_workflow import workflow_of
from nodeforge.graph.model import Graph, Input
from nodeforge.models import ModelFolders, sha256
from nodeforge.settings import ModelFolder, Settings, shipped
from nodeforge.spec import Catalogue

CATALOGUE = Catalogue.shipped()
A1111 = (
    "a fox (sharp:1.2) <lora:inks:0.8>, in snow\nat night\n"
    "Negative prompt: blurry,\nlow quality\n"
    "Steps: 28, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 6.5, "
    "Seed: 3735928559, Size: 512x768, Model hash: 0123456789, Model: dreams_v2, "
    "VAE hash: 00aa, VAE: soft.vae.pt, Denoising strength: 0.5, Clip skip: 2, "
    "Hires upscale: 2, Hires steps: 10, Hires upscaler: Latent, "
    'Lora hashes: "inks: 7d1f00aa22bb", ENSD: 31337, Version: v1.10.1'
)
NOVELAI = {
    "prompt": "{fox}, [blurry]",
    "steps": 28,
    "height": 1216,
    "width": 832,
    "scale": 5.0,
    "cfg_rescale": 0.2,
    "seed": 1234567890,
    "noise_schedule": "karras",
    "sampler": "k_euler_ancestral",
    "uc": "lowres",
    "sm": True,
    "request_type": "PromptGenerateRequest",
}
INVOKEAI = {
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "a fox",
    "negative_prompt": "blurry",
    "width": 1024,
    "height": 768,
    "seed": 42,
    "rand_device": "cpu",
    "cfg_scale": 6.0,
    "cfg_rescale_multiplier": 0.0,
    "steps": 30,
    "scheduler": "dpmpp_2m_k",
    "model": {"key": "k", "hash": "blake3:1", "name": "Juggernaut XL", "base": "sdxl"},
    "loras": [{"model": {"key": "l", "name": "inks"}, "weight": 0.75}],
    "seamless_x": True,
    "app_version": "5.6.0",
}
SWARMUI = {
    "sui_image_params": {
        "prompt": "a fox",
        "negativeprompt": "blurry",
        "model": "sdxl/base.safetensors",
        "seed": 7,
        "steps": "20",
        "cfgscale": "7",
        "width": 1024,
        "height": 1024,
        "sampler": "dpmpp_2m",
        "scheduler": "karras",
        "loras": ["inks", "style/flat"],
        "loraweights": ["0.5", "1"],
        "refinerupscale": "1.5",
        "refinercontrolpercentage": "0.4",
        "refinerupscalemethod": "pixel-lanczos",
        "freeuapplyto": "Both",
        "swarm_version": "0.9.5.0",
    }
}
FOOOCUS = {
    "prompt": "a fox",
    "full_prompt": ["a fox, cinematic", "sharp"],
    "negative_prompt": "",
    "full_negative_prompt": ["blurry"],
    "styles": "['Fooocus V2']",
    "performance": "Speed",
    "steps": 30,
    "resolution": "(896, 1152)",
    "guidance_scale": 4.0,
    "sharpness": 2.0,
    "base_model": "juggernautXL_v8",
    "base_model_hash": "aeb7e9e689",
    "refiner_model": "None",
    "refiner_switch": 0.5,
    "clip_skip": 2,
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "vae": "Default (model)",
    "seed": "777",
    "loras": [["sd_xl_offset", 0.1, "4852686128"]],
    "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.5",
}
TEXTS: dict[str, dict[str, str]] = {
    "A1111": {"parameters": A1111},
    "Forge": {"parameters": A1111.replace("v1.10.1", "f2.0.1v1.10.1-previous-1")},
    "InvokeAI": {"invokeai_metadata": json.dumps(INVOKEAI)},
    "SwarmUI": {"parameters": json.dumps(SWARMUI, indent=2)},
    "Fooocus": {"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"},
    "NovelAI": {
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4 37442FCA",
        "Description": "{fox}, [blurry]",
        "Comment": json.dumps(NOVELAI),
    },
}
TOLD: dict[str, dict[str, Any]] = {
    "A1111": {
        "prompt": "a fox (sharp:1.2), in snow\nat night",
        "negative": "blurry,\nlow quality",
        "sampler": "dpmpp_2m_sde",
        "schedule": "karras",
        "steps": 28,
        "guidance": 6.5,
        "seed": 3735928559,
        "width": 512,
        "height": 768,
        "clip_skip": 1,
        "loras": [("inks", 0.8)],
        "hires": (0.5, 10, 2),
        "lost": {"ENSD"},
    },
    "InvokeAI": {
        "prompt": "a fox",
        "negative": "blurry",
        "sampler": "dpmpp_2m",
        "schedule": "karras",
        "steps": 30,
        "guidance": 6.0,
        "seed": 42,
        "width": 1024,
        "height": 768,
        "clip_skip": None,
        "loras": [("inks", 0.75)],
        "hires": None,
        "lost": {"seamless_x"},
    },
    "SwarmUI": {
        "prompt": "a fox",
        "negative": "blurry",
        "sampler": "dpmpp_2m",
        "schedule": "karras",
        "steps": 20,
        "guidance": 7,
        "seed": 7,
        "width": 1024,
        "height": 1024,
        "clip_skip": None,
        "loras": [("inks", 0.5), ("style/flat", 1.0)],
        "hires": (0.4, 8, 1.5),
        "lost": {"freeuapplyto"},
    },
    "Fooocus": {
        "prompt": "a fox, cinematic, sharp",
        "negative": "blurry",
        "sampler": "dpmpp_2m_sde",
        "schedule": "karras",
        "steps": 30,
        "guidance": 4.0,
        "seed": 777,
        "width": 896,
        "height": 1152,
        "clip_skip": None,
        "loras": [("sd_xl_offset", 0.1)],
        "hires": None,
        "lost": {"performance", "sharpness"},
    },
    "NovelAI": {
        "prompt": "(fox:1.05), (blurry:0.95)",
        "negative": "lowres",
        "sampler": "euler_a",
        "schedule": "karras",
        "steps": 28,
        "guidance": 5.0,
        "seed": 1234567890,
        "width": 832,
        "height": 1216,
        "clip_skip": None,
        "loras": [],
        "hires": None,
        "lost": {"sm"},
    },
}
TOLD["Forge"] = TOLD["A1111"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are remembered there."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))


def read(texts: dict[str, str]) -> PictureSettings:
    made = settings_of(texts)
    assert made is not None
    return made


def picture(path: Path, texts: dict[str, str]) -> Path:
    chunks = PngInfo()
    for name, text in texts.items():
        chunks.add_itxt(name, text)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, pnginfo=chunks)
    return path


def of_type(graph: Graph, kind: str) -> list[dict[str, Any]]:
    return [node.values for node in graph.nodes.values() if node.type == kind]


@pytest.mark.parametrize("program", TEXTS)
def test_the_settings_of_a_program_are_understood(program: str):
    made, told = read(TEXTS[program]), TOLD[program]
    assert made.program == program
    names = told.keys() - {"loras", "hires", "lost"}
    assert {name: getattr(made, name) for name in names} == {name: told[name] for name in names}
    assert [(each.name, each.model_weight) for each in made.loras] == told["loras"]
    hires = made.hires and (made.hires.strength, made.hires.steps, made.hires.factor)
    assert hires == told["hires"]
    assert set(made.not_understood) == told["lost"]


@pytest.mark.parametrize("program", TEXTS)
def test_a_picture_of_a_program_opens_as_a_workflow(program: str, tmp_path: Path):
    made = import_any(picture(tmp_path / "p.png", TEXTS[program]), CATALOGUE)
    assert isinstance(made, ImportedSettings)
    graph, told = made.document.graph, TOLD[program]
    texts = {values["text"] for values in of_type(graph, "text.encode") if "text" in values}
    assert texts == {told["prompt"], told["negative"]}
    noise = of_type(graph, "sampling.noise")[0]
    assert (noise["seed"], noise["width"]) == (told["seed"], told["width"])
    assert len(of_type(graph, "models.load_lora")) == len(told["loras"])
    assert len(of_type(graph, "sampling.denoise")) == (2 if told["hires"] else 1)
    report = list(made.report.lines())
    assert program in report[0]
    assert all(any(name in line for line in report) for name in told["lost"])


def test_a_model_is_found_by_its_name_without_its_folder(tmp_path: Path):
    folders = ModelFolders(Settings(home=tmp_path))
    told = read({"parameters": "a <lora:flat:1>\nSteps: 4, Sampler: Euler, Seed: 1, Model: NANO"})
    made = workflow_of(told, CATALOGUE, folders)
    assert made.report.missing == []
    assert of_type(made.document.graph, "models.load")[0]["file"] == "nano"
    assert (
        of_type(made.document.graph, "models.load_lora")[0]["file"] == "nano/lora/flat.safetensors"
    )


def test_a_model_that_is_not_here_is_told(tmp_path: Path):
    made = workflow_of(read(TEXTS["A1111"]), CATALOGUE, ModelFolders(Settings(home=tmp_path)))
    assert ("checkpoint", "dreams_v2") in made.report.missing
    assert of_type(made.document.graph, "models.load")[0]["file"] == "dreams_v2"


def test_the_second_pass_runs_as_many_steps_as_there():
    made = workflow_of(read(TEXTS["A1111"]), CATALOGUE)
    second = made.document.graph.nodes["second_schedule"].values
    assert int(second["steps"] * second["strength"]) == 10


def test_a_picture_to_picture_asks_for_its_source():
    text = (
        "a\nSteps: 20, Sampler: Euler, Seed: 1, Size: 64x64, Denoising strength: 0.4, Mask blur: 4"
    )
    made = workflow_of(read({"parameters": text}), CATALOGUE)
    links = made.document.graph.links
    assert links[Input("denoise", "latent")].node == "encode"
    assert links[Input("denoise", "mask")].node == "mask"
    assert any("Load image" in line for line in made.report.differences)


@pytest.mark.parametrize(
    ("sampler", "schedule"),
    [
        ("DPM++ 2M Karras", "karras"),
        ("DPM++ 2M SDE Heun Exponential", "exponential"),
        ("DPM++ 2M, Schedule type: Automatic", "karras"),
        ("Euler, Schedule type: Automatic", "normal"),
        ("Euler a", "normal"),
        ("LMS, Schedule type: Uniform", "normal"),
    ],
)
def test_schedules_of_all_versions_of_a1111(sampler: str, schedule: str):
    made = read({"parameters": f"a\nSteps: 20, Sampler: {sampler}, Seed: 1, CFG scale: 7"})
    assert made.schedule == schedule
    assert made.not_understood == {}


def test_what_is_no_sampler_of_ours_is_reported():
    made = read({"parameters": "a\nSteps: 20, Sampler: Magic 3, Seed: 1e9999, CFG scale: no"})
    assert made.sampler == "auto"
    assert made.not_understood == {"Sampler": "Magic 3", "CFG scale": "no", "Seed": "1e9999"}


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("{{fox}}", "((fox:1.05):1.05)"),
        ("1.3::fox ::, (x)", r"(fox:1.3), \(x\)"),
        ("{fox", "{fox"),
        ("[a}", "[a}"),
    ],
)
def test_braces_of_novelai(written: str, ours: str):
    assert weighted(written) == ours


def varied() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Thirty settings: values of nodes of *Text to image*, each with something else."""
    samplers = ("euler", "dpmpp_2m", "euler_a", "dpmpp_2m_sde", "unipc", "ddim")
    schedules = ("karras", "beta57", "normal", "ays", "sgm_uniform")
    return [
        (
            {"name": sampler, "convention": ("diffusers", "comfyui")[n % 2]},
            {"name": schedule, "steps": 4 + n},
        )
        for n, (sampler, schedule) in enumerate(itertools.product(samplers, schedules))
    ]


@pytest.mark.parametrize("number", range(30))
def test_thirty_settings_come_back(number: int, tmp_path: Path):
    """A workflow, its summary, the workflow made of that: the summaries agree."""
    sampler, schedule = varied()[number]
    text = (
        f'a fox, no {number} <lora:flat:{number / 10 + 0.1:g}>\nNegative prompt: "b": c, d\n'
        f"Steps: 20, Sampler: Euler, CFG scale: {number / 2 + 1}, Seed: {2**40 + number}, "
        f"Size: {64 + 8 * number}x64, Model: nano, Clip skip: {1 + number % 2}, "
        "Version: NodeForge 0.1.0"
    )
    if number % 3 == 1:
        text += ", Denoising strength: 0.5, Hires resize: 512x512, Hires steps: 4"
        text += f", Hires upscaler: {('Latent (bicubic)', 'Lanczos')[number % 2]}"
    if number % 3 == 2:
        text += ", Denoising strength: 0.35, Mask blur: 0"
    folders = ModelFolders(Settings(home=tmp_path))
    first = workflow_of(read({"parameters": text}), CATALOGUE, folders).document
    first.node("sampler").values.update(sampler)
    first.node("schedule").values.update(schedule)
    written = stamp(first, CATALOGUE, folders.info)["parameters"]
    again = workflow_of(read({"parameters": written}), CATALOGUE, folders)
    assert stamp(again.document, CATALOGUE, folders.info)["parameters"] == written
    assert again.report.not_understood == {}
    assert f"Steps: {4 + number}" in written
    assert f"Seed: {2**40 + number}" in written


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"parameters": ""},
        {"parameters": "just words: and more, of: them"},
        {"parameters": "{"},
        {"parameters": "[1, 2]"},
        {"parameters": '{"sui_image_params": 5}'},
        {"invokeai_metadata": "[]"},
        {"Comment": "{}", "Software": "GIMP"},
        {"parameters": "{" * 100_000},
    ],
)
def test_what_is_none_is_none(texts: dict[str, str]):
    assert settings_of(texts) is None


@pytest.mark.parametrize("program", TEXTS)
def test_damaged_values_are_reported_and_no_error(program: str):
    """Every value in turn becomes something of another kind."""
    for name, text in TEXTS[program].items():
        if not text.startswith("{") or name == "Description":
            continue
        raw = json.loads(text)
        inner = raw.get("sui_image_params", raw)
        for key in list(inner):
            for wrong in (None, [], {}, "x", -1, 1e400, [[1]], {"name": 5}):
                changed = {**inner, key: wrong}
                whole = {"sui_image_params": changed} if inner is not raw else changed
                made = settings_of({**TEXTS[program], name: json.dumps(whole)})
                if made is not None:
                    workflow_of(made, CATALOGUE)


def test_a_picture_without_settings_says_what_it_has(tmp_path: Path):
    with pytest.raises(NotComfyUIError, match="parameters"):
        import_any(picture(tmp_path / "p.png", {"parameters": "hello"}), CATALOGUE)


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_a_comment_of_exif_is_read_in_both_orders_of_bytes(order: str, tmp_path: Path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode(order)
    file = tmp_path / "p.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, exif=exif)
    made = import_any(file, CATALOGUE)
    assert isinstance(made, ImportedSettings)
    assert made.report.program == "A1111"


def test_a_comment_of_fooocus_is_read(tmp_path: Path):
    exif = Image.Exif()
    exif[0x9286] = json.dumps(FOOOCUS)
    file = tmp_path / "p.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, exif=exif)
    made = import_any(file, CATALOGUE)
    assert isinstance(made, ImportedSettings)
    assert made.report.program == "Fooocus"


def test_a_lora_that_was_renamed_is_found_by_its_hash(tmp_path: Path):
    there = tmp_path / "models" / "loras" / "renamed.safetensors"
    there.parent.mkdir(parents=True)
    shutil.copy(shipped("resources") / "models" / "nano" / "lora" / "flat.safetensors", there)
    os.utime(there, (1e9, 1e9))  # a file that may still be written is not remembered
    folder = ModelFolder(str(tmp_path / "models"))
    folders = ModelFolders(Settings(home=tmp_path / "home", model_folders=(folder,)))
    digits = sha256(folders.find("lora", "renamed"), after_header=True)[:12]
    text = A1111.replace("7d1f00aa22bb", digits)
    made = workflow_of(read({"parameters": text}), CATALOGUE, folders)
    (lora,) = of_type(made.document.graph, "models.load_lora")
    assert lora["file"] in ("renamed.safetensors", "nano/lora/flat.safetensors")
    assert ("lora", "inks") not in made.report.missing
