"""The shipped workflow with transformer families makes their pipelines' pictures to the bit.

From a diffusers folder, and from the files that people have: the denoiser alone in its authors'
names, with its text encoders and VAE found beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_layered
from PIL import Image as Pillow
from safetensors.torch import load_file
from torch import nn

from nodeforge import diffusion
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.engine import events
from nodeforge.engine.cache import MemoryTier, ResultCache
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.session import Session
from nodeforge.formats import load
from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.document import Document
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.planned import flatten_with_values
from nodeforge.lint import lint
from nodeforge.models import FAMILIES, ModelFolders
from nodeforge.settings import ModelFolder, Precision, Settings
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.auto_values import auto_values
from nodeforge.worker.build import LoadedNetworks
from nodeforge.worker.codec import ValueCodec
from nodeforge.worker.packs import load_packs
from support.command_line import WORKFLOWS
from support.family_configs import use_configs
from support.loaded_networks import loaded_networks
from support.problems import serious
from tests.tiny_originals import original, scaled_fp8, under, unscaled, vae_in_ldm, written

SEED, STEPS, SIZE = 11, 4, 64
PROMPT, NEGATIVE = "a red fox", "blurry"


class Case(NamedTuple):
    """A family, a name that says the variant, and how its pipeline takes the usual guidance.

    `negative`: whether it takes a negative prompt; else it reads the empty one, if any.
    """

    model: str
    family: str
    file: str
    arguments: Callable[[float], dict[str, Any]]
    negative: bool = False
    schedule: str = "simple"


CASES = {
    "Flux.1 dev": Case("flux1", "flux1", "flux1-dev", lambda scale: {"guidance_scale": scale}),
    "Flux.1 schnell": Case("flux1_schnell", "flux1", "flux1-schnell", lambda _: {}),
    "Chroma": Case(
        "chroma", "chroma", "chroma",
        lambda scale: {"guidance_scale": scale}, negative=True,
    ),
    "Z-Image Turbo": Case(
        "z_image", "z_image", "z_image_turbo", lambda scale: {"guidance_scale": scale - 1}
    ),
    "Z-Image": Case(
        "z_image", "z_image", "z_image_base",
        lambda scale: {"guidance_scale": scale - 1}, negative=True,
    ),
    "Qwen-Image": Case(
        "qwen_image", "qwen_image", "qwen_image_2512",
        lambda scale: {"true_cfg_scale": scale}, negative=True,
    ),
    "Qwen-Image 2.1": Case(
        "qwen_image_21", "qwen_image_21", "qwen_image_2.1_bf16",
        lambda scale: {"true_cfg_scale": scale},
    ),
    "Krea 2 Turbo": Case(
        "krea2_turbo", "krea2", "krea2_turbo_bf16", lambda scale: {"guidance_scale": scale - 1}
    ),
    "SD 3.5": Case(
        "sd3", "sd3", "sd3.5_medium",
        lambda scale: {"guidance_scale": scale}, negative=True, schedule="normal",
    ),
    "Anima": Case(
        "anima", "anima", "anima-base-v1.0",
        lambda scale: {"guidance_scale": scale}, negative=True,
    ),
    "Flux.2 dev": Case(
        "flux2_dev", "flux2_dev", "flux2_dev_fp8mixed", lambda scale: {"guidance_scale": scale}
    ),
    "Flux.2 klein": Case("flux2_klein", "flux2_klein_4b", "flux-2-klein-4b", lambda _: {}),
    "Flux.2 klein base": Case(
        "flux2_klein_base", "flux2_klein_4b", "flux-2-klein-base-4b",
        lambda scale: {"guidance_scale": scale},
    ),
    "Flux.3 klein": Case("flux3", "flux3_klein", "flux3-image-klein-bf16", lambda _: {}),
    "Flux.3 klein base": Case(
        "flux3_base", "flux3_klein", "flux3-image-klein-base-bf16",
        lambda scale: {"guidance_scale": scale},
    ),
}  # fmt: skip
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@cache
def pipeline(model: str):
    made = tiny_transformers.PIPELINES[model]()
    made.set_progress_bar_config(disable=True)
    return made


def as_folder(case: Case, root: Path) -> Path:
    folder = root / "checkpoints" / case.file
    pipeline(case.model).save_pretrained(folder)
    return folder


def as_files(case: Case, folder: Path, root: Path, change: Callable[..., Any] = original) -> None:
    """The networks of a folder in files of their own, as other programs' folders have them."""
    networks = loaded_networks(*diffusion.describe(folder))
    states = {part: network.state_dict() for part, network in networks.items()}
    for kind in ("diffusion_models", "text_encoders", "vae"):
        (root / kind).mkdir(parents=True)
    written(root / "diffusion_models" / f"{case.file}.safetensors", change(states["transformer"]))
    written(root / "vae" / "any.safetensors", vae_in_ldm(folder))
    for part, kind in FAMILIES[case.family].text_encoders.items():
        state = under("model.", states[part]) if kind.startswith("qwen") else states[part]
        written(root / "text_encoders" / f"{part}.safetensors", state)


