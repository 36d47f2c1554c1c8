"""Chroma of Lodestone Rock, 2025, a descendant of Flux.1 schnell: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    ScheduleShift,
    Task,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature
from nodeforge.models.families.flux1 import BLOCKS, SIZES

_GUIDING = "distilled_guidance_layer"
_NAMES = OriginalNames(
    {
        **BLOCKS,
        f"{_GUIDING}.in_proj": f"{_GUIDING}.in_proj",
        f"{_GUIDING}.out_proj": f"{_GUIDING}.out_proj",
        f"{_GUIDING}.layers.*.in_layer": f"{_GUIDING}.layers.*.linear_1",
        f"{_GUIDING}.layers.*.out_layer": f"{_GUIDING}.layers.*.linear_2",
        f"{_GUIDING}.norms.*": f"{_GUIDING}.norms.*",
    }
)

CHROMA = Family(
    name="chroma",
    label="Chroma",
    width=4096,
    in_channels={64: Task.TEXT_TO_IMAGE},
    space="flux",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.06, 4.1),
    recommended=RecommendedSettings("flow_euler", "beta", steps=26, guidance=4.0),
    config="configs/chroma",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "t5_xxl"},
    denoiser="transformer",
    network="ChromaTransformer2DModel",
    cells_in_side=2,
    text_length=512,
    pipelines=("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
    bases=("chroma",),
    guidance=GuidanceKind.CFG_APART,
    shift=ScheduleShift.LINEAR,
    comfyui_clip=("chroma",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "img_in.weight",
            "txt_in.weight",
            f"{_GUIDING}.in_proj.weight",
            "double_blocks.0.img_attn.norm.key_norm.scale",
            "final_layer.linear.weight",
        ),
        sides={
            "in_channels": Side("img_in.weight", 1),
            "out_channels": Side("final_layer.linear.weight", 0),
            "joint_attention_dim": Side("txt_in.weight", 1),
        },
        latent=Side("final_layer.linear.weight", 0),
        text=Side("txt_in.weight", 1),
        counts={
            "num_layers": "double_blocks",
            "num_single_layers": "single_blocks",
            "approximator_layers": f"{_GUIDING}.layers",
        },
        sizes=SIZES,
        blocks={"double_blocks": 19, "single_blocks": 38},
        strangers={"nerf_": "Chroma Radiance"},
        rare=True,
    ),
)
