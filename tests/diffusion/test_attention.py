"""Ways to compute attention: near each other, apart in the keys, refused where they are not."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from itertools import combinations

import pytest
import tiny_adapters
import tiny_models
import tiny_transformers
import torch
from diffusers.models.attention_dispatch import _AttentionBackendRegistry, attention_backend
from torch.profiler import ProfilerActivity, profile

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, LocalHost, Residency
from nodeforge.diffusion.memory.attention_speeds import _apart, attention_speeds
from nodeforge.diffusion.memory.blank_calls import blank_call
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.tensors.attention import (
    AttentionError,
    attention_backends,
    check_network,
    prepare,
)
from nodeforge.diffusion.tensors.devices import numerics
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy
from nodeforge.errors import Cancelled
from nodeforge.models import FAMILIES, Measurement
from nodeforge.models.measurements.measurement import AttentionSpeed
from nodeforge.settings import Attention, Precision
from nodeforge.values import (
    ControlNet,
    Guidance,
    Image,
    ImageEncoder,
    IpAdapter,
    Model,
    Noise,
    Perturbation,
    PerturbationKind,
    Sampler,
    Schedule,
    Weights,
)
from support.measurements import conditions

pytestmark = pytest.mark.filterwarnings("ignore:__array_")

CPU = torch.device("cpu")
NAMED = [way for way in Attention if way in attention_backends(CPU) and way is not Attention.AUTO]
ABSENT = [way for way in Attention if way not in attention_backends(CPU)]
OPERATION = "aten::_scaled_dot_product"


def host_with(way: Attention) -> LocalHost:
    return LocalHost(Residency("cpu", Policy(attention=way)))


@pytest.fixture(scope="module")
def adapters(sd_folder, tmp_path_factory):
    """Everything that reaches into attention or has its own."""
    root = tmp_path_factory.mktemp("adapters")
    tiny_adapters.image_encoder().save_pretrained(root / "encoder")
    files = {
        "image_encoder": root / "encoder",
        "ip_adapter": tiny_adapters.write_ip_adapter(
            sd_folder, root / "ip.safetensors", kind="plus"
        ),
        "controlnet": tiny_models.write_controlnet(sd_folder, root / "controlnet"),
    }
    return {part: Weights(str(path), str(path), "sd15", part) for part, path in files.items()}


@pytest.fixture(scope="module")
def task(sd, prompts, adapters):
    """A weakened layer, a picture to look at and a hint to follow, all at once."""
    host, drawing = host_with(Attention.AUTO), Image(torch.rand(1, 64, 64, 3))
    ip, eyes = IpAdapter(adapters["ip_adapter"]), ImageEncoder(adapters["image_encoder"])
    with host.use(ip) as adapter, host.use(eyes) as encoder:
        positive = diffusion.add_image_prompt(prompts[0], ip, adapter, encoder, drawing, 0.7)
    positive = diffusion.add_control(positive, ControlNet(adapters["controlnet"]), drawing, 0.8)
    guidance = Guidance(4.0, perturbations=(Perturbation(PerturbationKind.ATTENTION, 3.0),))
    return Denoising(
        sd.model, positive, Sampler("euler"), Schedule("normal", 3), guidance, prompts[1],
        noise=Noise(1, 64, 64),
    )  # fmt: skip


@pytest.fixture(scope="module")
def usual(task):
    return diffusion.denoise(host_with(Attention.AUTO), task).samples


@pytest.mark.parametrize("way", NAMED)
def test_every_way_gives_the_same_latent_but_for_rounding(task, usual, way):
    made = diffusion.denoise(host_with(way), task).samples
    assert torch.allclose(made, usual, rtol=1e-4, atol=1e-4)


def asked_of_torch(host, sd) -> set[str]:
    """Names of torch's attention kernels that one call of the denoiser runs."""
    with host.use(sd.model) as model, torch.no_grad():
        words = torch.zeros(1, 77, model.network.config.cross_attention_dim)
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            model.network(torch.zeros(1, 4, 8, 8), 10, words)
    names = {event.key.removeprefix(OPERATION) for event in seen.key_averages()}
    return names & {"_flash_attention_for_cpu", "_attention_math"}


