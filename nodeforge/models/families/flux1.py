"""Flux.1 of Black Forest Labs, 2024: the facts."""

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
from nodeforge.models.families.common.signature import Flag, Side, Signature, Sizes


def _settings(steps: int, guidance: float, highest: float = 10.0) -> RecommendedSettings:
    """Of a model that reads its scale, which goes up to `highest`."""
    return RecommendedSettings(
        "flow_euler", "simple", steps, guidance, guidance_range=(1.0, highest)
    )


_DOUBLE, _SINGLE = "transformer_blocks.*", "single_transformer_blocks.*"

BLOCKS: dict[str, str | tuple[str, ...]] = {
    "double_blocks.*.img_attn.qkv": tuple(f"{_DOUBLE}.attn.to_{each}" for each in "qkv"),
    "double_blocks.*.txt_attn.qkv": tuple(f"{_DOUBLE}.attn.add_{each}_proj" for each in "qkv"),
    "double_blocks.*.img_attn.norm.query_norm": f"{_DOUBLE}.attn.norm_q",
    "double_blocks.*.img_attn.norm.key_norm": f"{_DOUBLE}.attn.norm_k",
    "double_blocks.*.txt_attn.norm.query_norm": f"{_DOUBLE}.attn.norm_added_q",
    "double_blocks.*.txt_attn.norm.key_norm": f"{_DOUBLE}.attn.norm_added_k",
    "double_blocks.*.img_attn.proj": f"{_DOUBLE}.attn.to_out.0",
    "double_blocks.*.txt_attn.proj": f"{_DOUBLE}.attn.to_add_out",
    "double_blocks.*.img_mlp.0": f"{_DOUBLE}.ff.net.0.proj",
    "double_blocks.*.img_mlp.2": f"{_DOUBLE}.ff.net.2",
    "double_blocks.*.txt_mlp.0": f"{_DOUBLE}.ff_context.net.0.proj",
    "double_blocks.*.txt_mlp.2": f"{_DOUBLE}.ff_context.net.2",
    "single_blocks.*.linear1": (
        *(f"{_SINGLE}.attn.to_{each}" for each in "qkv"),
        f"{_SINGLE}.proj_mlp",
    ),
    "single_blocks.*.linear2": f"{_SINGLE}.proj_out",
    "single_blocks.*.norm.query_norm": f"{_SINGLE}.attn.norm_q",
    "single_blocks.*.norm.key_norm": f"{_SINGLE}.attn.norm_k",
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "final_layer.linear": "proj_out",
}
"""The layers that Flux.1 has in common with its descendants."""

SIZES: Sizes = {
    "double_blocks.*.img_attn.qkv": (9216, 3072),
    "double_blocks.*.img_attn.proj": (3072, 3072),
    "double_blocks.*.img_mlp.0": (12288, 3072),
    "double_blocks.*.img_mlp.2": (3072, 12288),
    "double_blocks.*.txt_attn.qkv": (9216, 3072),
    "double_blocks.*.txt_attn.proj": (3072, 3072),
    "double_blocks.*.txt_mlp.0": (12288, 3072),
    "double_blocks.*.txt_mlp.2": (3072, 12288),
    "single_blocks.*.linear1": (21504, 3072),
    "single_blocks.*.linear2": (3072, 15360),
    "txt_in": (3072, 4096),
    "final_layer.linear": (64, 3072),
}

