"""Soft masks: each cell changes in its share of the steps (Levin and Fried 2023)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.denoising.inpainting import DifferentialMask
from nodeforge.diffusion.participants import ModelCall
from nodeforge.diffusion.tensors.prediction import denoised, predicting
from nodeforge.diffusion.tensors.tiles import Tile
from nodeforge.values import Guidance, Latent, Mask, Noise, Sampler, Schedule

STEPS = 5
SAMPLERS = ["euler", "euler_a", "heun", "dpmpp_2m", "dpmpp_2m_sde", "unipc", "dpmpp_2s_a", "pndm"]


def original():
    torch.manual_seed(5)
    return Latent(torch.randn(1, 4, 4, 4), "sd", 8)


def even(value):
    return Mask(torch.full((1, 32, 32), float(value)))


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", STEPS), Guidance(5.0),
        prompts[1], noise=Noise(3, 32, 32), latent=original(),
    )  # fmt: skip


def run(host, task, **changes):
    return diffusion.denoise(host, replace(task, **changes)).samples


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_mask_0_is_the_original_and_mask_1_the_plain_result_to_the_bit(host, task, sampler):
    task = replace(task, sampler=Sampler(sampler))
    assert torch.equal(run(host, task, mask=even(0)), original().samples)
    assert torch.equal(run(host, task, mask=even(1)), run(host, task, latent=None))


def test_a_cell_that_opens_in_no_step_keeps_its_bits(host, task):
    assert torch.equal(run(host, task, mask=even(0.9 / STEPS)), original().samples)


@pytest.mark.parametrize("strength", [0.2, 0.5, 0.8])
def test_an_even_mask_is_image_to_image_of_that_strength(host, task, strength):
    masked = run(host, task, mask=even(strength))
    plain = run(host, task, schedule=Schedule("normal", STEPS, strength))
    assert torch.allclose(masked, plain, atol=1e-4)


def test_where_the_mask_is_stronger_more_changes(host, task):
    kept = original().samples
    far = [
        float((run(host, task, mask=even(m)) - kept).square().mean()) for m in (0, 0.2, 0.5, 0.8, 1)
    ]
    assert far == sorted(far)
    assert far[0] == 0 < far[1]


def test_cells_may_change_in_the_order_of_their_mask():
    mask = torch.linspace(0, 1, 11).reshape(1, 1, 1, 11)
    zeros, ones = torch.zeros(1, 1, 1, 11), torch.ones(1, 1, 1, 11)
    masked = DifferentialMask(zeros, zeros, mask, 0, 10, "epsilon")
    changed = [int(masked.blend(step)(ones, lambda clean, _: clean).sum()) for step in range(10)]
    assert changed == list(range(1, 11))


def test_the_prediction_of_a_kept_cell_stands_for_the_original():
    clean, noise = torch.randn(2, 1, 4, 2, 2).unbind()
    sigma = torch.tensor(2.5)
    x = clean + sigma * noise
    masked = DifferentialMask(clean, noise, torch.zeros(1, 1, 2, 2), 0, 10, "epsilon")
    predict = masked.wrap(lambda call: torch.randn(1, 4, 2, 2), 3)
    read = x / (sigma**2 + 1) ** 0.5
    prediction = predict(ModelCall(None, read, torch.tensor(0), sigma, Tile(0, 0, 2, 2)))
    assert torch.allclose(denoised(prediction, x, sigma, "epsilon"), clean, atol=1e-5)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_prediction_is_made_from_what_it_says(kind):
    clean, x = torch.randn(2, 1, 4, 2, 2).unbind()
    for sigma in (torch.tensor(0.03), torch.tensor(14.6)):
        again = denoised(predicting(clean, x, sigma, kind), x, sigma, kind)
        assert torch.allclose(again, clean, atol=1e-4)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_soft_mask_resumes_with_the_same_bits(host, residency, task, sampler):
    mask = Mask(torch.linspace(0, 1, 32).expand(1, 32, 32).contiguous())
    task = replace(task, sampler=Sampler(sampler), mask=mask)
    whole = diffusion.denoise(host, task).samples
    assert whole.isfinite().all()
    for key, checkpoint in list(host.steps.kept.items())[1::2]:
        left = diffusion.LocalHost(residency)
        left.steps.store(key, checkpoint)
        assert torch.equal(diffusion.denoise(left, task).samples, whole)
        assert left.model_calls < host.model_calls


def test_another_softness_starts_at_0(host, task):
    diffusion.denoise(host, replace(task, mask=even(0.5)))
    before = host.model_calls
    diffusion.denoise(host, replace(task, mask=even(0.6)))
    assert host.model_calls - before == STEPS


@pytest.mark.parametrize("scale", [8, 16])
def test_a_soft_mask_s_cell_is_the_mean_of_its_pixels(scale):
    latent = Latent(torch.zeros(1, 4, 2, 2), "sd", scale)
    values = torch.zeros(1, 2 * scale, 2 * scale)
    values[:, :, : scale // 2] = 0.5
    cells = diffusion.latent_mask(Mask(values), latent)
    assert cells.flatten().tolist() == [0.25, 0.0, 0.25, 0.0]


def test_an_inpainting_model_keeps_the_latent_it_is_given(host, task, inpainting_folder):
    described = diffusion.describe(inpainting_folder)
    soft = torch.zeros(1, 32, 32)
    soft[:, :, 8:] = torch.linspace(0, 1, 24)
    made = run(
        host, task, model=described.model, mask=Mask(soft),
        masked_image=Latent(torch.zeros(1, 4, 4, 4), "sd", 8),
    )  # fmt: skip
    assert torch.equal(made[..., 0], original().samples[..., 0])
    assert not torch.equal(made[..., 3], original().samples[..., 3])
