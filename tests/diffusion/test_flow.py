"""Models of flow: diffusers' schedulers to the bit, ours on Gaussian data, errors by name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import pairwise

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)

from nodeforge import diffusion
from nodeforge.diffusion import (
    Denoising,
    DrawnNoise,
    LoadingError,
    ScheduleError,
    UnsupportedPairError,
    table,
)
from nodeforge.diffusion.samplers.diffusers_stepper import NATIVE, settings_of
from nodeforge.diffusion.samplers.pairs import make_stepper
from nodeforge.diffusion.samplers.single_step.heun import heun_step
from nodeforge.diffusion.samplers.step_context import StepContext
from nodeforge.diffusion.samplers.stochastic.ancestral import ancestral_step
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.models import recognise
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from support.pipeline_inputs import (
    SCALE,
    SEED,
    SIZE,
    STEPS,
    as_image,
    as_mask,
    asked,
    difference,
    generator,
    hole,
    picture,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

NATIVE_PAIRS = [pair for pair, kind in table(flow=True).items() if kind == "diffusers"]
OWN_PAIRS = [pair for pair, kind in table(flow=True).items() if kind == "own"]
SIGMAS = (1.0, 0.8, 0.5, 0.2, 0.0)
MEAN, SPREAD = 0.7, 0.5


class AsPipelinesAsk:
    """What Stable Diffusion's pipelines ask of every scheduler, and those of flow lack."""

    init_noise_sigma = 1.0

    def scale_model_input(self, sample, timestep):
        del timestep
        return sample

    def add_noise(self, original, noise, timesteps):
        return self.scale_noise(original, timesteps, noise)


class FlowEuler(AsPipelinesAsk, diffusers.FlowMatchEulerDiscreteScheduler):
    pass


class FlowHeun(AsPipelinesAsk, diffusers.FlowMatchHeunDiscreteScheduler):
    pass


def their_scheduler(sampler, schedule, shift):
    name = NATIVE[sampler].scheduler
    kind = {"flow_euler": FlowEuler, "flow_heun": FlowHeun}.get(sampler)
    settings = settings_of(sampler, schedule)
    if kind:
        return kind(shift=shift, **settings)
    return getattr(diffusers, name)(
        use_flow_sigmas=True, flow_shift=shift, prediction_type=FLOW, **settings
    )


def pipeline(kind, parts, sampler, schedule="normal", shift=1.0):
    more = {"safety_checker": None, "feature_extractor": None}
    known = {"add_watermarker": False} if "XL" in kind.__name__ else more
    made = kind(**{**parts, **known})
    made.set_progress_bar_config(disable=True)
    made.scheduler = their_scheduler(sampler, schedule, shift)
    return made


def flow(described, shift=None):
    return replace(described.model, prediction=FLOW, shift=shift)


