"""ACE-Step 1.5 of ACE Studio and StepFun, 2026: the facts."""

from dataclasses import replace

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Conditioner,
    Family,
    GuidanceKind,
    RecommendedSettings,
    SoundLength,
    Task,
    Variant,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature
from nodeforge.values.guidance import Projection

_BLOCK, _OURS, _FIRST = "decoder.layers.*", "layers.*", "decoder.layers.0"
_HEAD = 128
"""Numbers of an attention head of all published ones: no shape tells it."""
_ATTENTION = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "o_proj": "to_out.0"}
_NORMS = {"q_norm": "norm_q", "k_norm": "norm_k"}
_SAME_IN_BLOCK = (
    *("self_attn_norm", "cross_attn_norm", "mlp_norm"),
    *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
)
_IN_BLOCK = {
    **{
        f"{attention}.{theirs}": f"{attention}.{ours}"
        for attention in ("self_attn", "cross_attn")
        for theirs, ours in (_ATTENTION | _NORMS).items()
    },
    **{same: same for same in _SAME_IN_BLOCK},
}
_SAME = (
    *("condition_embedder", "norm_out"),
    *(
        f"{time}.{layer}"
        for time in ("time_embed", "time_embed_r")
        for layer in ("linear_1", "linear_2", "time_proj")
    ),
)

NAMES = OriginalNames(
    {
        **{f"{_BLOCK}.{theirs}": f"{_OURS}.{ours}" for theirs, ours in _IN_BLOCK.items()},
        **{f"decoder.{same}": same for same in _SAME},
        "decoder.proj_in.1": "proj_in_conv",
        "decoder.proj_out.1": "proj_out_conv",
    },
    # trainers wrap the denoiser alone, which the authors' files call the decoder
    aliases={f"{_OURS}.{theirs}": f"{_OURS}.{ours}" for theirs, ours in _IN_BLOCK.items()},
    tensors={
        f"{_BLOCK}.scale_shift_table": f"{_OURS}.scale_shift_table",
        "decoder.scale_shift_table": "scale_shift_table",
    },
)
SIGNATURE = Signature(
    NAMES,
    marks=(
        "decoder.proj_in.1.weight",
        "decoder.time_embed_r.linear_1.weight",
        f"{_FIRST}.cross_attn_norm.weight",
    ),
    sides={
        "in_channels": Side("decoder.proj_in.1.weight", 1),
        "hidden_size": Side("decoder.norm_out.weight", 0),
        "encoder_hidden_size": Side("decoder.condition_embedder.weight", 1),
        "intermediate_size": Side(f"{_FIRST}.mlp.gate_proj.weight", 0),
        "num_attention_heads": Side(f"{_FIRST}.self_attn.q_proj.weight", 0, _HEAD),
        "num_key_value_heads": Side(f"{_FIRST}.self_attn.k_proj.weight", 0, _HEAD),
    },
    latent=Side("decoder.proj_in.1.weight", 1),
    text=Side("decoder.condition_embedder.weight", 1),
    counts={"num_hidden_layers": "decoder.layers"},
    sizes={
        f"{_BLOCK}.self_attn.q_proj": (2048, 2048),
        f"{_BLOCK}.self_attn.k_proj": (1024, 2048),
        f"{_BLOCK}.cross_attn.q_proj": (2048, 2048),
        f"{_BLOCK}.cross_attn.k_proj": (1024, 2048),
        f"{_BLOCK}.mlp.gate_proj": (6144, 2048),
    },
    blocks={"decoder.layers": 24},
    common_names=("",),
)
_LAYERS = {"lyric_encoder": 8, "timbre_encoder": 4}
_CONDITIONS = Conditioner(
    "AceStepConditionEncoder",
    {
        **{f"encoder.{name}": name for name in ("text_projector", *_LAYERS)},
        **{
            f"encoder.{reader}.layers.{number}.self_attn.{theirs}": (
                f"{reader}.layers.{number}.self_attn.{ours}"
            )
            for reader, layers in _LAYERS.items()
            for number in range(layers)
            for theirs, ours in (_ATTENTION | _NORMS).items()
        },
        "null_condition_emb": "null_condition_emb",
    },
    silence="silence_latent",
)
_BASE = RecommendedSettings(
    "flow_euler",
    "simple",
    steps=50,
    guidance=7.0,
    steps_range=(20, 100),
    guidance_range=(3.0, 15.0),
)
_TURBO = replace(_BASE, steps=8, guidance=1.0, steps_range=(4, 20), guidance_range=(1.0, 1.0))

ACE_STEP = Family(
    name="ace_step",
    label="ACE-Step 1.5",
    width=2048,
    in_channels={192: Task.TEXT_TO_IMAGE},
    latents_read=3,  # what is drawn, what it is drawn over, and where
    space="ace_step",
    prediction_types=("flow_prediction",),
    native_size=0,
    size_multiple=1,
    recommended=_BASE,
    config="configs/ace_step",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_06b"},
    encoder_files={"qwen3_06b": "qwen_0.6b_ace15.safetensors"},
    denoiser="transformer",
    network="AceStepTransformer1DModel",
    conditioners={"condition_encoder": _CONDITIONS},
    text_length=256,
    lyrics_length=2048,
    pipelines=("AceStepPipeline",),
    bases=("ace-step", "acestep", "ace_step"),
    variants={
        "turbo": Variant(
            _TURBO, guidance=GuidanceKind.NONE, index={"is_turbo": True}, distilled=True
        ),
        "base": Variant(_BASE, words=("base", "sft"), index={"is_turbo": False}),
    },
    variant="base",
    projection=Projection(momentum=-0.75, threshold=2.5, along_time=True),
    guides_from_positive=True,
    pipeline_shift=3.0,
    comfyui_shift=3.0,
    comfyui_clip=("ace",),
    dtypes=BFLOAT16_FIRST,
    companions=True,
    signature=SIGNATURE,
    blocks=("AceStepTransformerBlock", "AceStepEncoderLayer"),
    sound=SoundLength(
        cells=15000, most_seconds=600.0, usual_seconds=60.0, fitted=True, time_first=True, peak=-1.0
    ),
)
