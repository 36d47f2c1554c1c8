"""What must hold on a card; untested where there is none."""

from pathlib import Path

import numpy as np
import pytest

from nodeforge import diffusion
from nodeforge.settings import shipped
from nodeforge.values import Guidance, Image, Noise, Sampler, Schedule

pytestmark = pytest.mark.gpu
NANO = shipped("resources") / "models" / "nano"


def picture(device: str, model: Path = NANO) -> Image:
    denoiser, text_encoder, vae = diffusion.describe(model)
    host = diffusion.LocalHost(diffusion.Residency(diffusion.choose(device)))
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