def task_of(model, prompts, sampler, schedule="normal", strength=1.0, **more):
    sigmas = SIGMAS if schedule == "custom" else ()
    return Denoising(
        model, prompts[0], Sampler(sampler), Schedule(schedule, STEPS, strength, sigmas),
        Guidance(SCALE), prompts[1], **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def xl_prompts(sdxl, residency):
    with residency.use(sdxl.text_encoder) as encoder:
        family = diffusion.behaviour(encoder.family)
        return [family.encode(encoder, text) for text in ("a red cat", "blurry")]


@pytest.fixture(scope="module")
def parts(sdxl_folder):
    made = StableDiffusionXLPipeline.from_pretrained(sdxl_folder)
    made.vae.requires_grad_(False)  # else torch takes another convolution
    return made.components


@pytest.mark.parametrize("shift", [None, 3.0])
@pytest.mark.parametrize(("sampler", "schedule"), NATIVE_PAIRS)
def test_text_to_image(host, sdxl, parts, xl_prompts, sampler, schedule, shift):
    task = task_of(flow(sdxl, shift), xl_prompts, sampler, schedule, noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    moved = 1.0 if schedule == "custom" else shift or 1.0  # given levels stay as they are
    made = pipeline(StableDiffusionXLPipeline, parts, sampler, schedule, moved)
    levels = np.linspace(1, 1 / STEPS, STEPS).tolist()  # as pipelines of flow-matching families
    told = {"simple": levels, "custom": list(SIGMAS[:-1])}
    given = {"sigmas": told[schedule]} if schedule in told else {}
    theirs = made(**asked(height=SIZE, width=SIZE, **given)).images
    assert difference(ours, theirs) == 0.0
    assert ours.isfinite().all()


@pytest.mark.parametrize("sampler", ["flow_euler", "flow_heun"])
def test_text_to_image_with_sd15(host, sd, sd_folder, prompts, sampler):
    task = task_of(flow(sd), prompts, sampler, noise=Noise(SEED, SIZE, SIZE))
    ours = diffusion.denoise(host, task).samples
    parts = StableDiffusionPipeline.from_pretrained(
        sd_folder, safety_checker=None, requires_safety_checker=False
    ).components
    theirs = pipeline(StableDiffusionPipeline, parts, sampler)(**asked(height=SIZE, width=SIZE))
    assert difference(ours, theirs.images) == 0.0


def drawn_after(host, described):
    """A picture's latent and noise, drawn in the pipelines' order."""
    random = generator()
    with host.use(described.vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    noise = diffusion.start_noise([random], latent.samples.shape[1:])
    return {"latent": latent, "noise": DrawnNoise(noise, (random,), (SEED,))}


@pytest.mark.parametrize("sampler", ["flow_euler", "flow_heun", "dpmpp_2m", "unipc"])
def test_image_to_image(host, sdxl, parts, xl_prompts, sampler):
    task = task_of(flow(sdxl), xl_prompts, sampler, strength=0.5, **drawn_after(host, sdxl))
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLImg2ImgPipeline, parts, sampler)
    theirs = made(**asked(image=picture(), strength=0.5)).images
    assert difference(ours, theirs) == 0.0


@pytest.mark.parametrize("sampler", ["flow_euler", "flow_heun"])
def test_inpainting(host, sdxl, parts, xl_prompts, sampler):
    start = drawn_after(host, sdxl)
    task = task_of(flow(sdxl), xl_prompts, sampler, mask=as_mask(hole()), **start)
    ours = diffusion.denoise(host, task).samples
    made = pipeline(StableDiffusionXLInpaintPipeline, parts, sampler)
    words = asked(image=picture(), mask_image=hole(), strength=1.0, height=SIZE, width=SIZE)
    words["masked_image_latents"] = start["latent"].samples  # else drawn for, though not used
    assert difference(ours, made(**words).images) == 0.0


def on_path(sigma, start):
    """Where the exact path of Gaussian data leads from `start` at sigma 1."""
    mean, spread = (1 - sigma) * MEAN, ((1 - sigma) ** 2 * SPREAD**2 + sigma**2) ** 0.5
    return mean + spread * start


def gaussian(x, sigma):
    """The clean estimate where the data are Gaussian."""
    spread = (1 - sigma) ** 2 * SPREAD**2 + sigma**2
    return MEAN + (1 - sigma) * SPREAD**2 / spread * (x - (1 - sigma) * MEAN)


@pytest.mark.parametrize(("step", "order"), [(ancestral_step, 1), (heun_step, 2)])
def test_halving_the_step_divides_the_error_by_two_to_the_order(step, order):
    start = torch.tensor([2.0], dtype=torch.float64)

    def error(steps):
        sigmas = torch.linspace(1.0, 0.05, steps + 1, dtype=torch.float64)
        context = StepContext(0.0, lambda: start, lambda *_: start)
        x = start
        for sigma, sigma_next in pairwise(sigmas):
            x = step(gaussian, x, sigma, sigma_next, context)
        return float((x - on_path(sigmas[-1], start)).abs())

    assert error(100) / error(200) == pytest.approx(2**order, rel=0.05)


@pytest.mark.parametrize(("sampler", "schedule"), [*OWN_PAIRS, *NATIVE_PAIRS])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_pure_noise_becomes_gaussian_data(sampler, schedule, shift):
    """Through the whole stepper: what it reads, how it is scaled, where it ends."""
    config = {"prediction_type": FLOW, "shift": shift}
    sigmas = (*torch.linspace(1, 0.01, 120).tolist(), 0.0)
    recipe = Schedule(schedule, 120, sigmas=sigmas if schedule == "custom" else ())
    stepper = make_stepper(Sampler(sampler), recipe, config, torch.device("cpu"))
    noise = diffusion.draw_noise((SEED,), (4, 16, 16))
    stepper.prepare(0, noise)

    def predict(x, timestep, sigma):
        assert float(timestep) == pytest.approx(1000 * float(sigma), abs=2)
        return (x - gaussian(x, sigma)) / sigma

    x = stepper.pure_noise(noise.start)
    for _ in range(stepper.steps):
        x = stepper.step(predict, x, None)
    assert float(x.mean()) == pytest.approx(MEAN, abs=0.05)
    assert float(x.std()) == pytest.approx(SPREAD, rel=0.1)


def test_a_clean_latent_is_noised_as_flow_noises_it():
    for sampler in ("flow_euler", "flow_heun", "unipc"):
        for schedule in ("normal", "simple") if sampler.startswith("flow") else ("normal",):
            recipe, config = Schedule(schedule, 4), {"prediction_type": FLOW}
            stepper = make_stepper(Sampler(sampler), recipe, config, torch.device("cpu"))
            noise = diffusion.draw_noise((SEED,), (4, 4, 4))
            stepper.prepare(2, noise)
            clean = torch.full((1, 4, 4, 4), 3.0)
            x = stepper.add_noise(clean, noise.start)
            sigma = (x - clean) / (noise.start - clean)
            assert sigma.std() < 1e-3
            assert 0.3 < float(sigma.mean()) < 0.7
            scaled = stepper.to_sigmas(x)
            assert torch.allclose(stepper.from_sigmas(scaled), x, atol=1e-5)
            assert torch.allclose(scaled, clean + noise.start * (sigma / (1 - sigma)), atol=1e-2)


@pytest.mark.parametrize("sampler", ["flow_euler", "flow_heun"])
def test_another_loop_goes_on_from_a_latent_that_holds_noise(host, sd, prompts, sampler):
    task = task_of(flow(sd), prompts, "flow_euler", noise=Noise(SEED, SIZE, SIZE), stop_at=2)
    half = diffusion.denoise(host, task)
    rest = task_of(flow(sd), prompts, sampler, latent=half, start_at=2)
    whole = replace(task, sampler=Sampler(sampler), stop_at=None)
    near, far = (diffusion.denoise(host, each).samples for each in (rest, whole))
    assert torch.allclose(near, far, atol=1e-5 if sampler == "flow_euler" else 0.5)


def test_the_shift_moves_steps_to_noisier_levels(host, sd, prompts):
    pictures = []
    for shift in (None, 1.0, 3.0):
        model = flow(sd) if shift is None else diffusion.shifted(flow(sd), shift)
        task = task_of(model, prompts, "flow_euler", "simple", noise=Noise(SEED, SIZE, SIZE))
        pictures.append(diffusion.denoise(host, task).samples)
    assert torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[1], pictures[2])


def test_a_folder_with_a_flow_scheduler_is_of_flow(sd_folder, tmp_path):
    folder = shutil.copytree(sd_folder, tmp_path / "flow")
    config = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 2.5}
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(config))
    scheduler = diffusion.facts(diffusion.describe(folder).model).scheduler
    assert scheduler["prediction_type"] == FLOW
    assert scheduler["shift"] == 2.5
    assert recognise(folder).prediction_type == FLOW


