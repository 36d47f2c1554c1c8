"""Flux.3 klein of Black Forest Labs, 2026: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    Task,
    Variant,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Flag, Side, Signature, Sizes

_BASE = RecommendedSettings(
    "flow_euler", "simple", 50, 3.5, steps_range=(15, 60), guidance_range=(2.0, 6.0)
)
_DISTILLED = RecommendedSettings(
    "flow_euler", "simple", 16, 1.0, steps_range=(1, 32), guidance_range=(1.0, 1.0)
)

_SEEN = ("image", "image_cond")
"""The new picture, and those that it is made by."""
_BLOCKS = {
    **{f"content_mode_blocks.{each}": f"mode_blocks.{each}" for each in _SEEN},
    "txt_mode_blocks": "txt_mode_blocks",
    "single_blocks": "single_transformer_blocks",
}
"""What diffusers calls the authors' kinds of blocks."""
_IN_BLOCK = {
    **{f"{each}_proj": f"attn.to_{each}" for each in "qkv"},
    "attn_out": "attn.to_out.0",
    "norm.query_norm": "attn.norm_q",
    "norm.key_norm": "attn.norm_k",
    "mlp_in": "ff.linear_in",
    "mlp_out": "ff.linear_out",
}
_NAMES = OriginalNames(
    {
        **{
            f"{theirs}.*.{inner}": f"{ours}.*.{renamed}"
            for theirs, ours in _BLOCKS.items()
            for inner, renamed in _IN_BLOCK.items()
        },
        **{
            f"{stream}_stream_modulations.{each}.lin": f"{stream}_stream_modulations.{each}.linear"
            for stream in ("early", "single")
            for each in (*_SEEN, "txt")
        },
        **{f"emb_in.{each}": f"x_embedders.{each}" for each in _SEEN},
        "txt_in": "context_embedder",
        "time_in.in_layer": "timestep_embedder.linear_1",
        "time_in.out_layer": "timestep_embedder.linear_2",
        "ref_time_in.in_layer": "target_timestep_embedder.linear_1",
        "ref_time_in.out_layer": "target_timestep_embedder.linear_2",
        "final_layer.image.linear": "proj_out",
        "final_layer.image.adaLN_modulation.1": "norm_out.linear",
    },
    swapped=("norm_out.linear",),
)

_WIDTH, _INNER = 3072, 9216
_JUMPS = "ref_time_in.in_layer.weight"
"""Reads the time that a step jumps to."""


def _sizes(block: str) -> Sizes:
    return {
        **{f"{block}.*.{each}_proj": (_WIDTH, _WIDTH) for each in "qkv"},
        f"{block}.*.attn_out": (_WIDTH, _WIDTH),
        f"{block}.*.mlp_in": (2 * _INNER, _WIDTH),
        f"{block}.*.mlp_out": (_WIDTH, _INNER),
    }


FLUX3_KLEIN = Family(
    name="flux3_klein",
    label="Flux.3 klein",
    width=20480,
    in_channels={128: Task.TEXT_TO_IMAGE},
    space="flux2",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.06, 4.1),
    recommended=_DISTILLED,
    config="configs/flux3_klein",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_vl_4b"},
    denoiser="transformer",
    attention_packages=("flash-attn", "sage"),
    network="Flux3Transformer2DModel",
    text_length=8192,
    text_multiple=80,
    pipelines=("Flux3ModularPipeline", "Flux3DistilledModularPipeline"),
    bases=("flux-3", "flux3", "flux_3"),
    variants={
        "distilled": Variant(
            _DISTILLED,
            guidance=GuidanceKind.NONE,
            index={"flow_map": True},
            tensors={_JUMPS: True},
            distilled=True,
        ),
        "base": Variant(_BASE, index={"flow_map": False}, tensors={_JUMPS: False}),
    },
    variant="distilled",
    guidance=GuidanceKind.CFG_APART,
    comfyui_clip=("flux3",),
    references=10,
    reference_name="<ref_image_{}>",
    first_reference=0,
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    in_full=("norm_q", "norm_k"),  # what they make is turned by its place in float32
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "emb_in.image.weight",
            "txt_in.weight",
            "early_stream_modulations.image.lin.weight",
            "final_layer.image.linear.weight",
        ),
        sides={
            "in_channels": Side("emb_in.image.weight", 1),
            "cond_in_channels": Side("emb_in.image_cond.weight", 1),
            "num_attention_heads": Side("emb_in.image.weight", 0, 128),
            "joint_attention_dim": Side("txt_in.weight", 1),
            "timestep_channels": Side("time_in.in_layer.weight", 1),
        },
        latent=Side("final_layer.image.linear.weight", 0),
        text=Side("txt_in.weight", 1),
        counts={"num_layers": "txt_mode_blocks", "num_single_layers": "single_blocks"},
        flags={"flow_map": Flag(_JUMPS)},
        sizes={name: size for block in _BLOCKS for name, size in _sizes(block).items()},
        blocks={**dict.fromkeys(_BLOCKS, 5), "single_blocks": 28},
    ),
)
