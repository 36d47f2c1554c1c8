"""LoRAs over a model: diffusers' pipeline to the last bit, and the base back exactly."""

from __future__ import annotations

from dataclasses import replace

import peft
import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from safetensors.torch import save_file
from torch import nn

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, FamilyMismatchError, LoadingError
from nodeforge.diffusion.adapters.lora import LoadedLora, LoraHooks, WeightedLora
from nodeforge.diffusion.adapters.lora_keys import canonical
from nodeforge.diffusion.adapters.lora_weights import delta_of
from nodeforge.values import Guidance, Lora, Noise, Sampler, Schedule, Weights

SIZE = 64
SEED = 5
UNET = (
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
    "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
    "mid_block.attentions.0.proj_in",
    "up_blocks.0.resnets.0.conv1",
)
TEXT = ("encoder.layers.0.self_attn.q_proj", "encoder.layers.1.mlp.fc1")


@pytest.fixture(scope="module")
def networks(sd, residency):
    with residency.use(sd.model) as model, residency.use(sd.text_encoder) as encoder:
        return {"unet": model.network, "text_encoder": encoder.encoders[0].network}


def pairs(network, names, rank, seed):
    """Random matrices for each layer; large enough to be seen."""
    random = torch.Generator().manual_seed(seed)
    for name in names:
        weight = network.get_submodule(name).weight
        out, *into = weight.shape
        yield (
            name,
            torch.randn(rank, *into, generator=random) * 0.2,
            torch.randn(out, rank, *(1 for _ in into[1:]), generator=random) * 0.2,
        )


@pytest.fixture
def peft_file(networks, tmp_path):
    def write(seed=0, rank=4, text=True):
        tensors = {}
        for part, names in (("unet", UNET), ("text_encoder", TEXT if text else ())):
            for name, down, up in pairs(networks[part], names, rank, seed):
                tensors[f"{part}.{name}.lora_A.weight"] = down
                tensors[f"{part}.{name}.lora_B.weight"] = up
        path = tmp_path / f"peft{seed}.safetensors"
        save_file(tensors, path)
        return path

    return write


@pytest.fixture
def kohya_file(networks, tmp_path):
    def write(seed=0, rank=4, alpha=2.0, text=True):
        tensors = {}
        prefixes = {"unet": ("lora_unet_", UNET), "text_encoder": ("lora_te_text_model_", TEXT)}
        if not text:
            del prefixes["text_encoder"]
        for part, (prefix, names) in prefixes.items():
            for name, down, up in pairs(networks[part], names, rank, seed):
                key = prefix + name.replace(".", "_")
                tensors[f"{key}.lora_down.weight"] = down
                tensors[f"{key}.lora_up.weight"] = up
                tensors[f"{key}.alpha"] = torch.tensor(alpha)
        path = tmp_path / f"kohya{seed}.safetensors"
        save_file(tensors, path)
        return path

    return write


def with_loras(described, *loras):
    """Model and text encoder with LoRAs, each a file and its weight."""
    model, encoder = described.model, described.text_encoder
    for path, weight in loras:
        weights = diffusion.describe_lora(path, "sd15")
        model = diffusion.with_lora(model, weights, weight)
        encoder = diffusion.with_lora(encoder, weights, weight)
    return model, encoder


def pictured(host, model, encoder, **changes):
    with host.use(encoder) as loaded:
        prompts = [diffusion.encode_prompt(loaded, text) for text in ("a red cat", "blurry")]
    task = Denoising(
        model, prompts[0], Sampler("euler"), Schedule("normal", 3), Guidance(7.5), prompts[1],
        noise=Noise(SEED, SIZE, SIZE),
    )  # fmt: skip
    return diffusion.denoise(host, replace(task, **changes)).samples


def pipeline(folder):
    made = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, requires_safety_checker=False
    )
    made.scheduler = EulerDiscreteScheduler.from_config(made.scheduler.config)
    return made


def theirs(folder, *loras):
    made = pipeline(folder)
    names = [f"lora{number}" for number in range(len(loras))]
    for name, (path, _) in zip(names, loras, strict=True):
        made.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name=name)
    made.set_adapters(names, [weight for _, weight in loras])
    return drawn(made)