def drawn(
    settings: Settings,
    case: Case,
    workflow: str = "text_to_image",
    policy: Policy = DEFAULT,
    change: Callable[[Document], None] = lambda _: None,
    granted: Sequence[Path] = (),
    **more: dict[str, Any],
) -> tuple[np.ndarray, float]:
    """The picture of a shipped workflow, and the guidance that it left to the model."""
    document = load(WORKFLOWS / f"{workflow}.json")
    change(document)
    for node, values in {
        "model": {"file": case.file},
        "prompt": {"text": PROMPT},
        "negative": {"text": NEGATIVE if case.negative else ""},
        "noise": {"seed": SEED, "width": SIZE, "height": SIZE},
        "schedule": {"name": case.schedule, "steps": STEPS},
        **more,
    }.items():
        document.graph.nodes[node].values.update(values)
    catalogue, folders = Catalogue.shipped(), ModelFolders(settings)
    problems = serious(lint(document, catalogue, folders, granted=granted))
    assert {problem.rule for problem in problems} <= {"too_small"}  # the models here are tiny
    traced = LoopTrace(flatten_with_values(document.graph, catalogue), folders.info)
    made = traced.settings("denoise")
    assert made is not None
    cache = ResultCache(MemoryTier(2**28), None, ValueCodec())
    networks = LoadedNetworks(diffusion.Residency("cpu", policy))
    session = Session(settings, load_packs(settings).node_types, cache, networks, torch.no_grad)
    happened: list[events.Event] = []
    state = RunState(happened.append)
    results = session.run(
        document.graph, RunRequest("run", ["decode"], granted=list(map(str, granted))), state
    )
    assert results, happened[-1]
    return results["decode"]["image"].pixels.numpy(), made.guidance


def wanted(case: Case, guidance: float, changed: Any = None) -> np.ndarray:
    made = changed or pipeline(case.model)
    return made(
        prompt=PROMPT,
        num_inference_steps=STEPS,
        width=SIZE,
        height=SIZE,
        generator=torch.Generator().manual_seed(SEED),
        output_type="np",
        **({"negative_prompt": NEGATIVE} if case.negative else {}),
        **case.arguments(guidance),
    ).images


@pytest.mark.filterwarnings("ignore:__array_")
@cases
def test_a_folder_makes_the_pipelines_picture(case: Case, tmp_path: Path):
    settings = Settings(home=tmp_path)
    as_folder(case, settings.models)
    ours, guidance = drawn(settings, case)
    assert np.abs(ours - wanted(case, guidance)).max() == 0.0


@pytest.mark.filterwarnings("ignore:__array_")
@pytest.mark.parametrize(
    "name",
    [
        *("Flux.2 dev", "Flux.2 klein", "Flux.2 klein base"),
        *("Flux.3 klein", "Flux.3 klein base"),
    ],
)
def test_an_edit_by_instruction_makes_the_pipelines_picture(name: str, tmp_path: Path):
    """The reference's size is the new picture's where the noise has none."""
    settings, case = Settings(home=tmp_path), CASES[name]
    as_folder(case, settings.models)
    file = tmp_path / "seen.png"
    Pillow.fromarray(np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)).save(file)

    def instruct(document: Document) -> None:
        graph = document.graph
        graph.nodes["prompt"] = Node("text.instruct")
        graph.nodes["seen"] = Node("image.load", {"file": str(file)})
        graph.links[Input("prompt", "vae")] = Output("model", "vae")
        graph.links[Input("prompt", "images", 0)] = Output("seen", "image")

    document = load(WORKFLOWS / "text_to_image.json")
    instruct(document)
    document.graph.nodes["model"].values["file"] = case.file
    folders = ModelFolders(settings)
    told = auto_values(document, Catalogue.shipped(), folders.info)
    assert told["noise"] == {"width": "as the picture", "height": "as the picture"}
    size = {"seed": SEED, "width": None, "height": None}
    ours, guidance = drawn(settings, case, change=instruct, granted=[file], noise=size)
    theirs = pipeline(case.model)(
        prompt=PROMPT,
        image=Pillow.open(file),
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        output_type="np",
        **case.arguments(guidance),
    ).images
    assert ours.shape == theirs.shape == (1, 64, 96, 3)
    assert np.abs(ours - theirs).max() == 0.0


