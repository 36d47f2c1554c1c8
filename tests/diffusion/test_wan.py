"""Wan: our loop and autoencoder against diffusers' pipelines, and the files that people have."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny_transformers import CHANNELS, wan

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, behaviour
from nodeforge.diffusion.vae.causal import decoded_groups
from nodeforge.values import Guidance, Latent, Noise, Sampler, Schedule, Video
from nodeforge.values.latent import BCTHW

SIDE, FRAMES, SEED, STEPS, SCALE = 32, 9, 7, 4, 5.0
TEXT, NEGATIVE = "a fox  &amp; a\nhare", "blurry"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("wan")
    wan().save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def model(folder):
    return diffusion.describe(folder)


def task(host, model, **changed):
    family = behaviour(model.model.weights.family)
    with host.use(model.text_encoder) as encoder:
        positive, negative = (family.encode(encoder, text) for text in (TEXT, NEGATIVE))
    made = Denoising(
        model.model,
        positive,
        Sampler("unipc"),
        Schedule("normal", STEPS),
        Guidance(SCALE),
        negative=negative,
        noise=Noise(SEED, SIDE, SIDE, frames=FRAMES),
    )
    return replace(made, **changed)


def by_pipeline(pipe, output="latent"):
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        prompt=TEXT,
        negative_prompt=NEGATIVE,
        height=SIDE,
        width=SIDE,
        num_frames=FRAMES,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=torch.Generator().manual_seed(SEED),
        output_type=output,
    ).frames


def test_videos_are_those_of_the_pipeline(host, model):
    made = diffusion.denoise(host, task(host, model))
    assert (made.space, made.layout, made.scale) == ("wan21", BCTHW, 8)
    assert (made.samples - by_pipeline(wan())).abs().max() == 0.0
    with host.use(model.vae) as vae:
        video = diffusion.decode_video(vae, made)
    shown = torch.from_numpy(by_pipeline(wan(), "np")[0])
    assert video.frames.shape == shown.shape == (FRAMES, SIDE, SIDE, 3)
    assert torch.equal(video.frames, (shown * 255).round().to(torch.uint8))


def test_frames_are_decoded_as_all_at_once(host, model):
    samples = torch.randn(1, CHANNELS, 3, 4, 4)
    with host.use(model.vae) as vae, torch.no_grad():
        at_once = vae.network.decode(samples, return_dict=False)[0]
        assert torch.equal(torch.cat([*decoded_groups(vae.network, samples)], 2), at_once)


def test_frames_are_encoded_as_all_at_once(host, model):
    torch.manual_seed(1)
    video = Video(torch.randint(0, 256, (FRAMES, SIDE, SIDE, 3), dtype=torch.uint8), 16.0)
    with host.use(model.vae) as vae, torch.no_grad():
        made = diffusion.encode_video(vae, video)
        pixels = (2.0 * (video.frames.float() / 255) - 1.0).permute(3, 0, 1, 2)[None]
        mean = vae.network.encode(pixels).latent_dist.mode()
        statistics = [torch.tensor(vae.network.config[n]) for n in ("latents_mean", "latents_std")]
        centre, spread = (each.view(1, -1, 1, 1, 1) for each in statistics)
        assert torch.equal(made.samples, (mean - centre) * (1.0 / spread))
    assert made.samples.shape == (1, CHANNELS, 3, 4, 4)


def test_it_goes_on_from_every_step(host, model):
    asked = task(host, model)
    whole = diffusion.denoise(host, asked)
    for step in range(1, STEPS):
        fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
        diffusion.denoise(fresh, replace(asked, stop_at=step))
        assert torch.equal(diffusion.denoise(fresh, asked).samples, whole.samples)


@pytest.mark.parametrize("frames", [2, 8, 80])
def test_frames_that_no_latent_has_are_refused(host, model, frames):
    asked = task(host, model, noise=Noise(SEED, SIDE, SIDE, frames=frames))
    with pytest.raises(diffusion.LatentSizeError, match=f"{frames} frames"):
        diffusion.denoise(host, asked)


def test_a_video_of_other_frames_is_refused(host, model):
    video = Video(torch.zeros(8, SIDE, SIDE, 3, dtype=torch.uint8), 16.0)
    with host.use(model.vae) as vae, pytest.raises(diffusion.LatentSizeError, match="to 9 frames"):
        diffusion.encode_video(vae, video)


def test_tiles_are_nearly_the_whole(host, model):
    torch.manual_seed(3)
    latent = Latent(torch.randn(1, CHANNELS, 2, 80, 72), "wan21", 8, BCTHW, 16.0)
    with host.use(model.vae) as vae:
        whole = diffusion.decode_video(vae, latent).frames.float()
        tiled = diffusion.decode_video(vae, latent, tiled=True).frames.float()
    assert whole.shape == tiled.shape == (5, 640, 576, 3)
    assert (whole - tiled).abs().mean() < 8
