"""Stable Diffusion 3 and 3.5 of Stability AI, 2024: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Family,
    GuidanceKind,
    RecommendedSettings,
    Task,
    Variant,
)
from nodeforge.models.families.common.few_steps import STABILITY
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Flag, Side, Signature, Sizes


def _settings(steps: int, guidance: float) -> RecommendedSettings:
    return RecommendedSettings(
        "flow_euler", "normal", steps, guidance, steps_range=(15, 60), guidance_range=(2.0, 9.0)
    )


_OURS, _PICTURE, _TEXT = (
    "transformer_blocks.*",
    "joint_blocks.*.x_block",
    "joint_blocks.*.context_block",
)
_TIME_TEXT = "time_text_embed"
_NAMES = OriginalNames(
    {
        f"{_PICTURE}.attn.qkv": tuple(f"{_OURS}.attn.to_{each}" for each in "qkv"),
        f"{_PICTURE}.attn2.qkv": tuple(f"{_OURS}.attn2.to_{each}" for each in "qkv"),
        f"{_TEXT}.attn.qkv": tuple(f"{_OURS}.attn.add_{each}_proj" for each in "qkv"),
        **{f"{_PICTURE}.attn.ln_{each}": f"{_OURS}.attn.norm_{each}" for each in "qk"},
        **{f"{_PICTURE}.attn2.ln_{each}": f"{_OURS}.attn2.norm_{each}" for each in "qk"},
        **{f"{_TEXT}.attn.ln_{each}": f"{_OURS}.attn.norm_added_{each}" for each in "qk"},
        f"{_PICTURE}.attn.proj": f"{_OURS}.attn.to_out.0",
        f"{_PICTURE}.attn2.proj": f"{_OURS}.attn2.to_out.0",
        f"{_TEXT}.attn.proj": f"{_OURS}.attn.to_add_out",
        f"{_PICTURE}.mlp.fc1": f"{_OURS}.ff.net.0.proj",
        f"{_PICTURE}.mlp.fc2": f"{_OURS}.ff.net.2",
        f"{_TEXT}.mlp.fc1": f"{_OURS}.ff_context.net.0.proj",
        f"{_TEXT}.mlp.fc2": f"{_OURS}.ff_context.net.2",
        f"{_PICTURE}.adaLN_modulation.1": f"{_OURS}.norm1.linear",
        f"{_TEXT}.adaLN_modulation.1": f"{_OURS}.norm1_context.linear",
        "x_embedder.proj": "pos_embed.proj",
        "context_embedder": "context_embedder",
        "t_embedder.mlp.0": f"{_TIME_TEXT}.timestep_embedder.linear_1",
        "t_embedder.mlp.2": f"{_TIME_TEXT}.timestep_embedder.linear_2",
        "y_embedder.mlp.0": f"{_TIME_TEXT}.text_embedder.linear_1",
        "y_embedder.mlp.2": f"{_TIME_TEXT}.text_embedder.linear_2",
        "final_layer.linear": "proj_out",
        "final_layer.adaLN_modulation.1": "norm_out.linear",
    },
    swapped=("norm_out.linear", f"{_OURS}.norm1_context.linear"),
    tensors={"pos_embed": "pos_embed.pos_embed"},
)
_HEAD = 64
_NORMED = "joint_blocks.0.x_block.attn.ln_q.weight"
_TWICE = "joint_blocks.0.x_block.attn2.qkv.weight"


def _sizes(width: int) -> Sizes:
    sides = (_PICTURE, _TEXT)
    return {
        **{f"{side}.attn.qkv": (3 * width, width) for side in sides},
        **{f"{side}.attn.proj": (width, width) for side in sides},
        **{f"{side}.mlp.fc1": (4 * width, width) for side in sides},
        **{f"{side}.mlp.fc2": (width, 4 * width) for side in sides},
        f"{_PICTURE}.attn2.qkv": (3 * width, width),
        f"{_PICTURE}.attn2.proj": (width, width),
        "context_embedder": (width, 4096),
    }


SD3 = Family(
    name="sd3",
    label="SD 3",
    width=4096,
    in_channels={16: Task.TEXT_TO_IMAGE},
    space="sd3",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.25, 2.0),
    licence=STABILITY,
    recommended=_settings(40, 4.5),
    config="configs/sd3",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={
        "text_encoder": "clip_l",
        "text_encoder_2": "clip_g",
        "text_encoder_3": "t5_xxl",
    },
    optional_encoders=("t5_xxl",),
    denoiser="transformer",
    network="SD3Transformer2DModel",
    cells_in_side=2,
    folds_cells=False,
    text_layer=2,
    text_length=256,
    chunk_first=True,
    pipelines=(
        "StableDiffusion3Pipeline",
        "StableDiffusion3Img2ImgPipeline",
        "StableDiffusion3InpaintPipeline",
    ),
    bases=("stable-diffusion-3", "stable-diffusion-v3", "sd3", "sd-3"),
    variants={
        "medium": Variant(_settings(28, 7.0), tensors={_NORMED: False}),
        "medium_35": Variant(_settings(40, 4.5), label="3.5 Medium", tensors={_TWICE: True}),
        "large": Variant(
            _settings(28, 3.5), label="3.5 Large", tensors={_NORMED: True, _TWICE: False}
        ),
        "turbo": Variant(
            RecommendedSettings(
                "flow_euler", "normal", 4, 1.0, steps_range=(1, 8), guidance_range=(1.0, 1.5)
            ),
            label="3.5 Large Turbo",
            tensors={_NORMED: True, _TWICE: False},
            distilled=True,
        ),
    },
    variant="large",
    guidance=GuidanceKind.CFG,
    comfyui_shift=3.0,
    comfyui_clip=("sd3",),
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    blocks=("JointTransformerBlock",),
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "x_embedder.proj.weight",
            "context_embedder.weight",
            "joint_blocks.0.context_block.attn.qkv.weight",
            "final_layer.linear.weight",
        ),
        sides={
            "in_channels": Side("x_embedder.proj.weight", 1),
            "out_channels": Side("final_layer.linear.weight", 0, 4),
            "num_attention_heads": Side("x_embedder.proj.weight", 0, _HEAD),
            "caption_projection_dim": Side("context_embedder.weight", 0),
            "joint_attention_dim": Side("context_embedder.weight", 1),
            "pooled_projection_dim": Side("y_embedder.mlp.0.weight", 1),
            "pos_embed_max_size": Side("pos_embed", 1, squared=True),
        },
        latent=Side("final_layer.linear.weight", 0, 4),
        text=Side("context_embedder.weight", 1),
        counts={"num_layers": "joint_blocks"},
        flags={"qk_norm": Flag(_NORMED, "rms_norm", None)},
        listed={"dual_attention_layers": _TWICE.replace("0", "*", 1)},
        sizes=_sizes(1536),
        other_sizes=(_sizes(2432),),
        blocks={"joint_blocks": 38},
        common_names=(f"{_PICTURE}.attn2.",),
    ),
)
