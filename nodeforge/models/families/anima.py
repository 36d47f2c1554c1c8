"""Anima of CircleStone Labs, 2026, trained from NVIDIA's Cosmos-Predict2: the facts."""

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST
from nodeforge.models.families.common.family import (
    Conditioner,
    Family,
    GuidanceKind,
    RecommendedSettings,
    Task,
)
from nodeforge.models.families.common.original_names import OriginalNames
from nodeforge.models.families.common.signature import Side, Signature

_THEIRS, _OURS, _FIRST = "blocks.*", "transformer_blocks.*", "blocks.0"
_HEAD = 128
"""Numbers of an attention head of all published ones: no shape tells it."""
_ATTENTION = {
    **{f"{each}_proj": f"to_{each}" for each in "qkv"},
    "output_proj": "to_out.0",
    **{f"{each}_norm": f"norm_{each}" for each in "qk"},
}
_PARTS = {"self_attn": "1", "cross_attn": "2", "mlp": "3"}
_ADAPTER, _CONDITIONER = "llm_adapter", "text_conditioner"
_IN_ADAPTER = (
    *(
        f"{attention}.{layer}"
        for attention in ("self_attn", "cross_attn")
        for layer in ("q_proj", "k_proj", "v_proj", "o_proj")
    ),
    *("mlp.0", "mlp.2"),
)
_NAMES = OriginalNames(
    {
        **{
            f"{_THEIRS}.{part}_attn.{theirs}": f"{_OURS}.attn{number}.{ours}"
            for part, number in (("self", 1), ("cross", 2))
            for theirs, ours in _ATTENTION.items()
        },
        f"{_THEIRS}.mlp.layer1": f"{_OURS}.ff.net.0.proj",
        f"{_THEIRS}.mlp.layer2": f"{_OURS}.ff.net.2",
        **{
            f"{_THEIRS}.adaln_modulation_{part}.{layer}": f"{_OURS}.norm{number}.linear_{layer}"
            for part, number in _PARTS.items()
            for layer in (1, 2)
        },
        "x_embedder.proj.1": "patch_embed.proj",
        "t_embedder.1.linear_1": "time_embed.t_embedder.linear_1",
        "t_embedder.1.linear_2": "time_embed.t_embedder.linear_2",
        "t_embedding_norm": "time_embed.norm",
        "final_layer.adaln_modulation.1": "norm_out.linear_1",
        "final_layer.adaln_modulation.2": "norm_out.linear_2",
        "final_layer.linear": "proj_out",
        **{
            f"{_ADAPTER}.blocks.*.{layer}": f"{_CONDITIONER}.blocks.*.{layer}"
            for layer in _IN_ADAPTER
        },
        **{f"{_ADAPTER}.{each}": f"{_CONDITIONER}.{each}" for each in ("embed", "out_proj")},
    }
)
_WIDTH, _TEXT = 2048, 1024

ANIMA = Family(
    name="anima",
    label="Anima",
    width=_TEXT,
    in_channels={16: Task.TEXT_TO_IMAGE},
    space="wan21",
    prediction_types=("flow_prediction",),
    native_size=1024,
    size_multiple=16,
    area_range=(0.25, 2.3),
    licence="CircleStone Labs' non-commercial licence",
    recommended=RecommendedSettings(
        "flow_euler", "simple", 30, 4.0, steps_range=(15, 60), guidance_range=(2.0, 7.0)
    ),
    config="configs/anima",
    denoisers={Task.TEXT_TO_IMAGE: "transformer"},
    text_encoders={"text_encoder": "qwen3_06b"},
    encoder_files={"qwen3_06b": "qwen_3_06b_base.safetensors"},
    denoiser="transformer",
    network="CosmosTransformer3DModel",
    conditioners={
        _CONDITIONER: Conditioner(
            "AnimaTextConditioner",
            {
                f"{_ADAPTER}.{part}": part
                for part in ("embed", "in_proj", "blocks", "out_proj", "norm")
            },
        )
    },
    numbered_words="t5_xxl",
    cells_in_side=2,
    folds_cells=False,
    text_length=512,
    pipelines=("AnimaModularPipeline",),
    bases=("anima",),
    guidance=GuidanceKind.CFG_APART,
    comfyui_shift=3.0,
    rounds_strength_up=True,
    dtypes=BFLOAT16_FIRST,
    blocks=("CosmosTransformerBlock",),
    companions=True,
    signature=Signature(
        _NAMES,
        marks=(
            "x_embedder.proj.1.weight",
            f"{_FIRST}.adaln_modulation_self_attn.1.weight",
            "final_layer.linear.weight",
            f"{_ADAPTER}.embed.weight",
        ),
        sides={
            "in_channels": Side("x_embedder.proj.1.weight", 1, 4, beside=1),
            "out_channels": Side("final_layer.linear.weight", 0, 4),
            "num_attention_heads": Side(f"{_FIRST}.self_attn.q_proj.weight", 0, _HEAD),
            "text_embed_dim": Side(f"{_FIRST}.cross_attn.k_proj.weight", 1),
            "adaln_lora_dim": Side(f"{_FIRST}.adaln_modulation_self_attn.1.weight", 0),
        },
        latent=Side("final_layer.linear.weight", 0, 4),
        text=Side(f"{_FIRST}.cross_attn.k_proj.weight", 1),
        counts={"num_layers": "blocks"},
        sizes={
            f"{_THEIRS}.self_attn.q_proj": (_WIDTH, _WIDTH),
            f"{_THEIRS}.self_attn.output_proj": (_WIDTH, _WIDTH),
            f"{_THEIRS}.cross_attn.q_proj": (_WIDTH, _WIDTH),
            f"{_THEIRS}.cross_attn.k_proj": (_WIDTH, _TEXT),
            f"{_THEIRS}.mlp.layer1": (4 * _WIDTH, _WIDTH),
            f"{_THEIRS}.mlp.layer2": (_WIDTH, 4 * _WIDTH),
            f"{_ADAPTER}.blocks.*.self_attn.q_proj": (_TEXT, _TEXT),
        },
        blocks={"blocks": 28, f"{_ADAPTER}.blocks": 6},
        common_names=("blocks.",),
    ),
)
