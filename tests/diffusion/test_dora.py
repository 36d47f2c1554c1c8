"""DoRA: the sum of weight and difference, brought to a learned length, over any stored form."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from nodeforge.diffusion import LoadingError, check_lora, describe, describe_lora
from nodeforge.diffusion.adapters.lora import LoadedLora, LoraHooks, WeightedLora, load_lora
from nodeforge.diffusion.adapters.lora_weights import Composed, LowRank, decomposed
from nodeforge.models import recognise
from nodeforge.settings import shipped
from tests.support.loaded_networks import loaded_networks

CPU = torch.device("cpu")
LAYER = "mid_block.attentions.0.proj_in"


def low_rank(out, into, sides=()):
    down = torch.randn(2, into, *sides)
    return LowRank(down, torch.randn(out, 2, *(1 for _ in sides)), None, 1.5, 2.0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.linear = nn.Linear(12, 7)
        self.plain = nn.Linear(12, 7, bias=False)
        self.conv = nn.Conv2d(5, 6, 3, padding=1)


INPUTS = {"linear": (4, 12), "plain": (4, 12), "conv": (2, 5, 8, 8)}


@pytest.mark.parametrize("weight", [1.0, 0.4, -0.5])
@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("name", INPUTS)
@torch.no_grad()
def test_a_layer_computes_with_the_decomposed_weight(name, by_columns, weight):
    """Against the weight itself, changed as the paper says, in between at weights below 1."""
    net = Net()
    layer = getattr(net, name)
    base = layer.weight.detach().clone()
    sides = base.shape[2:]
    inner = low_rank(base.shape[0], base.shape[1], sides)
    changed = base + 0.75 * (inner.up.flatten(1) @ inner.down.flatten(1)).view(base.shape)
    over = tuple(side for side in range(base.ndim) if side != by_columns)
    shape = [1] * base.ndim
    shape[by_columns] = base.shape[by_columns]
    magnitude = torch.rand(shape) + 0.5
    wanted = base + weight * (
        changed / changed.square().sum(over, keepdim=True).sqrt() * magnitude - base
    )
    piece = decomposed(inner, magnitude, layer.weight)
    assert piece is not None
    assert piece.by_columns == by_columns
    x = torch.randn(*INPUTS[name])
    plain = layer(x)
    with LoraHooks(net).attach([WeightedLora(LoadedLora({name: piece}), weight)]):
        found = layer(x)
    apply = functional.linear if name != "conv" else lambda *a: functional.conv2d(*a, padding=1)
    torch.testing.assert_close(found, apply(x, wanted, layer.bias), atol=2e-5, rtol=1e-5)
    assert torch.equal(layer(x), plain)


@torch.no_grad()
def test_a_magnitude_over_a_kronecker_product():
    layer = nn.Linear(6, 8)
    inner = Composed("lokr", ((torch.randn(2, 3),), (torch.randn(4, 2),)), 1.0, 1)
    changed = layer.weight + torch.kron(*(part[0] for part in inner.parts))
    magnitude = torch.rand(8) + 0.5
    piece = decomposed(inner, magnitude, layer.weight)
    assert piece is not None
    x = torch.randn(3, 6)
    result = layer(x)
    wanted = functional.linear(x, magnitude[:, None] * functional.normalize(changed), layer.bias)
    torch.testing.assert_close(result + piece.added(layer, x, 1.0, result), wanted)


def test_lengths_that_fit_nothing_are_refused():
    assert decomposed(low_rank(7, 12), torch.ones(5), torch.randn(7, 12)) is None


NAMES = (
    "lora_unet_mid_block_attentions_0_proj_in.dora_scale",
    "unet.mid_block.attentions.0.proj_in.lora_magnitude_vector",
    "unet.mid_block.attentions.0.proj_in.lora_magnitude_vector.weight",
    "unet.mid_block.attentions.0.proj_in.lora_magnitude_vector.default.weight",
)


@pytest.fixture(scope="module")
def nano():
    return describe(shipped("resources") / "models" / "nano").model


@pytest.mark.parametrize("name", NAMES)
def test_files_of_every_trainer_are_read(nano, tmp_path, name):
    network = loaded_networks(nano)["unet"]
    out, into = network.get_submodule(LAYER).weight.shape[:2]
    kohya = name.startswith("lora_unet")
    base = name.partition(".")[0] if kohya else f"unet.{LAYER}"
    down, up = ("lora_down", "lora_up") if kohya else ("lora_A", "lora_B")
    torch.manual_seed(0)
    shape = (out, 1) if kohya else (out,)
    tensors = {
        f"{base}.{down}.weight": torch.randn(2, into),
        f"{base}.{up}.weight": torch.randn(out, 2),
        name: torch.rand(shape) + 0.5,
    }
    save_file(tensors, tmp_path / "dora.safetensors")
    weights = describe_lora(tmp_path / "dora.safetensors", "nano")
    assert recognise(tmp_path / "dora.safetensors").kind == "lora"
    assert check_lora(nano, weights) == ()
    (piece,) = load_lora(weights, "unet", network, CPU, torch.float32).deltas.values()
    layer = network.get_submodule(LAYER)
    whole = (
        layer.weight.flatten(1) + tensors[f"{base}.{up}.weight"] @ tensors[f"{base}.{down}.weight"]
    )
    torch.testing.assert_close(piece.factors, tensors[name].view(-1) / whole.norm(dim=1))


def test_a_magnitude_of_another_size_is_refused(nano, tmp_path):
    network = loaded_networks(nano)["unet"]
    out, into = network.get_submodule(LAYER).weight.shape[:2]
    tensors = {
        f"unet.{LAYER}.lora_A.weight": torch.randn(2, into),
        f"unet.{LAYER}.lora_B.weight": torch.randn(out, 2),
        f"unet.{LAYER}.dora_scale": torch.ones(3, 1),
    }
    save_file(tensors, tmp_path / "dora.safetensors")
    with pytest.raises(LoadingError, match="has other shapes"):
        check_lora(nano, describe_lora(tmp_path / "dora.safetensors", "nano"))