@pytest.mark.filterwarnings("ignore:__array_")
@pytest.mark.parametrize("in_files", [False, True])
def test_a_picture_taken_apart_makes_the_pipelines_layers(in_files, tmp_path, monkeypatch):
    """In a folder, and as files of their own, of which the companions are found."""
    name = "qwen_image_layered"
    case = Case(name, name, f"{name}_bf16", lambda scale: {"true_cfg_scale": scale}, True)
    sized = pipeline_qwenimage_layered.calculate_dimensions
    monkeypatch.setattr(
        pipeline_qwenimage_layered, "calculate_dimensions", lambda _, ratio: sized(SIZE**2, ratio)
    )
    monkeypatch.setitem(FAMILIES, name, replace(FAMILIES[name], reference_side=SIZE))
    settings = Settings(home=tmp_path)
    if in_files:
        folder = as_folder(case, tmp_path / "elsewhere")
        use_configs(monkeypatch, name, folder)
        as_files(case, folder, tmp_path / "ComfyUI")
        there = [ModelFolder(str(tmp_path / "ComfyUI"), "comfyui")]
        settings = replace(settings, model_folders=there)
    else:
        as_folder(case, settings.models)
    file = tmp_path / "seen.png"
    pixels = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 4), np.uint8)
    Pillow.fromarray(pixels).save(file)

    def take_apart(document: Document) -> None:
        graph = document.graph
        graph.nodes["prompt"] = Node("text.instruct")
        graph.nodes["seen"] = Node("image.load", {"file": str(file)})
        graph.nodes["layers"] = Node("sampling.layers_noise", {"seed": SEED, "layers": 2})
        graph.links[Input("denoise", "noise")] = Output("layers", "noise")
        graph.links[Input("prompt", "vae")] = Output("model", "vae")
        graph.links[Input("prompt", "images", 0)] = Output("seen", "image")

    ours, guidance = drawn(settings, case, change=take_apart, granted=[file])
    (theirs,) = pipeline(name)(
        image=Pillow.open(file),
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        layers=2,
        cfg_normalize=True,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        output_type="np",
        **case.arguments(guidance),
    ).images
    assert ours.shape == theirs.shape == (2, SIZE, SIZE, 4)
    assert np.abs(ours - theirs).max() == 0.0


@pytest.mark.filterwarnings("ignore:__array_")
@cases
def test_files_of_their_own_make_the_pipelines_picture(case: Case, tmp_path: Path, monkeypatch):
    folder = as_folder(case, tmp_path / "elsewhere")
    use_configs(monkeypatch, case.family, folder)
    as_files(case, folder, tmp_path / "ComfyUI")
    there = [ModelFolder(str(tmp_path / "ComfyUI"), "comfyui")]
    ours, guidance = drawn(Settings(home=tmp_path, model_folders=there), case)
    assert np.abs(ours - wanted(case, guidance)).max() == 0.0


def low_rank(network: nn.Module) -> dict[str, torch.Tensor]:
    """A LoRA over every linear layer of a denoiser, in diffusers' names."""
    chance = torch.Generator().manual_seed(3)
    made = {}
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear):
            rows, inputs = layer.weight.shape
            down = torch.randn(4, inputs, generator=chance) * 0.1
            made[f"transformer.{name}.lora_A.weight"] = down
            made[f"transformer.{name}.lora_B.weight"] = torch.randn(rows, 4, generator=chance) * 0.1
    return made


