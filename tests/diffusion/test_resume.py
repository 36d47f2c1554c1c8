"""Every sampler on every schedule goes on from every step as if it had never stopped."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from itertools import product

import pytest
import torch

from nodeforge import diffusion
from nodeforge.diffusion import CONVENTIONS, SAMPLERS, Denoising, UnsupportedPairError, table
from nodeforge.diffusion.samplers.pairs import make_stepper
from nodeforge.diffusion.tensors.noise import draw_batch_noise
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.values import Guidance, Mask, Noise, Sampler, Schedule
from nodeforge.values.sampling_labels import SAMPLER_LABELS
from nodeforge.values.setting_names import COMFYUI
from nodeforge.worker.codec import ValueCodec

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

STEPS = 5
SIGMAS = (14.0, 6.0, 2.5, 1.0, 0.05, 0.0)
FLOW_SIGMAS = (1.0, 0.9, 0.7, 0.4, 0.1, 0.0)


def walked():
    """Every pair; those are slow that are not a sampler's first of diffusers' or of our own."""
    seen = set()
    for flow, convention in product((False, True), CONVENTIONS):
        for (sampler, name), kind in table(flow, convention).items():
            if kind:
                walker = (flow, convention, sampler, kind)
                marks = pytest.mark.slow if walker in seen else ()
                seen.add(walker)
                yield pytest.param(Sampler(sampler, None, convention), name, flow, marks=marks)


WALKED = list(walked())


def named(value):
    return f"{value.name}-{value.convention}" if isinstance(value, Sampler) else None


def own_steps(sampler):
    """How many whole steps a sampler makes of five."""
    whole = {"diffusers": {"dpm_fast": 3}, COMFYUI: {"dpm_fast": 2, "dpm_adaptive": 1}}
    return whole[sampler.convention].get(sampler.name, STEPS)


def schedule(name, flow=False, **more):
    sigmas = FLOW_SIGMAS if flow else SIGMAS
    return Schedule(name, STEPS, sigmas=sigmas if name == "custom" else (), **more)


def task_of(sd, prompts, sampler, name, flow=False, **more):
    model = replace(sd.model, prediction=FLOW if flow else "")
    return Denoising(
        model, prompts[0], sampler, schedule(name, flow), Guidance(5.0), prompts[1],
        **{"noise": Noise(3, 32, 32, batch=2), **more},
    )  # fmt: skip


def resumed(residency, task, key, checkpoint):
    """What comes out where only this checkpoint is left, and the model calls it took."""
    host = diffusion.LocalHost(residency)
    codec = ValueCodec()
    host.steps.store(key, codec.decode(codec.encode(checkpoint)))
    return diffusion.denoise(host, task).samples, host.model_calls


@pytest.mark.parametrize(("sampler", "name", "flow"), WALKED, ids=named)
def test_a_run_resumed_at_any_step_has_the_same_bits(
    host, residency, sd, prompts, sampler, name, flow
):
    task = task_of(sd, prompts, sampler, name, flow)
    whole = diffusion.denoise(host, task).samples
    assert whole.isfinite().all()
    assert len(host.steps.kept) == own_steps(sampler)
    for key, checkpoint in host.steps.kept.items():
        again, calls = resumed(residency, task, key, checkpoint)
        assert torch.equal(again, whole)
        assert calls == host.model_calls - checkpoint.call
        assert checkpoint.clean.samples.shape == whole.shape


@pytest.mark.parametrize(
    "sampler",
    [Sampler(name, None, of) for of in CONVENTIONS for name in SAMPLERS if name != "lcm"],
    ids=named,
)
def test_eta_and_a_mask_resume_too(host, residency, sd, prompts, sampler):
    mask = Mask(torch.zeros(1, 32, 32).index_fill(1, torch.arange(20), 1.0))
    latent = diffusion.empty("sd", 4, 8, 32, 32, 2)
    walks = [table(flow, sampler.convention)[sampler.name, "normal"] for flow in (False, True)]
    if not any(walks):
        return  # in the other convention alone
    flow = not walks[0]
    try:
        with_eta = replace(sampler, eta=0.7)
        task = task_of(sd, prompts, with_eta, "normal", flow, mask=mask, latent=latent)
        whole = diffusion.denoise(host, task).samples
    except UnsupportedPairError:
        task = task_of(sd, prompts, sampler, "normal", flow, mask=mask, latent=latent)
        whole = diffusion.denoise(host, task).samples
    key, checkpoint = list(host.steps.kept.items())[min(2, own_steps(sampler) - 1)]
    assert torch.equal(resumed(residency, task, key, checkpoint)[0], whole)


def test_a_third_order_sampler_resumes_and_is_not_reused_between_step_numbers(
    residency, sd, prompts, tmp_path, sd_folder
):
    """14 and 16 steps share pairs of sigmas, but not what the sampler makes of them."""
    described = third_order(sd_folder, tmp_path)
    host = diffusion.LocalHost(residency)
    for steps in (14, 16):
        task = Denoising(
            described.model, prompts[0], Sampler("unipc"), Schedule("normal", steps),
            Guidance(5.0), prompts[1], noise=Noise(3, 32, 32),
        )  # fmt: skip
        before = host.model_calls
        whole = diffusion.denoise(host, task).samples
        assert host.model_calls - before == steps
        key, checkpoint = list(host.steps.kept.items())[-5]
        assert torch.equal(resumed(residency, task, key, checkpoint)[0], whole)


def third_order(folder, into):
    copy = shutil.copytree(folder, into / "third_order")
    file = copy / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "solver_order": 3}))
    return diffusion.describe(copy)


@pytest.mark.parametrize(("sampler", "name", "flow"), WALKED, ids=named)
def test_a_checkpoint_holds_all_that_changes(sd, sampler, name, flow):
    """After restoring, no attribute of the stepper differs from the one that walked there."""
    config = {**diffusion.facts(sd.model).scheduler, **({"prediction_type": FLOW} if flow else {})}
    drawn = [drawn_for(sampler) for _ in range(2)]
    walked, restored = (
        make_stepper(sampler, schedule(name, flow), config, torch.device("cpu")) for _ in range(2)
    )
    for stepper in (walked, restored):
        stepper.cut(0, stepper.steps)
    walked.prepare(0, drawn[0])
    x = walked.pure_noise(drawn[0].start)
    for _ in range(min(3, walked.steps)):
        x = walked.step(lambda x, *_: x * 0.9, x, None)
    restored.prepare(0, drawn[1])
    restored.restore(walked.state())
    assert described(restored) == described(walked)


def drawn_for(sampler):
    if sampler.convention == COMFYUI:
        return draw_batch_noise(1, 1, (4, 4, 4))
    return diffusion.draw_noise((1,), (4, 4, 4))


def described(stepper):
    """All state of a stepper, and of the scheduler in it, as text."""
    inner = {**vars(getattr(stepper, "_scheduler", stepper))}
    ignored = (
        "noise_sampler",
        "is_scale_input_called",
        "_context",
        "sigma_data",
        "model_outputs",
        "tau_func",
    )
    parts = {n: v for n, v in inner.items() if n not in ignored and v is not None}
    outputs = [str(output) for output in inner.get("model_outputs", [])]
    return {name: str(value) for name, value in parts.items()} | {
        "outputs": outputs,
        "position": stepper.position,
    }


def test_a_pair_that_nobody_walks_is_refused_by_name(sd, prompts, host):
    with pytest.raises(
        UnsupportedPairError, match="'pndm' cannot walk the schedule 'custom'"
    ) as caught:
        diffusion.denoise(host, task_of(sd, prompts, Sampler("pndm"), "custom"))
    assert "its schedules: normal, ddim_uniform." in caught.value.way_out


def test_a_sampler_without_eta_refuses_one(sd, prompts, host):
    with pytest.raises(UnsupportedPairError, match="'euler' has no eta"):
        diffusion.denoise(host, task_of(sd, prompts, Sampler("euler", 0.5), "normal"))


@pytest.mark.parametrize("first", range(STEPS))
def test_pndm_started_within_its_schedule_ends_clean(sd, first):
    """Its first step makes two calls wherever it starts; a last step has nothing to repeat."""
    config = diffusion.facts(sd.model).scheduler
    stepper = make_stepper(Sampler("pndm"), schedule("normal"), config, torch.device("cpu"))
    noise = diffusion.draw_noise((1,), (4, 4, 4))
    stepper.prepare(first, noise)
    clean = torch.full((1, 4, 4, 4), 0.8)
    x = stepper.add_noise(clean, noise.start)
    for _ in range(first, STEPS):
        x = stepper.step(lambda *_: noise.start, x, None)
    assert float((x - clean).abs().max()) < 0.1
    assert stepper.calls == max(STEPS - first, 1) + (first < STEPS - 1)


def test_every_sampler_walks_the_normal_schedule():
    tables = [table(flow, of) for flow in (False, True) for of in CONVENTIONS]
    walking = {pair for each in tables for pair, kind in each.items() if kind}
    assert {sampler for sampler, name in walking if name == "normal"} == {*SAMPLERS}


def test_every_sampler_has_a_label():
    assert tuple(SAMPLER_LABELS) == SAMPLERS


@pytest.mark.parametrize(
    "sampler",
    [
        *(Sampler(name) for name in ("euler", "dpmpp_2m", "dpmpp_2s_a")),
        *(Sampler(name, None, COMFYUI) for name in ("unipc", "dpmpp_2m_sde", "dpm_fast")),
    ],
    ids=named,
)
def test_a_run_goes_on_from_its_clean_estimate(host, residency, sd, prompts, sampler):
    """Also of samplers whose steps depend on where they stop."""
    task = task_of(sd, prompts, sampler, "normal")
    whole = diffusion.denoise(host, task).samples
    early = diffusion.LocalHost(residency)
    estimate = diffusion.estimate(early, task, 0.4)
    before = early.model_calls
    assert len(early.steps.kept) == math.ceil(0.4 * own_steps(sampler))
    assert torch.equal(diffusion.estimate(early, task, 0.4).samples, estimate.samples)
    assert early.model_calls == before
    last = list(early.steps.kept.values())[-1]
    assert torch.equal(estimate.samples, last.clean.samples.float())
    assert torch.equal(diffusion.denoise(early, task).samples, whole)
    assert early.model_calls == host.model_calls


@pytest.mark.parametrize(
    ("until", "more", "steps"),
    [
        (0.01, {}, 1),
        (0.2, {}, 1),
        (0.6, {}, 3),
        (0.61, {}, 4),
        (1.0, {}, 5),
        (0.5, {"stop_at": 4}, 2),
        (0.5, {"stop_at": 99}, 3),
        (0.5, {"start_at": 1}, 2),
    ],
)
def test_an_estimate_runs_its_share_of_the_steps(host, sd, prompts, until, more, steps):
    task = task_of(sd, prompts, Sampler("euler"), "normal", **more)
    diffusion.estimate(host, task, until)
    assert host.model_calls == steps