def drawn(made):
    return made(
        "a red cat", negative_prompt="blurry", num_inference_steps=3, height=SIZE, width=SIZE,
        generator=torch.Generator().manual_seed(SEED), output_type="latent",
    ).images  # fmt: skip


def difference(ours, other):
    return float((ours - other).abs().max())


def test_a_peft_lora_equals_the_pipeline(host, sd, sd_folder, peft_file):
    loras = [(peft_file(), 0.8)]
    assert difference(pictured(host, *with_loras(sd, *loras)), theirs(sd_folder, *loras)) == 0.0


def test_two_weighted_loras_equal_the_pipeline(host, sd, sd_folder, peft_file, kohya_file):
    loras = [(peft_file(seed=1), 0.7), (kohya_file(seed=2, text=False), -0.4)]
    assert difference(pictured(host, *with_loras(sd, *loras)), theirs(sd_folder, *loras)) == 0.0


def test_kohyas_file_does_what_pefts_does(host, sd, peft_file, kohya_file):
    """Also to the text encoder, where diffusers 0.42 loses Kohya's names."""
    halved = pictured(host, *with_loras(sd, (kohya_file(rank=4, alpha=2.0), 1.0)))
    whole = pictured(host, *with_loras(sd, (peft_file(rank=4), 0.5)))
    assert torch.equal(halved, whole)


def test_without_loras_and_at_weight_0_the_base_is_back_bit_for_bit(host, sd, peft_file):
    base = pictured(host, sd.model, sd.text_encoder)
    host.steps.kept.clear()
    path = peft_file()
    changed = pictured(host, *with_loras(sd, (path, 1.0)))
    assert difference(changed, base) > 1e-3
    again = diffusion.LocalHost(host.residency)
    assert torch.equal(pictured(again, *with_loras(sd, (path, 0.0))), base)
    again.steps.kept.clear()
    assert torch.equal(pictured(again, sd.model, sd.text_encoder), base)


def test_another_lora_does_not_load_the_base_again(host, sd, peft_file):
    with host.use(sd.model) as base:
        first = base.network
    for seed in (1, 2):
        model, _ = with_loras(sd, (peft_file(seed=seed), 1.0))
        with host.use(model) as loaded:
            assert loaded.network is first


def test_an_inner_block_hides_the_loras_of_an_outer_one(host, sd, peft_file):
    model, _ = with_loras(sd, (peft_file(), 1.0))
    x, text = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 768)

    def predict(loaded):
        return loaded.network(x, torch.tensor(5), text).sample

    with torch.no_grad(), host.use(model) as outer:
        changed = predict(outer)
        with host.use(sd.model) as inner:
            base = predict(inner)
        assert torch.equal(predict(outer), changed)
    with torch.no_grad(), host.use(sd.model) as loaded:
        assert torch.equal(predict(loaded), base)
    assert not torch.equal(base, changed)


def test_a_lora_counts_in_the_step_keys_with_its_weight(host, sd, prompts, peft_file):
    path = peft_file(text=False)

    def calls(weight):
        before = host.model_calls
        model, _ = with_loras(sd, (path, weight))
        pictured(host, model, sd.text_encoder)
        return host.model_calls - before

    assert [calls(1.0), calls(1.0), calls(0.5), calls(1.0)] == [3, 0, 3, 0]


def test_a_network_that_the_lora_leaves_alone_keeps_its_recipe(sd, peft_file):
    _, encoder = with_loras(sd, (peft_file(text=False), 1.0))
    assert encoder is sd.text_encoder


def test_a_lora_of_another_family_is_refused_with_both_named(tmp_path):
    name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    for width, said in (
        (192, "made for nano; the model is SD 1.5"),
        (2048, "made for SDXL; the model is SD 1.5"),
        (1152, "PixArt is not"),
    ):
        path = tmp_path / f"{width}.safetensors"
        down, up = torch.zeros(4, width), torch.zeros(8, 4)
        save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, path)
        with pytest.raises(FamilyMismatchError, match=said):
            diffusion.describe_lora(path, "sd15")


