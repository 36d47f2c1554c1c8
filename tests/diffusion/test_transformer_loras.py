"""LoRAs over transformers, in every layout, equal the same change made in the weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny_transformers
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import linear

from nodeforge import diffusion
from nodeforge.diffusion import LoadingError, check_lora, describe_lora, with_lora
from nodeforge.diffusion.adapters.lora import LoraHooks, WeightedLora, load_lora
from nodeforge.diffusion.errors import FamilyMismatchError
from nodeforge.models import FAMILIES, recognise
from tests.support.family_configs import use_configs
from tests.support.loaded_networks import loaded_networks, whole_state
from tests.tiny_originals import int8, original, scaled_fp8, under, written_gguf

FAMILY = {
    "flux1": "flux1",
    "chroma": "chroma",
    "z_image": "z_image",
    "flux2_klein": "flux2_klein_4b",
    "flux2_dev": "flux2_dev",
    "flux3": "flux3_klein",
    "wan": "wan21",
    "qwen_image": "qwen_image",
    "krea2": "krea2",
    "qwen_image_21": "qwen_image_21",
    "qwen_image_layered": "qwen_image_layered",
    "sd3": "sd3",
    "anima": "anima",
}
BLOCKS = {"z_image": "layers", "wan": "blocks", "flux3": "single_transformer_blocks"}
"""What diffusers calls their blocks, where not as most."""
CPU = torch.device("cpu")
RANK = 4


@pytest.fixture(scope="module", params=FAMILY)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def folder(name, tmp_path_factory):
    root = tmp_path_factory.mktemp(name)
    tiny_transformers.PIPELINES[name]().save_pretrained(root)
    return root


@pytest.fixture(scope="module")
def network(folder):
    return loaded_networks(diffusion.describe(folder).model)["transformer"]


def low_rank(rows, inputs, seed):
    chance = torch.Generator().manual_seed(seed)
    down = torch.randn(RANK, inputs, generator=chance) * 0.1
    return down, torch.randn(rows, RANK, generator=chance) * 0.1


def peft(layer, rows, inputs, seed):
    down, up = low_rank(rows, inputs, seed)
    return {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}, up @ down


def with_alpha(layer, rows, inputs, seed):
    down, up = low_rank(rows, inputs, seed)
    alpha = torch.tensor(2.0)
    made = {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha}
    return under(f"{layer}.", made), up @ down * 2 / RANK


def kohya(prefix):
    def make(layer, rows, inputs, seed):
        return with_alpha(prefix + layer.replace(".", "_"), rows, inputs, seed)

    return make


def loha(layer, rows, inputs, seed):
    first, second = low_rank(rows, inputs, seed), low_rank(rows, inputs, seed + 1000)
    made = {
        "hada_w1_b": first[0], "hada_w1_a": first[1], "hada_w2_b": second[0],
        "hada_w2_a": second[1], "alpha": torch.tensor(2.0),
    }  # fmt: skip
    return under(f"{layer}.", made), (first[1] @ first[0]) * (second[1] @ second[0]) * 2 / RANK


def lokr(whole):
    def make(layer, rows, inputs, seed):
        chance = torch.Generator().manual_seed(seed)
        each = next(n for n in (4, 3, 2, 1) if rows % n == 0)
        into = next(n for n in (4, 2, 1) if inputs % n == 0)
        first = torch.randn(each, into, generator=chance) * 0.1
        a = torch.randn(rows // each, RANK, generator=chance) * 0.1
        b = torch.randn(RANK, inputs // into, generator=chance) * 0.1
        if whole:
            made = {"lokr_w1": first, "lokr_w2": a @ b, "alpha": torch.tensor(1e9)}
            return under(f"{layer}.", made), torch.kron(first, a @ b)
        made = {"lokr_w1": first, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(2.0)}
        return under(f"{layer}.", made), torch.kron(first, a @ b) * 2 / RANK

    return make


def kohya_lokr(layer, rows, inputs, seed):
    return lokr(whole=True)(f"lora_unet_{layer.replace('.', '_')}", rows, inputs, seed)


LAYOUTS = {
    "diffusers, A and B": ("diffusers", "transformer.", peft),
    "diffusers, down and up": ("diffusers", "transformer.", with_alpha),
    "diffusers, peft's wrapper": ("diffusers", "base_model.model.", peft),
    "diffusers without prefix": ("diffusers", "", peft),
    "diffusers, kohya": ("diffusers", "", kohya("lora_unet_")),
    "diffusers, OneTrainer": ("diffusers", "", kohya("lora_transformer_")),
    "diffusers, LyCORIS": ("diffusers", "", kohya("lycoris_")),
    "original, A and B": ("original", "diffusion_model.", peft),
    "original, down and up": ("original", "diffusion_model.", with_alpha),
    "original, whole name": ("original", "model.diffusion_model.", peft),
    "original without prefix": ("original", "", peft),
    "original, kohya": ("original", "", kohya("lora_unet_")),
    "original, LoHa": ("original", "diffusion_model.", loha),
    "original, LoKr": ("original", "diffusion_model.", lokr(whole=True)),
    "original, LoKr of low rank": ("original", "diffusion_model.", lokr(whole=False)),
    "original, LoKr of kohya's": ("original", "", kohya_lokr),
}  # fmt: skip


def matrices(state):
    """Weights of layers that are no tables of words, or of numbers beside the time."""
    tables = (".embed.weight", ".addition_t_embedding.weight")
    named = {n: t for n, t in state.items() if n.endswith(".weight") and not n.endswith(tables)}
    return {n: t for n, t in named.items() if t.ndim == 2}


def made(network, layout):
    """A LoRA's tensors, and the weights with its change, in the names of `layout`."""
    names, prefix, make = LAYOUTS[layout]
    state = dict(network.state_dict())
    state = original(state) if names == "original" else state
    lora, changed = {}, dict(state)
    for seed, (name, tensor) in enumerate(matrices(state).items()):
        tensors, delta = make(prefix + name.removesuffix(".weight"), *tensor.shape, seed)
        lora |= tensors
        changed[name] = tensor + delta
    return lora, changed


