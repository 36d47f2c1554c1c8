"""AnimateDiff: our loop against diffusers' pipelines, and clips that those cannot make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import tiny_models
import torch
from diffusers.pipelines.animatediff.pipeline_animatediff import AnimateDiffPipeline
from diffusers.pipelines.animatediff.pipeline_animatediff_video2video import (
    AnimateDiffVideoToVideoPipeline,
)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from tiny_motion import FRAMES, motion_adapter, write_motion_lora, write_original

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, describe_lora, with_lora, with_motion
from nodeforge.diffusion.denoising.context_windows import windows
from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import Attention
from nodeforge.values import (
    Guidance,
    Image,
    Latent,
    LatentMismatchError,
    Mask,
    Noise,
    Sampler,
    Schedule,
)
from nodeforge.values.latent import BCTHW

SIDE, COUNT, SEED, STEPS, SCALE = 64, 6, 7, 4, 5.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("motion")
    motion_adapter().save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def moving(sd, folder):
    """The tiny model with a motion module."""
    return with_motion(sd.model, diffusion.describe_motion_module(folder), FRAMES, 4)


def task(model, prompts, **changed):
    made = Denoising(
        model,
        prompts[0],
        Sampler("ddim"),
        Schedule("normal", STEPS),
        Guidance(SCALE),
        negative=prompts[1],
        noise=Noise(SEED, SIDE, SIDE, frames=COUNT),
    )
    return replace(made, **changed)


def pipeline(kind, sd_folder) -> Any:
    base = StableDiffusionPipeline.from_pretrained(sd_folder, safety_checker=None)
    parts = {n: base.components[n] for n in ("vae", "text_encoder", "tokenizer", "unet")}
    made = kind(**parts, motion_adapter=motion_adapter(), scheduler=base.scheduler)
    made.set_progress_bar_config(disable=True)
    return made


def by_pipeline(sd_folder) -> torch.Tensor:
    return pipeline(AnimateDiffPipeline, sd_folder)(
        prompt="a red cat",
        negative_prompt="blurry",
        num_frames=COUNT,
        height=SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        guidance_scale=SCALE,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
    ).frames


def test_clips_are_those_of_the_pipeline(host, moving, prompts, sd_folder):
    made = diffusion.denoise(host, task(moving, prompts))
    assert made.layout == BCTHW
    assert made.rate == 8.0
    assert (made.samples - by_pipeline(sd_folder)).abs().max() == 0.0


def test_a_file_of_the_authors_is_the_same_module(
    host, sd, prompts, tmp_path, sd_folder, monkeypatch
):
    from nodeforge.diffusion.networks import motion_module

    # no shape tells heads and groups: those of a tiny module are not the published ones
    monkeypatch.setattr(motion_module, "_HEADS", 2)
    monkeypatch.setattr(motion_module, "_GROUPS", 2)
    file = write_original(motion_adapter(), tmp_path / "mm_tiny.safetensors")
    model = with_motion(sd.model, diffusion.describe_motion_module(file), FRAMES, 4)
    made = diffusion.denoise(host, task(model, prompts))
    assert (made.samples - by_pipeline(sd_folder)).abs().max() == 0.0


@torch.no_grad()
def test_a_video_is_changed_as_by_the_pipeline(host, moving, prompts, sd_folder):
    torch.manual_seed(1)
    frames = torch.randint(0, 256, (COUNT, SIDE, SIDE, 3), dtype=torch.uint8)
    steps, strength = 8, 0.5
    pipe = pipeline(AnimateDiffVideoToVideoPipeline, sd_folder)
    wanted = pipe(
        video=[PIL.Image.fromarray(frame.numpy()) for frame in frames],
        prompt="a red cat",
        negative_prompt="blurry",
        height=SIDE,
        width=SIDE,
        num_inference_steps=steps,
        guidance_scale=SCALE,
        strength=strength,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
    ).frames
    # as the pipeline does, the posterior is drawn from before the noise
    drawn = torch.Generator().manual_seed(SEED)
    pixels = 2.0 * (frames.float() / 255).permute(0, 3, 1, 2) - 1.0
    cells = pipe.encode_video(pixels, drawn) * pipe.vae.config.scaling_factor
    latent = Latent(cells.transpose(0, 1)[None], "sd", 8, BCTHW, 8.0)
    start = diffusion.start_noise([drawn], (COUNT, 4, 8, 8)).transpose(1, 2)  # its order of axes
    noise = diffusion.DrawnNoise(start, (drawn,), (SEED,))
    asked = task(moving, prompts, latent=latent, noise=noise)
    schedule = Schedule("normal", steps, strength=strength)
    made = diffusion.denoise(host, replace(asked, schedule=schedule)).samples
    assert (made - wanted).abs().max() == 0.0


def test_it_goes_on_from_every_step(host, moving, prompts):
    asked = task(moving, prompts)
    whole = diffusion.denoise(host, asked)
    for step in range(1, STEPS):
        fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
        diffusion.denoise(fresh, replace(asked, stop_at=step))
        before = fresh.model_calls
        assert torch.equal(diffusion.denoise(fresh, asked).samples, whole.samples)
        assert fresh.model_calls == before + STEPS - step


def test_a_picture_of_the_same_model_keeps_its_key(host, sd, moving, prompts):
    """The module lies over the network only while a clip is drawn."""
    alone = task(sd.model, prompts, noise=Noise(SEED, SIDE, SIDE))
    before = diffusion.denoise(diffusion.LocalHost(diffusion.Residency("cpu")), alone).samples
    diffusion.denoise(host, task(moving, prompts))
    assert torch.equal(diffusion.denoise(host, alone).samples, before)


def test_attention_is_chosen_as_before_after_a_run_with_several_networks(moving, prompts):
    """What one network sets is taken back in turn: the denoiser's use lies inside the module's."""
    kernels = torch.backends.cuda
    enabled = (kernels.flash_sdp_enabled, kernels.mem_efficient_sdp_enabled)
    before = [each() for each in enabled]
    policy = Policy(attention=Attention.MATH)
    host = diffusion.LocalHost(diffusion.Residency("cpu", policy))
    diffusion.denoise(host, task(moving, prompts))
    assert [each() for each in enabled] == before


def test_a_motion_lora_moves_the_camera(host, moving, prompts, tmp_path):
    file = write_motion_lora(motion_adapter(), tmp_path / "zoom.safetensors")
    lora = describe_lora(file, "sd15")
    diffusion.check_lora(moving, lora)
    changed = with_lora(moving, lora, 1.0)
    assert changed.loras == ()
    plain = diffusion.denoise(host, task(moving, prompts)).samples
    made = diffusion.denoise(host, task(changed, prompts)).samples
    assert (made - plain).abs().max() > 0.01
    assert torch.equal(diffusion.denoise(host, task(moving, prompts)).samples, plain)


def test_a_motion_lora_needs_a_motion_module(sd, tmp_path):
    file = write_motion_lora(motion_adapter(), tmp_path / "zoom.safetensors")
    with pytest.raises(LoadingError, match="motion LoRA"):
        diffusion.check_lora(sd.model, describe_lora(file, "sd15"))


def test_windows_cover_a_clip():
    assert [*windows(20, 8, 2)] == [range(8), range(6, 14), range(12, 20)]
    assert [*windows(21, 8, 2)] == [*[*windows(20, 8, 2)][:2], range(12, 20), range(13, 21)]
    assert [*windows(9, 8, 2)] == [range(8), range(1, 9)]


def test_a_long_clip_is_seen_through_windows(host, sd, folder, prompts):
    module = diffusion.describe_motion_module(folder)
    long = Noise(SEED, SIDE, SIDE, frames=10)
    made = diffusion.denoise(
        host, task(with_motion(sd.model, module, 6, 2), prompts, noise=long)
    ).samples
    assert made.shape[2] == 10
    assert bool(made.isfinite().all())
    at_once = diffusion.denoise(
        host, task(with_motion(sd.model, module, 10, 2), prompts, noise=long)
    ).samples
    within = diffusion.denoise(
        host, task(with_motion(sd.model, module, 16, 2), prompts, noise=long)
    ).samples
    assert torch.equal(at_once, within)
    assert not torch.equal(made, at_once)


def test_a_mask_keeps_what_lies_outside_in_every_frame(host, moving, prompts):
    torch.manual_seed(2)
    latent = Latent(torch.randn(1, 4, COUNT, 8, 8), "sd", 8, BCTHW, 8.0)
    values = torch.zeros(1, SIDE, SIDE)
    values[:, :, SIDE // 2 :] = 1.0
    made = diffusion.denoise(host, task(moving, prompts, latent=latent, mask=Mask(values))).samples
    assert torch.equal(made[..., :4], latent.samples[..., :4])
    assert not torch.equal(made[..., 4:], latent.samples[..., 4:])


def test_a_controlnet_sees_a_picture_for_each_frame(host, moving, prompts, sd_folder, tmp_path):
    control = tiny_models.write_controlnet(sd_folder, tmp_path / "controlnet")
    net = diffusion.describe_controlnet(control)
    torch.manual_seed(4)
    hints = Image(torch.rand(COUNT, SIDE, SIDE, 3))
    steered = diffusion.add_control(prompts[0], net, hints, 1.0)
    made = diffusion.denoise(host, task(moving, prompts, positive=steered)).samples
    first = diffusion.add_control(prompts[0], net, Image(hints.pixels[:1]), 1.0)
    other = diffusion.denoise(host, task(moving, prompts, positive=first)).samples
    assert not torch.equal(made, other)
    wrong = diffusion.add_control(prompts[0], net, Image(hints.pixels[:4]), 1.0)
    with pytest.raises(diffusion.HintError, match="4 pictures for 6"):
        diffusion.denoise(host, task(moving, prompts, positive=wrong))


def test_a_module_of_another_architecture_is_refused(sd, tmp_path):
    motion_adapter((16, 32)).save_pretrained(tmp_path)
    with pytest.raises(diffusion.MotionError, match="16, 32 channels"):
        with_motion(sd.model, diffusion.describe_motion_module(tmp_path), 16, 4)


@pytest.mark.parametrize("overlap", [-1, 16, 40])
def test_windows_must_go_on(sd, folder, overlap):
    with pytest.raises(diffusion.MotionError, match="cannot share"):
        with_motion(sd.model, diffusion.describe_motion_module(folder), 16, overlap)


def test_a_picture_is_no_start_of_a_clip(host, moving, prompts):
    with pytest.raises(LatentMismatchError, match="of a picture, the model makes videos"):
        diffusion.denoise(
            host, task(moving, prompts, latent=Latent(torch.zeros(1, 4, 8, 8), "sd", 8))
        )


def test_a_clip_is_decoded_in_groups(host, moving, prompts, sd):
    latent = diffusion.denoise(host, task(moving, prompts))
    with host.use(sd.vae) as vae:
        video = diffusion.decode_video(vae, latent)
        frame = diffusion.decode(vae, Latent(latent.samples[:, :, 5].contiguous(), "sd", 8))
        with pytest.raises(diffusion.ClipError, match="1 clips"):
            diffusion.decode_video(vae, latent, item=1)
        with pytest.raises(diffusion.ClipError, match="of no video"):
            diffusion.decode_video(vae, Latent(latent.samples[:, :, 0], "sd", 8))
    assert video.frames.shape == (COUNT, SIDE, SIDE, 3)
    assert video.rate == 8.0
    assert (video.frames[5].float() / 255 - frame.pixels[0]).abs().max() <= 0.51 / 255
