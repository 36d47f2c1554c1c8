"""ACE-Step 1.5: our loop, guidance and autoencoder against diffusers' pipeline."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_transformers import CHANNELS, ace_step

from nodeforge import diffusion
from nodeforge.diffusion import CONVENTIONS, Denoising, Song, behaviour
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.memory.residency import Residency
from nodeforge.diffusion.networks.silence import encoded_silence
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.conditioning import combine, zero
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.diffusion.text.clip import PromptError
from nodeforge.models import FAMILIES, Kind, companions, recognise
from nodeforge.settings import MemoryMode
from nodeforge.values import Audio, Guidance, Noise, Projection, Sampler, Schedule
from nodeforge.values.latent import BCL
from nodeforge.values.setting_names import COMFYUI
from tests.support.family_configs import use_configs
from tests.tiny_originals import ace_step_file, written

SEED, STEPS, SCALE, SECONDS, RATE = 7, 4, 5.0, 2.0, 100
SONG = Song("a piano piece", "[verse]\nla la", "de", 90, "C major", "4", SECONDS)
AS_TOLD = {
    "prompt": SONG.caption,
    "lyrics": SONG.lyrics,
    "vocal_language": SONG.language,
    "bpm": SONG.bpm,
    "keyscale": SONG.key,
    "timesignature": SONG.time_signature,
    "audio_duration": SECONDS,
}


@pytest.fixture(scope="module", params=[True, False], ids=["turbo", "base"])
def pipeline(request):
    return ace_step(turbo=request.param)


@pytest.fixture(scope="module")
def model(pipeline, tmp_path_factory):
    made = tmp_path_factory.mktemp("ace_step")
    pipeline.save_pretrained(made)
    return diffusion.describe(made)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    made = tmp_path_factory.mktemp("ace_step_base")
    ace_step(turbo=False).save_pretrained(made)
    return diffusion.describe(made)


def encoded(host, model, song=SONG):
    with host.use(model.text_encoder) as encoder:
        return behaviour("ace_step").encode_song(encoder, song)


def task(host, model, **changed):
    made = Denoising(
        model.model,
        encoded(host, model),
        Sampler("flow_euler"),
        Schedule("simple", STEPS),
        Guidance(SCALE),
        noise=Noise(SEED, seconds=SECONDS),
    )
    return replace(made, **changed)


def by_pipeline(pipe, output="latent", **changed):
    pipe.set_progress_bar_config(disable=True)
    asked = {
        **AS_TOLD,
        "num_inference_steps": STEPS,
        "guidance_scale": SCALE,
        "generator": torch.Generator().manual_seed(SEED),
        "output_type": output,
        **changed,
    }
    made = pipe(**asked).audios
    return made.transpose(1, 2) if output == "latent" else torch.as_tensor(made)


def test_songs_are_those_of_the_pipeline(host, model, pipeline):
    made = diffusion.denoise(host, task(host, model))
    assert (made.space, made.layout, made.scale, made.rate) == ("ace_step", BCL, 4, RATE)
    assert made.samples.shape == (1, CHANNELS, 50)
    assert (made.samples - by_pipeline(pipeline)).abs().max() == 0.0
    with host.use(model.vae) as vae:
        sound = diffusion.decode_audio(vae, made)
    assert sound.samples.shape == (1, 2, int(SECONDS * RATE))
    assert sound.samples.abs().max() == pytest.approx(10 ** (-1 / 20))
    assert torch.equal(sound.samples, by_pipeline(pipeline, "np"))


@pytest.mark.parametrize(("seconds", "steps"), [(1.03, 7), (3.0, 8), (0.4, 1)])
def test_lengths_and_steps_are_those_of_the_pipeline(host, base, seconds, steps):
    """Where the pipeline moves its levels otherwise than a scheduler would, in float32."""
    asked = task(
        host, base, noise=Noise(SEED, seconds=seconds), schedule=Schedule("simple", steps),
        positive=encoded(host, base, replace(SONG, seconds=seconds)),
    )  # fmt: skip
    wanted = by_pipeline(ace_step(turbo=False), audio_duration=seconds, num_inference_steps=steps)
    assert (diffusion.denoise(host, asked).samples - wanted).abs().max() == 0.0


def test_a_song_of_which_nothing_is_told_has_the_usual_length(host, base):
    with host.use(base.text_encoder) as encoder:
        plain = behaviour("ace_step").encode(encoder, SONG.caption)
    told = encoded(host, base, Song(SONG.caption, seconds=60.0))
    assert torch.equal(plain.prompts[0].embedding, told.prompts[0].embedding)
    usual = Denoising(
        base.model, plain, Sampler("flow_euler"), Schedule("simple", 1), Guidance(1.0),
        noise=Noise(SEED),
    )  # fmt: skip
    made = diffusion.denoise(host, usual)
    assert made.seconds == 60.0
    assert made.samples.shape[-1] == 1500


def test_no_cell_is_made_for_what_rounding_leaves_over(host, base):
    """4.4 × 25 is a little more than 110 in floating point; diffusers' pipeline fails there."""
    asked = task(host, base, noise=Noise(SEED, seconds=4.4), schedule=Schedule("simple", 1))
    assert diffusion.denoise(host, asked).samples.shape[-1] == 110