def written(path, state, **more):
    save_file({n: t.contiguous().clone() for n, t in state.items()}, path, **more)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lora_is_the_same_change_of_the_weights(
    monkeypatch, name, folder, network, tmp_path, layout
):
    lora, changed = made(network, layout)
    file = written(tmp_path / "lora.safetensors", lora)
    use_configs(monkeypatch, FAMILY[name], folder)
    one = diffusion.describe_denoiser(written(tmp_path / "m.safetensors", changed))
    wanted = loaded_networks(one)["transformer"]
    assert FAMILY[name] in recognise(file).families
    model = diffusion.describe(folder).model
    weights = describe_lora(file, FAMILY[name])
    assert check_lora(model, weights) == ()
    assert with_lora(model, weights, 1.0).loras
    loaded = load_lora(weights, "transformer", network, CPU, torch.float32)
    layers = {n for n, m in network.named_modules() if isinstance(m, nn.Linear)}
    assert loaded.deltas.keys() == layers
    hooks = LoraHooks(network)
    for layer_name in layers:
        layer, other = network.get_submodule(layer_name), wanted.get_submodule(layer_name)
        x = torch.randn(3, layer.in_features, generator=torch.Generator().manual_seed(0))
        before = layer(x)
        with hooks.attach([WeightedLora(loaded, 1.0)]):
            assert torch.allclose(layer(x), linear(x, other.weight, layer.bias), atol=2e-6)
            assert not torch.equal(layer(x), before)
        assert torch.equal(layer(x), before)


FORMS = {"scaled fp8": scaled_fp8, "int8 rotated": lambda state: int8(state, 16), "Q4_0": None}


