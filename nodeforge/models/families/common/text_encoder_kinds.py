"""Kinds of text encoders: networks that several families read prompts with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST, FULL_FIRST, HALF_FIRST
from nodeforge.settings import shipped


@dataclass(frozen=True)
class TextEncoderKind:
    """One kind of text encoder.

    Args:
        name: How recipes name it.
        label: How people name it.
        network: Its class in transformers.
        width: Of the states it gives for each token.
        config: Where in ``resources`` its configuration is.
        tokenizer: Where in ``resources`` its tokenizer is.
        usual_file: How people's files of it are called.
        gigabytes: Of that file, about.
        dtypes: What it may compute in, the best first.
        marks: Tensors that every file of it has; empty for CLIP, which is told by its width.
        table: What files call its table of words, one of these.
        words: In that table; 0 where any number may be.
        bundled: What checkpoints of denoiser, text encoders and VAE call it.
        sees: Whether it reads pictures, too: files of it have the network for that.
        layers: How many of its layers are read, from the first, and as they say it, without its
            last norm; files may have more. 0 is all.
        pads_left: Whether padding comes before a text.
        common_marks: Whether files of other networks have its marks, too, so that only the size of
            its table tells it.
        paired_in_gguf: Whether GGUF files have the two halves of a head's rows in turn, of queries
            and keys.
        blind: What GGUF files of its language model alone, which lack that, say of themselves.
    """

    name: str
    label: str
    network: str
    width: int
    config: str
    tokenizer: str
    usual_file: str = ""
    gigabytes: float = 0.0
    dtypes: tuple[str, ...] = HALF_FIRST
    marks: tuple[str, ...] = ()
    table: tuple[str, ...] = ("embeddings.token_embedding.weight",)
    words: int = 0
    bundled: tuple[str, ...] = ()
    sees: bool = False
    blind: str = ""
    layers: int = 0
    pads_left: bool = False
    common_marks: bool = False
    paired_in_gguf: bool = False

    @property
    def config_folder(self) -> Path:
        return shipped("resources") / self.config

    @property
    def tokenizer_folder(self) -> Path:
        return shipped("resources") / self.tokenizer


_QWEN_MARKS = ("layers.0.self_attn.q_norm.weight", "layers.0.mlp.gate_proj.weight")
_QWEN_TABLE = ("embed_tokens.weight",)
_SD15, _SD21, _SDXL, _NANO = "configs/sd15", "configs/sd21", "configs/sdxl", "models/nano"

KINDS: Mapping[str, TextEncoderKind] = {
    kind.name: kind
    for kind in (
        TextEncoderKind(
            "clip_l", "CLIP-L", "CLIPTextModel", 768,
            f"{_SD15}/text_encoder", f"{_SD15}/tokenizer", "clip_l.safetensors", 0.25,
            bundled=("clip_l",),
        ),
        TextEncoderKind(
            "clip_h", "OpenCLIP-H", "CLIPTextModel", 1024,
            f"{_SD21}/text_encoder", f"{_SD21}/tokenizer",
        ),
        TextEncoderKind(
            "clip_g", "OpenCLIP-G", "CLIPTextModelWithProjection", 1280,
            f"{_SDXL}/text_encoder_2", f"{_SDXL}/tokenizer_2", "clip_g.safetensors", 1.4,
            bundled=("clip_g",),
        ),
        TextEncoderKind(
            "clip_nano", "nano's CLIP", "CLIPTextModel", 192,
            f"{_NANO}/text_encoder", f"{_NANO}/tokenizer",
        ),
        TextEncoderKind(
            "umt5_xxl", "umT5-XXL", "UMT5EncoderModel", 4096,
            "configs/umt5_xxl", "configs/umt5_xxl", "umt5_xxl_fp16.safetensors", 11.4,
            BFLOAT16_FIRST,
            ("encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight",),
            ("shared.weight", "encoder.embed_tokens.weight"), 256384, ("umt5xxl",),
        ),
        TextEncoderKind(
            "t5_xxl", "T5-XXL", "T5EncoderModel", 4096,
            "configs/t5_xxl", "configs/t5_xxl", "t5xxl_fp16.safetensors", 9.8, BFLOAT16_FIRST,
            ("encoder.block.0.layer.0.SelfAttention.q.weight",),
            ("shared.weight", "encoder.embed_tokens.weight"), 32128, ("t5xxl",),
        ),
        TextEncoderKind(
            "t5_base", "T5-base", "T5EncoderModel", 768,
            "configs/t5_base", "configs/t5_xxl", "t5_base.safetensors", 0.44, FULL_FIRST,
            (
                "encoder.block.0.layer.0.SelfAttention.q.weight",
                "encoder.block.0.layer.1.DenseReluDense.wi.weight",  # later ones have two
            ),
            ("shared.weight", "encoder.embed_tokens.weight"), 32128, ("t5base",),
        ),
        TextEncoderKind(
            "qwen3_06b", "Qwen3-0.6B", "Qwen3Model", 1024,
            "configs/qwen3_06b", "configs/qwen3_4b", "qwen_0.6b_ace15.safetensors", 1.2,
            BFLOAT16_FIRST, _QWEN_MARKS, _QWEN_TABLE, bundled=("qwen3_06b",),
        ),
        TextEncoderKind(
            "qwen3_4b", "Qwen3-4B", "Qwen3Model", 2560,
            "configs/qwen3_4b", "configs/qwen3_4b", "qwen_3_4b.safetensors", 8.0, BFLOAT16_FIRST,
            _QWEN_MARKS, _QWEN_TABLE, bundled=("qwen3_4b",),
        ),
        TextEncoderKind(
            "qwen3_8b", "Qwen3-8B", "Qwen3Model", 4096,
            "configs/qwen3_8b", "configs/qwen3_4b", "qwen_3_8b.safetensors", 16.4, BFLOAT16_FIRST,
            _QWEN_MARKS, _QWEN_TABLE, bundled=("qwen3_8b",),
        ),
        TextEncoderKind(
            "qwen25_vl_7b", "Qwen2.5-VL-7B", "Qwen2_5_VLModel", 3584,
            "configs/qwen25_vl_7b", "configs/qwen3_4b", "qwen_2.5_vl_7b.safetensors", 16.6,
            BFLOAT16_FIRST,
            ("layers.0.self_attn.q_proj.bias", "layers.0.mlp.gate_proj.weight"),
            _QWEN_TABLE, 152064, ("qwen25_7b",), sees=True, blind="qwen2vl",
        ),
        TextEncoderKind(
            "qwen3_vl_4b", "Qwen3-VL-4B", "Qwen3VLModel", 2560,
            "configs/qwen3_vl_4b", "configs/qwen3_4b", "qwen3vl_4b.safetensors", 8.9,
            BFLOAT16_FIRST, _QWEN_MARKS, _QWEN_TABLE, bundled=("qwen3vl_4b",), sees=True,
            blind="qwen3vl",
        ),
        TextEncoderKind(
            "qwen3_vl_8b", "Qwen3-VL-8B", "Qwen3VLModel", 4096,
            "configs/qwen3_vl_8b", "configs/qwen3_4b", "qwen3vl_8b.safetensors", 17.5,
            BFLOAT16_FIRST, _QWEN_MARKS, _QWEN_TABLE, bundled=("qwen3vl_8b",), sees=True,
            blind="qwen3vl",
        ),
        TextEncoderKind(
            "mistral_small", "Mistral-Small", "MistralModel", 5120,
            "configs/mistral_small", "configs/mistral_small",
            "mistral_3_small_flux2_bf16.safetensors", 35.6, BFLOAT16_FIRST,
            ("layers.0.self_attn.q_proj.weight", "layers.29.mlp.gate_proj.weight"),
            _QWEN_TABLE, 131072, ("mistral3_24b",), layers=30, pads_left=True, common_marks=True,
            paired_in_gguf=True,
        ),
    )
}  # fmt: skip
"""By name."""
