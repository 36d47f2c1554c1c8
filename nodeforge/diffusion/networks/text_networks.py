"""Builds text encoders from their configurations: CLIP, T5, umT5, Qwen3, Qwen-VL, Mistral."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from nodeforge.diffusion.weights.configs import inner_config, text_encoder_config
from nodeforge.diffusion.weights.weights_file import stored_tensors
from nodeforge.models import TEXT_ENCODER_KINDS, is_whole_model, read_index
from nodeforge.values import TextEncoderPart

_CLIP, _SEEING = "CLIPTextModel", ("Qwen2_5_VL", "Qwen3VL")
_PROJECTING = f"{_CLIP}WithProjection"
_IMAGE_TOKENS = (
    *("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id"),
)
_QWEN_FIELDS = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"),
    *("num_attention_heads", "num_key_value_heads", "hidden_act", "max_position_embeddings"),
    *("rms_norm_eps", "rope_theta", "pad_token_id", "bos_token_id", "eos_token_id"),
)
_QWEN3_FIELDS = (*_QWEN_FIELDS, "head_dim", "attention_bias")
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
    "Qwen2_5_VL": _QWEN_FIELDS,
    "Qwen3VL": _QWEN3_FIELDS,
    "Qwen3": _QWEN3_FIELDS,
    "Mistral": _QWEN3_FIELDS,
}
"""What is read of a configuration, by how the class of its network begins."""

_VISION_FIELDS = (
    *("depth", "hidden_size", "hidden_act", "intermediate_size", "num_heads", "in_channels"),
    *("patch_size", "spatial_merge_size", "temporal_patch_size", "tokens_per_second"),
    *("window_size", "out_hidden_size", "fullatt_block_indexes"),
    *("num_position_embeddings", "deepstack_visual_indexes"),
)
"""What is read of the configuration of a network that sees pictures."""


def build_text_encoder(part: TextEncoderPart) -> nn.Module:
    """The network of a text encoder without its weights.

    Raises:
        LoadingError: its configuration is missing.
    """
    import transformers

    name, kind = _network_of(part), TEXT_ENCODER_KINDS[part.kind]
    start = next(each for each in _FIELDS if name.startswith(each))
    told = _with_rope({**text_encoder_config(part), **inner_config(part, "text_config")}, part)
    if start in _SEEING:
        return _seeing(start, part, told)
    config_of = getattr(transformers, {"CLIP": "CLIPTextConfig"}.get(start, f"{start}Config"))
    config = config_of(**{field: told[field] for field in _FIELDS[start] if field in told})
    if start.endswith("T5"):
        config.is_decoder = config.use_cache = False
    if not kind.layers:
        return getattr(transformers, name)(config)
    config.num_hidden_layers = min(config.num_hidden_layers, kind.layers)
    network = getattr(transformers, name)(config)
    network.norm = nn.Identity()
    return network


def _network_of(part: TextEncoderPart) -> str:
    """The class of its network; a whole model's index says whether CLIP projects."""
    usual = TEXT_ENCODER_KINDS[part.kind].network
    path = Path(part.weights.path)
    if not usual.startswith(_CLIP) or not is_whole_model(path):
        return usual
    index = read_index(path).get(part.weights.part)
    return _PROJECTING if isinstance(index, list) and _PROJECTING in index else _CLIP


def _seeing(start: str, part: TextEncoderPart, told: Mapping[str, Any]) -> nn.Module:
    """A language model beside a network that sees pictures; alone where its file has no such.

    Args:
        start: How its classes begin.
        part: Which text encoder.
        told: Its configuration; that of the language model is an object in it, or is it itself.
    """
    import transformers

    vision = inner_config(part, "vision_config")
    rope = _rope(part)
    text = {name: told[name] for name in _FIELDS[start] if name in told}
    text["rope_parameters"] = {
        "rope_type": "default",
        "rope_theta": text.pop("rope_theta", None) or rope["rope_theta"],
        "mrope_section": rope["mrope_section"],
    }
    if _is_blind(part):
        alone = getattr(transformers, f"{start}TextConfig")(**text)
        return getattr(transformers, f"{start}TextModel")(alone)
    config = getattr(transformers, f"{start}Config")(
        text_config=text,
        vision_config={name: vision[name] for name in _VISION_FIELDS if name in vision},
        **{name: told[name] for name in _IMAGE_TOKENS if name in told},
    )
    return getattr(transformers, f"{start}Model")(config)


def _is_blind(part: TextEncoderPart) -> bool:
    """Whether a file has the language model alone, as GGUF files do."""
    path = Path(part.weights.path)
    return path.is_file() and not any("visual." in name for name in stored_tensors(path))


def _with_rope(config: dict[str, Any], part: TextEncoderPart) -> dict[str, Any]:
    """`config` with what transformers 5 keeps in an object of its own."""
    theta = _rope(part).get("rope_theta")
    if "rope_theta" in config or not isinstance(theta, int | float) or not 1 < theta < 1e10:
        return config
    return {**config, "rope_theta": float(theta)}


def _rope(part: TextEncoderPart) -> dict[str, Any]:
    """What a configuration says of rotary positions, wherever versions of transformers put it."""
    places = (("text_config", "rope_parameters"), ("rope_parameters",), ("rope_scaling",))
    return next((found for place in places if (found := inner_config(part, *place))), {})