def test_it_goes_on_from_every_step(host, model):
    asked = task(host, model)
    whole = diffusion.denoise(host, asked)
    for step in range(1, STEPS):
        fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
        diffusion.denoise(fresh, replace(asked, stop_at=step))
        assert torch.equal(diffusion.denoise(fresh, asked).samples, whole.samples)


def test_what_is_told_changes_the_song(host, base):
    plain = diffusion.denoise(host, task(host, base)).samples
    changed = {
        "caption": {"caption": "a drum"},
        "lyrics": {"lyrics": "oh"},
        "language": {"language": "en"},
        "bpm": {"bpm": 120},
        "key": {"key": ""},
        "time_signature": {"time_signature": "3"},
        "seconds": {"seconds": 5.0},
    }
    for name, change in changed.items():
        other = task(host, base, positive=encoded(host, base, replace(SONG, **change)))
        assert (diffusion.denoise(host, other).samples - plain).abs().max() > 1e-5, name
    plain_guidance = Guidance(SCALE, projection=Projection(1.0, 0.0))
    for asked in (
        task(host, base, noise=Noise(SEED + 1, seconds=SECONDS)),
        task(host, base, negative=encoded(host, base, replace(SONG, caption="noise"))),
        task(host, base, guidance=plain_guidance),
    ):
        assert (diffusion.denoise(host, asked).samples - plain).abs().max() > 1e-5


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_guidance_is_projected_as_the_pipeline_does(host, base, convention):
    """ComfyUI's is plain."""
    name = "euler" if convention == COMFYUI else "flow_euler"
    asked = task(host, base, sampler=Sampler(name, convention=convention))
    plain = replace(asked, guidance=Guidance(SCALE, projection=Projection(1.0, 0.0)))
    same = torch.equal(*(diffusion.denoise(host, each).samples for each in (asked, plain)))
    assert same is (convention == COMFYUI)


@pytest.mark.parametrize("sampler", ["flow_euler", "flow_heun", "unipc"])
def test_samplers_tell_the_model_levels_from_0_to_1(host, base, sampler):
    told = []
    with host.use(base.model) as loaded:
        hook = loaded.network.register_forward_pre_hook(
            lambda _, __, given: told.append(float(given["timestep"][0])), with_kwargs=True
        )
    asked = task(host, base, sampler=Sampler(sampler), schedule=Schedule("normal", STEPS))
    diffusion.denoise(host, asked)
    hook.remove()
    assert told == sorted(told, reverse=True)
    assert 0.9 < told[0] <= 1.0
    assert 0.0 < told[-1] < 0.6


def test_zeros_are_the_condition_for_nothing(host, base):
    plain = diffusion.denoise(host, task(host, base))
    asked = task(host, base, negative=zero(encoded(host, base)))
    assert torch.equal(diffusion.denoise(host, asked).samples, plain.samples)


