"""LoRA files of every naming scheme, tried on a model by names and shapes; no weight is used."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from nodeforge.diffusion import LoadingError, check_lora, describe, describe_lora
from nodeforge.diffusion.adapters.lora import load_lora
from nodeforge.diffusion.adapters.lora_blocks import ldm_modules
from nodeforge.diffusion.adapters.lora_keys import read_lora
from nodeforge.diffusion.networks.building import build
from nodeforge.models import recognise
from nodeforge.settings import shipped

NANO = shipped("resources") / "models" / "nano"
(FLAT,) = sorted((NANO / "lora").glob("*.safetensors"))[:1]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model():
    return describe(NANO).model


@pytest.fixture(scope="module")
def network(model):
    return build(model)


@pytest.fixture(scope="module")
def pairs(network):
    """The shipped LoRA: name of the layer to its two matrices."""
    weights = describe_lora(FLAT, "nano")
    deltas = load_lora(weights, "unet", network, CPU, torch.float32).deltas
    return {name: (piece.down, piece.up) for name, piece in deltas.items()}


@pytest.fixture(scope="module")
def ldm(network, pairs):
    return ldm_modules(list(pairs), network.config["layers_per_block"])


def old(name):
    return name.replace(".to_out.0", ".to_out").replace(".to_", ".processor.to_")


def flat(name):
    return name.replace(".", "_")


LAYOUTS = {
    "peft": lambda n, ldm: (f"unet.{n}.lora_A.weight", f"unet.{n}.lora_B.weight"),
    "peft default": lambda n, ldm: (
        f"base_model.model.{n}.lora_A.default.weight", f"base_model.model.{n}.lora_B.default.weight"
    ),
    "peft default_0": lambda n, ldm: (
        f"unet.{n}.lora_A.default_0.weight", f"unet.{n}.lora_B.default_0.weight"
    ),
    "peft style": lambda n, ldm: (f"unet.{n}.lora_A.style.weight", f"unet.{n}.lora_B.style.weight"),
    "peft dotted": lambda n, ldm: (f"{n}.lora_A.my.v2.weight", f"{n}.lora_B.my.v2.weight"),
    "bare": lambda n, ldm: (f"{n}.lora_A.weight", f"{n}.lora_B.weight"),
    "diffusers": lambda n, ldm: (f"unet.{n}.lora.down.weight", f"unet.{n}.lora.up.weight"),
    "diffusers old": lambda n, ldm: (
        f"unet.{old(n)}_lora.down.weight", f"unet.{old(n)}_lora.up.weight"
    ),
    "diffusers oldest": lambda n, ldm: (f"{old(n)}_lora.down.weight", f"{old(n)}_lora.up.weight"),
    "diffusers layers": lambda n, ldm: (
        f"unet.{n}.lora_linear_layer.down.weight", f"unet.{n}.lora_linear_layer.up.weight"
    ),
    "kohya": lambda n, ldm: (
        f"lora_unet_{flat(n)}.lora_down.weight", f"lora_unet_{flat(n)}.lora_up.weight"
    ),
    "kohya, LDM": lambda n, ldm: (
        f"lora_unet_{flat(ldm[n])}.lora_down.weight", f"lora_unet_{flat(ldm[n])}.lora_up.weight"
    ),
    "LyCORIS": lambda n, ldm: (
        f"lycoris_{flat(n)}.lora_down.weight", f"lycoris_{flat(n)}.lora_up.weight"
    ),
    "OneTrainer": lambda n, ldm: (
        f"lora_unet.{n}.lora_down.weight", f"lora_unet.{n}.lora_up.weight"
    ),
    "ComfyUI": lambda n, ldm: (
        f"diffusion_model.{ldm[n]}.lora_down.weight", f"diffusion_model.{ldm[n]}.lora_up.weight"
    ),
    "ComfyUI, whole name": lambda n, ldm: (
        f"model.diffusion_model.{ldm[n]}.lora_A.weight",
        f"model.diffusion_model.{ldm[n]}.lora_B.weight",
    ),
    "ComfyUI, diffusers": lambda n, ldm: (
        f"diffusion_model.{n}.lora_A.weight", f"diffusion_model.{n}.lora_B.weight"
    ),
}  # fmt: skip


def written(file, pairs, ldm, layout="peft", keep=lambda name: True, more=None):
    tensors = {}
    for name, matrices in pairs.items():
        if keep(name):
            tensors |= dict(zip(LAYOUTS[layout](name, ldm), matrices, strict=True))
    save_file({n: t.contiguous() for n, t in (tensors | (more or {})).items()}, file)
    return file


def read(file, network):
    weights = describe_lora(file, "nano")
    return load_lora(weights, "unet", network, CPU, torch.float32).deltas


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(model, network, pairs, ldm, tmp_path, layout):
    """files B3, B4."""
    file = written(tmp_path / "a.safetensors", pairs, ldm, layout)
    assert recognise(file).family == "nano"
    assert check_lora(model, describe_lora(file, "nano")) == ()
    deltas = read(file, network)
    assert deltas.keys() == pairs.keys()
    assert all(torch.equal(deltas[name].down, down) for name, (down, _) in pairs.items())


SLIDERS = {
    "attn1 alone": lambda name: ".attn1." in name,
    "proj_in alone": lambda name: name.endswith(".proj_in"),
    "one layer": lambda name: name.endswith("down_blocks.1.attentions.0.proj_out"),
    "all but cross-attention": lambda name: ".attn2." not in name,
}


@pytest.mark.parametrize("layout", ["kohya", "kohya, LDM", "peft", "ComfyUI"])
@pytest.mark.parametrize("kind", SLIDERS)
def test_a_slider_is_tried_on_the_model(model, network, pairs, ldm, tmp_path, kind, layout):
    """files B1: nothing in it tells its family, its layers are all there."""
    names = [name for name in pairs if SLIDERS[kind](name)]
    file = written(tmp_path / "a.safetensors", pairs, ldm, layout, SLIDERS[kind])
    info = recognise(file)
    assert (info.kind, info.family) == ("lora", None)
    assert "nano" in info.families
    assert check_lora(model, describe_lora(file, "nano")) == ()
    assert read(file, network).keys() == set(names)


def test_a_slider_of_another_model_is_refused_by_its_layer(model, tmp_path):
    """files B1."""
    name = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    for width, said in ((640, "has other shapes for"), (96, "has other shapes for")):
        file = tmp_path / f"{width}.safetensors"
        down, up = torch.zeros(4, width), torch.zeros(width, 4)
        save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, file)
        with pytest.raises(LoadingError, match=said):
            check_lora(model, describe_lora(file, "nano"))
    deep = tmp_path / "deep.safetensors"
    name = "lora_unet_down_blocks_7_attentions_0_transformer_blocks_0_attn1_to_q"
    save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, deep)
    with pytest.raises(LoadingError, match="changes 'down_blocks_7"):
        check_lora(model, describe_lora(deep, "nano"))


def test_sliders_of_real_shapes_go_with_sdxl_and_not_with_nano(tmp_path):
    """files B1: the case itself, on SDXL's own configuration."""
    name = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    file = tmp_path / "slider.safetensors"
    down, up = torch.zeros(4, 640), torch.zeros(640, 4)
    save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, file)
    nano = describe(NANO).model
    sdxl = replace(nano, weights=replace(nano.weights, family="sdxl", path=str(file)))
    assert check_lora(sdxl, describe_lora(file, "sdxl")) == ()


