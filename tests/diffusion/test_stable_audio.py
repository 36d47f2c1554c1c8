"""Stable Audio: our loop and autoencoder against diffusers' pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_transformers import CHANNELS, stable_audio

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, behaviour
from nodeforge.values import Audio, Guidance, Latent, Noise, Sampler, Schedule
from nodeforge.values.latent import BCL

SEED, STEPS, SCALE, SECONDS, RATE, CELLS = 7, 4, 7.0, 3.0, 8, 16
TEXT, NEGATIVE = "a hammer hitting wood", "low quality"


@pytest.fixture(scope="module", params=[32, 16], ids=["as wide", "projected"])
def pipeline(request):
    """With text as wide as the encoder's, as the published model, and with a layer between."""
    return stable_audio(request.param)


@pytest.fixture(scope="module")
def model(pipeline, tmp_path_factory):
    made = tmp_path_factory.mktemp("stable_audio")
    pipeline.save_pretrained(made)
    return diffusion.describe(made)


def encoded(host, model, text):
    with host.use(model.text_encoder) as encoder:
        return behaviour("stable_audio").encode(encoder, text)


def task(host, model, **changed):
    made = Denoising(
        model.model,
        encoded(host, model, TEXT),
        Sampler("dpmpp_2m_sde"),
        Schedule("exponential", STEPS),
        Guidance(SCALE),
        negative=encoded(host, model, NEGATIVE),
        noise=Noise(SEED, seconds=SECONDS),
    )
    return replace(made, **changed)


def by_pipeline(pipe, output="latent", **changed):
    pipe.set_progress_bar_config(disable=True)
    asked = {
        "prompt": TEXT,
        "negative_prompt": NEGATIVE,
        "audio_end_in_s": SECONDS,
        "num_inference_steps": STEPS,
        "guidance_scale": SCALE,
        "generator": torch.Generator().manual_seed(SEED),
        "output_type": output,
        **changed,
    }
    return torch.as_tensor(pipe(**asked).audios)


def test_sounds_are_those_of_the_pipeline(host, model, pipeline):
    made = diffusion.denoise(host, task(host, model))
    assert (made.space, made.layout, made.scale, made.rate) == ("stable_audio", BCL, 4, RATE)
    assert made.seconds == SECONDS
    assert (made.samples - by_pipeline(pipeline)).abs().max() == 0.0
    with host.use(model.vae) as vae:
        sound = diffusion.decode_audio(vae, made)
    assert sound.samples.shape == (1, 2, int(SECONDS * RATE))
    assert sound.rate == RATE
    assert torch.equal(sound.samples, by_pipeline(pipeline, "np"))
