"""Stable Audio Open of Stability AI, 2024: the facts."""

from nodeforge.models.families.common.dtypes import HALF_FIRST
from nodeforge.models.families.common.family import (
    Conditioner,
    Family,
    RecommendedSettings,
    SoundLength,
    Task,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature

_BLOCK, _OURS = "transformer.layers.*", "transformer_blocks.*"
_NORMS = {"pre_norm": "norm1", "cross_attend_norm": "norm2", "ff_norm": "norm3"}
_ENDS = {"gamma": "weight", "beta": "bias"}

NAMES = OriginalNames(
    {
        f"{_BLOCK}.self_attn.to_qkv": tuple(f"{_OURS}.attn1.to_{each}" for each in "qkv"),
        f"{_BLOCK}.self_attn.to_out": f"{_OURS}.attn1.to_out.0",
        f"{_BLOCK}.cross_attn.to_q": f"{_OURS}.attn2.to_q",
        f"{_BLOCK}.cross_attn.to_kv": tuple(f"{_OURS}.attn2.to_{each}" for each in "kv"),
        f"{_BLOCK}.cross_attn.to_out": f"{_OURS}.attn2.to_out.0",
        f"{_BLOCK}.ff.ff.0.proj": f"{_OURS}.ff.net.0.proj",
        f"{_BLOCK}.ff.ff.2": f"{_OURS}.ff.net.2",
        "transformer.project_in": "proj_in",
        "transformer.project_out": "proj_out",
        "timestep_features": "time_proj",
        **{
            f"{theirs}.{number}": f"{ours}.{number}"
            for number in (0, 2)
            for theirs, ours in (
                ("to_timestep_embed", "timestep_proj"),
                ("to_global_embed", "global_proj"),
                ("to_cond_embed", "cross_attention_proj"),
            )
        },
        "preprocess_conv": "preprocess_conv",
        "postprocess_conv": "postprocess_conv",
    },
    tensors={
        f"{_BLOCK}.{norm}.{end}": f"{_OURS}.{_NORMS[norm]}.{_ENDS[end]}"
        for norm in _NORMS
        for end in _ENDS
    },
)
SIGNATURE = Signature(
    NAMES,
    marks=(
        "timestep_features.weight",
        "to_global_embed.0.weight",
        "transformer.layers.0.cross_attn.to_kv.weight",
    ),
    sides={"in_channels": Side("preprocess_conv.weight", 0)},
    latent=Side("preprocess_conv.weight", 0),
    text=Side("to_cond_embed.0.weight", 1),
    counts={"num_layers": "transformer.layers"},
    sizes={
        f"{_BLOCK}.self_attn.to_qkv": (4608, 1536),
        f"{_BLOCK}.cross_attn.to_kv": (1536, 768),
        f"{_BLOCK}.ff.ff.0.proj": (12288, 1536),
    },
    blocks={"transformer.layers": 24},
    common_names=("",),
    strangers={"transformer.layers.0.self_attn.q_norm.": "Stable Audio Open Small"},
)
_THEIRS, _EMBEDDING = "conditioner.conditioners", "time_positional_embedding"
_PROJECTION = Conditioner(
    "StableAudioProjectionModel",
    {
        f"{_THEIRS}.prompt.proj_out": "text_projection",
        f"{_THEIRS}.seconds_start.embedder.embedding": f"start_number_conditioner.{_EMBEDDING}",
        f"{_THEIRS}.seconds_total.embedder.embedding": f"end_number_conditioner.{_EMBEDDING}",
    },
)

STABLE_AUDIO = Family(
    name="stable_audio",
    label="Stable Audio",
    width=768,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="stable_audio",
    prediction_types=("v_prediction",),
    native_size=0,
    size_multiple=1,
    recommended=RecommendedSettings(
        "dpmpp_2m_sde",
        "exponential",
        steps=100,
        guidance=7.0,
        steps_range=(20, 250),
        guidance_range=(2.0, 12.0),
    ),
    config="configs/stable_audio",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "t5_base"},
    denoiser="transformer",
    network="StableAudioDiTModel",
    conditioners={"projection_model": _PROJECTION},
    text_length=128,
    pipelines=("StableAudioPipeline",),
    bases=("stable-audio",),
    dtypes=HALF_FIRST,
    licence="Stability AI Community License: commercial use up to 1 million USD of revenue a year",
    companions=True,
    signature=SIGNATURE,
    comfyui_clip=("stable_audio",),
    blocks=("StableAudioDiTBlock",),
    sound=SoundLength(cells=1024, most_seconds=512.0),
)