def test_songs_of_a_batch_are_those_of_their_seeds(host, model):
    both = diffusion.denoise(host, task(host, model, noise=Noise(SEED, batch=2, seconds=SECONDS)))
    other = diffusion.denoise(host, task(host, model, noise=Noise(SEED + 1, seconds=SECONDS)))
    assert both.batch == 2
    assert torch.allclose(both.samples[1:], other.samples, atol=1e-5)


def test_prompts_of_different_lengths_do_not_disturb_each_other(host, base):
    """Nothing masks tokens in cross-attention, so none may be filled up."""
    long = encoded(host, base, replace(SONG, caption="a drum and a bass", lyrics="oh " * 20))
    one, other = task(host, base, guidance=Guidance(1.0)), {"guidance": Guidance(1.0)}
    steps = {"schedule": Schedule("simple", 1)}
    apart = [
        diffusion.denoise(host, replace(one, positive=each, **steps)).samples
        for each in (one.positive, long)
    ]
    both = replace(one, positive=combine(one.positive, long), **steps, **other)
    made = diffusion.denoise(host, both).samples
    assert torch.allclose(made, (apart[0] + apart[1]) / 2, atol=1e-6)


def test_the_condition_encoder_reads_each_prompt_once(host, base):
    calls = []
    with host.use(base.model) as loaded:
        loaded.kept.clear()
        reader = loaded.network.condition_encoder.lyric_encoder
        hook = reader.register_forward_hook(lambda *_: calls.append(1))
    diffusion.denoise(host, task(host, base, noise=Noise(SEED + 9, seconds=SECONDS)))
    hook.remove()
    assert len(calls) == 1


def test_a_sound_is_changed_from_its_latent(host, base):
    torch.manual_seed(1)
    sound = Audio(torch.rand(1, 1, 130) - 0.5, RATE)
    with host.use(base.vae) as vae:
        latent = diffusion.encode_audio(vae, sound)
    assert latent.samples.shape == (1, CHANNELS, 33)
    asked = task(host, base, latent=latent, noise=Noise(SEED), schedule=Schedule("simple", 8, 0.5))
    made = diffusion.denoise(host, asked)
    assert (made.seconds, made.samples.shape[-1]) == (1.3, 33)
    longer = replace(asked, noise=Noise(SEED, seconds=2.0))
    with pytest.raises(diffusion.LatentSizeError, match="33 cells, this model's have 50"):
        diffusion.denoise(host, longer)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 601.0])
def test_lengths_that_the_model_has_not_are_refused(host, base, seconds):
    with pytest.raises(diffusion.LatentSizeError, match="up to 600"):
        diffusion.denoise(host, task(host, base, noise=Noise(SEED, seconds=seconds)))


def test_texts_that_would_lose_their_end_are_refused(host, base):
    with pytest.raises(PromptError, match="tokens more than the 256"):
        encoded(host, base, replace(SONG, caption="drums " * 50))
    with pytest.raises(PromptError, match="tokens more than the 2048"):
        encoded(host, base, replace(SONG, lyrics="la " * 700))


def test_families_without_lyrics_refuse_them():
    with pytest.raises(PromptError, match="Stable Audio reads no lyrics"):
        diffusion.check_lyrics("stable_audio")


