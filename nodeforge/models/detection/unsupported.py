"""Detects architectures that no family covers, to refuse them by name.

Parts of tensor names, each name between two line breaks, as in the files of their authors, in
diffusers' and in LoRAs over them; the more special ones come first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Marks = tuple[tuple[tuple[str, ...], str], ...]

UNET_MARKS: Marks = (
    (("time_stack.", "time_mixer.", "temporal_transformer_blocks."), "Stable Video Diffusion"),
    (("\nencoder_hid_proj.text_proj.", "\nadd_embedding.text_proj."), "Kandinsky"),
    (("\nadd_embedding.image_proj.", "\nencoder_hid_proj.image_embeds."), "Kandinsky 2.2"),
    (("\nencoder_hid_proj.weight\n",), "Kolors or DeepFloyd IF"),
    (("\nclass_embedding.linear_1.", "\nembedder.model.visual."), "Stable unCLIP"),
    (("edm_mean",), "Playground 2.5"),
)
"""Of UNets that otherwise look like those of Stable Diffusion."""

MARKS: Marks = (
    *UNET_MARKS,
    (("\ncontrolnet_blocks.",), "A ControlNet of a transformer"),
    (("nerf_blocks.", "nerf_image_embedder."), "Chroma Radiance"),
    (("av_ca_a2v_gate_adaln_single.", "\nav_cross_attn_", "audio_patchify_proj."), "LTX-2"),
    (("token_refiner.blocks.0.attn.qkv_proj.",), "MiniMax H3"),
    (("adaln_modulation_self_attn.",), "Cosmos"),
    (("vace_blocks.",), "Wan VACE"),
    (("\nhead.modulation\n", ".head.modulation\n"), "Wan"),
    (("distilled_guidance_layer.",), "Chroma"),
    (("double_blocks.0.img_attn_qkv.", "txt_in.individual_token_refiner."), "HunyuanVideo"),
    (("pooler.positional_embedding", "mlp_t5.", "text_embedding_padding"), "Hunyuan-DiT"),
    (("txt_in.c_embedder.", "context_embedder.token_refiner."), "HunyuanVideo"),
    (("img_mod.1.", "img_mod_1."), "Qwen-Image"),
    (("double_layers.", "\njoint_transformer_blocks.0.attn.add_"), "AuraFlow"),
    (("double_blocks.", "double_blocks_", "single_transformer_blocks"), "Flux"),
    (("joint_blocks", "joint_transformer_blocks", ".attn.add_k_proj", "_attn_add_k_proj"), "SD 3"),
    (("clip_txt_pooled_mapper.", "effnet_mapper.", "clip_txt_mapper."), "Stable Cascade"),
    (("conv_inverted.",), "Sana"),
    (("patchify_proj.", "\ntime_embed.emb."), "LTX-Video"),
    (("adaln_single.", "cross_attn.kv_linear.", "_cross_attn_kv_linear"), "PixArt"),
    (("context_refiner.", "cap_embedder.", "\ntime_caption_embed."), "Lumina"),
    (("\nlora_controlnet\n",), "Control-LoRA"),
    (("lllite_",), "ControlNet-LLLite"),
    (("\ntask_embedding\n", "control_add_embedding."), "ControlNet Union"),
    ((".SelfAttention.relative_attention_bias.",), "The text encoder T5"),
    (("visual.deepstack_merger_list.",), "The text encoder Qwen3-VL"),
    (("visual.blocks.0.attn.qkv.",), "The text encoder Qwen2.5-VL"),
    (("vision_model.embeddings.", "\nvisual.transformer."), "CLIP's picture encoder"),
)

WIDTHS: Mapping[int, str] = {1152: "PixArt", 4096: "Kolors or DeepFloyd IF", 2304: "Lumina"}
"""Of the text that cross-attention reads."""

BASES: Mapping[str, str] = {
    "flux": "Flux",
    "hunyuan": "Hunyuan",
    "lumina": "Lumina",
    "stable-cascade": "Stable Cascade",
    "pixart": "PixArt",
    "qwen": "Qwen-Image",
}
"""How metadata begins to name them."""

LORA_MARKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"^{mark}", re.MULTILINE), label)
    for mark, label in (
        (r"distilled_guidance_layer[._]", "Chroma"),
        (r"double_stream_blocks[._]|single_stream_blocks[._]", "HiDream"),
        (r"double_blocks\.\d+\.(img|txt)_attn_(qkv|proj)", "HunyuanVideo"),
        (r"double_blocks[._]|single_blocks[._]|single_transformer_blocks[._]", "Flux"),
        (r"joint_blocks[._]", "SD 3"),
        (r"joint_transformer_blocks[._]|double_layers[._]|single_layers[._]", "AuraFlow"),
        (r"transformer_blocks[._]\d+[._](img_mod|txt_mod|img_mlp|txt_mlp)", "Qwen-Image"),
        (r"transformer_blocks[._]\d+[._]attn[12][._]", "LTX-Video or PixArt"),
        (r"blocks[._]\d+[._](cross_attn|self_attn)[._]", "Wan"),
        (r"(layers|noise_refiner|context_refiner)[._]\d+[._]attention[._]", "Lumina or Z-Image"),
        (
            r"unet_(down|up)_blocks|unet_clip|down_blocks[._]\d+[._]\d+[._]attention",
            "Stable Cascade",
        ),
    )
)
"""How the layers begin that LoRAs of them change, in the names of all trainers."""

LORA_OF_OTHERS = "A denoiser that is no UNet (Flux, SD 3, Qwen-Image, Wan and others)"

DENOISERS: tuple[str, ...] = (
    *("double_blocks.0.", "single_transformer_blocks.0.", "joint_blocks.0.", "double_layers.0."),
    *("transformer_blocks.0.", "joint_transformer_blocks.0.", "layers.0.attention."),
    *("noise_refiner.0.", "down_blocks.0.0.", "input_blocks.0.", "blocks.0."),
)
"""What a denoiser of one of them has at least one tensor of."""


def unsupported_architecture(names: str, among: Marks = MARKS) -> str:
    """The label of the architecture that has `names`; empty where none of these has."""
    return next((label for marks, label in among if any(mark in names for mark in marks)), "")
