"""A step cache: exact where nothing is reused, less work where something is, bits when resumed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LocalHost, Residency
from nodeforge.diffusion.denoising.setup import DenoiseError
from nodeforge.diffusion.denoising.step_cache import CachedBlocks, relative_change
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.networks.block_reader import BlockReader
from nodeforge.diffusion.networks.blocks import stream_lists
from nodeforge.diffusion.tensors.conditioning import RangeError
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import MemoryMode
from nodeforge.values import Guidance, Noise, Sampler, Schedule, StepCache, Tiling
from nodeforge.worker.codec import ValueCodec

NAMES = (
    *("flux1", "chroma", "sd3", "anima", "z_image", "flux2_klein_base", "flux3_base"),
    *("wan", "stable_audio"),
)
STEPS = 6
ALWAYS = StepCache(1e9, most=2)
"""Reuses in every step that it may: 0 computes, 1 and 2 reuse, 3 computes, ..."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name in NAMES:
        made[name] = tmp_path_factory.mktemp(name)
        tiny_transformers.PIPELINES[name]().save_pretrained(made[name])
    return made


@pytest.fixture(scope="module", params=NAMES)
def task(request, folders, residency):
    return task_of(folders[request.param], residency)


@pytest.fixture(scope="module")
def flux(folders, residency):
    return task_of(folders["flux1"], residency)


def task_of(folder, residency):
    described = diffusion.describe(folder)
    with residency.use(described.text_encoder) as encoder:
        positive, negative = (
            diffusion.encode_text(encoder, described.text_encoder, text)
            for text in ("a red fox", "blurry")
        )
    sound = described.model.weights.family == "stable_audio"
    noise = Noise(1, 0, 0) if sound else Noise(1, 32, 48, batch=2)
    if described.model.weights.family == "wan21":
        noise = replace(noise, frames=5)
    return Denoising(
        described.model, positive,
        Sampler("dpmpp_3m_sde" if sound else "flow_euler"),
        Schedule("exponential" if sound else "simple", STEPS),
        Guidance(3.0, true_scale=3.0), negative=negative, noise=noise,
    )  # fmt: skip


def cached(task, how):
    return replace(task, model=replace(task.model, step_cache=how))


def run(residency, task):
    return diffusion.denoise(LocalHost(residency), task).samples


