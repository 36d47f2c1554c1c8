"""Krea 2 of Krea, 2026: the facts."""

from math import exp

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    ScheduleShift,
    Task,
    Variant,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature, Sizes

_RAW = RecommendedSettings(
    "flow_euler", "simple", 28, 4.5, steps_range=(15, 60), guidance_range=(2.0, 8.0)
)
_BLOCKS = {
    "blocks": "transformer_blocks",
    "txtfusion.layerwise_blocks": "text_fusion.layerwise_blocks",
    "txtfusion.refiner_blocks": "text_fusion.refiner_blocks",
}
"""What diffusers calls the authors' kinds of blocks."""
_IN_BLOCK = {
    **{f"attn.w{each}": f"attn.to_{each}" for each in "qkv"},
    "attn.wo": "attn.to_out.0",
    "attn.gate": "attn.to_gate",
    "attn.qknorm.qnorm": "attn.norm_q",
    "attn.qknorm.knorm": "attn.norm_k",
    **{f"mlp.{each}": f"ff.{each}" for each in ("gate", "up", "down")},
    "prenorm": "norm1",
    "postnorm": "norm2",
}
_NAMES = OriginalNames(
    {
        **{
            f"{theirs}.*.{inner}": f"{ours}.*.{renamed}"
            for theirs, ours in _BLOCKS.items()
            for inner, renamed in _IN_BLOCK.items()
        },
        "first": "img_in",
        "tmlp.0": "time_embed.linear_1",
        "tmlp.2": "time_embed.linear_2",
        "tproj.1": "time_mod_proj",
        "txtmlp.0": "txt_in.norm",
        "txtmlp.1": "txt_in.linear_1",
        "txtmlp.3": "txt_in.linear_2",
        "txtfusion.projector": "text_fusion.projector",
        "last.linear": "final_layer.linear",
        "last.norm": "final_layer.norm",
    },
    tensors={
        "blocks.*.mod.lin": "transformer_blocks.*.scale_shift_table",
        "last.modulation.lin": "final_layer.scale_shift_table",
    },
)

_WIDTH, _KEYS, _INNER = 6144, 1536, 16384
_TEXT, _TEXT_INNER = 2560, 6912


def _sizes(block: str, width: int, keys: int, inner: int) -> Sizes:
    return {
        **{f"{block}.*.attn.{each}": (width, width) for each in ("wq", "wo", "gate")},
        **{f"{block}.*.attn.{each}": (keys, width) for each in ("wk", "wv")},
        **{f"{block}.*.mlp.{each}": (inner, width) for each in ("gate", "up")},
        f"{block}.*.mlp.down": (width, inner),
    }


KREA2 = Family(
    name="krea2",
    label="Krea 2",
    width=_TEXT,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="wan21",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.25, 4.1),
    recommended=_RAW,
    config="configs/krea2",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_vl_4b"},
    denoiser="transformer",
    network="Krea2Transformer2DModel",
    cells_in_side=2,
    text_length=512,
    unread_tokens=34,
    pipelines=("Krea2Pipeline",),
    bases=("krea-2", "krea2", "krea_2"),
    variants={
        "raw": Variant(_RAW, words=("raw", "base"), index={"is_distilled": False}),
        "turbo": Variant(
            RecommendedSettings(
                "flow_euler", "simple", 8, 1.0, steps_range=(4, 16), guidance_range=(1.0, 1.0)
            ),
            guidance=GuidanceKind.NONE,
            index={"is_distilled": True},
            distilled=True,
            pipeline_scheduler={"base_shift": 1.15, "max_shift": 1.15},
        ),
    },
    variant="raw",
    guidance=GuidanceKind.CFG_APART,
    guides_from_positive=True,
    shift=ScheduleShift.LINEAR,
    comfyui_shift=exp(1.15),
    comfyui_clip=("krea2",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    in_full=("norm", "norm1", "norm2", "norm_q", "norm_k"),  # near 0: 1 is added to them
    companions=True,
    signature=Signature(
        _NAMES,
        marks=("first.weight", "txtfusion.projector.weight", "last.linear.weight"),
        sides={
            "in_channels": Side("first.weight", 1),
            "num_attention_heads": Side("first.weight", 0, 128),
            "num_key_value_heads": Side("blocks.0.attn.wk.weight", 0, 128),
            "intermediate_size": Side("blocks.0.mlp.gate.weight", 0),
            "timestep_embed_dim": Side("tmlp.0.weight", 1),
            "num_text_layers": Side("txtfusion.projector.weight", 1),
            "text_hidden_dim": Side("txtmlp.0.scale", 0),
            "text_intermediate_size": Side("txtfusion.refiner_blocks.0.mlp.gate.weight", 0),
        },
        latent=Side("last.linear.weight", 0),
        text=Side("txtmlp.0.scale", 0),
        counts={
            "num_layers": "blocks",
            "num_layerwise_text_blocks": "txtfusion.layerwise_blocks",
            "num_refiner_text_blocks": "txtfusion.refiner_blocks",
        },
        sizes={
            **_sizes("blocks", _WIDTH, _KEYS, _INNER),
            **_sizes("txtfusion.layerwise_blocks", _TEXT, _TEXT, _TEXT_INNER),
            **_sizes("txtfusion.refiner_blocks", _TEXT, _TEXT, _TEXT_INNER),
        },
        blocks={
            "blocks": 28,
            "txtfusion.layerwise_blocks": 2,
            "txtfusion.refiner_blocks": 2,
        },
    ),
)
