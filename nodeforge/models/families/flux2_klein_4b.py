"""Flux.2 klein of Black Forest Labs, 2026, with 4 billion parameters: the facts."""

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

_DISTILLED = RecommendedSettings(
    "flow_euler", "simple", 4, 1.0, steps_range=(1, 12), guidance_range=(1.0, 1.0)
)

_DOUBLE, _SINGLE = "transformer_blocks.*", "single_transformer_blocks.*"
_TIME = "time_guidance_embed"

NAMES = OriginalNames(
    {
        "img_in": "x_embedder",
        "txt_in": "context_embedder",
        "time_in.in_layer": f"{_TIME}.timestep_embedder.linear_1",
        "time_in.out_layer": f"{_TIME}.timestep_embedder.linear_2",
        "guidance_in.in_layer": f"{_TIME}.guidance_embedder.linear_1",
        "guidance_in.out_layer": f"{_TIME}.guidance_embedder.linear_2",
        "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
        "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
        "single_stream_modulation.lin": "single_stream_modulation.linear",
        "double_blocks.*.img_attn.qkv": tuple(f"{_DOUBLE}.attn.to_{each}" for each in "qkv"),
        "double_blocks.*.txt_attn.qkv": tuple(f"{_DOUBLE}.attn.add_{each}_proj" for each in "qkv"),
        "double_blocks.*.img_attn.norm.query_norm": f"{_DOUBLE}.attn.norm_q",
        "double_blocks.*.img_attn.norm.key_norm": f"{_DOUBLE}.attn.norm_k",
        "double_blocks.*.txt_attn.norm.query_norm": f"{_DOUBLE}.attn.norm_added_q",
        "double_blocks.*.txt_attn.norm.key_norm": f"{_DOUBLE}.attn.norm_added_k",
        "double_blocks.*.img_attn.proj": f"{_DOUBLE}.attn.to_out.0",
        "double_blocks.*.txt_attn.proj": f"{_DOUBLE}.attn.to_add_out",
        "double_blocks.*.img_mlp.0": f"{_DOUBLE}.ff.linear_in",
        "double_blocks.*.img_mlp.2": f"{_DOUBLE}.ff.linear_out",
        "double_blocks.*.txt_mlp.0": f"{_DOUBLE}.ff_context.linear_in",
        "double_blocks.*.txt_mlp.2": f"{_DOUBLE}.ff_context.linear_out",
        "single_blocks.*.linear1": f"{_SINGLE}.attn.to_qkv_mlp_proj",
        "single_blocks.*.linear2": f"{_SINGLE}.attn.to_out",
        "single_blocks.*.norm.query_norm": f"{_SINGLE}.attn.norm_q",
        "single_blocks.*.norm.key_norm": f"{_SINGLE}.attn.norm_k",
        "final_layer.linear": "proj_out",
        "final_layer.adaLN_modulation.1": "norm_out.linear",
    },
    swapped=("norm_out.linear",),
)


def sizes(width: int) -> Sizes:
    """Rows and inputs of the layers of a Flux.2 of this width."""
    streams = {
        f"double_blocks.*.{each}_{layer}": (rows * width, inputs * width)
        for each in ("img", "txt")
        for layer, rows, inputs in (
            ("attn.qkv", 3, 1),
            ("attn.proj", 1, 1),
            ("mlp.0", 6, 1),
            ("mlp.2", 1, 3),
        )
    }
    return {
        **streams,
        "single_blocks.*.linear1": (9 * width, width),
        "single_blocks.*.linear2": (width, 4 * width),
    }


FLUX2_KLEIN_4B = Family(
    name="flux2_klein_4b",
    label="Flux.2 klein 4B",
    width=7680,
    in_channels={128: Task.TEXT_TO_IMAGE},
    space="flux2",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.06, 4.1),
    recommended=_DISTILLED,
    config="configs/flux2_klein_4b",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_4b"},
    denoiser="transformer",
    attention_packages=("flash-attn", "sage"),
    network="Flux2Transformer2DModel",
    text_length=512,
    text_multiple=512,
    pipelines=("Flux2KleinPipeline", "Flux2KleinInpaintPipeline", "Flux2KleinKVPipeline"),
    bases=("flux-2-klein-4b", "flux2-klein-4b"),
    variants={
        # published of the 9B alone; before "distilled", which its index may say as well
        "kv": Variant(
            _DISTILLED,
            label="KV",
            guidance=GuidanceKind.NONE,
            index={"_class_name": "Flux2KleinKVPipeline"},
            distilled=True,
            kv_cache=True,
        ),
        "distilled": Variant(
            _DISTILLED,
            guidance=GuidanceKind.NONE,
            index={"is_distilled": True},
            distilled=True,
        ),
        "base": Variant(
            RecommendedSettings("flow_euler", "simple", steps=20, guidance=5.0),
            index={"is_distilled": False},
        ),
    },
    variant="distilled",
    guidance=GuidanceKind.CFG_APART,
    shift=ScheduleShift.EMPIRICAL,
    comfyui_shift=exp(2.02),
    comfyui_clip=("flux2",),
    references=4,
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=Signature(
        NAMES,
        marks=(
            "img_in.weight",
            "txt_in.weight",
            "double_stream_modulation_img.lin.weight",
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
        counts={"num_layers": "double_blocks", "num_single_layers": "single_blocks"},
        flags={"guidance_embeds": Flag("guidance_in.in_layer.weight")},
        sizes=sizes(3072),
        blocks={"double_blocks": 5, "single_blocks": 20},
    ),
)