@pytest.mark.parametrize(
    ("way", "kernel"),
    [
        (Attention.AUTO, {"_flash_attention_for_cpu"}),
        (Attention.FLASH, {"_flash_attention_for_cpu"}),
        (Attention.MATH, {"_attention_math"}),
        (Attention.SLICED, set()),
    ],
)
def test_the_named_kernel_computes(sd, way, kernel):
    assert asked_of_torch(host_with(way), sd) == kernel


def test_afterwards_torch_chooses_again(sd):
    asked_of_torch(host_with(Attention.MATH), sd)
    assert asked_of_torch(host_with(Attention.AUTO), sd) == {"_flash_attention_for_cpu"}


def test_every_way_has_keys_of_its_own():
    keys = [numerics(CPU, Policy(attention=way)) for way in Attention]
    assert all(one != other for one, other in combinations(keys, 2))
    assert keys[0] == numerics(CPU, DEFAULT)


@pytest.mark.parametrize("way", ABSENT)
def test_a_way_that_is_not_there_is_refused_with_those_that_are(sd, way):
    refusing = pytest.raises(AttentionError, match=f"'{way}' is not there")
    with refusing as refused, host_with(way).use(sd.model):
        pass
    assert "auto, flash, math, sliced" in refused.value.way_out


def test_what_plain_steps_need_is_foretold():
    folder = FAMILIES["sd15"].config_folder
    model = Model(Weights(str(folder), "", "sd15", "unet"))
    fused, math, sliced = (
        memory_needs(model, replace(DEFAULT, attention=way), torch.device("cuda")).working
        for way in (Attention.AUTO, Attention.MATH, Attention.SLICED)
    )
    pairs = 2 * 8 * 4096**2 * 2  # pictures, heads, places, bytes
    assert math > pairs > 3 * sliced
    assert sliced >= fused


@pytest.fixture(scope="module")
def transformers(tmp_path_factory):
    """Recipes of tiny transformers, by family."""
    made = {}
    for name in (
        *("flux1", "chroma", "z_image", "flux2_dev", "flux2_klein", "flux3", "sd3", "anima"),
    ):
        folder = tmp_path_factory.mktemp(name)
        tiny_transformers.PIPELINES[name]().save_pretrained(folder)
        made[name] = diffusion.describe(folder)
    return made


def kernels_of(host, described) -> set[str]:
    recipe = described.model
    with host.use(recipe) as model, torch.no_grad():
        call = blank_call(recipe, model.network, torch.float32, CPU)
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            call()
    names = {event.key.removeprefix(OPERATION) for event in seen.key_averages()}
    return names & {"_flash_attention_for_cpu", "_attention_math"}


@pytest.fixture
def small_pictures(monkeypatch):
    for name, family in FAMILIES.items():
        monkeypatch.setitem(FAMILIES, name, replace(family, native_size=32))


@pytest.mark.parametrize(
    ("way", "kernel"),
    [
        (Attention.AUTO, "_flash_attention_for_cpu"),
        (Attention.FLASH, "_flash_attention_for_cpu"),
        (Attention.MATH, "_attention_math"),
        (Attention.SLICED, "_flash_attention_for_cpu"),
    ],
)
@pytest.mark.parametrize("default", [None, "_native_math", "flex"])
@pytest.mark.parametrize(
    "name", ["flux1", "chroma", "z_image", "flux2_klein", "flux3", "sd3", "anima"]
)
def test_transformers_compute_by_the_named_kernel_whatever_the_process_s_default(
    transformers, small_pictures, name, default, way, kernel
):
    with attention_backend(default) if default else nullcontext():
        assert kernels_of(host_with(way), transformers[name]) == {kernel}


def test_no_network_changes_the_process_s_default(transformers):
    before = _AttentionBackendRegistry.get_active_backend()
    for way in NAMED:
        with host_with(way).use(transformers["flux1"].model):
            assert _AttentionBackendRegistry.get_active_backend() == before


def test_text_encoders_and_vaes_may_have_a_way_of_their_own(sd):
    residency = Residency("cpu", Policy(text_attention=Attention.MATH))
    assert asked_of_torch(LocalHost(residency), sd) == {"_flash_attention_for_cpu"}
    with residency.use(sd.text_encoder) as encoder:
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            diffusion.encode_prompt(encoder, "a red cat")
        names = {event.key.removeprefix(OPERATION) for event in seen.key_averages()}
    assert "_attention_math" in names
    assert "_flash_attention_for_cpu" not in names


