"""Checks the values of a model folder's configurations before anything is built of them.

Model folders come from strangers. A configuration may hold plain numbers, texts and short lists
within bounds; nothing in it can name a class, a kernel, a repository or a download.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError

MOST = 65_536
"""Of a whole number without a bound of its own."""

BOUNDS: Mapping[str, int] = {
    "layers_per_block": 32,
    "transformer_layers_per_block": 64,
    "reverse_transformer_layers_per_block": 64,
    "num_res_blocks": 32,
    "num_hidden_layers": 128,
    "num_attention_heads": 1_024,
    "attention_head_dim": 4_096,
    "in_channels": 4_096,
    "out_channels": 4_096,
    "latent_channels": 4_096,
    "block_out_channels": 16_384,
    "channels": 16_384,
    "hidden_size": 16_384,
    "intermediate_size": 2**18,
    "vocab_size": 2**20,
    **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 2**20),
    **dict.fromkeys(("image_token_id", "video_token_id", "vision_token_id"), 2**20),
    **dict.fromkeys(("vision_start_token_id", "vision_end_token_id"), 2**20),
    "max_position_embeddings": 2**20,
    "rope_theta": 2**32,
    "num_layers": 256,
    "depth": 256,
    "num_single_layers": 256,
    "n_layers": 256,
    "n_refiner_layers": 256,
    "approximator_layers": 256,
    "d_model": 16_384,
    "d_ff": 2**18,
    "dim": 16_384,
    "image_size": 2_048,
    "num_class_embeds": 2**20,
    "num_train_timesteps": 10_000,
}
"""Largest whole numbers, by field; far above those of any published model."""

MOST_LAYERS = 2_000
"""Blocks, times the layers of each, times the transformer layers of each; SDXL has 90."""

_WHOLE = (int,)
_NUMBER = (int, float)
_LIST = (list,)
KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("in_channels", "out_channels", "latent_channels"), _WHOLE),
    **dict.fromkeys(("num_train_timesteps", "num_hidden_layers", "hidden_size"), _WHOLE),
    **dict.fromkeys(("intermediate_size", "vocab_size", "max_position_embeddings"), _WHOLE),
    **dict.fromkeys(("beta_start", "beta_end", "scaling_factor"), _NUMBER),
    **dict.fromkeys(("block_out_channels", "down_block_types", "up_block_types"), _LIST),
    **dict.fromkeys(("layers_per_block", "transformer_layers_per_block"), (int, list)),
    **dict.fromkeys(("beta_schedule", "prediction_type", "act_fn", "hidden_act"), (str,)),
}
"""Kinds of the fields that NodeForge itself reads, or that decide how much is built."""

_LISTS = {"trained_betas": 10_000}
_MOST_ENTRIES = 64
_is_name = re.compile(r"[A-Za-z0-9_.+-]{1,64}").fullmatch
_OWN = "_class_name"


def checked(config: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The fields of `config` that a network or scheduler can have.

    Fields that begin with ``_`` (but for the class name) and those that hold objects are left
    out.

    Args:
        config: A configuration as it was read.
        file: Where it stands, for messages.

    Raises:
        LoadingError: a value is of a wrong kind, or out of bounds.
    """
    made = {}
    for name, value in config.items():
        if isinstance(value, dict) or (name.startswith("_") and name != _OWN):
            continue
        kinds = KINDS.get(name, (object,))
        odd = not isinstance(value, kinds) or (name in KINDS and isinstance(value, bool))
        if value is not None and odd:
            wanted = " or ".join(_CALLED[kind] for kind in kinds)
            raise _refused(file, f"its '{name}' is {_short(value)}, where {wanted} belongs")
        _check(name, value, file)
        made[name] = value
    _check_layers(made, file)
    return made


_CALLED = {int: "a whole number", float: "a number", str: "a text", list: "a list"}


def _check(name: str, value: Any, file: Path, depth: int = 0) -> None:
    match value:
        case None | bool():
            return
        case int():
            most = BOUNDS.get(name, MOST)
            if not -1 <= value <= most:
                raise _refused(file, f"its '{name}' is {_short(value)}; at most {most:,} is read")
        case float():
            # diffusers writes -Infinity for "lambda_min_clipped"
            if math.isnan(value) or (math.isfinite(value) and abs(value) > 1e9):
                raise _refused(file, f"its '{name}' is {value}, which is out of range")
        case str():
            # paths and repositories are no names; fields that hold them are not read by a network
            if name in KINDS and not _is_name(value):
                raise _refused(file, f"its '{name}' is {_short(value)}, which is no name")
        case list() if depth < 2:
            most = _LISTS.get(name, _MOST_ENTRIES)
            if len(value) > most:
                raise _refused(file, f"its '{name}' has {len(value):,} entries; at most {most:,}")
            for each in value:
                _check(name, each, file, depth + 1)
        case _:
            raise _refused(file, f"its '{name}' is {_short(value)}, which cannot be read")


def _check_layers(config: Mapping[str, Any], file: Path) -> None:
    blocks = len(config.get("block_out_channels") or config.get("channels") or ())
    each = _largest(config.get("layers_per_block") or config.get("num_res_blocks"))
    layers = blocks * each * _largest(config.get("transformer_layers_per_block"))
    if layers > MOST_LAYERS:
        raise _refused(file, f"it asks for {layers:,} layers; at most {MOST_LAYERS:,} are built")


def _largest(value: Any) -> int:
    if isinstance(value, list):
        return max(map(_largest, value), default=1)
    return value if isinstance(value, int) else 1


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _refused(file: Path, fact: str) -> LoadingError:
    return LoadingError(
        f"{fact}.",
        place=f"{file.parent.name}/{file.name}",
        way_out="Download the model's folder again, or take this file from the original model.",
    )