@pytest.mark.parametrize("form", FORMS)
def test_over_packed_weights_a_lora_is_the_same_change(
    monkeypatch, name, folder, network, tmp_path, form
):
    """Of every layout, and of DoRA by rows over layers that their authors' file has as one."""
    use_configs(monkeypatch, FAMILY[name], folder)
    state = original(network.state_dict())
    if (make := FORMS[form]) is None:
        file, _ = written_gguf(tmp_path / "small.gguf", state, form)
    else:
        file = written(tmp_path / "small.safetensors", make(state))
    packed = loaded_networks(diffusion.describe_denoiser(file))["transformer"]
    base = whole_state(packed)
    for layout in LAYOUTS:
        lora, _ = made(network, layout)
        weights = describe_lora(written(tmp_path / "lora.safetensors", lora), FAMILY[name])
        one, other = (
            load_lora(weights, "transformer", each, CPU, torch.float32)
            for each in (packed, network)
        )
        assert one.deltas.keys() == other.deltas.keys()
        for layer, delta in one.deltas.items():
            assert all(map(torch.equal, delta.tensors, other.deltas[layer].tensors)), layout
    whole = original(base)
    lora = made(network, "original, A and B")[0]
    wanted = {}
    for layer in matrices(state):
        own = layer.removesuffix(".weight")
        down, up = (lora[f"diffusion_model.{own}.lora_{side}.weight"] for side in "AB")
        lora[f"diffusion_model.{own}.dora_scale"] = magnitude = torch.rand(len(up), 1) + 0.5
        wanted[layer] = nn.functional.normalize(whole[layer] + up @ down) * magnitude
    weights = describe_lora(written(tmp_path / "dora.safetensors", lora), FAMILY[name])
    loaded = load_lora(weights, "transformer", packed, CPU, torch.float32)
    plain = loaded_networks(
        diffusion.describe_denoiser(written(tmp_path / "m.safetensors", {**whole, **wanted}))
    )["transformer"]
    hooks = LoraHooks(packed)
    for layer in loaded.deltas:
        one, other = packed.get_submodule(layer), plain.get_submodule(layer)
        x = torch.randn(3, other.in_features, generator=torch.Generator().manual_seed(0))
        before = one(x)
        with hooks.attach([WeightedLora(loaded, 1.0)]):
            assert torch.allclose(one(x), other(x), atol=5e-6), layer
        assert torch.equal(one(x), before)


def test_xlabs_names_are_those_of_flux1(tmp_path):
    """Its trainer counts streams, and trains q, k and v of the single blocks together."""
    tiny_transformers.PIPELINES["flux1"]().save_pretrained(tmp_path / "m")
    model = diffusion.describe(tmp_path / "m").model
    network = loaded_networks(model)["transformer"]
    double, single = "double_blocks.1.processor", "single_blocks.0.processor"
    up = torch.randn(96, RANK)
    tensors = {
        f"{layer}.{side}.weight": torch.randn(96, RANK) if side == "up" else torch.ones(RANK, 32)
        for layer in (f"{double}.qkv_lora1", f"{double}.qkv_lora2", f"{single}.qkv_lora")
        for side in ("up", "down")
    }
    tensors |= {
        f"{double}.proj_lora2.up.weight": torch.ones(32, RANK),
        f"{double}.proj_lora2.down.weight": torch.ones(RANK, 32),
    }
    tensors[f"{double}.qkv_lora2.up.weight"] = up
    file = written(tmp_path / "lora.safetensors", tensors)
    weights = describe_lora(file, "flux1")
    assert check_lora(model, weights) == ()
    deltas = load_lora(weights, "transformer", network, CPU, torch.float32).deltas
    block = "transformer_blocks.1.attn"
    assert deltas.keys() == {
        *(f"{block}.to_{each}" for each in "qkv"),
        *(f"{block}.add_{each}_proj" for each in "qkv"),
        *(f"single_transformer_blocks.0.attn.to_{each}" for each in "qkv"),
        f"{block}.to_add_out",
    }
    assert torch.equal(deltas[f"{block}.add_k_proj"].up, up[32:64])


def test_layers_that_the_model_lacks_are_named_and_counted(name, folder, network, tmp_path):
    lora, _ = made(network, "diffusers, A and B")
    block = f"transformer.{BLOCKS.get(name, 'transformer_blocks')}.0."
    deeper = {n.replace(".0.", ".9.", 1): t for n, t in lora.items() if n.startswith(block)}
    file = written(tmp_path / "lora.safetensors", {**lora, **deeper})
    model = diffusion.describe(folder).model
    (told,) = check_lora(model, describe_lora(file, FAMILY[name]))
    count, more = len(lora) // 2, len(deeper) // 2
    assert f"{count} of {count + more} layers are used" in told
    assert "_9_" in told
    if name == "anima":  # blocks alone are told from others' by the published sizes
        return
    file = written(tmp_path / "none.safetensors", deeper)
    with pytest.raises(LoadingError, match="which the transformer does not have"):
        check_lora(model, describe_lora(file, FAMILY[name]))