def test_a_way_of_their_own_is_in_the_keys_and_none_is_not():
    assert numerics(CPU, Policy(text_attention=None)) == numerics(CPU, DEFAULT)
    own = [Policy(text_attention=Attention.MATH), Policy(vae_attention=Attention.MATH), DEFAULT]
    assert len({str(numerics(CPU, policy)) for policy in own}) == 3


CUDA = torch.device("cuda")


@pytest.mark.parametrize("way", [Attention.SAGE, Attention.FLASH_ATTN])
def test_kernels_of_packages_are_for_some_transformers_in_16_bits(way):
    able = {name for name, family in FAMILIES.items() if way in family.attention_packages}
    for name, family in FAMILIES.items():
        recipe, policy = Model(Weights("", "", name, family.denoiser)), Policy(attention=way)
        if name in able:
            check_network(policy, recipe, CUDA)
            with pytest.raises(AttentionError, match="16 bits"):
                check_network(replace(policy, precision=Precision.FULL), recipe, CUDA)
        else:
            with pytest.raises(AttentionError, match=re.escape(family.label)):
                check_network(policy, recipe, CUDA)
    assert {"flux1", "wan21"} <= able
    assert not {"sd15", "z_image", "chroma", "stable_audio"} & able


def test_a_package_for_denoisers_is_refused_for_text_encoders(sd):
    with pytest.raises(AttentionError, match="is for denoisers"):
        check_network(Policy(text_attention=Attention.SLICED), sd.text_encoder, CPU)
    check_network(Policy(attention=Attention.SLICED), sd.text_encoder, CPU)


@pytest.mark.parametrize(
    ("way", "backend"), [(Attention.SAGE, "sage"), (Attention.FLASH_ATTN, "flash")]
)
def test_a_transformer_asks_the_package_that_was_chosen(transformers, way, backend):
    with Residency("cpu").use(transformers["flux1"].model) as model:
        prepare(model.network, way)
        asked = {each.processor._attention_backend for each in model.network.modules()
                 if hasattr(each, "processor")}  # fmt: skip
    assert asked == {backend}


@pytest.mark.usefixtures("small_pictures")
def test_kernels_are_timed_in_turn_and_the_network_is_left_as_it_was(transformers, sd):
    for recipe in (transformers["flux1"].model, sd.model):
        residency = Residency("cpu")
        with residency.use(recipe) as model:
            before = dict(getattr(model.network, "attn_processors", {}))
        speeds = attention_speeds(residency, recipe)
        assert [each.way for each in speeds] == attention_backends(CPU)
        assert speeds[0].way == "auto"
        assert all(0 < each.seconds < 60 and each.difference < 1e-5 for each in speeds)
        with residency.use(recipe) as model:
            assert getattr(model.network, "attn_processors", {}) == before


def test_a_kernel_is_offered_where_it_is_well_ahead_and_predicts_the_same():
    def of(*speeds: tuple[str, float, float]) -> AttentionSpeed | None:
        made = tuple(AttentionSpeed(*each) for each in speeds)
        return Measurement(conditions("key"), "m", attention=made).faster_attention("auto")

    ahead = of(("auto", 1.0, 0.0), ("flash", 0.8, 1e-3))
    assert ahead is not None
    assert ahead.way == "flash"
    assert of(("auto", 1.0, 0.0), ("flash", 0.95, 1e-3)) is None
    assert of(("auto", 1.0, 0.0), ("sage", 0.5, 0.5)) is None
    assert of() is None


def test_kernels_without_room_or_numbers_are_left_out():
    ways = [Attention.AUTO, Attention.FLASH, Attention.MATH, Attention.SLICED]
    made = {
        Attention.AUTO: torch.zeros(2),
        Attention.FLASH: torch.zeros(2),
        Attention.MATH: torch.tensor([0.0, torch.nan]),
    }

    def timed(way: Attention) -> tuple[float, torch.Tensor]:
        if way not in made:
            raise torch.OutOfMemoryError
        return 1.0, made[way]

    assert _apart(timed, ways) == {Attention.AUTO: 0.0, Attention.FLASH: 0.0}


def test_timing_kernels_stops_where_it_is_told_to(sd):
    residency, calls = Residency("cpu"), []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    with residency.use(sd.model) as model:
        before = dict(model.network.attn_processors)
    with pytest.raises(Cancelled):
        attention_speeds(residency, sd.model, check)
    with residency.use(sd.model) as model:
        assert model.network.attn_processors == before
