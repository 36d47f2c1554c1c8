"""Upscalers of other architectures: told by their headers, and run by the package spandrel.

Those that need it skip where it is not installed: ``pip install --no-deps spandrel einops``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from nodeforge import diffusion
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.vision import spandrel_models
from nodeforge.models import UPSCALERS, missing_for_spandrel, recognise
from nodeforge.values import Image

with_spandrel = pytest.mark.skipif(bool(missing_for_spandrel()), reason="spandrel is not installed")

SWIN: Mapping[str, Any] = {
    "img_size": 16, "embed_dim": 24, "depths": [2], "num_heads": [2], "window_size": 8,
    "upscale": 2, "mlp_ratio": 2.0, "upsampler": "pixelshuffle",
}  # fmt: skip
SPLIT: Mapping[str, Any] = {
    "img_size": 64, "in_chans": 3, "embed_dim": 24, "split_size": [8, 8], "depth": [2],
    "num_heads": [2], "upscale": 2,
}  # fmt: skip
COLOURS = {"num_in_ch": 3, "num_out_ch": 3}
PLAIN = {"dim": 16, "n_blocks": 2, "upscaling_factor": 2, "kernel_size": 5}
LIGHT = {"upsampler": "pixelshuffledirect", "expansion_factor": 2.0}
HAT = {"compress_ratio": 3, "squeeze_factor": 12, "overlap_ratio": 0.5, "in_chans": 3}
SMALL: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "span": ("SPAN", "SPAN", {**COLOURS, "feature_channels": 16, "upscale": 2}),
    "swinir": ("SwinIR", "SwinIR", SWIN),
    "swinir light": ("SwinIR", "SwinIR", {**SWIN, "upsampler": "pixelshuffledirect"}),
    "swinir real": ("SwinIR", "SwinIR", {**SWIN, "upscale": 4, "upsampler": "nearest+conv"}),
    "swin2sr": ("Swin2SR", "Swin2SR", SWIN),
    "dat": ("DAT", "DAT", {**SPLIT, "upsampler": "pixelshuffle", "expansion_factor": 2.0}),
    "dat light": ("DAT", "DAT", {**SPLIT, **LIGHT}),
    "rgt": ("RGT", "RGT", {**SPLIT, "mlp_ratio": 2.0}),
    "hat": ("HAT", "HAT", {**SWIN, **HAT}),
    "drct": ("DRCT", "DRCT", {**SWIN, "gc": 8}),
    "atd": ("ATD", "ATD", {
        "embed_dim": 24, "depths": [2], "num_heads": [2], "window_size": 8, "upscale": 2,
        "num_tokens": 16, "reducted_dim": 4, "convffn_kernel_size": 5, "mlp_ratio": 2.0,
        "upsampler": "pixelshuffle",
    }),
    "plksr": ("PLKSR", "PLKSR", PLAIN),
    "omnisr": ("OmniSR", "OmniSR", {
        **COLOURS, "num_feat": 16, "res_num": 1, "up_scale": 2,
        "window_size": 8, "block_num": 1,
    }),
}  # fmt: skip


def write(name: str, path: Path) -> Path:
    """A small network of an architecture with random weights, in its published layout."""
    module, kind, settings = SMALL[name]
    spandrel_models.imported_spandrel()
    package = importlib.import_module(f"spandrel.architectures.{module}")
    torch.manual_seed(0)
    network = getattr(package, kind)(**settings)
    state = {key: each.clone().contiguous() for key, each in network.state_dict().items()}
    save_file(state, path)
    return path


@with_spandrel
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SMALL)
def test_an_architecture_is_told_and_run_without_torchvision(tmp_path: Path, name: str):
    path = write(name, tmp_path / "x.safetensors")
    assert "torchvision" not in sys.modules
    info = recognise(path)
    assert info.architecture == name.partition(" ")[0]
    assert info.is_usable
    drawn = torch.Generator().manual_seed(1)
    image = Image(torch.rand(1, 40, 72, 3, generator=drawn))
    host = diffusion.LocalHost(diffusion.Residency("cpu"))
    with host.use(diffusion.describe_upscaler(path)) as upscaler:
        scale = upscaler.network.scale
        made = diffusion.enlarge(upscaler, image, tile=64).pixels
    assert info.scale in (scale, 0)
    assert made.shape == (1, 40 * scale, 72 * scale, 3)
    assert made.std() > 0


@with_spandrel
def test_numbers_of_networks_built_here_are_those_of_spandrel(tmp_path: Path):
    import tiny_upscalers

    drawn = torch.Generator().manual_seed(1)
    x = torch.rand(1, 3, 36, 28, generator=drawn)
    spandrel = spandrel_models.imported_spandrel()
    for network in (
        tiny_upscalers.compact(4),
        tiny_upscalers.rrdb(),
        tiny_upscalers.rrdb(folded=2),
    ):
        theirs = spandrel.ModelLoader().load_from_state_dict(tiny_upscalers.state(network))
        path = tiny_upscalers.write(network, tmp_path / "x.safetensors")
        host = diffusion.LocalHost(diffusion.Residency("cpu"))
        with host.use(diffusion.describe_upscaler(path)) as upscaler:
            ours = diffusion.enlarge(upscaler, Image(x.permute(0, 2, 3, 1))).pixels
        torch.testing.assert_close(ours.permute(0, 3, 1, 2), theirs(x), atol=1e-6, rtol=0)


def test_without_spandrel_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    marks = UPSCALERS["span"].marks[0]
    shapes = {name: torch.zeros(12, 3, 1, 1) for name in marks}
    save_file(shapes, tmp_path / "x.safetensors")
    assert recognise(tmp_path / "x.safetensors").scale == 2
    monkeypatch.setattr(spandrel_models, "missing_for_spandrel", lambda: ["spandrel"])
    with pytest.raises(LoadingError, match="pip install --no-deps spandrel einops") as told:
        diffusion.describe_upscaler(tmp_path / "x.safetensors")
    assert "SPAN needs spandrel, not installed here" in str(told.value)


@with_spandrel
def test_a_file_that_is_not_whole_is_refused_in_words(tmp_path: Path):
    shapes = {name: torch.zeros(12, 3, 1, 1) for name in UPSCALERS["span"].marks[0]}
    save_file(shapes, tmp_path / "x.safetensors")
    host = diffusion.LocalHost(diffusion.Residency("cpu"))
    recipe = diffusion.describe_upscaler(tmp_path / "x.safetensors")
    with pytest.raises(LoadingError, match="SPAN"), host.use(recipe):
        pass
