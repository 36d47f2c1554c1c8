"""Where weights are and what they are stored in: what may change numbers, and what may not."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, Residency
from nodeforge.diffusion.memory import offloading
from nodeforge.diffusion.memory.offloading import on_device, stream_layers
from nodeforge.diffusion.networks.building import build
from nodeforge.diffusion.networks.loading import load, weight_bytes
from nodeforge.diffusion.tensors.devices import DeviceError, numerics, out_of_memory_explained
from nodeforge.diffusion.tensors.policy import DEFAULT, Policy, has_bfloat16
from nodeforge.errors import OutOfMemoryError
from nodeforge.models import FULL_FIRST
from nodeforge.settings import MemoryMode, Precision
from nodeforge.values import Guidance, Noise, Sampler, Schedule
from tests.support.loaded_networks import single_recipes

CPU = torch.device("cpu")


def latent_of(sd, prompts, residency):
    task = Denoising(
        sd.model,
        prompts[0],
        Sampler("euler"),
        Schedule("normal", 3),
        Guidance(4.0),
        negative=prompts[1],
        noise=Noise(1, 64, 64),
    )
    return diffusion.denoise(diffusion.LocalHost(residency), task).samples


@pytest.fixture(scope="module")
def exact(sd, prompts):
    return latent_of(sd, prompts, Residency("cpu"))


@pytest.mark.parametrize("memory", list(MemoryMode))
def test_every_memory_mode_makes_the_same_latent(sd, prompts, exact, memory):
    assert torch.equal(latent_of(sd, prompts, Residency("cpu", Policy(memory))), exact)


def test_weights_fed_layer_by_layer_give_the_same_numbers(sd):
    model = load(sd.model, CPU)
    x, text = torch.randn(1, 4, 8, 8), torch.randn(1, 77, model.network.config.cross_attention_dim)
    with torch.no_grad():
        plain = model.network(x, 10, text).sample
        stream_layers(model.network, CPU)
        assert torch.equal(model.network(x, 10, text).sample, plain)


def test_a_network_comes_back_from_the_device_as_it_was(sd):
    network = load(sd.vae, CPU).network
    homes = {name: tensor.data_ptr() for name, tensor in network.named_parameters()}
    with on_device(network, torch.device("meta")):
        assert all(tensor.is_meta for tensor in network.parameters())
    assert {name: tensor.data_ptr() for name, tensor in network.named_parameters()} == homes


def test_a_network_is_as_it_was_where_memory_runs_out_on_the_way(sd, monkeypatch):
    network = load(sd.vae, CPU).network
    homes = {name: tensor.data_ptr() for name, tensor in network.named_parameters()}
    moved, room = offloading._moved, iter(range(20))

    def crowded(tensor, device):
        if next(room, None) is None:
            raise torch.OutOfMemoryError
        return moved(tensor, device)

    monkeypatch.setattr(offloading, "_moved", crowded)
    with pytest.raises(torch.OutOfMemoryError), on_device(network, torch.device("meta")):
        pass
    assert {name: tensor.data_ptr() for name, tensor in network.named_parameters()} == homes


def test_eight_bit_weights_take_a_quarter_and_change_little(sd, prompts, exact):
    plain, small = Residency("cpu"), Residency("cpu", Policy(fp8_weights=True))
    close = latent_of(sd, prompts, small)
    with plain.use(sd.model), small.use(sd.model):
        assert small.bytes_held < 0.4 * plain.bytes_held  # norms and embeddings stay whole
    assert not torch.equal(close, exact)
    assert (close - exact).abs().mean() < 0.2 * exact.abs().mean()


@pytest.mark.skipif(not has_bfloat16(CPU), reason="this processor has no bfloat16 units")
def test_half_precision_on_a_processor_is_bfloat16_and_close(sd, prompts, exact):
    half = Residency("cpu", Policy(precision=Precision.HALF))
    close = latent_of(sd, prompts, half)
    with half.use(sd.model) as model:
        assert model.network.dtype is torch.bfloat16
    assert close.dtype is torch.float32
    assert 0 < (close - exact).abs().mean() < 0.2 * exact.abs().mean()


def test_apple_s_cards_are_exact_unless_asked_and_their_vae_always():
    mps, half = torch.device("mps"), Policy(precision=Precision.HALF)
    assert Policy().dtype(mps) is half.dtype(mps, FULL_FIRST) is torch.float32
    assert half.dtype(mps) is torch.float16


def test_what_changes_numbers_is_in_the_keys_and_nothing_else():
    plain = numerics(CPU, DEFAULT)
    assert all(numerics(CPU, Policy(memory)) == plain for memory in MemoryMode)
    cuda = torch.device("cuda")
    changed = [
        numerics(CPU, Policy(fp8_weights=True)),
        numerics(CPU, Policy(compiled=True)),
        numerics(cuda, Policy()),
        numerics(cuda, Policy(precision=Precision.FULL)),
        numerics(cuda, Policy(precision=Precision.HALF)),
    ]
    assert all(one not in [plain, *changed[:index]] for index, one in enumerate(changed))


def test_sizes_are_known_before_loading(sd):
    for recipe in single_recipes(sd.model, sd.text_encoder, sd.vae):
        held = sum(p.nbytes for p in load(recipe, CPU).network.parameters())
        assert weight_bytes(build(recipe), recipe, DEFAULT, CPU) == held


def test_out_of_memory_leaves_only_what_is_in_use(sd, prompts, exact):
    residency = Residency("cpu")
    with residency.use(sd.vae):
        pass
    with residency.use(sd.text_encoder) as encoder:
        assert "dropped" in residency.free_memory()
        with residency.use(sd.text_encoder) as again:
            assert again.encoders[0].network is encoder.encoders[0].network
    assert residency.bytes_held == 0
    assert torch.equal(latent_of(sd, prompts, residency), exact)


@pytest.mark.parametrize("memory", [MemoryMode.DEVICE, MemoryMode.LOW])
def test_a_card_that_ran_out_of_memory_is_fed_in_pieces_from_then_on(sd, memory):
    residency = Residency("cuda", Policy(memory))
    assert not residency._must_feed(sd.model, 0)
    assert "in pieces" in residency.free_memory()
    assert residency._must_feed(sd.model, 0)


def test_torchs_own_complaint_about_memory_is_told_in_words():
    wanted = pytest.raises(OutOfMemoryError, match="1152921504606846976 bytes more")
    with wanted, out_of_memory_explained():
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="must match"), out_of_memory_explained():
        torch.ones(2) + torch.ones(3)


def test_a_card_that_is_not_there_is_refused_by_its_place():
    with pytest.raises(DeviceError, match="'cuda:7'") as refused:
        diffusion.choose("cuda:7")
    assert "cpu" in refused.value.way_out


@pytest.mark.slow
def test_compiled_blocks_still_take_loras(sd, prompts, exact, tmp_path):
    layer = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    with Residency("cpu").use(sd.model) as model:
        out, into = model.network.get_submodule(layer.removeprefix("unet.")).weight.shape
    file = tmp_path / "style.safetensors"
    pair = {"lora_A": torch.randn(4, into), "lora_B": torch.randn(out, 4)}
    save_file({f"{layer}.{name}.weight": tensor for name, tensor in pair.items()}, file)
    styled = diffusion.with_lora(sd.model, diffusion.describe_lora(file, "sd15"), 1.0)
    changed = latent_of(sd._replace(model=styled), prompts, Residency("cpu"))
    assert not torch.allclose(changed, exact, atol=1e-2)

    compiled = Residency("cpu", Policy(compiled=True))
    for recipe, wanted in ((sd.model, exact), (styled, changed), (sd.model, exact)):
        made = latent_of(sd._replace(model=recipe), prompts, compiled)
        assert torch.allclose(made, wanted, atol=1e-3)