_NAMES = OriginalNames(
    {
        **BLOCKS,
        "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
        "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
        "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
        "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
        "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
        "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
        "double_blocks.*.img_mod.lin": f"{_DOUBLE}.norm1.linear",
        "double_blocks.*.txt_mod.lin": f"{_DOUBLE}.norm1_context.linear",
        "single_blocks.*.modulation.lin": f"{_SINGLE}.norm.linear",
        "final_layer.adaLN_modulation.1": "norm_out.linear",
    },
    aliases={  # of XLabs' trainer
        "double_blocks.*.qkv_lora1": BLOCKS["double_blocks.*.img_attn.qkv"],
        "double_blocks.*.qkv_lora2": BLOCKS["double_blocks.*.txt_attn.qkv"],
        "double_blocks.*.proj_lora1": BLOCKS["double_blocks.*.img_attn.proj"],
        "double_blocks.*.proj_lora2": BLOCKS["double_blocks.*.txt_attn.proj"],
        "single_blocks.*.qkv": tuple(f"{_SINGLE}.attn.to_{each}" for each in "qkv"),
        "single_blocks.*.proj": BLOCKS["single_blocks.*.linear2"],
    },
    swapped=("norm_out.linear",),
)
_GUIDANCE = "guidance_in.in_layer.weight"
_TOLD, _UNTOLD = {_GUIDANCE: True}, {_GUIDANCE: False}

FLUX1 = Family(
    name="flux1",
    label="Flux.1",
    width=4096,
    in_channels={64: Task.TEXT_TO_IMAGE, 384: Task.INPAINTING},
    space="flux",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    licence="Black Forest Labs' non-commercial licence",
    area_range=(0.06, 4.1),
    recommended=_settings(28, 3.5),
    config="configs/flux1",
    denoisers={Task.TEXT_TO_IMAGE: "transformer", Task.INPAINTING: "transformer_inpainting"},
    text_encoders={"text_encoder": "clip_l", "text_encoder_2": "t5_xxl"},
    denoiser="transformer",
    attention_packages=("flash-attn", "sage"),
    network="FluxTransformer2DModel",
    folds_mask=True,
    cells_in_side=2,
    text_length=512,
    pipelines=(
        "FluxPipeline",
        "FluxImg2ImgPipeline",
        "FluxInpaintPipeline",
        "FluxFillPipeline",
        "FluxKontextPipeline",
    ),
    bases=("flux-1-dev", "flux-1-schnell", "flux1", "flux"),
    variants={
        "dev": Variant(_settings(28, 3.5), tensors=_TOLD, task=Task.TEXT_TO_IMAGE),
        "schnell": Variant(
            RecommendedSettings(
                "flow_euler", "simple", 4, 1.0, steps_range=(1, 8), guidance_range=(1.0, 1.0)
            ),
            tensors=_UNTOLD,
            task=Task.TEXT_TO_IMAGE,
            guidance=GuidanceKind.NONE,
            distilled=True,
            licence="",
            scheduler={"shift": 1.0, "use_dynamic_shifting": False},
        ),
        "krea": Variant(_settings(28, 4.5), tensors=_TOLD, task=Task.TEXT_TO_IMAGE),
        "kontext": Variant(
            _settings(28, 2.5),
            tensors=_TOLD,
            task=Task.TEXT_TO_IMAGE,
            index={"_class_name": "FluxKontextPipeline"},
            references=1,
        ),
        "fill": Variant(_settings(50, 30.0, highest=50.0), tensors=_TOLD, task=Task.INPAINTING),
    },
    variant="dev",
    guidance=GuidanceKind.EMBEDDED,
    shift=ScheduleShift.LINEAR,
    comfyui_shift=exp(1.15),
    comfyui_clip=("flux",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "img_in.weight",
            "txt_in.weight",
            "vector_in.in_layer.weight",
            "double_blocks.0.img_attn.norm.key_norm.scale",
            "double_blocks.0.img_mod.lin.weight",
            "final_layer.linear.weight",
        ),
        sides={
            "in_channels": Side("img_in.weight", 1),
            "out_channels": Side("final_layer.linear.weight", 0),
            "joint_attention_dim": Side("txt_in.weight", 1),
            "pooled_projection_dim": Side("vector_in.in_layer.weight", 1),
        },
        latent=Side("final_layer.linear.weight", 0),
        text=Side("txt_in.weight", 1),
        counts={"num_layers": "double_blocks", "num_single_layers": "single_blocks"},
        flags={"guidance_embeds": Flag(_GUIDANCE)},
        sizes=SIZES,
        blocks={"double_blocks": 19, "single_blocks": 38},
        inputs={2: "Flux.1 Control"},
    ),
)