def test_what_does_not_belong_together_is_refused_by_name(host, sd, prompts):
    noise = {"noise": Noise(SEED, SIZE, SIZE)}
    with pytest.raises(UnsupportedPairError, match="'euler_a' is not for flow-matching") as error:
        diffusion.denoise(host, task_of(flow(sd), prompts, "euler_a", **noise))
    assert "flow_euler, flow_heun" in error.value.way_out
    with pytest.raises(UnsupportedPairError, match="'flow_euler' is for flow-matching"):
        diffusion.denoise(host, task_of(sd.model, prompts, "flow_euler", **noise))
    with pytest.raises(UnsupportedPairError, match="cannot walk the schedule 'karras'"):
        diffusion.denoise(host, task_of(flow(sd), prompts, "dpmpp_2m", "karras", **noise))
    with pytest.raises(UnsupportedPairError, match="cannot walk the schedule 'ays'"):
        diffusion.denoise(host, task_of(flow(sd), prompts, "flow_euler", "ays", **noise))
    wide = replace(task_of(flow(sd), prompts, "flow_euler", "custom", **noise))
    wide = replace(wide, schedule=replace(wide.schedule, sigmas=(14.6, 2.0, 0.0)))
    with pytest.raises(ScheduleError, match=r"falls from 1, these sigmas from 14\.6"):
        diffusion.denoise(host, wide)
    with pytest.raises(LoadingError, match="this one predicts epsilon"):
        diffusion.shifted(sd.model, 3.0)