def test_a_vae_is_no_lora(sd_folder):
    with pytest.raises(LoadingError, match="this is a VAE, not a LoRA"):
        diffusion.describe_lora(sd_folder / "vae", "sd15")


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("unet.mid_block.attentions.7.proj_in.lora_A.weight", (4, 16), "changes 'mid_block_"),
        ("unet.mid_block.attentions.0.proj_in.lora_A.weight", (4, 99), "has other shapes"),
        ("unet.mid_block.attentions.0.proj_in.oft_diag", (4,), "no LoRA, DoRA, LoHa or LoKr"),
    ],
)
def test_what_does_not_fit_is_refused(host, sd, tmp_path, name, shape, said):
    path = tmp_path / "odd.safetensors"
    other = name.replace("lora_A", "lora_B")
    save_file({other: torch.zeros(16, 4), name: torch.zeros(shape)}, path)
    weights = Weights(str(path), "odd", "sd15", "lora")
    with (
        pytest.raises(LoadingError, match=said),
        host.use(replace(sd.model, loras=(Lora(weights, 1.0),))),
    ):
        pass


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(4, 8, 3, padding=1)
        self.last = nn.Linear(8, 6)

    def forward(self, x):
        return self.last(self.first(x).movedim(1, -1))


COMPOSED = {
    "loha": peft.LoHaConfig(r=3, alpha=2, target_modules=["first", "last"]),
    "loha with a core": peft.LoHaConfig(
        r=3, alpha=2, target_modules=["first", "last"], use_effective_conv2d=True
    ),
    "lokr": peft.LoKrConfig(r=1, alpha=2, target_modules=["first", "last"]),
    "lokr of four": peft.LoKrConfig(
        r=1, alpha=2, target_modules=["first", "last"], decompose_both=True
    ),
    "lokr with a core": peft.LoKrConfig(
        r=1, alpha=2, target_modules=["first", "last"], use_effective_conv2d=True
    ),
}


@pytest.mark.parametrize("kind", COMPOSED)
def test_loha_and_lokr_equal_pefts(kind):
    base = Layers().requires_grad_(False)
    theirs = peft.get_peft_model(Layers(), COMPOSED[kind])
    torch.manual_seed(2)
    stored = {}
    for name, parameter in theirs.named_parameters():
        if parameter.requires_grad:
            parameter.data = torch.randn_like(parameter) * 0.3
            module, role, _ = name.removeprefix("base_model.model.").rsplit(".", 2)
            stored.setdefault(module, {})[role] = parameter.data
    pieces = {}
    for module, read in stored.items():
        piece = delta_of({**read, "alpha": torch.tensor(2.0)}, base.get_submodule(module))
        assert piece is not None
        pieces[module] = piece
    x = torch.randn(2, 4, 5, 5)
    with torch.no_grad(), LoraHooks(base).attach([WeightedLora(LoadedLora(pieces), 1.0)]):
        assert torch.allclose(base(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", [peft.LoKrConfig, peft.LoHaConfig])
def test_a_file_of_lycoris_equals_peft_in_the_pipeline(host, sd, sd_folder, tmp_path, kind):
    made = pipeline(sd_folder)
    peft.inject_adapter_in_model(kind(r=2, alpha=2, target_modules=list(UNET)), made.unet)
    torch.manual_seed(2)
    stored = {}
    for name, parameter in made.unet.named_parameters():
        if parameter.requires_grad and name.endswith(".default"):
            parameter.data = torch.randn_like(parameter) * 0.3
            module, role, _ = name.rsplit(".", 2)
            stem = "lora_unet_" + module.replace(".", "_")
            stored |= {f"{stem}.{role}": parameter.data, f"{stem}.alpha": torch.tensor(2.0)}
    file = tmp_path / "lycoris.safetensors"
    save_file(stored, file)
    ours = pictured(host, *with_loras(sd, (file, 1.0)))
    assert difference(ours, drawn(made)) == 0.0
    assert not torch.equal(ours, pictured(host, sd.model, sd.text_encoder))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q", "attn1.to_q"),
        ("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out", "attn1.to_out.0"),
        ("text_model_encoder_layers_0_mlp_fc1", "encoder.layers.0.mlp.fc1"),
    ],
)
def test_names_of_all_trainers_lead_to_one(name, module):
    assert canonical(name).endswith(canonical(module))
