"""What the loop takes, what it refuses, and what it says on the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.diffusion.guidance.classifier_free import GuidedPrompts
from nodeforge.diffusion.guidance.formulas import rescaled
from nodeforge.diffusion.guidance.step_prompts import StepPrompts, prompts_of_step
from nodeforge.diffusion.participants import ModelCall
from nodeforge.diffusion.tensors.tiles import Tile
from nodeforge.errors import Cancelled, NodeForgeError
from nodeforge.values import (
    Conditioning,
    Guidance,
    Latent,
    Mask,
    Noise,
    Prompt,
    Sampler,
    Schedule,
)


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", 10), Guidance(5.0),
        prompts[1], noise=Noise(3, 32, 32),
    )  # fmt: skip


def latent(height=4, width=4, batch=1, value=0.3):
    return Latent(torch.full((batch, 4, height, width), value), "sd", 8)


REFUSED = {
    "neither noise": lambda t: replace(t, noise=None),
    "multiples of 8": lambda t: replace(t, noise=Noise(1, 30, 32)),
    "the model is sd15": lambda t: replace(t, positive=replace(t.positive, family="nano")),
    "of the space nano": lambda t: replace(t, latent=replace(latent(), space="nano")),
    "the mask is 16 × 16": lambda t: replace(t, latent=latent(), mask=Mask(torch.ones(1, 16, 16))),
    "a mask needs a latent": lambda t: replace(t, mask=Mask(torch.ones(1, 32, 32))),
    "no step lies between": lambda t: replace(t, start_at=5, stop_at=5),
    "start at 12 and stop at 10": lambda t: replace(t, start_at=12),
    "leave no step": lambda t: replace(t, schedule=Schedule("normal", 10, 0.05)),
    "noise for 3 pictures": lambda t: replace(
        t, noise=replace(t.noise, batch=3), latent=latent(batch=2)
    ),
    "2 masks for 1": lambda t: replace(t, latent=latent(), mask=Mask(torch.ones(2, 32, 32))),
    "there is no sampler 'best'": lambda t: replace(t, sampler=Sampler("best")),
    "there is no schedule 'flat'": lambda t: replace(t, schedule=Schedule("flat", 10)),
    "must fall": lambda t: replace(t, schedule=Schedule("custom", 2, sigmas=(1.0, 2.0, 0.0))),
    "cannot make 60 steps": lambda t: replace(
        t, sampler=Sampler("lcm"), schedule=Schedule("normal", 60)
    ),
    "holds no step": lambda t: replace(t, guidance=Guidance(5.0, start=0.6, end=0.5)),
}


@pytest.mark.parametrize("fact", REFUSED)
def test_is_refused_with(host, task, fact):
    with pytest.raises(NodeForgeError, match=fact) as caught:
        diffusion.denoise(host, REFUSED[fact](task))
    assert caught.value.way_out
    assert host.model_calls == 0


def test_an_inpainting_model_without_its_picture_is_refused(host, task, inpainting_folder):
    model = diffusion.describe(inpainting_folder).model
    with pytest.raises(NodeForgeError, match="needs a mask and the masked image"):
        diffusion.denoise(host, replace(task, model=model))


def test_strength_runs_the_last_steps(host, task):
    half = replace(task, latent=latent(), schedule=Schedule("normal", 10, 0.5))
    diffusion.denoise(host, half)
    assert host.model_calls == 5


def test_two_loops_make_what_one_makes(host, task):
    whole = diffusion.denoise(host, task)
    first = diffusion.denoise(host, replace(task, stop_at=4))
    second = diffusion.denoise(host, replace(task, noise=None, latent=first, start_at=4))
    assert torch.equal(second.samples, whole.samples)


def test_a_sampler_that_scales_x_inside_goes_on_from_a_latent(host, task):
    ddim = replace(task, sampler=Sampler("ddim"))
    whole = diffusion.denoise(host, ddim)
    first = diffusion.denoise(host, replace(ddim, stop_at=4))
    second = diffusion.denoise(host, replace(ddim, noise=None, latent=first, start_at=4))
    assert torch.allclose(second.samples, whole.samples, atol=1e-3)


@pytest.mark.parametrize("sampler", ["ddim", "dpmpp_2m"])
def test_a_stopped_latent_goes_on_with_another_sampler(host, task, sampler):
    """What is left is clean + sigma * noise, however the sampler scales it inside."""
    task = replace(task, schedule=Schedule("sgm_uniform", task.schedule.steps))
    first = diffusion.denoise(host, replace(task, stop_at=4, sampler=Sampler(sampler)))
    euler = diffusion.denoise(host, replace(task, stop_at=4))
    assert float(first.samples.std()) == pytest.approx(float(euler.samples.std()), rel=0.1)
    on = replace(task, noise=None, latent=first, start_at=4, sampler=Sampler("euler"))
    assert diffusion.denoise(host, on).samples.isfinite().all()


def test_what_the_mask_keeps_comes_back_to_the_bit(host, task):
    original = Latent(torch.randn(1, 4, 4, 4), "sd", 8)
    values = torch.zeros(1, 32, 32)
    values[:, :, 16:] = 1
    for sampler in ("euler", "dpmpp_2m", "heun"):
        masked = replace(task, latent=original, mask=Mask(values), sampler=Sampler(sampler))
        out = diffusion.denoise(host, masked).samples
        assert torch.equal(out[..., :2], original.samples[..., :2])
        assert not torch.equal(out[..., 2:], original.samples[..., 2:])


def test_a_soft_mask_lies_between_kept_and_new(host, task):
    original = latent()
    new, soft, kept = (
        diffusion.denoise(
            host, replace(task, latent=original, mask=Mask(torch.full((1, 32, 32), value)))
        ).samples
        for value in (1.0, 0.5, 0.0)
    )
    assert torch.equal(kept, original.samples)
    assert (soft - kept).abs().mean() < (new - kept).abs().mean()


def test_one_latent_makes_a_batch_of_noise(host, task):
    out = diffusion.denoise(host, replace(task, latent=latent(), noise=Noise(1, 32, 32, 3)))
    assert out.batch == 3


def test_inputs_are_left_alone(host, task):
    start, mask = latent(), Mask(torch.ones(1, 32, 32))
    tensors = [start.samples, mask.values, task.positive.prompts[0].embedding]
    before = [tensor.clone() for tensor in tensors]
    versions = [tensor._version for tensor in tensors]
    diffusion.denoise(host, replace(task, latent=start, mask=mask))
    assert all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))
    assert [tensor._version for tensor in tensors] == versions


class Watching(diffusion.LocalHost):
    """Stops after some model calls, and keeps what it is told."""

    def __init__(self, residency, stop_after=1000):
        super().__init__(residency)
        self.stop_after, self.told, self.pictures = stop_after, [], []

    def check(self):
        if self.model_calls >= self.stop_after:
            raise Cancelled

    def progress(self, step, of, preview=None):
        self.told.append((step, of))
        if preview:
            self.pictures.append(preview())


def test_progress_tells_each_step_with_a_picture(residency, task):
    host = Watching(residency)
    diffusion.denoise(host, task)
    assert host.told == [(step, 10) for step in range(1, 11)]
    assert all(p.shape == (4, 4, 3) and p.dtype == np.uint8 for p in host.pictures)


def test_cancelling_keeps_the_steps_that_are_done(residency, task):
    host = Watching(residency, stop_after=4)
    with pytest.raises(Cancelled):
        diffusion.denoise(host, task)
    assert len(host.steps.kept) == 4
    host.stop_after = 1000
    diffusion.denoise(host, task)
    assert host.model_calls == 10


def test_a_heun_step_can_be_cancelled_between_its_two_calls(residency, task):
    host = Watching(residency, stop_after=3)
    with pytest.raises(Cancelled):
        diffusion.denoise(host, replace(task, sampler=Sampler("heun")))
    assert host.model_calls == 3
    assert len(host.steps.kept) == 1


def prompt(value, **more):
    return Prompt(torch.full((1, 2, 3), float(value)), **more)


def guided(positive, negative=(), scale=1.0, x=None):
    """The prediction of a network that says its embedding's value everywhere."""
    x = torch.zeros(1, 4, 4, 4) if x is None else x
    step = StepPrompts(tuple(positive), tuple(negative), Guidance(scale))
    predict = GuidedPrompts((step,), "epsilon").wrap(
        lambda call: torch.zeros_like(call.x) + call.batch.inputs.embedding[:, :1, :1, None], 0
    )
    return predict(ModelCall(None, x, torch.tensor(0), torch.tensor(1.0), Tile(0, 0, 4, 4)))


