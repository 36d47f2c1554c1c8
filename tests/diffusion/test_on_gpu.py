"""What must hold on a card; untested where there is none."""

import gc
from pathlib import Path

import numpy as np
import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.attention import attention_backends
from nodeforge.diffusion.tensors.devices import out_of_memory_explained
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.errors import OutOfMemoryError
from nodeforge.settings import Attention, MemoryMode, Precision, shipped
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule

pytestmark = pytest.mark.gpu
NANO = shipped("resources") / "models" / "nano"


def picture(device: str, policy: Policy = DEFAULT, model: Path = NANO) -> Image:
    denoiser, text_encoder, vae = diffusion.describe(model)
    host = diffusion.LocalHost(diffusion.Residency(diffusion.choose(device), policy))
    with host.use(text_encoder) as encoder:
        apple = diffusion.behaviour(encoder.family).encode(encoder, "a red apple")
    task = diffusion.Denoising(
        denoiser,
        apple,
        Sampler("dpmpp_2m"),
        Schedule("normal", 10),
        Guidance(5.0),
        noise=Noise(1, 256, 256),
    )
    latent = diffusion.denoise(host, task)
    with host.use(vae) as loaded:
        return diffusion.decode(loaded, latent)


def test_a_card_makes_the_picture_that_the_cpu_makes():
    on_cpu, on_card = (picture(device).pixels.numpy() for device in ("cpu", "cuda"))
    assert np.isfinite(on_card).all()
    assert np.abs(on_cpu - on_card).mean() < 0.02  # half precision, and other kernels


def test_a_card_makes_the_same_picture_twice():
    assert np.array_equal(picture("cuda").pixels, picture("cuda").pixels)


@pytest.mark.parametrize("memory", list(MemoryMode))
def test_every_memory_mode_makes_the_same_picture(memory):
    plain = picture("cuda")
    assert torch.equal(picture("cuda", Policy(memory)).pixels, plain.pixels)


def test_full_precision_comes_closer_to_the_cpu_than_half():
    on_cpu, whole = picture("cpu"), picture("cuda", Policy(precision=Precision.FULL))
    half = picture("cuda")
    nearer, farther = ((p.pixels - on_cpu.pixels).abs().mean() for p in (whole, half))
    assert nearer < farther


def test_compiled_blocks_and_eight_bit_weights_stay_close():
    plain = picture("cuda")
    for policy in (Policy(compiled=True), Policy(fp8_weights=True)):
        assert (picture("cuda", policy).pixels - plain.pixels).abs().mean() < 0.05


def test_every_way_of_attention_that_is_there_stays_close():
    plain = picture("cuda")
    for way in attention_backends(diffusion.choose("cuda")):
        made = picture("cuda", Policy(attention=Attention(way)))
        assert (made.pixels - plain.pixels).abs().mean() < 0.02


def test_weights_fed_layer_by_layer_take_less_of_the_card():
    taken = []
    for memory in (MemoryMode.DEVICE, MemoryMode.VERY_LOW):
        gc.collect()  # networks of the run before
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        picture("cuda", Policy(memory))
        taken.append(torch.cuda.max_memory_allocated())
    assert taken[1] < taken[0]


@pytest.mark.parametrize("name", ["z_image", "flux1", "qwen_image_21"])
def test_blocks_streamed_to_a_card_give_the_numbers_of_the_whole_model(name, tmp_path):
    tiny_transformers.PIPELINES[name]().save_pretrained(tmp_path)
    described = diffusion.describe(tmp_path)
    made = []
    for memory in (MemoryMode.DEVICE, MemoryMode.VERY_LOW):
        residency = diffusion.Residency(diffusion.choose("cuda"), Policy(memory))
        with residency.use(described.text_encoder) as encoder:
            prompt = diffusion.encode_text(encoder, described.text_encoder, "a red apple")
        task = diffusion.Denoising(
            described.model, prompt, Sampler("flow_euler"), Schedule("simple", 8), Guidance(1.0),
            noise=Noise(1, 64, 64),
        )  # fmt: skip
        made.append(diffusion.denoise(diffusion.LocalHost(residency), task).samples)
        with residency.use(described.model) as model:
            assert (stream_of(model.network) is not None) == (memory is MemoryMode.VERY_LOW)
    assert torch.equal(*made)


def test_a_card_that_is_full_says_so():
    with pytest.raises(OutOfMemoryError, match="memory ran out"), out_of_memory_explained():
        torch.empty(2**50, dtype=torch.uint8, device="cuda")
