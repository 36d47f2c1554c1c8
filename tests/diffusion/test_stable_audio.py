"""Stable Audio: our loop and autoencoder against diffusers' pipeline."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_transformers import CHANNELS, stable_audio

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, behaviour
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.memory.residency import Residency
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.diffusion.vae.autoencoder import VaeError
from nodeforge.models import Kind, companions, recognise
from nodeforge.settings import MemoryMode
from nodeforge.values import Audio, Guidance, Latent, LatentMismatchError, Noise, Sampler, Schedule
from nodeforge.values.latent import BCL
from tests.support.family_configs import use_configs
from tests.tiny_originals import stable_audio_checkpoint, written

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


@pytest.mark.parametrize("schedule", ["exponential", "karras"])
@pytest.mark.parametrize("seconds", [0.5, 8.0])
def test_lengths_and_schedules_are_those_of_the_pipeline(host, model, schedule, seconds):
    asked = task(
        host, model, noise=Noise(11, seconds=seconds), schedule=Schedule(schedule, 6), negative=None
    )
    pipe = stable_audio(model_width(model))
    pipe.scheduler.register_to_config(sigma_schedule=schedule)
    wanted = by_pipeline(
        pipe,
        audio_end_in_s=seconds,
        num_inference_steps=6,
        negative_prompt=None,
        generator=torch.Generator().manual_seed(11),
    )
    assert (diffusion.denoise(host, asked).samples - wanted).abs().max() == 0.0


def model_width(model):
    from nodeforge.diffusion.weights.configs import conditioner_config

    return conditioner_config(model.model.weights, "projection_model")["conditioning_dim"]


def test_without_guidance_the_negative_prompt_is_not_read(host, model, pipeline):
    made = diffusion.denoise(host, task(host, model, guidance=Guidance(1.0)))
    wanted = by_pipeline(pipeline, guidance_scale=1.0, negative_prompt=None)
    assert (made.samples - wanted).abs().max() == 0.0


def test_it_goes_on_from_every_step(host, model):
    asked = task(host, model)
    whole = diffusion.denoise(host, asked)
    for step in range(1, STEPS):
        fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
        diffusion.denoise(fresh, replace(asked, stop_at=step))
        assert torch.equal(diffusion.denoise(fresh, asked).samples, whole.samples)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_3m_sde", "heun", "dpmpp_2m", "dpmpp_sde"])
def test_samplers_of_ours_go_on_as_well(host, model, sampler):
    asked = task(host, model, sampler=Sampler(sampler), schedule=Schedule("normal", STEPS))
    whole = diffusion.denoise(host, asked)
    fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
    diffusion.denoise(fresh, replace(asked, stop_at=2))
    assert torch.equal(diffusion.denoise(fresh, asked).samples, whole.samples)


def test_what_is_asked_for_changes_the_sound(host, model):
    plain = diffusion.denoise(host, task(host, model)).samples
    others = {
        "prompt": task(host, model, positive=encoded(host, model, "birds")),
        "negative": task(host, model, negative=encoded(host, model, "birds")),
        "no negative": task(host, model, negative=None),
        "seed": task(host, model, noise=Noise(SEED + 1, seconds=SECONDS)),
        "seconds": task(host, model, noise=Noise(SEED, seconds=5.0)),
        "weight": task(host, model, positive=encoded(host, model, "a (hammer:1.5) hitting wood")),
    }
    for name, asked in others.items():
        assert (diffusion.denoise(host, asked).samples - plain).abs().max() > 1e-4, name


def test_sounds_of_a_batch_are_those_of_their_seeds(host, model):
    both = diffusion.denoise(host, task(host, model, noise=Noise(SEED, batch=2, seconds=SECONDS)))
    other = diffusion.denoise(host, task(host, model, noise=Noise(SEED + 1, seconds=SECONDS)))
    assert both.batch == 2
    assert torch.allclose(both.samples[1:], other.samples, atol=1e-4)


def test_a_sound_is_changed_from_its_latent(host, model):
    torch.manual_seed(1)
    sound = Audio(torch.rand(1, 1, 20) - 0.5, RATE)
    with host.use(model.vae) as vae:
        latent = diffusion.encode_audio(vae, sound, cells=CELLS)
    assert latent.samples.shape == (1, CHANNELS, CELLS)
    assert latent.seconds == 2.5
    asked = task(
        host, model, latent=latent, noise=Noise(SEED), schedule=Schedule("exponential", 8, 0.5)
    )
    made = diffusion.denoise(host, asked)
    assert made.seconds == 2.5
    again = diffusion.denoise(host, replace(asked, latent=replace(latent, seconds=4.0)))
    assert not torch.equal(again.samples, made.samples)


def test_the_authors_file_makes_the_same_sounds(host, model, pipeline, tmp_path, monkeypatch):
    root = Path(model.model.weights.path)
    file = written(tmp_path / "model.safetensors", stable_audio_checkpoint(root))
    use_configs(monkeypatch, "stable_audio", root)
    info = recognise(file)
    assert (info.kind, info.family) == (Kind.CHECKPOINT, "stable_audio")
    assert info.parts == ("transformer", "vae")
    found = companions(file, {}, [recognise(root / "text_encoder")])
    assert [*found] == ["text_encoder"]
    single = diffusion.describe(file, text_encoders=[found["text_encoder"].path])
    made = diffusion.denoise(host, task(host, single))
    assert (made.samples - by_pipeline(pipeline)).abs().max() == 0.0
    with host.use(single.vae) as vae:
        assert torch.equal(diffusion.decode_audio(vae, made).samples, by_pipeline(pipeline, "np"))


@pytest.mark.parametrize("lacking", ["text_encoder", "vae", "projection_model"])
def test_a_folder_that_lacks_a_part_is_refused(model, tmp_path, lacking):
    shutil.copytree(model.model.weights.path, tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / lacking)
    with pytest.raises(diffusion.LoadingError, match=f"no {lacking.replace('_', ' ')}"):
        diffusion.describe(tmp_path / "model")


def test_a_vae_alone_is_recognised(model, tmp_path):
    root = Path(model.model.weights.path)
    assert diffusion.describe_vae(root / "vae").space == "stable_audio"


@pytest.mark.parametrize("seconds", [0.0, -1.0, 8.5, 600.0])
def test_lengths_that_the_model_has_not_are_refused(host, model, seconds):
    with pytest.raises(diffusion.LatentSizeError, match="up to 8"):
        diffusion.denoise(host, task(host, model, noise=Noise(SEED, seconds=seconds)))


@pytest.mark.parametrize("sampler", ["pndm", "tcd", "sa_solver", "flow_euler"])
def test_samplers_of_numbered_levels_are_refused(host, model, sampler):
    asked = task(host, model, sampler=Sampler(sampler), schedule=Schedule("normal", 4))
    with pytest.raises(diffusion.UnsupportedPairError):
        diffusion.denoise(host, asked)


def test_sounds_of_another_rate_or_length_are_refused(host, model):
    with host.use(model.vae) as vae:
        for sound, words in (
            (Audio(torch.zeros(1, 2, 20), 44100), "44100 samples a second"),
            (Audio(torch.zeros(1, 6, 20), RATE), "6 channels"),
            (Audio(torch.zeros(1, 2, 0), RATE), "0.0 seconds"),
            (Audio(torch.zeros(1, 2, 65), RATE), "up to 8.0"),
        ):
            with pytest.raises(diffusion.LatentSizeError, match=words):
                diffusion.encode_audio(vae, sound, cells=CELLS)


def test_latents_of_pictures_are_refused(host, model):
    picture = Latent(torch.zeros(1, CHANNELS, 4, 4), "stable_audio", 4)
    with host.use(model.vae) as vae, pytest.raises(VaeError, match="of no sound"):
        diffusion.decode_audio(vae, picture)
    with pytest.raises(LatentMismatchError, match="the model makes sounds"):
        diffusion.denoise(host, task(host, model, latent=picture))


def test_tiles_along_time_are_nearly_the_whole(host, model):
    torch.manual_seed(2)
    latent = Latent(torch.randn(1, CHANNELS, 1000), "stable_audio", 4, BCL, RATE)
    with host.use(model.vae) as vae:
        whole = diffusion.decode_audio(vae, latent).samples
        tiled = diffusion.decode_audio(vae, latent, tiled=True).samples
    assert whole.shape == tiled.shape == (1, 2, 4000)
    assert (whole - tiled).abs().max() < 1e-5


def test_long_sounds_are_decoded_in_tiles(host, model):
    torch.manual_seed(2)
    latent = Latent(torch.randn(1, CHANNELS, 1100), "stable_audio", 4, BCL, RATE)
    lengths = []
    with host.use(model.vae) as vae:
        whole = vae.network.decode(latent.samples).sample
        hook = vae.network.decoder.register_forward_hook(
            lambda _, given, __: lengths.append(given[0].shape[-1])
        )
        made = diffusion.decode_audio(vae, latent).samples
        hook.remove()
    assert max(lengths) <= 512
    assert (made - whole).abs().max() < 1e-5


def test_streamed_from_disk_the_numbers_are_the_same(host, model):
    whole = diffusion.denoise(host, task(host, model))
    very_low = Residency("cpu", Policy(MemoryMode.VERY_LOW))
    with very_low.use(model.model) as loaded:
        assert stream_of(loaded.network) is not None
    low = diffusion.LocalHost(very_low)
    assert torch.equal(diffusion.denoise(low, task(low, model)).samples, whole.samples)


def test_what_it_needs_of_memory_is_known(model):
    for recipe in (model.model, *model.text_encoder.parts, model.vae):
        told = memory_needs(recipe, Policy(), torch.device("cpu"))
        assert told.weights > 0
        assert told.working > 0
