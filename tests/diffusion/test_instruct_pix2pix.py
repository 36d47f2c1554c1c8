"""InstructPix2Pix reads the picture to edit beside the latent, with a guidance of its own."""

from __future__ import annotations

from dataclasses import replace

import diffusers
import pytest
import tiny_models
import torch

from nodeforge import diffusion
from nodeforge.diffusion import DenoiseError, Denoising, ReferencesError
from nodeforge.models import recognise
from nodeforge.values import Guidance, LatentMismatchError, Mask, Noise, Sampler, Schedule
from support.pipeline_inputs import SEED, SIZE, as_image, difference, generator, picture

PIPELINES = {
    "sd15": diffusers.StableDiffusionInstructPix2PixPipeline,
    "sdxl": diffusers.StableDiffusionXLInstructPix2PixPipeline,
}
PROMPT, NEGATIVE, STEPS = "make it night", "blurry", 3
SEEN = picture().crop((0, 0, SIZE, SIZE))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("edits")
    return {
        name: tiny_models.write_folder(root / name, family=name, edits=True) for name in PIPELINES
    }


def encoded(host, path, text, pictures=(SEEN,)):
    described = diffusion.describe(path)
    family = described.model.weights.family
    with host.use(described.vae) as vae:
        latents = [diffusion.encode_reference(vae, as_image(each), family) for each in pictures]
    with host.use(described.text_encoder) as encoder:
        said = diffusion.encode_text(encoder, described.text_encoder, text)
    return diffusion.with_references(said, latents)


def task_of(host, path, guidance, noise=None, **more):
    return Denoising(
        diffusion.describe(path).model,
        encoded(host, path, PROMPT),
        Sampler("euler"),
        Schedule("normal", STEPS),
        guidance,
        encoded(host, path, NEGATIVE),
        noise=noise or Noise(SEED),
        **more,
    )


def theirs(name, path, scale, image_scale):
    made = PIPELINES[name].from_pretrained(path, safety_checker=None)
    made.scheduler = diffusers.EulerDiscreteScheduler.from_config(made.scheduler.config)
    made.set_progress_bar_config(disable=True)
    given = {"height": SIZE, "width": SIZE} if name == "sdxl" else {}
    return made(
        prompt=PROMPT, negative_prompt=NEGATIVE, image=SEEN, num_inference_steps=STEPS,
        guidance_scale=scale, image_guidance_scale=image_scale, generator=generator(),
        output_type="latent", **given,
    ).images  # fmt: skip


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize(("scale", "image_scale"), [(7.5, 1.5), (7.5, 2.0), (1.0, 1.0)])
def test_it_edits_as_its_pipeline(host, folders, name, scale, image_scale):
    path = folders[name]
    assert recognise(path).variant == "instruct_pix2pix"
    ours = diffusion.denoise(host, task_of(host, path, Guidance(scale, image_scale=image_scale)))
    assert difference(ours.samples, theirs(name, path, scale, image_scale)) == 0.0


def test_image_guidance_asks_for_three_predictions_at_once(host, folders):
    diffusion.denoise(host, task_of(host, folders["sd15"], Guidance(7.5, image_scale=1.5)))
    assert host.model_calls == STEPS
    plain = diffusion.LocalHost(host.residency)
    made = diffusion.denoise(plain, task_of(host, folders["sd15"], Guidance(7.5, image_scale=1.0)))
    near = theirs("sd15", folders["sd15"], 7.5, 1.0)  # of three, the third counting for nothing
    assert difference(made.samples, near) < 1e-4


def test_left_to_the_model_guidance_is_the_usual_one(host, folders):
    auto = diffusion.denoise(host, task_of(host, folders["sd15"], Guidance(None)))
    told = task_of(host, folders["sd15"], Guidance(7.5, image_scale=1.5))
    assert torch.equal(auto.samples, diffusion.denoise(host, told).samples)


def test_every_step_is_entered_again_and_another_picture_is_another_run(host, folders, residency):
    path = folders["sd15"]
    task = task_of(host, path, Guidance(7.5, image_scale=1.5))
    whole = diffusion.denoise(host, task).samples
    again = diffusion.LocalHost(residency)
    diffusion.denoise(again, replace(task, stop_at=1))
    assert torch.equal(diffusion.denoise(again, task).samples, whole)
    assert again.model_calls == STEPS
    other = encoded(host, path, PROMPT, [SEEN.rotate(90)])
    assert not torch.equal(diffusion.denoise(again, replace(task, positive=other)).samples, whole)
    assert again.model_calls == 2 * STEPS


def test_a_masked_edit_keeps_the_latent_outside_and_batches_edit_alike(host, folders):
    path = folders["sd15"]
    with host.use(diffusion.describe(path).vae) as vae:
        latent = diffusion.encode(vae, as_image(SEEN))
    mask = torch.zeros(1, SIZE, SIZE)
    mask[:, :, : SIZE // 2] = 1
    task = task_of(host, path, Guidance(7.5, image_scale=1.5), latent=latent, mask=Mask(mask))
    made, half = diffusion.denoise(host, task).samples, latent.samples.shape[-1] // 2
    assert torch.equal(made[..., half:], latent.samples[..., half:])
    assert difference(made[..., :half], latent.samples[..., :half]) > 0.1
    several = task_of(host, path, Guidance(7.5, image_scale=1.5), Noise(SEED, batch=2))
    one = task_of(host, path, Guidance(7.5, image_scale=1.5), Noise(SEED + 1))
    both = diffusion.denoise(host, several).samples
    assert difference(both[1:], diffusion.denoise(host, one).samples) < 1e-3


def test_a_reference_added_as_a_latent_is_the_one_that_is_encoded(host, folders):
    path = folders["sdxl"]
    with host.use(diffusion.describe(path).vae) as vae:
        latent = diffusion.as_reference(diffusion.encode(vae, as_image(SEEN)), "sdxl")
    shown = encoded(host, path, PROMPT).prompts[0].references[0]
    assert difference(latent.samples, shown.samples) < 1e-5


def test_what_it_cannot_edit_is_said_before_it_is_loaded(host, folders, sd_folder):
    path, guided = folders["sd15"], Guidance(7.5, image_scale=1.5)
    blind = replace(task_of(host, path, guided), positive=encoded(host, path, PROMPT, []))
    with pytest.raises(ReferencesError, match="shows it none"):
        diffusion.denoise(host, blind)
    with pytest.raises(LatentMismatchError, match="this model edits in place"):
        diffusion.denoise(host, task_of(host, path, guided, Noise(SEED, 2 * SIZE, SIZE)))
    with pytest.raises(ReferencesError, match="takes 1 reference picture, these are 2"):
        encoded(host, path, PROMPT, [SEEN, SEEN])
    plain = task_of(host, sd_folder, Guidance(7.5))
    with pytest.raises(ReferencesError, match=r"SD 1\.5 takes no reference pictures"):
        diffusion.denoise(host, plain)
    said = encoded(host, sd_folder, PROMPT, [])
    with pytest.raises(DenoiseError, match=r"image guidance acts on no picture"):
        diffusion.denoise(
            host, replace(plain, positive=said, negative=None, guidance=guided,
                          noise=Noise(SEED, SIZE, SIZE))
        )  # fmt: skip
