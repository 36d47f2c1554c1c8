"""A KV cache: prompt and references are computed once a run, to the same numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LocalHost, Residency
from nodeforge.diffusion.networks import kv_cache
from nodeforge.diffusion.networks.kv_cache import KvCache
from nodeforge.diffusion.tensors.devices import DeviceReport
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.models import FAMILIES, recognise
from nodeforge.settings import Precision
from nodeforge.values import Guidance, Latent, Noise, Sampler, Schedule, StepCache
from support.pipeline_inputs import difference

STEPS = 4
NAMES = ("qwen_image_21", "flux2_klein_kv")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name in (*NAMES, "flux2_klein"):
        made[name] = tmp_path_factory.mktemp(name) / "any"
        tiny_transformers.PIPELINES[name]().save_pretrained(made[name])
    return made


@pytest.fixture(params=NAMES)
def task(request, folders, residency):
    return task_of(folders[request.param], residency)


def task_of(folder, residency):
    """An edit of two pictures; guided where its model is."""
    described = diffusion.describe(folder)
    with residency.use(described.text_encoder) as encoder:
        said = [
            diffusion.encode_text(encoder, described.text_encoder, text)
            for text in ("a red fox", "blurry")
        ]
    told = diffusion.facts(described.model)
    chance = torch.Generator().manual_seed(2)
    drawn = (torch.randn(1, told.latent_channels, *s, generator=chance) for s in ((4, 6), (6, 4)))
    seen = [Latent(each, told.space, told.scale) for each in drawn]
    positive, negative = (diffusion.with_references(each, seen) for each in said)
    return Denoising(
        described.model, positive, Sampler("flow_euler"), Schedule("simple", STEPS),
        Guidance(3.0), negative, noise=Noise(1, 32, 64, batch=2),
    )  # fmt: skip


def run(residency, task):
    return diffusion.denoise(LocalHost(residency), task).samples


class Seen:
    """Counts how many tokens the first block of a task's denoiser is asked for, call by call."""

    def __init__(self, residency, task):
        with residency.use(task.model) as model:
            self.block = model.network.transformer_blocks[0]
        self.tokens = []

    def __enter__(self):
        def count(_, given, named):
            self.tokens.append(named["hidden_states"].shape[1])

        self.hook = self.block.register_forward_pre_hook(count, with_kwargs=True)
        return self.tokens

    def __exit__(self, *_):
        self.hook.remove()


def without(monkeypatch, task):
    """Have the task's family keep nothing."""
    name = task.model.weights.family
    plain = {key: replace(each, kv_cache=False) for key, each in FAMILIES[name].variants.items()}
    family = replace(FAMILIES[name], kv_cache=False, variants=plain)
    monkeypatch.setitem(FAMILIES, name, family)


def test_what_does_not_change_is_computed_once(task, residency):
    with Seen(residency, task) as tokens:
        run(residency, task)
    guided = 2 if task.model.weights.family == "qwen_image_21" else 1
    new_picture = tokens[-1]
    assert tokens.count(new_picture) == guided * STEPS
    assert len(tokens) == guided * (STEPS + 1)  # what is kept was computed by calls of its own


def test_it_equals_computing_all_in_each_step(folders, residency, monkeypatch):
    task = task_of(folders["qwen_image_21"], residency)
    kept = run(residency, task)
    without(monkeypatch, task)
    with Seen(residency, task) as tokens:
        anew = run(residency, task)
    assert len({*tokens}) == 2  # of the two prompts, each with its references
    assert torch.equal(kept, anew)


def test_prompts_that_change_along_the_way_are_read_anew(folders, residency, monkeypatch):
    task = task_of(folders["qwen_image_21"], residency)
    first, then = task.positive.prompts[0], task.negative.prompts[0]
    halves = [replace(first, end=0.5), replace(then, start=0.5)]
    task = replace(task, positive=replace(task.positive, prompts=tuple(halves)))
    kept = run(residency, task)
    assert not torch.equal(kept, run(residency, replace(task, positive=task.negative)))
    without(monkeypatch, task)
    assert difference(kept, run(residency, task)) < 1e-6


@pytest.mark.parametrize("precision", [Precision.FULL, Precision.HALF])
def test_a_run_resumed_at_any_step_has_the_same_bits(task, monkeypatch, precision):
    """In bfloat16, too, where another order of the same sums is another result."""
    monkeypatch.setattr("nodeforge.diffusion.tensors.policy.has_bfloat16", lambda _: True)
    residency = Residency(policy=Policy(precision=precision))
    whole = run(residency, task)
    for step in range(1, STEPS):
        host = LocalHost(residency)
        diffusion.denoise(host, replace(task, stop_at=step))
        assert torch.equal(diffusion.denoise(host, task).samples, whole)


def test_a_batch_is_as_each_alone(task, residency):
    both = run(residency, task)
    alone = run(residency, replace(task, noise=replace(task.noise, batch=1)))
    assert difference(both[:1], alone) < 1e-6


def test_a_step_cache_acts_on_the_new_picture_alone(task, residency):
    plain = run(residency, task)
    exact = replace(task, model=replace(task.model, step_cache=StepCache(1e-9, most=2)))
    assert torch.equal(run(residency, exact), plain)
    reusing = replace(task, model=replace(task.model, step_cache=StepCache(1e9, most=2)))
    assert not torch.equal(run(residency, reusing), plain)


def test_klein_kv_without_references_is_klein(folders, residency):
    tasks = [task_of(folders[name], residency) for name in ("flux2_klein_kv", "flux2_klein")]
    seeing = [run(residency, task) for task in tasks]
    assert difference(*seeing) > 1e-5
    blind = [replace(task, positive=task.positive.each(references=())) for task in tasks]
    assert torch.equal(*(run(residency, task) for task in blind))


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("flux-2-klein-9b-kv", "kv"),
        ("flux-2-klein-9b-kv-fp8", "kv"),
        ("flux-2-klein-9b", ""),
        ("flux-2-klein-base-9b", "base"),
    ],
)
def test_klein_kv_is_told_by_its_name(folders, tmp_path, name, variant):
    """Its tensors are those of klein."""
    file = next((folders["flux2_klein"] / "transformer").glob("*.safetensors"))
    copy = tmp_path / f"{name}.safetensors"
    copy.write_bytes(file.read_bytes())
    assert recognise(copy).variant == variant


def test_it_waits_in_the_computers_memory_where_a_card_has_no_room(monkeypatch):
    network = tiny_transformers.PIPELINES["flux2_klein"]().transformer
    free = 2 * 2 * len(kv_cache.KvCache.empty(network, (1, 1, 1), torch.float32, CPU).layers)

    def report(device):
        return DeviceReport("cuda", "cuda:0", "a card", 1 << 30, free * 100 * 32 * 2)

    monkeypatch.setattr(kv_cache, "report_of", report)
    card = torch.device("meta")
    small = KvCache.empty(network, (1, 100, 32), torch.bfloat16, card)
    large = KvCache.empty(network, (1, 101, 32), torch.bfloat16, card)
    assert {each.home for each in small.layers} == {card}
    assert {each.home for each in large.layers} == {CPU}
    keys = torch.zeros(1, 101, 2, 16)
    large.layers[0].store(keys, keys)
    assert large.layers[0].keys is not None
    assert large.layers[0].keys.device == CPU
    assert all(each.device == card for each in large.layers[0].get())


CPU = torch.device("cpu")
