"""Wan 2.1 and 2.2 A14B of Alibaba, 2025: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    Task,
    Variant,
    VideoSize,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature

_BLOCK = "blocks.*"


def _attention(theirs: str, ours: str) -> dict[str, str]:
    parts = {**{each: f"to_{each}" for each in "qkv"}, "o": "to_out.0"}
    parts |= {each: each for each in ("norm_q", "norm_k")}
    parts |= {"k_img": "add_k_proj", "v_img": "add_v_proj", "norm_k_img": "norm_added_k"}
    return {f"{_BLOCK}.{theirs}.{a}": f"{_BLOCK}.{ours}.{b}" for a, b in parts.items()}


NAMES = OriginalNames(
    {
        **_attention("self_attn", "attn1"),
        **_attention("cross_attn", "attn2"),
        f"{_BLOCK}.norm3": f"{_BLOCK}.norm2",
        f"{_BLOCK}.ffn.0": f"{_BLOCK}.ffn.net.0.proj",
        f"{_BLOCK}.ffn.2": f"{_BLOCK}.ffn.net.2",
        "patch_embedding": "patch_embedding",
        "text_embedding.0": "condition_embedder.text_embedder.linear_1",
        "text_embedding.2": "condition_embedder.text_embedder.linear_2",
        "time_embedding.0": "condition_embedder.time_embedder.linear_1",
        "time_embedding.2": "condition_embedder.time_embedder.linear_2",
        "time_projection.1": "condition_embedder.time_proj",
        "head.head": "proj_out",
    },
    tensors={
        f"{_BLOCK}.modulation": f"{_BLOCK}.scale_shift_table",
        "head.modulation": "scale_shift_table",
    },
)
STRANGERS = {
    "vace_blocks.": "Wan VACE",
    "motion_encoder.": "Wan Animate",
    "control_adapter.": "Wan Fun Control",
    "img_emb.": "Wan 2.1 image to video",
}
SIGNATURE = Signature(
    NAMES,
    marks=("patch_embedding.weight", "head.modulation", "text_embedding.0.weight"),
    sides={
        "in_channels": Side("patch_embedding.weight", 1),
        "out_channels": Side("head.head.weight", 0, 4),
        "num_attention_heads": Side("patch_embedding.weight", 0, 128),
        "ffn_dim": Side("blocks.0.ffn.0.weight", 0),
        "text_dim": Side("text_embedding.0.weight", 1),
    },
    latent=Side("head.head.weight", 0, 4),
    text=Side("text_embedding.0.weight", 1),
    counts={"num_layers": "blocks"},
    sizes={
        f"{_BLOCK}.self_attn.q": (5120, 5120),
        f"{_BLOCK}.cross_attn.k": (5120, 5120),
        f"{_BLOCK}.ffn.0": (13824, 5120),
        f"{_BLOCK}.ffn.2": (5120, 13824),
    },
    blocks={"blocks": 40},
    strangers=STRANGERS,
    inputs={2: "Wan image to video", 3: "Wan Fun Control"},
)
_USUAL = RecommendedSettings(
    "unipc", "normal", steps=30, guidance=5.0, steps_range=(10, 60), guidance_range=(2.0, 8.0)
)

WAN = Family(
    name="wan21",
    label="Wan",
    width=4096,
    in_channels={16: Task.TEXT_TO_IMAGE},
    space="wan21",
    prediction_types=("flow_prediction",),
    native_size=640,
    size_multiple=16,
    area_range=(0.2, 2.5),
    recommended=_USUAL,
    config="configs/wan",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "umt5_xxl"},
    denoiser="transformer",
    attention_packages=("flash-attn", "sage"),
    second_denoiser="transformer_2",
    boundary=0.875,
    network="WanTransformer3DModel",
    cells_in_side=2,
    folds_cells=False,
    text_length=512,
    pipelines=("WanPipeline", "WanVideoToVideoPipeline"),
    bases=("wan2.1", "wan2.2", "wan"),
    variants={
        "2.1": Variant(_USUAL, label="2.1", words=("wan2.1", "wan21", "wan2_1")),
        "2.2": Variant(
            RecommendedSettings("unipc", "normal", 40, 4.0, steps_range=(10, 60)),
            label="2.2",
            words=("wan2.2", "wan22", "wan2_2", "a14b"),
            scheduler={"flow_shift": 12.0},
        ),
    },
    variant="2.1",
    guidance=GuidanceKind.CFG_APART,
    comfyui_shift=8.0,
    comfyui_clip=("wan",),
    dtypes=BFLOAT16_FIRST,
    companions=True,
    video=VideoSize(832, 480, frames=81, rate=16.0),
    signature=SIGNATURE,
)
