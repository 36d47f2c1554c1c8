"""Small random models of Wan, as diffusers' pipelines and as people's files."""

from __future__ import annotations

from typing import Any

from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from tiny_transformers import seeded, t5_tokenizer
from transformers import UMT5Config, UMT5EncoderModel

CHANNELS = 4
"""Of its latents."""


def umt5(width: int = 32) -> UMT5EncoderModel:
    config = UMT5Config(
        vocab_size=98, d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return seeded(UMT5EncoderModel, config)


def wan_vae(**more: Any) -> AutoencoderKLWan:
    given: dict[str, Any] = {
        "base_dim": 4,
        "z_dim": CHANNELS,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
        "latents_mean": [0.1, -0.2, 0.3, 0.0],
        "latents_std": [1.5, 2.0, 0.7, 1.0],
    }
    return seeded(AutoencoderKLWan, **{**given, **more})


def wan_transformer(seed: int = 0) -> WanTransformer3DModel:
    return seeded(
        WanTransformer3DModel,
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        text_dim=32,
        freq_dim=16,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        seed=seed,
    )


def wan(**more: Any) -> WanPipeline:
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return WanPipeline(
        tokenizer=t5_tokenizer(),
        text_encoder=umt5(),
        vae=wan_vae(),
        scheduler=scheduler,
        transformer=wan_transformer(),
        **more,
    )