def test_prompts_are_averaged_by_weight():
    assert guided([prompt(1), prompt(4, weight=2.0)]).unique().tolist() == [3.0]


def test_an_area_decides_who_speaks_where():
    left = Mask(torch.zeros(1, 32, 32).index_fill(2, torch.arange(16), 1.0))
    right = Mask(1 - left.values)
    out = guided([prompt(1, area=left), prompt(5, area=right)])
    assert out[..., :2].unique().tolist() == [1.0]
    assert out[..., 2:].unique().tolist() == [5.0]


def test_guidance_weighs_against_the_negative_prompt():
    assert guided([prompt(3)], [prompt(1)], scale=4.0).unique().tolist() == [9.0]


def test_outside_of_the_window_only_the_positive_is_asked():
    both = Conditioning((prompt(1),), torch.zeros(1, 2, 3), "sd15")
    window = Guidance(5.0, start=0.2, end=0.5)
    asked = [bool(prompts_of_step(both, both, window, step, 10).negative) for step in range(10)]
    assert asked == [2 <= step < 5 for step in range(10)]
    assert not prompts_of_step(both, both, Guidance(1.0), 0, 10).negative


def test_rescaling_gives_back_the_prompt_s_spread():
    wanted, far = torch.randn(2, 4, 8, 8), 7 * torch.randn(2, 4, 8, 8)
    spread = rescaled(far, wanted, 1.0).std(dim=(1, 2, 3))
    assert torch.allclose(spread, wanted.std(dim=(1, 2, 3)), rtol=1e-4)
