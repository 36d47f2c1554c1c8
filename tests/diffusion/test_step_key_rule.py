"""The step-key rule, a test a line: what starts at 0, and what starts at step k."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_models
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising
from nodeforge.values import Guidance, Latent, Mask, Noise, Sampler, Schedule

STEPS = 8


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model,
        prompts[0],
        Sampler("euler_a"),
        Schedule("normal", STEPS),
        Guidance(5.0),
        prompts[1],
        noise=Noise(3, 32, 32),
        latent=Latent(torch.zeros(1, 4, 4, 4), "sd", 8),
    )


def started_at(host, first, second):
    """The step at which the second run starts after the first."""
    diffusion.denoise(host, first)
    before = host.model_calls
    diffusion.denoise(host, second)
    return STEPS - (host.model_calls - before)


def changed(task, **changes):
    return replace(task, **changes)


STARTS_AT_0 = {
    "seed": lambda t: changed(t, noise=replace(t.noise, seed=4)),
    "size": lambda t: changed(t, latent=Latent(torch.zeros(1, 4, 4, 5), "sd", 8)),
    "batch": lambda t: changed(t, noise=replace(t.noise, batch=2)),
    "start latent": lambda t: changed(t, latent=Latent(torch.ones(1, 4, 4, 4), "sd", 8)),
    "mask": lambda t: changed(t, mask=Mask(torch.ones(1, 32, 32))),
    "sampler": lambda t: changed(t, sampler=Sampler("euler")),
    "eta": lambda t: changed(t, sampler=Sampler("euler_a", 0.9)),
    "schedule": lambda t: changed(t, sampler=t.sampler, schedule=Schedule("karras", STEPS)),
    "guidance scale": lambda t: changed(t, guidance=Guidance(6.0)),
    "guidance rescale": lambda t: changed(t, guidance=Guidance(5.0, 0.5)),
    "negative prompt": lambda t: changed(t, negative=None),
    "positive prompt": lambda t: changed(t, positive=t.negative),
}


@pytest.mark.parametrize("what", STARTS_AT_0)
def test_another(host, task, what):
    """... starts at step 0."""
    assert started_at(host, task, STARTS_AT_0[what](task)) == 0


def test_the_same_run_makes_no_model_call_and_loads_no_model(host, task, sd_folder, tmp_path):
    diffusion.denoise(host, task)
    fresh = diffusion.LocalHost(diffusion.Residency("cpu"))
    fresh.steps = host.steps
    diffusion.denoise(fresh, task)
    assert fresh.model_calls == 0
    assert fresh.residency.bytes_held == 0


def test_another_number_of_steps_starts_at_0(host, task):
    diffusion.denoise(host, task)
    before = host.model_calls
    diffusion.denoise(host, changed(task, schedule=Schedule("normal", STEPS + 2)))
    assert host.model_calls - before == STEPS + 2


def test_another_base_model_starts_at_0(host, task, tmp_path):
    other = tiny_models.write_folder(tmp_path, prediction="v_prediction")
    model = diffusion.describe(other).model
    assert model.weights.fingerprint != task.model.weights.fingerprint
    assert started_at(host, task, changed(task, model=model)) == 0


def test_other_numerics_start_at_0(host, task):
    class Elsewhere(diffusion.LocalHost):
        @property
        def numerics(self):
            return {**super().numerics, "attention": "flash"}

    diffusion.denoise(host, task)
    elsewhere = Elsewhere(host.residency)
    elsewhere.steps = host.steps
    diffusion.denoise(elsewhere, task)
    assert elsewhere.model_calls == STEPS


def test_noise_already_drawn_counts_by_its_values(host, task):
    first = changed(task, noise=diffusion.draw_noise((3,), (4, 4, 4)))
    second = changed(task, noise=diffusion.draw_noise((4,), (4, 4, 4)))
    assert started_at(host, first, second) == 0
    again = changed(task, noise=diffusion.draw_noise((3,), (4, 4, 4)))
    assert started_at(host, first, again) == STEPS


def test_where_to_stop_is_in_no_key(host, task):
    assert started_at(host, changed(task, stop_at=5), task) == 5
    assert started_at(host, task, changed(task, stop_at=3)) == STEPS


def test_a_moved_end_of_a_range_starts_there(host, task, prompts):
    def until(end):
        return changed(task, positive=diffusion.set_range(prompts[0], 0.0, end))

    assert started_at(host, until(0.5), until(0.75)) == 4


def test_a_prompt_from_step_k_on_starts_there(host, task, prompts):
    def from_step(second):
        first = diffusion.set_range(prompts[0], 0.0, 0.625)
        return changed(
            task, positive=diffusion.combine(first, diffusion.set_range(second, 0.625, 1.0))
        )

    assert started_at(host, from_step(prompts[0]), from_step(prompts[1])) == 5


def test_a_guidance_window_starts_where_it_differs(host, task):
    first = changed(task, guidance=Guidance(5.0, end=0.75))
    calls = started_at(host, task, first)
    assert calls == 6


def test_guidance_that_changes_at_step_k_starts_there(host, task):
    both = Guidance(5.0, end=0.625, others=(Guidance(9.0, start=0.625),))
    assert started_at(host, task, changed(task, guidance=both)) == 5


def test_the_negative_prompt_counts_only_where_guidance_acts(host, task, prompts):
    late = changed(task, guidance=Guidance(5.0, start=0.5))
    assert started_at(host, late, changed(late, negative=prompts[0])) == 4


def test_a_lora_weight_starts_at_0(host, task, sd_folder, tmp_path):
    file = tiny_models.write_lora(sd_folder, tmp_path / "lora.safetensors")
    weights = diffusion.describe_lora(file, "sd15")

    def with_lora(weight):
        return changed(task, model=diffusion.with_lora(task.model, weights, weight))

    assert started_at(host, with_lora(0.5), with_lora(0.6)) == 0


def test_the_path_to_the_same_value_does_not_matter(host, task, prompts):
    longer = diffusion.concatenate(prompts[0], prompts[1])
    halves = changed(task, positive=diffusion.average(longer, longer, 0.0))
    assert started_at(host, changed(task, positive=longer), halves) == STEPS
