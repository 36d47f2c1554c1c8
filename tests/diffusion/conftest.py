"""Tiny random models, written once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models
import torch
from diffusers.utils import logging as diffusers_logging

from nodeforge import diffusion
from nodeforge.diffusion.weights.describe import Described
from nodeforge.values import Conditioning

torch.set_num_threads(1)
diffusers_logging.disable_progress_bar()


@pytest.fixture(scope="session")
def sd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_folder(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="session")
def inpainting_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_folder(tmp_path_factory.mktemp("sd_inpainting"), inpainting=True)


@pytest.fixture(scope="session")
def v_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sd_v")
    return tiny_models.write_folder(folder, prediction="v_prediction")


@pytest.fixture(scope="session")
def sd(sd_folder: Path) -> Described:
    return diffusion.describe(sd_folder)


@pytest.fixture(scope="session")
def sdxl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_folder(tmp_path_factory.mktemp("sdxl"), family="sdxl")


@pytest.fixture(scope="session")
def sdxl(sdxl_folder: Path) -> Described:
    return diffusion.describe(sdxl_folder)


@pytest.fixture(scope="session")
def residency() -> diffusion.Residency:
    return diffusion.Residency("cpu")


@pytest.fixture
def host(residency: diffusion.Residency) -> diffusion.LocalHost:
    """A run on shared networks that counts its own model calls and has its own checkpoints."""
    return diffusion.LocalHost(residency)


@pytest.fixture(scope="session")
def prompts(sd: Described, residency: diffusion.Residency) -> tuple[Conditioning, Conditioning]:
    """A positive and a negative prompt of one chunk."""
    with residency.use(sd.text_encoder) as encoder:
        return (
            diffusion.encode_prompt(encoder, "a red cat"),
            diffusion.encode_prompt(encoder, "blurry"),
        )
