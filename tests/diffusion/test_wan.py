"""Wan: our loop and autoencoder against diffusers' pipelines, and the files that people have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import PIL.Image
import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.pipelines.wan import pipeline_wan_i2v
from safetensors.torch import load_file
from tiny_transformers import CHANNELS, wan, wan_transformer

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LoadingError, behaviour
from nodeforge.diffusion.vae.causal import decoded_groups
from nodeforge.models import FAMILIES, MissingCompanionError, companions, recognise
from nodeforge.models.detection.fitting_families import families_of
from nodeforge.values import Guidance, Latent, Noise, Sampler, Schedule, Video
from nodeforge.values.latent import BCTHW
from tests.support.family_configs import use_configs
from tests.tiny_originals import original, written

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


def by_pipeline(pipe, output="latent", **more) -> Any:
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        **more,
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
    latent = Latent(torch.randn(1, CHANNELS, 2, 72, 8), "wan21", 8, BCTHW, 16.0)
    with host.use(model.vae) as vae:
        whole = diffusion.decode_video(vae, latent).frames.float()
        tiled = diffusion.decode_video(vae, latent, tiled=True).frames.float()
    assert whole.shape == tiled.shape == (5, 576, 64, 3)
    assert (whole - tiled).abs().mean() < 8


def a14b():
    """Two experts."""
    return wan(transformer_2=wan_transformer(seed=5), boundary_ratio=0.875)


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    made = tmp_path_factory.mktemp("a14b")
    a14b().save_pretrained(made)
    return diffusion.describe(made)


def test_two_experts_draw_as_in_the_pipeline(host, experts):
    assert experts.model.low_noise.boundary == 0.875
    guidance = Guidance(SCALE, low_noise_scale=3.0)
    made = diffusion.denoise(host, task(host, experts, guidance=guidance))
    wanted = by_pipeline(a14b(), guidance_scale_2=3.0)
    assert (made.samples - wanted).abs().max() == 0.0
    one_scale = diffusion.denoise(host, task(host, experts))
    assert (one_scale.samples - by_pipeline(a14b())).abs().max() == 0.0
    assert not torch.equal(one_scale.samples, made.samples)


def test_experts_in_files_of_their_own_are_found_by_name(host, experts, tmp_path, monkeypatch):
    root = Path(experts.model.weights.path)
    use_configs(monkeypatch, "wan21", root)
    for folder, name in (("transformer", "High"), ("transformer_2", "Low")):
        state = load_file(root / folder / "diffusion_pytorch_model.safetensors")
        written(tmp_path / f"wan2.2_{name}_Noise.safetensors", original(state))
    high = tmp_path / "wan2.2_High_Noise.safetensors"
    there = [recognise(root / part) for part in ("text_encoder", "vae")]
    found = companions(high, {}, there)
    low = found["low_noise"].path
    assert low.name == "wan2.2_Low_Noise.safetensors"
    model = diffusion.describe(
        high, text_encoders=[root / "text_encoder"], vae=root / "vae", low_noise=low
    )
    asked = task(host, model, guidance=Guidance(SCALE, low_noise_scale=3.0))
    shift = replace(asked.model, shift=3.0)  # the tiny pipeline's, where 2.2 has 12
    made = diffusion.denoise(host, replace(asked, model=shift))
    wanted = by_pipeline(a14b(), guidance_scale_2=3.0)
    assert (made.samples - wanted).abs().max() == 0.0
    low.unlink()
    with pytest.raises(MissingCompanionError, match="its other half"):
        companions(high, {}, there)


def test_a_lora_over_two_experts_changes_both(host, experts, tmp_path):
    chance = torch.Generator().manual_seed(1)
    layer = "diffusion_model.blocks.0.self_attn.q"
    halves = {"lora_A": (2, 128), "lora_B": (128, 2)}
    state = {
        f"{layer}.{half}.weight": torch.randn(shape, generator=chance)
        for half, shape in halves.items()
    }
    lora = diffusion.describe_lora(written(tmp_path / "lora.safetensors", state), "wan21")
    changed = diffusion.with_lora(experts.model, lora, 1.0)
    assert len(changed.loras) == len(changed.low_noise.model.loras) == 1
    for recipe in (changed, changed.low_noise.model):
        with host.use(recipe) as one, host.use(replace(recipe, loras=())) as same:
            assert one.network is same.network
    plain = diffusion.denoise(host, task(host, experts)).samples
    made = diffusion.denoise(host, replace(task(host, experts), model=changed)).samples
    assert (made - plain).abs().max() > 1e-3


@pytest.mark.parametrize("boundary", [0.0, 1.0, 2.0])
def test_a_boundary_lies_between_noise_and_none(model, boundary):
    with pytest.raises(LoadingError, match="lies not between"):
        diffusion.with_low_noise(model.model, model.model, boundary)


def test_a_5b_model_is_told_the_time_of_each_token(host, tmp_path):
    made = wan(expand_timesteps=True)
    made.save_pretrained(tmp_path)
    index = tmp_path / "model_index.json"
    told = json.loads(index.read_text("utf-8")) | {"_nodeforge_family": "wan22_5b"}
    index.write_text(json.dumps(told), "utf-8")
    model = diffusion.describe(tmp_path)
    assert model.model.weights.family == "wan22_5b"
    latent = diffusion.denoise(host, task(host, model))
    assert (latent.samples - by_pipeline(made)).abs().max() == 0.0


@pytest.mark.parametrize("family", ["wan21", "wan22_5b"])
def test_real_files_are_told_apart_by_their_sizes(family):
    from nodeforge.models.detection.networks import find_networks

    folder = FAMILIES[family].denoiser_config()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    with torch.device("meta"):
        network: Any = WanTransformer3DModel.from_config(config)
    shapes = {name: tuple(each.shape) for name, each in original(network.state_dict()).items()}
    found = find_networks(shapes, {})
    assert [each.name for each in families_of(found)[0]] == [family]


@pytest.fixture(scope="module")
def five_b(tmp_path_factory):
    made = tmp_path_factory.mktemp("5b")
    wan(expand_timesteps=True).save_pretrained(made)
    index = made / "model_index.json"
    told = json.loads(index.read_text("utf-8")) | {"_nodeforge_family": "wan22_5b"}
    index.write_text(json.dumps(told), "utf-8")
    return diffusion.describe(made)


def image_to_video_pipeline() -> Any:
    if not hasattr(pipeline_wan_i2v, "ftfy"):  # it calls it unasked
        module: Any = pipeline_wan_i2v
        module.ftfy = SimpleNamespace(fix_text=lambda text: text)
    parts: Any = {n: p for n, p in wan().components.items() if n != "transformer_2"}
    kind: Any = pipeline_wan_i2v.WanImageToVideoPipeline
    made = kind(**parts, image_processor=None, image_encoder=None, expand_timesteps=True)
    made.set_progress_bar_config(disable=True)
    return made


def test_a_5b_model_goes_on_from_a_picture_as_in_the_pipeline(host, five_b):
    torch.manual_seed(2)
    picture = torch.randint(0, 256, (1, SIDE, SIDE, 3), dtype=torch.uint8)
    wanted = image_to_video_pipeline()(
        image=PIL.Image.fromarray(picture[0].numpy()),
        prompt=TEXT,
        negative_prompt=NEGATIVE,
        height=SIDE,
        width=SIDE,
        num_frames=FRAMES,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
    ).frames
    with host.use(five_b.vae) as vae:
        latent, mask = diffusion.start_of_video(vae, Video(picture, 24.0), FRAMES)
    asked = task(host, five_b, latent=latent, mask=mask)
    made = diffusion.denoise(host, asked).samples
    assert torch.equal(made[:, :, :1], latent.samples[:, :, :1])
    assert (made - wanted).abs().max() == 0.0


@pytest.mark.parametrize("frames", [5, 6, 8])
def test_a_video_is_longer_than_what_it_begins_with(host, five_b, frames):
    given = Video(torch.zeros(5, SIDE, SIDE, 3, dtype=torch.uint8), 24.0)
    with host.use(five_b.vae) as vae, pytest.raises(diffusion.LatentSizeError, match="begin with"):
        diffusion.start_of_video(vae, given, frames)


def test_a_video_goes_on_from_the_last_frames_of_another(host, five_b):
    torch.manual_seed(4)
    given = Video(torch.randint(0, 256, (5, SIDE, SIDE, 3), dtype=torch.uint8), 24.0)
    with host.use(five_b.vae) as vae:
        latent, mask = diffusion.start_of_video(vae, given, 13)
    assert mask.values.mean((1, 2)).tolist() == [0, 0, 1, 1]
    made = diffusion.denoise(host, task(host, five_b, latent=latent, mask=mask)).samples
    assert torch.equal(made[:, :, :2], latent.samples[:, :, :2])
