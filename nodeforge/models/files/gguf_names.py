"""Names that llama.cpp gives the tensors of text encoders, as transformers has them.

Denoisers keep their authors' names in GGUF files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

_T5_TOP = {
    "token_embd.weight": "shared.weight",
    "enc.output_norm.weight": "encoder.final_layer_norm.weight",
}
_T5_LAYER = {
    "attn_q": "layer.0.SelfAttention.q",
    "attn_k": "layer.0.SelfAttention.k",
    "attn_v": "layer.0.SelfAttention.v",
    "attn_o": "layer.0.SelfAttention.o",
    "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias",
    "attn_norm": "layer.0.layer_norm",
    "ffn_gate": "layer.1.DenseReluDense.wi_0",
    "ffn_up": "layer.1.DenseReluDense.wi_1",
    "ffn_down": "layer.1.DenseReluDense.wo",
    "ffn_norm": "layer.1.layer_norm",
}
_QWEN_TOP = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_QWEN_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_T5 = (_T5_TOP, "enc.blk.", "encoder.block.", _T5_LAYER)
_QWEN = (_QWEN_TOP, "blk.", "model.layers.", _QWEN_LAYER)
_KNOWN = {
    **dict.fromkeys(("t5", "t5encoder"), _T5),
    **dict.fromkeys(("qwen2", "qwen2vl", "qwen3", "qwen3vl", "llama", "mistral3"), _QWEN),
}


def in_transformers_names(architecture: str, tensors: Mapping[str, Value]) -> dict[str, Value]:
    """`tensors` by transformers' names; those that have none, and other architectures, stay.

    Args:
        architecture: ``general.architecture`` of the file.
        tensors: By llama.cpp's names.
    """
    if (known := _KNOWN.get(architecture)) is None:
        return dict(tensors)
    top, theirs, ours, layer = known
    found = {}
    for name, value in tensors.items():
        number, _, inner = name.removeprefix(theirs).partition(".")
        module, _, own = inner.rpartition(".")
        if name.startswith(theirs) and module in layer:
            name = f"{ours}{number}.{layer[module]}.{own}"
        found[top.get(name, name)] = value
    return found