FOREIGN = {
    "a bundled embedding": {"bundle_emb.tok.clip_l": torch.zeros(4, 768)},
    "bundled embeddings of SDXL": {
        "bundle_emb.tok.clip_l": torch.zeros(4, 768),
        "bundle_emb.tok.clip_g": torch.zeros(4, 1280),
    },
    "junk": {"junk.extra": torch.zeros(3)},
    "a layer that no model has": {
        "unet.no_such.layer.lora_A.weight": torch.zeros(4, 8),
        "unet.no_such.layer.lora_B.weight": torch.zeros(8, 4),
    },
    "half of a pair": {"unet.mid_block.attentions.0.norm.lora_B.weight": torch.zeros(8, 4)},
    "a lonely alpha": {"lora_unet_mid_block_attentions_0_proj.alpha": torch.tensor(4.0)},
    "an odd tensor of a layer": {"unet.mid_block.attentions.0.proj_in.step": torch.zeros(1)},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_one_foreign_tensor_among_many_is_left_out(model, network, pairs, ldm, tmp_path, kind):
    """files B2, B4."""
    file = written(tmp_path / "a.safetensors", pairs, ldm, more=FOREIGN[kind])
    told = check_lora(model, describe_lora(file, "nano"))
    assert len(told) == (kind != "a lonely alpha")
    assert read(file, network).keys() == pairs.keys()


def test_two_adapters_in_one_file_are_named(model, pairs, ldm, tmp_path):
    """files B3."""
    name = next(iter(pairs))
    more = {f"unet.{name}.lora_{side}.other.weight": torch.zeros(4, 4) for side in "AB"}
    file = written(tmp_path / "a.safetensors", pairs, ldm, "peft style", more=more)
    with pytest.raises(LoadingError, match=r"2 adapters: '(style|other)', '(style|other)'"):
        check_lora(model, describe_lora(file, "nano"))


@pytest.mark.parametrize("layout", ["peft", "kohya", "diffusers", "ComfyUI", "peft style"])
@pytest.mark.parametrize("half", [0, 1])
def test_a_missing_half_is_named(model, pairs, ldm, tmp_path, layout, half):
    """files C4: not 'other shapes'."""
    name = next(iter(pairs))
    names = LAYOUTS[layout](name, ldm)
    file = tmp_path / "a.safetensors"
    save_file({names[half]: pairs[name][half].contiguous()}, file)
    with pytest.raises(LoadingError) as caught:
        check_lora(model, describe_lora(file, "nano"))
    assert caught.value.fact == f"lacks '{names[1 - half]}'."
    assert "damaged" in caught.value.way_out


@pytest.mark.parametrize("shape", [(), (4,), (0, 0), (4, 4, 1), (4, 7)])
@pytest.mark.parametrize("half", [0, 1])
def test_a_matrix_of_any_other_shape_is_said_to_be_one(model, pairs, ldm, tmp_path, shape, half):
    """files C4."""
    name = next(iter(pairs))
    names = LAYOUTS["peft"](name, ldm)
    tensors = [tensor.contiguous() for tensor in pairs[name]]
    tensors[half] = torch.zeros(shape)
    file = tmp_path / "a.safetensors"
    save_file(dict(zip(names, tensors, strict=True)), file)
    with pytest.raises(LoadingError, match="has other shapes for"):
        check_lora(model, describe_lora(file, "nano"))


@pytest.mark.parametrize("missing", ["hada_w1_a", "hada_w2_b", "lokr_w2"])
def test_a_missing_factor_is_named(tmp_path, missing):
    """files C4."""
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    roles = {
        "hada": ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"),
        "lokr": ("lokr_w1", "lokr_w2"),
    }[missing[:4]]
    file = tmp_path / "a.safetensors"
    save_file({f"{stem}.{role}": torch.zeros(4, 4) for role in roles if role != missing}, file)
    with pytest.raises(LoadingError, match=f"lacks '{stem}.{missing}'"):
        read_lora(file)


@pytest.mark.parametrize("shape", [(2,), (2, 2), (0,)])
def test_an_alpha_of_several_numbers_is_refused(model, pairs, ldm, tmp_path, shape):
    """files C3."""
    name = LAYOUTS["kohya"](next(iter(pairs)), ldm)[0].replace("lora_down.weight", "alpha")
    file = written(tmp_path / "a.safetensors", pairs, ldm, "kohya", more={name: torch.ones(shape)})
    with pytest.raises(LoadingError, match=r"alpha' has the shape .* it is one number"):
        check_lora(model, describe_lora(file, "nano"))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_an_alpha_of_one_number_counts(network, pairs, ldm, tmp_path, shape):
    """files C3."""
    name = LAYOUTS["kohya"](next(iter(pairs)), ldm)[0].replace("lora_down.weight", "alpha")
    alpha = torch.full(shape, 2.0)
    file = written(tmp_path / "a.safetensors", pairs, ldm, "kohya", more={name: alpha})
    assert read(file, network)[next(iter(pairs))].alpha == 2.0


OTHER_METHODS = [
    "diffusion_model.middle_block.1.proj_in.diff",
    "lora_unet_mid_block_attentions_0_proj_in.diff_b",
    "lora_unet_mid_block_attentions_0_proj_in.oft_blocks",
    "lora_unet_mid_block_attentions_0_proj_in.on_input",
    "lora_unet_mid_block_attentions_0_proj_in.a1.weight",
    "unet.mid_block.attentions.0.proj_in.lora_B.bias",
    "unet.mid_block.attentions.0.proj_in.vera_lambda_d",
]


@pytest.mark.parametrize("name", OTHER_METHODS)
def test_what_changes_what_the_weights_mean_is_refused(model, pairs, ldm, tmp_path, name):
    """files: even one such tensor among many, as it changes the picture."""
    file = written(tmp_path / "a.safetensors", pairs, ldm, more={name: torch.zeros(4)})
    with pytest.raises(LoadingError, match="no LoRA, DoRA, LoHa or LoKr"):
        check_lora(model, describe_lora(file, "nano"))