class Counted:
    """Counts the calls of each block of a task's denoiser."""

    def __init__(self, residency, task):
        with residency.use(task.model) as model:
            self.blocks = [block for each in stream_lists(model.network) for block in each]
        self.calls = [0] * len(self.blocks)

    def __enter__(self):
        self.hooks = [
            block.register_forward_pre_hook(self.counting(number))
            for number, block in enumerate(self.blocks)
        ]
        return self.calls

    def counting(self, number):
        def count(*_):
            self.calls[number] += 1

        return count

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def test_a_step_that_may_reuse_runs_the_first_block_alone(task, residency):
    plain = run(residency, task)
    with Counted(residency, task) as calls:
        reused = run(residency, cached(task, ALWAYS))
    first, *others = calls
    assert set(others) == {first // 3}  # of three steps one is computed
    assert not torch.equal(reused, plain)
    assert (reused - plain).abs().mean() < plain.abs().mean()


def test_where_nothing_is_near_enough_the_bits_are_the_same(task, residency):
    plain = run(residency, task)
    assert torch.equal(run(residency, cached(task, StepCache(0.0))), plain)
    assert torch.equal(run(residency, cached(task, StepCache(1e-9))), plain)


def test_a_run_resumed_at_any_step_has_the_same_bits(task, residency):
    task = cached(task, ALWAYS)
    whole, codec = LocalHost(residency), ValueCodec()
    expected = diffusion.denoise(whole, task).samples
    for key, checkpoint in list(whole.steps.kept.items())[:-1]:
        host = LocalHost(residency)
        host.steps.store(key, codec.decode(codec.encode(checkpoint)))
        assert torch.equal(diffusion.denoise(host, task).samples, expected)
        assert host.model_calls < whole.model_calls


def test_it_acts_in_its_share_of_the_steps(flux, residency):
    half = replace(ALWAYS, most=STEPS, start=0.5)
    with Counted(residency, flux) as calls:
        run(residency, cached(flux, half))
    first, second, *_ = calls
    computed = STEPS // 2 + 1  # the first in which it acts has nothing to reuse
    assert second * STEPS == first * computed


def test_runs_share_the_steps_before_it_acts(flux, residency):
    host = LocalHost(residency)
    for start in (0.5, 0.7):
        diffusion.denoise(host, cached(flux, replace(ALWAYS, start=start)))
    assert len(host.steps.kept) == STEPS + 3


def test_its_numbers_are_in_the_keys(flux, residency):
    host = LocalHost(residency)
    for how in (ALWAYS, replace(ALWAYS, threshold=0.1), replace(ALWAYS, most=1)):
        diffusion.denoise(host, cached(flux, how))
    assert len(host.steps.kept) == 3 * STEPS


def test_tiles_are_kept_apart(flux, residency):
    model = replace(flux.model, tiling=Tiling(16, 4), step_cache=ALWAYS)
    host, task = LocalHost(residency), replace(flux, model=model, noise=Noise(1, 16, 24))
    with Counted(residency, task) as calls:
        diffusion.denoise(host, task)
    assert calls[1] * 3 == calls[0]
    (state,) = next(iter(host.steps.kept.values())).participants.values()
    assert len(state) == 2 * 2  # one for each tile and prompt


def test_another_prompt_computes_first(flux, residency):
    host = LocalHost(residency)
    halves = [
        diffusion.set_range(each, *share)
        for each, share in ((flux.positive, (0.0, 0.5)), (flux.negative, (0.5, 1.0)))
    ]
    task = replace(flux, positive=diffusion.combine(*halves), guidance=Guidance(1.0))
    with Counted(residency, task) as calls:
        diffusion.denoise(host, cached(task, replace(ALWAYS, most=STEPS)))
    assert (calls[0], calls[1]) == (STEPS, 2)


def test_an_expert_reuses_nothing_of_the_other(folders, residency):
    task = task_of(folders["wan"], residency)
    both = diffusion.with_low_noise(task.model, replace(task.model), 0.5)
    with Counted(residency, task) as calls:
        run(residency, cached(replace(task, model=both), replace(ALWAYS, most=STEPS)))
    assert calls[0] == 2 * STEPS  # for two prompts
    assert calls[1] == 2 * 2


def test_blocks_that_are_left_out_are_not_read(flux, residency, monkeypatch):
    low = Residency("cpu", Policy(MemoryMode.VERY_LOW))
    read = []
    get = BlockReader.get

    def noted(self, number):
        read.append(number)
        return get(self, number)

    monkeypatch.setattr(BlockReader, "get", noted)
    task = replace(cached(flux, ALWAYS), guidance=Guidance(3.0))
    assert torch.equal(run(low, task), run(residency, task))
    assert read.count(0) == STEPS
    assert read.count(1) == read.count(3) == STEPS // 3


def test_every_item_of_a_batch_has_to_be_alike():
    before = torch.ones(2, 3, 4)
    now = before * torch.tensor([1.05, 1.3])[:, None, None]
    assert relative_change(now, before).tolist() == pytest.approx([0.05, 0.3])
    cache = CachedBlocks(0.12, 3, (True,))
    assert not cache._alike(now, before)
    assert cache._alike(now[:1], before[:1])


def test_what_it_keeps_is_part_of_the_memory_needed(flux):
    plain, more = (
        memory_needs(model, Policy(), torch.device("cpu")).working
        for model in (flux.model, replace(flux.model, step_cache=ALWAYS))
    )
    tokens, width = (1024 // 2 // 2) ** 2, 32
    assert more - plain >= 2 * tokens * width * 4


def test_a_unet_is_refused(sd, prompts, residency):
    task = Denoising(
        replace(sd.model, step_cache=StepCache()), prompts[0], Sampler("euler"),
        Schedule("normal", 4), Guidance(5.0), noise=Noise(1, 32, 32),
    )  # fmt: skip
    with pytest.raises(DenoiseError, match="is a UNet"):
        run(residency, task)


def test_an_end_before_the_start_is_refused(flux, residency):
    with pytest.raises(RangeError):
        run(residency, cached(flux, StepCache(start=0.6, end=0.4)))


def test_calls_of_one_step_count_too(flux, residency):
    task = cached(replace(flux, sampler=Sampler("flow_heun")), replace(ALWAYS, most=1))
    with Counted(residency, task) as calls:
        run(residency, task)
    first, second, *_ = calls
    assert first > 2 * STEPS  # two prompts, and a second call in each step but the last
    assert second == (first + 2) // 4 * 2  # of two calls of a prompt one is computed
