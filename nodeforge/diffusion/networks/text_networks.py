"""Builds text encoders from their configurations: CLIP, T5, umT5, Qwen3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from nodeforge.diffusion.weights.configs import own_folder, text_encoder_config
from nodeforge.models import TEXT_ENCODER_KINDS, is_whole_model, read_config
from nodeforge.values import TextEncoderPart

_CLIP = "CLIPTextModel"
_PROJECTING = f"{_CLIP}WithProjection"
_T5_FIELDS = (
    *("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads"),
    *("relative_attention_num_buckets", "relative_attention_max_distance"),
    *("layer_norm_epsilon", "feed_forward_proj", "pad_token_id", "eos_token_id"),
)
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "CLIP": (
        *("vocab_size", "hidden_size", "intermediate_size", "projection_dim"),
        *("num_hidden_layers", "num_attention_heads", "max_position_embeddings", "hidden_act"),
        *("layer_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id"),
    ),
    "T5": _T5_FIELDS,
    "UMT5": _T5_FIELDS,
    "Qwen3": (
        *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"),
        *("num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act"),
        *("max_position_embeddings", "rms_norm_eps", "attention_bias", "rope_theta"),
        *("pad_token_id", "bos_token_id", "eos_token_id"),
    ),
}
"""What is read of a configuration, by how the class of its network begins."""


def build_text_encoder(part: TextEncoderPart) -> nn.Module:
    """The network of a text encoder without its weights.

    Raises:
        LoadingError: its configuration is missing.
    """
    import transformers

    name = _network_of(part)
    start = next(each for each in _FIELDS if name.startswith(each))
    told = _with_rope(text_encoder_config(part), part)
    config_of = getattr(transformers, {"CLIP": "CLIPTextConfig"}.get(start, f"{start}Config"))
    config = config_of(**{field: told[field] for field in _FIELDS[start] if field in told})
    if start.endswith("T5"):
        config.is_decoder = config.use_cache = False
    return getattr(transformers, name)(config)


def _network_of(part: TextEncoderPart) -> str:
    """The class of its network; a whole model's index says whether CLIP projects."""
    usual = TEXT_ENCODER_KINDS[part.kind].network
    path = Path(part.weights.path)
    if not usual.startswith(_CLIP) or not is_whole_model(path):
        return usual
    index = read_config(path / "model_index.json").get(part.weights.part)
    return _PROJECTING if isinstance(index, list) and _PROJECTING in index else _CLIP


def _with_rope(config: dict[str, Any], part: TextEncoderPart) -> dict[str, Any]:
    """`config` with what transformers 5 keeps in an object of its own."""
    folder = own_folder(part.weights)
    if "rope_theta" in config or folder is None:
        return config
    rope = read_config(folder / "config.json").get("rope_parameters")
    theta = rope.get("rope_theta") if isinstance(rope, dict) else None
    if isinstance(theta, int | float) and 1 < theta < 1e10:
        return {**config, "rope_theta": float(theta)}
    return config
