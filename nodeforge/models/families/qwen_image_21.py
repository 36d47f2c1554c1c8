"""Qwen-Image 2.1 of Alibaba's Qwen Team, 2026: the facts."""

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

_USUAL = RecommendedSettings(
    "flow_euler", "simple", 40, 1.0, steps_range=(15, 60), guidance_range=(1.0, 6.0)
)
_TURBO = (1.0, 0.978453, 0.95418, 0.926626, 0.89508, 0.845148, 0.704534, 0.414568)
"""The noise levels that it was distilled at."""
_BLOCK = "transformer_blocks.*"
_SAME = (
    *("img_in", "txt_in.text_norm", "txt_in.in_layer", "txt_in.out_layer", "modulation.1"),
    *("norm_out.linear", "proj_out"),
    *(f"time_text_embed.timestep_embedder.linear_{n}" for n in (1, 2)),
    *(f"{_BLOCK}.attn.to_{each}" for each in ("q", "k", "v", "out.0")),
    *(f"{_BLOCK}.attn.norm_{each}" for each in "qk"),
    f"{_BLOCK}.img_mlp.out",
)
_NAMES = OriginalNames(
    {
        **{same: same for same in _SAME},
        f"{_BLOCK}.img_mlp.gate_up": (f"{_BLOCK}.img_mlp.gate_layer", f"{_BLOCK}.img_mlp.proj"),
    }
)
"""What is not of the feed-forward network, its authors call as diffusers does."""

_WIDTH = 4096
_SIZES: Sizes = {
    **{f"{_BLOCK}.attn.to_{each}": (_WIDTH, _WIDTH) for each in ("q", "k", "v", "out.0")},
    f"{_BLOCK}.img_mlp.gate_up": (6 * _WIDTH, _WIDTH),
    f"{_BLOCK}.img_mlp.out": (_WIDTH, 3 * _WIDTH),
}

QWEN_IMAGE_21 = Family(
    name="qwen_image_21",
    label="Qwen-Image 2.1",
    width=4096,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="qwen21",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=32,
    area_range=(0.25, 4.1),
    recommended=_USUAL,
    config="configs/qwen_image_21",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_vl_8b"},
    denoiser="transformer",
    network="QwenImage21Transformer2DModel",
    cells_in_side=2,
    folds_cells=False,
    text_length=2048,
    unread_tokens=14,
    pipelines=("QwenImage21Pipeline",),
    bases=("qwen-image-2.1", "qwen_image_2.1", "qwen-image-21"),
    variants={
        "base": Variant(_USUAL, index={"sample_sigmas": None}),
        "turbo": Variant(
            RecommendedSettings(
                "flow_euler",
                "custom",
                8,
                1.0,
                steps_range=(4, 16),
                guidance_range=(1.0, 1.0),
                sigmas=(*_TURBO, 0.0),
            ),
            guidance=GuidanceKind.NONE,
            index={"sample_sigmas": list(_TURBO)},
            distilled=True,
            scheduler={"use_dynamic_shifting": False, "shift_terminal": None},
        ),
    },
    variant="base",
    reference_name="<image{}>",
    references=10,
    reference_side=1024,
    kv_cache=True,
    guidance=GuidanceKind.CFG_APART,
    shift=ScheduleShift.LINEAR,
    comfyui_shift=exp(1.15),
    comfyui_clip=("qwen_image",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "img_in.weight",
            "txt_in.text_norm.weight",
            "proj_out.weight",
            "transformer_blocks.0.img_mlp.gate_up.weight",
        ),
        sides={
            "in_channels": Side("img_in.weight", 1),
            "num_attention_heads": Side("img_in.weight", 0, 128),
            "out_channels": Side("proj_out.weight", 0),
            "context_in_dim": Side("txt_in.in_layer.weight", 1),
        },
        latent=Side("proj_out.weight", 0),
        text=Side("txt_in.in_layer.weight", 1),
        counts={"num_layers": "transformer_blocks"},
        sizes=_SIZES,
        blocks={"transformer_blocks": 32},
    ),
)