def test_silence_of_zeros_is_refused(host, base, tmp_path):
    """Converters that do not find the authors' file leave zeros, with which the model drones."""
    folder = shutil.copytree(base.model.weights.path, tmp_path / "model")
    (file,) = (folder / "condition_encoder").glob("*.safetensors")
    tensors = load_file(file)
    save_file(tensors | {"silence_latent": torch.zeros(1, 15000, CHANNELS)}, file)
    silent = diffusion.describe(folder)
    with pytest.raises(diffusion.LoadingError, match="all zeros"):
        diffusion.denoise(host, replace(task(host, base), model=silent.model))
    del tensors["silence_latent"]
    save_file(tensors, file)
    with pytest.raises(diffusion.LoadingError, match="silence_latent"):
        diffusion.denoise(host, replace(task(host, base), model=diffusion.describe(folder).model))


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_the_authors_file_makes_the_same_songs(host, base, tmp_path, monkeypatch, prefix):
    """Its silence is encoded by the VAE, as the folder's is here."""
    root = shutil.copytree(base.model.weights.path, tmp_path / "folder")
    with host.use(base.vae) as vae:
        silence = encoded_silence(vae.network, 15000)
    (stored,) = (root / "condition_encoder").glob("*.safetensors")
    save_file(load_file(stored) | {"silence_latent": silence}, stored)
    tensors = {f"{prefix}{name}": each for name, each in ace_step_file(root).items()}
    file = written(tmp_path / "acestep_base.safetensors", tensors)
    use_configs(monkeypatch, "ace_step", root)
    info = recognise(file)
    assert (info.kind, info.family, info.variant) == (Kind.UNET, "ace_step", "base")
    found = companions(file, {}, [recognise(root / each) for each in ("text_encoder", "vae")])
    assert {*found} == {"text_encoder", "vae"}
    paths = {name: each.path for name, each in found.items()}
    single = diffusion.describe(file, text_encoders=[paths["text_encoder"]], vae=paths["vae"])
    whole = diffusion.denoise(host, task(host, diffusion.describe(root)))
    assert torch.equal(diffusion.denoise(host, task(host, single)).samples, whole.samples)
    with pytest.raises(diffusion.LoadingError, match="Load model"):
        diffusion.describe_denoiser(file)


def test_silence_is_the_same_but_for_its_start(host, base):
    with host.use(base.vae) as vae:
        long = encoded_silence(vae.network, 400)
        zeros = torch.zeros(1, 2, 400 * vae.scale)
        wanted = vae.network.encode(zeros).latent_dist.mode().transpose(1, 2)
    assert long.shape == (1, 400, CHANNELS)
    assert torch.allclose(long[:, :350], wanted[:, :350], atol=1e-6)


@pytest.mark.parametrize("lacking", ["text_encoder", "vae", "condition_encoder"])
def test_a_folder_that_lacks_a_part_is_refused(base, tmp_path, lacking):
    shutil.copytree(base.model.weights.path, tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / lacking)
    with pytest.raises(diffusion.LoadingError, match=f"no {lacking.replace('_', ' ')}"):
        diffusion.describe(tmp_path / "model")


def test_variants_are_told_by_the_folder(model, pipeline):
    info = recognise(Path(model.model.weights.path))
    assert (info.family, info.variant) == ("ace_step", "turbo" if pipeline.is_turbo else "base")
    assert diffusion.describe_vae(Path(model.model.weights.path) / "vae", "ace_step")


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


def test_loras_of_trainers_and_of_diffusers_are_the_same(host, base, tmp_path, monkeypatch):
    """Trainers wrap the denoiser alone, with the authors' names."""
    family = FAMILIES["ace_step"]
    assert family.signature is not None
    named = replace(family.signature, common_names=False)  # sizes are of the published model
    monkeypatch.setitem(FAMILIES, "ace_step", replace(family, signature=named))
    torch.manual_seed(5)
    theirs, ours = {}, {}
    for old, new in (("q_proj", "to_q"), ("o_proj", "to_out.0")):
        sides = (4, 32) if old == "q_proj" else (4, 256), (256, 4) if old == "q_proj" else (32, 4)
        for side, shape in zip("AB", sides, strict=True):
            weight = torch.randn(shape) * 0.1
            theirs[f"base_model.model.layers.1.cross_attn.{old}.lora_{side}.weight"] = weight
            ours[f"transformer.layers.1.cross_attn.{new}.lora_{side}.weight"] = weight
    made = []
    for name, tensors in (("theirs", theirs), ("ours", ours)):
        save_file(tensors, file := tmp_path / f"{name}.safetensors")
        lora = diffusion.describe_lora(file, "ace_step")
        asked = replace(task(host, base), model=diffusion.with_lora(base.model, lora, 1.0))
        made.append(diffusion.denoise(host, asked).samples)
    assert torch.equal(*made)
    plain = diffusion.denoise(host, task(host, base)).samples
    assert (made[0] - plain).abs().max() > 1e-4
