"""The transformer families against diffusers' pipelines: 0.0 in float32 on the CPU.

Random numbers are drawn in the pipelines' order, as in `test_pipeline_equality`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import tiny_transformers
import torch
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, DrawnNoise
from nodeforge.diffusion.denoising.inpainting import latent_mask
from nodeforge.diffusion.samplers.comfyui_stepper import FLOW_SAMPLERS
from nodeforge.diffusion.samplers.pairs import kind_for
from nodeforge.diffusion.tensors.packing import unpack
from nodeforge.diffusion.weights.describe import Described
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from nodeforge.values.setting_names import FLOW
from support.pipeline_inputs import (
    SEED,
    SIZE,
    STEPS,
    as_image,
    as_mask,
    difference,
    generator,
    hole,
    picture,
)

PROMPT, NEGATIVE = "a red cat", "blurry and dark"


@dataclass(frozen=True)
class Case:
    """A family's model, how its pipeline is asked, and the same of our loop.

    Args:
        model: A name in `tiny_transformers.PIPELINES`.
        guidance: Ours.
        asked: The pipeline's guidance.
        negative: The negative prompt; None where the pipeline takes none, and reads the empty one.
        classes: The pipelines for image to image and for inpainting; empty where it has none.
        schedule: What they walk.
    """

    model: str
    guidance: Guidance
    asked: dict[str, Any] = field(default_factory=dict)
    negative: str | None = None
    classes: tuple[str, str] = ("", "")
    schedule: str = "simple"


_FLUX = ("FluxImg2ImgPipeline", "FluxInpaintPipeline")
_CHROMA = ("ChromaImg2ImgPipeline", "")
"""ChromaInpaintPipeline asks for a setting that Chroma's denoiser lacks, and stops."""
_QWEN_IMAGE = ("QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline")
_SD3 = ("StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline")
_Z_IMAGE = ("ZImageImg2ImgPipeline", "ZImageInpaintPipeline")
CASES = {
    "flux1 dev": Case("flux1", Guidance(3.5), {"guidance_scale": 3.5}, classes=_FLUX),
    "flux1 dev with a negative prompt": Case(
        "flux1", Guidance(3.5, true_scale=4.0),
        {"guidance_scale": 3.5, "true_cfg_scale": 4.0}, NEGATIVE, _FLUX,
    ),
    "flux1 schnell": Case("flux1_schnell", Guidance(3.5), classes=_FLUX),
    "chroma": Case("chroma", Guidance(5.0), {"guidance_scale": 5.0}, NEGATIVE, _CHROMA),
    "sd3 medium": Case(
        "sd3_medium", Guidance(7.0), {"guidance_scale": 7.0}, NEGATIVE, _SD3, "normal"
    ),
    "sd3.5": Case("sd3", Guidance(4.5), {"guidance_scale": 4.5}, NEGATIVE, _SD3, "normal"),
    "sd3.5 without t5": Case(
        "sd3_without_t5", Guidance(4.5), {"guidance_scale": 4.5}, classes=_SD3, schedule="normal"
    ),
    "sd3.5 without guidance": Case(
        "sd3", Guidance(1.0), {"guidance_scale": 1.0}, classes=_SD3, schedule="normal"
    ),
    "anima": Case("anima", Guidance(4.0), {"guidance_scale": 4.0}, NEGATIVE),
    "anima alone": Case("anima", Guidance(4.0), {"guidance_scale": 4.0}),
    "z_image turbo": Case("z_image", Guidance(1.0), {"guidance_scale": 0.0}, classes=_Z_IMAGE),
    "z_image base": Case("z_image", Guidance(4.0), {"guidance_scale": 3.0}, NEGATIVE, _Z_IMAGE),
    "flux2 klein": Case("flux2_klein", Guidance(4.0)),
    "flux2 klein base": Case("flux2_klein_base", Guidance(4.0), {"guidance_scale": 4.0}),
    "qwen_image": Case("qwen_image", Guidance(4.0), {"true_cfg_scale": 4.0}, NEGATIVE, _QWEN_IMAGE),
    "qwen_image alone": Case("qwen_image", Guidance(1.0), classes=_QWEN_IMAGE),
    "qwen_image_21": Case("qwen_image_21", Guidance(1.0), {"true_cfg_scale": 1.0}),
    "qwen_image_21 with a negative prompt": Case(
        "qwen_image_21", Guidance(3.0), {"true_cfg_scale": 3.0}, NEGATIVE
    ),
    "flux2 dev": Case("flux2_dev", Guidance(4.0), {"guidance_scale": 4.0}),
    "flux3": Case("flux3", Guidance(3.5)),
    "flux3 base": Case("flux3_base", Guidance(3.5), {"guidance_scale": 3.5}, NEGATIVE),
    "krea2 raw": Case("krea2", Guidance(4.5), {"guidance_scale": 3.5}, NEGATIVE),
    "krea2 turbo": Case("krea2_turbo", Guidance(1.0), {"guidance_scale": 0.0}),
}  # fmt: skip
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
CHANGED = {name: case for name, case in CASES.items() if case.classes[0]}
changed = pytest.mark.parametrize("case", CHANGED.values(), ids=CHANGED)
PAINTED = {name: case for name, case in CASES.items() if case.classes[1]}
painted = pytest.mark.parametrize("case", PAINTED.values(), ids=PAINTED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Writes each model once."""
    root = tmp_path_factory.mktemp("transformers")

    @cache
    def written(model: str) -> Path:
        tiny_transformers.PIPELINES[model]().save_pretrained(root / model)
        return root / model

    return written


@pytest.fixture(scope="module")
def prompts(residency):
    """Encodes each prompt once."""

    @cache
    def encoded(path: Path, text: str):
        recipe = diffusion.describe(path).text_encoder
        with residency.use(recipe) as encoder:
            return diffusion.encode_text(encoder, recipe, text)

    return encoded


@cache
def pipeline(path: Path, kind: str = ""):
    """The pipeline that was saved; read again, weights may lie in memory as no kernel likes them,
    which changes the last bit."""
    made = tiny_transformers.PIPELINES[path.name]()
    if kind:
        made = getattr(diffusers, kind)(**made.components)
    made.set_progress_bar_config(disable=True)
    return made


def described(case: Case, path: Path) -> Described:
    made = diffusion.describe(path)
    distilled = case.asked.get("guidance_scale") == 0.0
    return made._replace(model=replace(made.model, variant="turbo")) if distilled else made


def task_of(case: Case, path: Path, prompts, steps: int = STEPS, strength: float = 1.0, **more):
    negative = prompts(path, case.negative or "")
    return Denoising(
        described(case, path).model,
        prompts(path, PROMPT),
        Sampler("flow_euler"),
        Schedule(case.schedule, steps, strength),
        case.guidance,
        negative,
        **more,
    )


def told(case: Case, **more: Any) -> dict[str, Any]:
    """The pipeline's arguments; it gives a latent."""
    negative = {} if case.negative is None else {"negative_prompt": case.negative}
    return {
        "prompt": PROMPT, "num_inference_steps": STEPS, "generator": generator(),
        "output_type": "np", "height": SIZE, "width": SIZE, **case.asked, **negative, **more,
    }  # fmt: skip


def pixels(host, case: Case, path: Path, latent) -> np.ndarray:
    with host.use(described(case, path).vae) as vae:
        return diffusion.decode(vae, latent).pixels.numpy()


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return difference(torch.from_numpy(ours), torch.from_numpy(theirs)) == 0.0


@cases
def test_text_to_image(host, folder, prompts, case):
    path = folder(case.model)
    task = task_of(case, path, prompts, noise=Noise(SEED, SIZE, SIZE))
    ours = pixels(host, case, path, diffusion.denoise(host, task))
    assert same(ours, pipeline(path)(**told(case)).images)
    other = replace(task, positive=prompts(path, "a green dog"))
    assert not same(ours, pixels(host, case, path, diffusion.denoise(host, other)))


def encoded(host, case: Case, path: Path, random: torch.Generator):
    """The encoded picture, and noise drawn after it."""
    with host.use(described(case, path).vae) as vae:
        latent = diffusion.encode(vae, as_image(picture()), generators=[random])
    shape = latent.samples.shape[1:]
    return latent, DrawnNoise(diffusion.start_noise([random], shape), (random,), (SEED,))


def latents(made: Any, given: dict[str, Any]) -> torch.Tensor:
    """What a pipeline gives before it decodes, (batch, channels, height, width)."""
    found = made(**{**given, "output_type": "latent"}).images
    side = SIZE // tiny_transformers.SCALE
    return unpack(found, side, side) if found.ndim == 3 else found


STRENGTHS = [(0.3, 8), (0.6, 8), (0.95, 8), (0.6, 28)]


@changed
@pytest.mark.parametrize(("strength", "steps"), STRENGTHS)
def test_image_to_image(host, folder, prompts, case, strength, steps):
    path = folder(case.model)
    latent, noise = encoded(host, case, path, generator())
    task = task_of(case, path, prompts, steps, strength, noise=noise, latent=latent)
    ours = diffusion.denoise(host, task).samples
    given = told(case, image=picture(), strength=strength, num_inference_steps=steps)
    assert difference(ours, latents(pipeline(path, case.classes[0]), given)) == 0.0


@painted
@pytest.mark.parametrize(("strength", "steps"), STRENGTHS)
def test_inpainting_by_a_mask(host, folder, prompts, case, strength, steps):
    path = folder(case.model)
    latent, noise = encoded(host, case, path, generator())
    mask = as_mask(hole())
    task = task_of(case, path, prompts, steps, strength, noise=noise, latent=latent, mask=mask)
    ours = diffusion.denoise(host, task).samples
    given = told(
        case, image=picture(), mask_image=hole(), strength=strength, num_inference_steps=steps
    )
    assert difference(ours, latents(pipeline(path, case.classes[1]), given)) == 0.0


@cases
def test_outside_of_the_mask_the_latent_keeps_its_bits(host, folder, prompts, case):
    path = folder(case.model)
    latent, noise = encoded(host, case, path, generator())
    task = task_of(case, path, prompts, noise=noise, latent=latent, mask=as_mask(hole()))
    ours = diffusion.denoise(host, task).samples
    cells = latent_mask(as_mask(hole()), latent).expand_as(ours) > 0
    assert torch.equal(ours[~cells], latent.samples[~cells])
    assert not torch.equal(ours[cells], latent.samples[cells])


def test_inpainting_with_flux_fill(host, folder, prompts):
    case = Case("flux1_fill", Guidance(30.0), {"guidance_scale": 30.0})
    path = folder(case.model)
    model = described(case, path)
    random = generator()
    masked = diffusion.masked_picture(as_image(picture()), as_mask(hole()))
    with host.use(model.vae) as vae:  # the pipeline draws three times, the first time for nothing
        diffusion.encode(vae, as_image(picture()), generators=[random])
        noise = diffusion.start_noise([random], (4, SIZE // 2, SIZE // 2))
        seen = diffusion.encode(vae, masked, generators=[random])
    task = task_of(
        case, path, prompts, noise=DrawnNoise(noise, (random,), (SEED,)),
        mask=as_mask(hole()), masked_image=seen,
    )  # fmt: skip
    assert diffusion.facts(model.model).reads_mask
    ours = pixels(host, case, path, diffusion.denoise(host, task))
    given = told(case, image=picture(), mask_image=hole())
    assert same(ours, pipeline(path)(**given).images)


@cases
def test_each_of_a_batch_is_the_one_made_alone(host, folder, prompts, case):
    path = folder(case.model)
    both = diffusion.denoise(host, task_of(case, path, prompts, noise=Noise(SEED, SIZE, SIZE, 2)))
    task = task_of(case, path, prompts, noise=Noise(SEED + 1, SIZE, SIZE))
    alone = diffusion.denoise(host, task)
    assert difference(both.samples[1:], alone.samples) < 1e-5


@cases
def test_any_step_is_entered_again(host, residency, folder, prompts, case):
    path = folder(case.model)
    task = task_of(case, path, prompts, noise=Noise(SEED, SIZE, SIZE))
    whole = diffusion.denoise(host, task).samples
    calls = host.model_calls
    for stop in range(1, STEPS):
        again = diffusion.LocalHost(residency)
        diffusion.denoise(again, replace(task, stop_at=stop))
        assert torch.equal(diffusion.denoise(again, task).samples, whole)
        assert again.model_calls == calls  # each step once in both runs together


@pytest.mark.parametrize("sampler", sorted(FLOW_SAMPLERS))
def test_comfyui_s_samplers_follow_straight_paths(sampler):
    """On Gaussian data the path is known: x ends at the data's spread times the noise."""
    spread, noise = 0.4, torch.linspace(-2, 2, 16).reshape(1, 1, 4, 4)
    config = {"prediction_type": FLOW, "shift": 3.0, "num_train_timesteps": 1000}

    def velocity(x, timestep, sigma):
        assert float(timestep) == pytest.approx(1000 * float(sigma))
        kept = (1 - sigma) * spread**2
        return (x - kept * x / ((1 - sigma) * kept + sigma**2)) / sigma

    def error(steps):
        schedule = Schedule("simple", steps)
        stepper = diffusion.make_stepper(
            Sampler(sampler, convention="comfyui"), schedule, config, torch.device("cpu")
        )
        drawn = DrawnNoise(noise, (generator(),), (SEED,), whole=1)
        stepper.prepare(0, drawn)
        x = stepper.pure_noise(noise)
        for _ in range(stepper.steps):
            x = stepper.step(velocity, x, None)
        return difference(x, spread * noise)

    assert error(64) < 0.06
    assert error(64) < error(16) / 2


def test_comfyui_s_euler_walks_the_levels_that_it_says(host, folder, prompts):
    path = folder("z_image")
    task = task_of(CASES["z_image turbo"], path, prompts, noise=Noise(SEED, 32, 32))
    comfyui = replace(
        task, sampler=Sampler("euler", convention="comfyui"), schedule=Schedule("simple", 5)
    )
    even = torch.tensor([1000, 800, 600, 400, 200], dtype=torch.float64) / 1000
    moved = (3 * even / (1 + 2 * even)).tolist()  # Z-Image's shift there, of both variants
    given = Schedule("custom", 5, sigmas=(*moved, 0.0))
    same = replace(task, schedule=given)
    ours = diffusion.denoise(host, comfyui).samples
    assert difference(ours, diffusion.denoise(host, same).samples) < 1e-5


@pytest.mark.parametrize("name", ["flux2 klein", "flux1 dev"])
def test_the_levels_of_flux_2_go_by_the_picture_s_size(host, folder, prompts, name):
    """ComfyUI's Flux2Scheduler: even levels, moved as far as Flux.2's authors fitted it."""
    case = CASES[name]
    path = folder(case.model)
    task = task_of(case, path, prompts, noise=Noise(SEED, 64, 48))
    comfyui = replace(
        task, sampler=Sampler("euler", convention="comfyui"), schedule=Schedule("flux2", 6)
    )
    ours = diffusion.denoise(host, comfyui).samples
    tokens = ours[0, 0].numel() // (4 if case.model == "flux1" else 1)
    shift = np.exp(compute_empirical_mu(tokens, 6))
    even = np.linspace(1, 0, 7)[:-1]
    given = Schedule("custom", 6, sigmas=(*(shift * even / (1 + (shift - 1) * even)), 0.0))
    same = diffusion.denoise(host, replace(comfyui, schedule=given)).samples
    assert difference(ours, same) < 1e-5
    if case.model == "flux2_klein":  # its pipeline walks the same levels
        pipelines = replace(task, schedule=Schedule("simple", 6))
        assert difference(ours, diffusion.denoise(host, pipelines).samples) < 1e-4


def test_the_levels_of_flux_2_are_for_flow_matching_models():
    for convention in ("comfyui", "diffusers"):
        with pytest.raises(diffusion.UnsupportedPairError, match="cannot walk the schedule"):
            kind_for(Sampler("euler", convention=convention), Schedule("flux2", 6), flow=False)