@pytest.mark.filterwarnings("ignore:__array_")
@cases
def test_a_lora_makes_the_pipelines_picture(case: Case, tmp_path: Path):
    settings = Settings(home=tmp_path)
    as_folder(case, settings.models)
    changed = tiny_transformers.PIPELINES[case.model]()
    changed.set_progress_bar_config(disable=True)
    (settings.models / "loras").mkdir()
    lora = written(settings.models / "loras" / "style.safetensors", low_rank(changed.transformer))
    style = {"file": "style", "model_weight": 0.8}
    ours, guidance = drawn(settings, case, "lora_style", style=style)
    changed.load_lora_weights(str(lora.parent), weight_name=lora.name, adapter_name="one")
    changed.set_adapters(["one"], [0.8])
    for parameter in changed.transformer.parameters():
        # read from the file as it lies there, which kernels of one row sum in another order
        parameter.data = parameter.data.clone()
        # peft freezes it, and of frozen weights kernels read a turned input otherwise
        parameter.requires_grad_(True)
    theirs = wanted(case, guidance, changed)
    assert np.abs(ours - theirs).max() == 0.0
    assert np.abs(theirs - wanted(case, guidance)).max() > 1e-3


@pytest.mark.filterwarnings("ignore:__array_")
@cases
def test_scaled_8_bit_weights_make_the_picture_of_their_products(
    case: Case, tmp_path: Path, monkeypatch
):
    folder = as_folder(case, tmp_path / "elsewhere")
    use_configs(monkeypatch, case.family, folder)
    as_files(case, folder, tmp_path / "ComfyUI", lambda state: scaled_fp8(original(state)))
    there = [ModelFolder(str(tmp_path / "ComfyUI"), "comfyui")]
    ours, guidance = drawn(Settings(home=tmp_path, model_folders=there), case)
    file = tmp_path / "ComfyUI" / "diffusion_models" / f"{case.file}.safetensors"
    products = written(tmp_path / f"{case.file}.safetensors", unscaled(load_file(file)))
    network = loaded_networks(diffusion.describe_denoiser(products))["transformer"]
    changed = tiny_transformers.PIPELINES[case.model]()
    changed.set_progress_bar_config(disable=True)
    for conditioner in FAMILIES[case.family].conditioners:
        given = network.get_submodule(conditioner).state_dict()
        changed.components[conditioner].load_state_dict(given)
        delattr(network, conditioner)
    changed.transformer.load_state_dict(network.state_dict())
    theirs = wanted(case, guidance, changed)
    assert np.abs(ours - theirs).max() == 0.0
    assert np.abs(theirs - wanted(case, guidance)).max() > 1e-4


@cases
def test_in_bfloat16_the_picture_is_close(case: Case, tmp_path: Path, monkeypatch):
    """Without units for it as well, where it is slow and otherwise not chosen."""
    monkeypatch.setattr("nodeforge.diffusion.tensors.policy.has_bfloat16", lambda _: True)
    settings = Settings(home=tmp_path)
    as_folder(case, settings.models)
    exact, _ = drawn(settings, case)
    half, _ = drawn(settings, case, policy=Policy(precision=Precision.HALF))
    assert np.isfinite(half).all()
    assert 0 < np.abs(half - exact).mean() < 0.03


@pytest.mark.filterwarnings("ignore:__array_")
def test_an_edit_with_a_text_encoder_that_sees_goes_by_the_picture(tmp_path: Path, monkeypatch):
    """Qwen-Image Edit; that it equals its pipeline is tested where its loop is."""
    small = replace(FAMILIES["qwen_image"], reference_side=SIZE)
    monkeypatch.setitem(FAMILIES, "qwen_image", small)
    settings = Settings(home=tmp_path)
    case = Case("qwen_image_edit", "qwen_image", "qwen_image_edit_2509", lambda _: {}, True)
    as_folder(case, settings.models)
    files = [tmp_path / f"{name}.png" for name in ("one", "other")]
    chance = np.random.default_rng(1)
    for file in files:
        Pillow.fromarray(chance.integers(0, 256, (64, 96, 3), np.uint8)).save(file)

    def edited(file: Path, port: str) -> np.ndarray:
        def instruct(document: Document) -> None:
            graph = document.graph
            for prompt in ("prompt", "negative"):
                graph.nodes[prompt] = Node("text.instruct")
                graph.links[Input(prompt, "vae")] = Output("model", "vae")
                shown = file if prompt == port else files[0]
                graph.nodes[f"seen_{prompt}"] = Node("image.load", {"file": str(shown)})
                graph.links[Input(prompt, "images", 0)] = Output(f"seen_{prompt}", "image")

        ours, guidance = drawn(settings, case, change=instruct, granted=files)
        assert (ours.shape, guidance) == ((1, SIZE, SIZE, 3), 4.0)
        return ours

    plain = edited(files[0], "prompt")
    for port in ("prompt", "negative"):
        assert np.abs(edited(files[1], port) - plain).max() > 0