def test_other_sizes_and_other_families_are_refused(name, folder, network, tmp_path):
    lora, _ = made(network, "original, A and B")
    file = written(tmp_path / "lora.safetensors", lora)
    other = "z_image" if name != "z_image" else "flux1"
    with pytest.raises(FamilyMismatchError, match=FAMILIES[other].label):
        describe_lora(file, other)
    with pytest.raises(FamilyMismatchError, match=r"SD 1\.5"):
        describe_lora(file, "sd15")
    wide = {n: torch.cat([t, t], dim=0 if "lora_B" in n else 1) for n, t in lora.items()}
    file = written(tmp_path / "wide.safetensors", wide)
    with pytest.raises(LoadingError, match="other shapes"):
        check_lora(diffusion.describe(folder).model, describe_lora(file, FAMILY[name]))


def test_a_lora_over_flux1_is_used_in_part_on_chroma(tmp_path):
    """Chroma has Flux.1's blocks without their modulations."""
    networks = {}
    for name in ("flux1", "chroma"):
        tiny_transformers.PIPELINES[name]().save_pretrained(tmp_path / name)
        model = diffusion.describe(tmp_path / name).model
        networks[name] = loaded_networks(model)["transformer"]
    lora, _ = made(networks["flux1"], "original, A and B")
    lora = {n: t for n, t in lora.items() if ".0." in n}
    file = written(tmp_path / "lora.safetensors", lora)
    (told,) = check_lora(model, replace(describe_lora(file, "flux1"), family="chroma"))
    assert "double_blocks_0_img_mod_lin" in told
    assert "10 of 15 layers are used" in told


TEXTS = {
    "lora_te1_text_model_encoder_layers_0_self_attn_q_proj": "text_encoder",
    "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj": "text_encoder",
    "lora_te2_encoder_block_0_layer_0_SelfAttention_q": "text_encoder_2",
    "lora_te3_encoder_block_0_layer_0_SelfAttention_q": "text_encoder_2",
    "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q": "text_encoder_2",
    "text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q": "text_encoder_2",
}


@pytest.mark.parametrize("module", TEXTS)
def test_what_it_changes_in_text_encoders_is_found(tmp_path, module):
    tiny_transformers.PIPELINES["flux1"]().save_pretrained(tmp_path / "m")
    described = diffusion.describe(tmp_path / "m")
    block = "diffusion_model.double_blocks.0.img_attn.proj"
    tensors = {**peft(block, 32, 32, 0)[0], **with_alpha(module, 32, 32, 1)[0]}
    weights = describe_lora(written(tmp_path / "lora.safetensors", tensors), "flux1")
    assert check_lora(described.model, weights) == ()
    assert check_lora(described.text_encoder, weights) == ()
    networks = loaded_networks(described.text_encoder)
    for part, network in networks.items():
        found = load_lora(weights, part, network, CPU, torch.float32).deltas
        assert len(found) == (part == TEXTS[module])


_BLOCK = "transformer.encoder.block.0.layer.0.SelfAttention.q"
THREE_TEXTS = {
    "lora_te1_text_model_encoder_layers_0_self_attn_q_proj": ("text_encoder", 32),
    "text_encoders.clip_g.transformer.text_model.encoder.layers.0.self_attn.q_proj": (
        "text_encoder_2", 48,
    ),
    "lora_te3_encoder_block_0_layer_0_SelfAttention_q": ("text_encoder_3", 96),
    f"text_encoders.t5xxl.{_BLOCK}": ("text_encoder_3", 96),
}  # fmt: skip


@pytest.mark.parametrize("module", THREE_TEXTS)
def test_what_it_changes_in_one_of_three_text_encoders_is_found(tmp_path, module):
    tiny_transformers.PIPELINES["sd3"]().save_pretrained(tmp_path / "m")
    described = diffusion.describe(tmp_path / "m")
    part, width = THREE_TEXTS[module]
    block = "diffusion_model.joint_blocks.0.x_block.attn.proj"
    tensors = {**peft(block, 64, 64, 0)[0], **with_alpha(module, 32, width, 1)[0]}
    if part != "text_encoder_3":
        tensors |= with_alpha(module, width, width, 1)[0]
    weights = describe_lora(written(tmp_path / "lora.safetensors", tensors), "sd3")
    assert check_lora(described.text_encoder, weights) == ()
    for name, network in loaded_networks(described.text_encoder).items():
        found = load_lora(weights, name, network, CPU, torch.float32).deltas
        assert len(found) == (name == part)
