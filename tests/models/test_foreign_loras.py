"""LoRAs of architectures that no family covers are refused by name when they are chosen."""

import pytest

from nodeforge.models import recognise
from support.model_files import write_safetensors

LTX = "diffusion_model.transformer_blocks.0.attn2.to_k"
CASES = {
    f"{LTX}.lora_A.weight": ((4, 2048), "LTX"),
    "transformer.transformer_blocks.0.attn2.to_k.lora_A.weight": ((4, 2048), "LTX"),
    "transformer.transformer_blocks.0.attn2.to_k.lora_A.default.weight": ((4, 4096), "LTX"),
    "lora_unet_transformer_blocks_0_attn2_to_k.lora_down.weight": ((4, 2048), "LTX"),
    "lora_unet_layers_0_attention_qkv.lora_down.weight": ((4, 2304), "Lumina"),
    "diffusion_model.double_stream_blocks.0.block.attn1.to_q.lora_A.weight": ((4, 9), "HiDream"),
    "transformer.double_stream_blocks.0.block.attn1.to_q.lora_A.weight": ((4, 9), "HiDream"),
    "lora_prior_unet_down_blocks_0_1_attention_attn_to_q.lora_down.weight": ((4, 9), "Cascade"),
    "diffusion_model.double_blocks.0.img_attn_qkv.lora_A.weight": ((4, 3072), "HunyuanVideo"),
    "diffusion_model.double_layers.0.attn.w1q.lora_A.weight": ((4, 3072), "AuraFlow"),
    "lora_te3_encoder_block_0_layer_0_SelfAttention_q.lora_down.weight": ((4, 4096), "no UNet"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_lora_of_another_architecture_is_named(tmp_path, name):
    """files A7, C7: by its layers, not by one width."""
    shape, label = CASES[name]
    info = recognise(write_safetensors(tmp_path / "a.safetensors", {name: list(shape)}))
    assert (info.kind, info.family, info.families) == ("lora", None, ())
    assert label in info.reason


OURS = {
    "transformer.transformer_blocks.0.attn.to_q.lora_A.weight": (3072, "flux1"),
    "diffusion_model.transformer_blocks.0.attn.to_q.lora_A.weight": (3072, "flux1"),
    "transformer_blocks.0.attn.to_q.lora_A.weight": (3072, "flux1"),
    "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (3072, "flux1"),
    "lora_unet_single_blocks_0_linear1.lora_down.weight": (3072, "flux1"),
    "double_blocks.0.processor.qkv_lora1.down.weight": (3072, "flux1"),
    "single_blocks.30.processor.proj_lora.down.weight": (15360, "flux1"),
    "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (3072, "flux1"),
    "lora_unet_distilled_guidance_layer_in_proj.lora_down.weight": (64, "chroma"),
    "diffusion_model.layers.0.attention.to_q.lora_A.weight": (3840, "z_image"),
    "lora_unet_layers_0_attention_qkv.lora_down.weight": (3840, "z_image"),
    "diffusion_model.double_blocks.5.img_attn.qkv.lora_A.weight": (4096, "flux2_klein_9b"),
    "transformer.single_transformer_blocks.19.attn.to_qkv_mlp_proj.lora_A.weight": (
        3072, "flux2_klein_4b",
    ),
    "lora_transformer_single_transformer_blocks_3_proj_out.lora_down.weight": (15360, "flux1"),
    "diffusion_model.single_blocks.3.linear2.lora_A.weight": (12288, "flux2_klein_4b"),
    "diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": (6144, "flux2_dev"),
    "lora_unet_single_blocks_3_linear2.lora_down.weight": (24576, "flux2_dev"),
    "transformer.transformer_blocks.0.img_mlp.net.2.lora_A.weight": (12288, "qwen_image"),
    "transformer_blocks.0.img_mod.1.lora_A.weight": (3072, "qwen_image"),
    "diffusion_model.transformer_blocks.59.attn.to_q.lora_A.weight": (3072, "qwen_image"),
    "lora_unet_transformer_blocks_45_attn_to_out_0.lora_down.weight": (3072, "qwen_image"),
    "diffusion_model.blocks.0.cross_attn.k.lora_A.weight": (5120, "wan21"),
    "lora_unet_blocks_0_cross_attn_k.lora_down.weight": (5120, "wan21"),
    "diffusion_model.blocks.0.self_attn.q.lora_A.weight": (3072, "wan22_5b"),
    "diffusion_model.joint_blocks.0.x_block.attn.qkv.lora_A.weight": (1536, "sd3"),
    "diffusion_model.blocks.0.self_attn.q_proj.lora_A.weight": (2048, "anima"),
    "lora_unet_blocks_27_cross_attn_k_proj.lora_down.weight": (1024, "anima"),
    "diffusion_model.llm_adapter.blocks.0.self_attn.q_proj.lora_A.weight": (1024, "anima"),
    "lora_unet_joint_blocks_37_context_block_mlp_fc2.lora_down.weight": (9728, "sd3"),
    "transformer.transformer_blocks.0.attn.to_q.lora_A.weight of Medium": (1536, "sd3"),
    "transformer.transformer_blocks.0.attn.to_q.lora_A.weight of Large": (2432, "sd3"),
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_a_lora_over_a_transformer_is_told_by_its_layers(tmp_path, name):
    inputs, family = OURS[name]
    tensors = {name.partition(" ")[0]: [4, inputs]}
    info = recognise(write_safetensors(tmp_path / "a.safetensors", tensors))
    assert (info.kind, info.family) == ("lora", family)
    assert info.families


@pytest.mark.parametrize(
    ("name", "inputs", "label"),
    [
        ("diffusion_model.layers.0.attention.qkv.lora_A.weight", 2304, "Lumina 2"),
    ],
)
def test_a_lora_over_a_relative_is_named(tmp_path, name, inputs, label):
    info = recognise(write_safetensors(tmp_path / "a.safetensors", {name: [4, inputs]}))
    assert (info.kind, info.families) == ("lora", ())
    assert info.reason == f"{label} is not supported yet"


@pytest.mark.parametrize("prefix", ["lora_unet_", "unet.", "diffusion_model.", ""])
@pytest.mark.parametrize(("width", "family"), [(768, "sd15"), (1024, "sd21"), (2048, "sdxl")])
def test_a_lora_of_a_unet_is_still_told_by_its_width(tmp_path, prefix, width, family):
    """files A7."""
    module = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    name = prefix + (module.replace(".", "_") if prefix.endswith("_") else module)
    end = ".lora_down.weight"
    file = write_safetensors(tmp_path / "a.safetensors", {name + end: [4, width]})
    assert recognise(file).family == family
