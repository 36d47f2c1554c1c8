"""`nodeforge models smaller`, on the shipped model's UNet."""

from __future__ import annotations

import shutil

import pytest

from nodeforge.models import recognise
from nodeforge.settings import shipped
from tests.support.command_line import CommandLine


@pytest.fixture
def unet(tmp_path):
    source = shipped("resources") / "models/nano/unet/diffusion_pytorch_model.safetensors"
    return shutil.copy(source, tmp_path / "unet.safetensors")


def test_a_model_is_written_smaller_and_the_sizes_are_told(unet, tmp_path):
    line = CommandLine(tmp_path / "home")
    done = line("models", "smaller", unet, "--as", "fp8")
    assert done.code == 0, done.err
    made = tmp_path / "unet_fp8.safetensors"
    assert recognise(made).quantisation == "scaled fp8"
    assert made.stat().st_size < unet.stat().st_size
    assert "instead of" in done.out
    again = line("models", "smaller", unet, "--as", "fp8")
    assert again.code == 2
    assert "is there already" in again.err


def test_a_model_that_is_not_there_is_named(tmp_path):
    done = CommandLine(tmp_path / "home")("models", "smaller", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err
