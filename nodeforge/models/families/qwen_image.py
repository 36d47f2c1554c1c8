"""Qwen-Image of Alibaba's Qwen Team, 2025: the facts."""

from math import exp, log

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
from nodeforge.models.families.common.signature import Flag, Side, Signature, Sizes
from nodeforge.values.guidance import KeptNorm

_USUAL = RecommendedSettings(
    "flow_euler", "simple", 50, 4.0, steps_range=(15, 60), guidance_range=(2.0, 8.0)
)
_BLOCK = "transformer_blocks.*"
_SIDES = ("img", "txt")
_LAYERS = (
    *("img_in", "txt_in", "txt_norm", "norm_out.linear", "proj_out"),
    *(f"time_text_embed.timestep_embedder.linear_{n}" for n in (1, 2)),
    *(f"{_BLOCK}.attn.to_{each}" for each in ("q", "k", "v", "out.0", "add_out")),
    *(f"{_BLOCK}.attn.add_{each}_proj" for each in "qkv"),
    *(f"{_BLOCK}.attn.norm_{each}" for each in ("q", "k", "added_q", "added_k")),
    *(f"{_BLOCK}.{side}_mod.1" for side in _SIDES),
    *(f"{_BLOCK}.{side}_mlp.net.{each}" for side in _SIDES for each in ("0.proj", "2")),
)
_NAMES = OriginalNames({same: same for same in _LAYERS})
"""Its authors call them what diffusers does."""

_WIDTH = 3072
_SIZES: Sizes = {
    **{f"{_BLOCK}.attn.to_{each}": (_WIDTH, _WIDTH) for each in ("q", "k", "v", "out.0")},
    **{f"{_BLOCK}.attn.add_{each}_proj": (_WIDTH, _WIDTH) for each in "qkv"},
    f"{_BLOCK}.attn.to_add_out": (_WIDTH, _WIDTH),
    **{f"{_BLOCK}.{side}_mod.1": (6 * _WIDTH, _WIDTH) for side in _SIDES},
    **{f"{_BLOCK}.{side}_mlp.net.0.proj": (4 * _WIDTH, _WIDTH) for side in _SIDES},
    **{f"{_BLOCK}.{side}_mlp.net.2": (_WIDTH, 4 * _WIDTH) for side in _SIDES},
}
_OF_2511 = "__index_timestep_zero__"
"""Empty; says that the network reads references at time 0."""

QWEN_IMAGE = Family(
    name="qwen_image",
    label="Qwen-Image",
    width=3584,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="wan21",
    prediction_types=("flow_prediction",),
    native_size=1328,
    size_multiple=16,
    area_range=(0.14, 2.4),
    recommended=_USUAL,
    config="configs/qwen_image",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen25_vl_7b"},
    denoiser="transformer",
    network="QwenImageTransformer2DModel",
    cells_in_side=2,
    text_length=1024,
    unread_tokens=34,
    pipelines=(
        "QwenImagePipeline",
        "QwenImageImg2ImgPipeline",
        "QwenImageInpaintPipeline",
        "QwenImageEditPlusPipeline",
    ),
    bases=("qwen-image", "qwen_image"),
    variants={
        "base": Variant(_USUAL, words=("base", "2512"), tensors={_OF_2511: False}),
        "lightning": Variant(
            RecommendedSettings(
                "flow_euler", "simple", 8, 1.0, steps_range=(4, 16), guidance_range=(1.0, 1.0)
            ),
            guidance=GuidanceKind.NONE,
            distilled=True,
            tensors={_OF_2511: False},
            scheduler={"base_shift": log(3), "max_shift": log(3), "shift_terminal": None},
        ),
        "edit": Variant(
            RecommendedSettings(
                "flow_euler", "simple", 40, 4.0, steps_range=(15, 60), guidance_range=(2.0, 8.0)
            ),
            index={"_class_name": "QwenImageEditPlusPipeline"},
            references=3,
            native_size=1024,
            area_range=(0.25, 2.4),
        ),
    },
    variant="base",
    reference_name="Picture {}",
    reference_side=1024,
    guidance=GuidanceKind.CFG_APART,
    guidance_norm=KeptNorm.TOKENS,
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
            "txt_norm.weight",
            "proj_out.weight",
            "transformer_blocks.0.img_mod.1.weight",
        ),
        sides={
            "in_channels": Side("img_in.weight", 1),
            "num_attention_heads": Side("img_in.weight", 0, 128),
            "out_channels": Side("proj_out.weight", 0, 4),
            "joint_attention_dim": Side("txt_in.weight", 1),
        },
        latent=Side("proj_out.weight", 0),
        text=Side("txt_in.weight", 1),
        counts={"num_layers": "transformer_blocks"},
        flags={"zero_cond_t": Flag(_OF_2511)},
        sizes=_SIZES,
        blocks={"transformer_blocks": 60},
    ),
)
