"""Networks that enlarge pictures are told by their headers, in all layouts of their authors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_models
import tiny_upscalers
import torch
from safetensors.torch import save_file

from nodeforge.models import Kind, ModelFolders, recognise, upscaler_label
from nodeforge.settings import ModelFolder, Settings

RRDB = {"x4": (2, 1), "x2": (1, 1), "x8": (3, 1), "folded x2": (2, 2), "folded x1": (2, 4)}
LAYOUTS = {
    "as Real-ESRGAN names": dict,
    "as ESRGAN named first": tiny_upscalers.in_first_layout,
    "as BSRGAN names": tiny_upscalers.in_second_layout,
    "in a trainer's wrapper": lambda state: {f"params_ema.{k}": v for k, v in state.items()},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(("doublings", "folded"), RRDB.values(), ids=RRDB)
def test_rrdb_networks_are_told_in_every_layout(
    tmp_path: Path, doublings: int, folded: int, layout: Callable
):
    state = tiny_upscalers.state(tiny_upscalers.rrdb(doublings, folded))
    save_file(layout(state), tmp_path / "x.safetensors")
    info = recognise(tmp_path / "x.safetensors")
    assert (info.kind, info.architecture, info.scale) == (
        Kind.UPSCALER,
        "esrgan",
        2**doublings // folded,
    )
    assert info.is_usable


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_compact_networks_are_told(tmp_path: Path, scale: int, channels: int):
    path = tiny_upscalers.write(tiny_upscalers.compact(scale, channels=channels), tmp_path / "x")
    info = recognise(path)
    assert (info.kind, info.architecture, info.scale) == (Kind.UPSCALER, "compact", scale)
    assert upscaler_label(info) == f"Real-ESRGAN compact ×{scale}"
    assert info.size > 0
    assert info.dtype == "float32"


def test_a_compact_network_of_no_colours_is_refused_by_name(tmp_path: Path):
    path = tiny_upscalers.write(tiny_upscalers.compact(channels=5), tmp_path / "x")
    info = recognise(path)
    assert not info.is_usable
    assert info.reason == "Real-ESRGAN compact of these shapes is not supported"


def test_what_fills_areas_is_refused_by_name(tmp_path: Path):
    save_file({"generator.model.1.bn_l.running_mean": torch.zeros(4)}, tmp_path / "x")
    assert "LaMa" in recognise(tmp_path / "x").reason


@pytest.mark.parametrize(
    ("layout", "folder"),
    [
        ("nodeforge", "upscalers"),
        ("comfyui", "upscale_models"),
        ("a1111", "ESRGAN"),
        ("a1111", "RealESRGAN"),
        ("a1111", "SwinIR"),
        ("a1111", "DAT"),
    ],
)
def test_upscalers_are_found_where_programs_keep_them(tmp_path: Path, layout: str, folder: str):
    place = tmp_path / "program" / "models" / folder
    place.mkdir(parents=True)
    tiny_upscalers.write(tiny_upscalers.compact(), place / "x2.safetensors")
    settings = Settings(tmp_path / "home", (ModelFolder(str(tmp_path / "program"), layout),))
    folders = ModelFolders(settings)
    assert folders.find("upscaler", "x2") == place / "x2.safetensors"
    listed = {info.name: info for info in folders.scan() if info.listed == "upscaler"}
    assert listed["x2.safetensors"].scale == 2
    again = {i.name: i for i in ModelFolders(settings).scan() if i.listed == "upscaler"}
    assert again["x2.safetensors"] == listed["x2.safetensors"]  # also as it is remembered


def test_other_models_are_still_what_they_were(tmp_path: Path):
    tiny_models.write_folder(tmp_path / "model")
    tiny_models.write_lora(tmp_path / "model", tmp_path / "lora.safetensors")
    assert recognise(tmp_path / "lora.safetensors").kind is Kind.LORA
    assert recognise(tmp_path / "model" / "unet").kind is Kind.UNET
    assert not recognise(tmp_path / "model" / "vae").architecture
