"""Maps tensor names of shared layouts (LDM, OpenCLIP) to parameters of networks.

Names are matched before any tensor is read; for UNets, VAEs and ControlNets by diffusers' own
converters, run on stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from nodeforge.diffusion.weights import oobleck, wan_vae
from nodeforge.diffusion.weights.original_layout import from_original
from nodeforge.diffusion.weights.weights_file import StoredTensor
from nodeforge.models import (
    FAMILIES,
    TEXT_ENCODER_KINDS,
    VAE_PREFIXES,
    Family,
    bundled_prefix,
    read_header,
)
from nodeforge.values import Model, NetworkRecipe, TextEncoderPart, Vae

Source = TypeVar("Source")

MARKS = (
    *("model.diffusion_model.", "first_stage_model.", "cond_stage_model.", "conditioner."),
    *("encoder.down.", "decoder.up.", "control_model.", "input_hint_block.", "input_blocks."),
    *("token_embedding.", "transformer.resblocks."),
)
"""How names begin in files of the LDM layout; diffusers says ``down_blocks``."""

_UNET = "model.diffusion_model."
_LEFT_OUT = {"time_embedding.cond_proj.weight": f"{_UNET}time_embed.cond_proj.weight"}
"""What diffusers' converter leaves out: where LCM's denoisers are told the guidance scale."""

_CLIP = ("cond_stage_model.transformer.", "conditioner.embedders.0.transformer.")
_OPEN_CLIP = {
    "text_encoder": ("cond_stage_model.model.", ""),
    "text_encoder_2": ("conditioner.embedders.1.model.", "conditioner.embedders.0.model.", ""),
}
_OPEN_CLIP_TOP = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
_OLD_ATTENTION = {
    ".query.": ".to_q.",
    ".key.": ".to_k.",
    ".value.": ".to_v.",
    ".proj_attn.": ".to_out.0.",
}


_ARCHITECTURE = "general.architecture"
"""What every GGUF file says."""
_TURNED = ("self_attn.q_proj.weight", "self_attn.k_proj.weight")
"""Of language models, by their places."""

_STATISTICS = "bn."
"""Batch normalisation of Flux.2's latents, which the converter leaves out as well."""


class _StandIn:
    """Takes a tensor's place while names are converted; a slice of it is still the tensor."""

    def __init__(self, stored: StoredTensor) -> None:
        self.stored = stored
        self.shape = stored.shape
        self.ndim = len(stored.shape)

    def __getitem__(self, _: object) -> _StandIn:
        return self


def tensors_of(
    recipe: NetworkRecipe, there: Mapping[str, StoredTensor], network: nn.Module
) -> dict[str, StoredTensor]:
    """What one network is read from, of a file in any layout; names are diffusers', or nearly.

    Args:
        recipe: Which network it is.
        there: The file's tensors.
        network: The network without its weights.
    """
    match recipe:
        case Model() if signature := FAMILIES[recipe.weights.family].signature:
            shapes = {name: tuple(each.shape) for name, each in network.state_dict().items()}
            family = FAMILIES[recipe.weights.family]
            found = from_original(signature, there, shapes) or dict(there)
            place = signature.find(there)
            return found | _conditioners(family, place.prefix if place else "", there)
        case TextEncoderPart():
            if prefix := bundled_prefix(TEXT_ENCODER_KINDS[recipe.kind], there):
                return _under(prefix, there)
            kind = TEXT_ENCODER_KINDS[recipe.kind]
            if kind.paired_in_gguf and _is_gguf(Path(recipe.weights.path)):
                config: Any = network.config
                return _unpaired(there, config.head_dim)
        case Vae() if inside := _under("vae.", there):
            there = inside
        case _:
            pass
    if isinstance(recipe, Vae):
        for prefix in VAE_PREFIXES:
            if f"{prefix}{wan_vae.MARK}" in there:
                return wan_vae.from_wan(_under(prefix, there), network.config)
            if f"{prefix}{oobleck.MARK}" in there:
                return oobleck.from_oobleck(_under(prefix, there))
    if any(name.startswith(MARKS) for name in there):
        return from_ldm(recipe.weights.part, there, getattr(network, "config", None))
    return dict(there)


def _is_gguf(path: Path) -> bool:
    return path.is_file() and _ARCHITECTURE in read_header(path).metadata


def _unpaired(there: Mapping[str, StoredTensor], head: int) -> dict[str, StoredTensor]:
    """A language model with its queries and keys as transformers turns them.

    Args:
        there: Its tensors, by transformers' names.
        head: Rows of a head.
    """
    return {
        name: stored.unpaired(head) if name.endswith(_TURNED) else stored
        for name, stored in there.items()
    }


def _conditioners(
    family: Family, prefix: str, there: Mapping[str, StoredTensor]
) -> dict[str, StoredTensor]:
    """The tensors of a family's conditioners, as modules of its denoiser.

    Args:
        family: With its conditioners.
        prefix: What the file puts before the names of the denoiser, and may before theirs.
        there: The file's tensors.
    """
    found = {}
    for part, conditioner in family.conditioners.items():
        for name, stored in there.items():
            if name.startswith(f"{part}."):
                found[name] = stored
            plain = name.removeprefix(prefix)
            for theirs, ours in conditioner.names.items():
                if plain == theirs or plain.startswith(f"{theirs}."):
                    found[f"{part}.{ours}{plain.removeprefix(theirs)}"] = stored
    return found


def from_ldm(part: str, there: Mapping[str, StoredTensor], config: Any) -> dict[str, StoredTensor]:
    """What each parameter is read from, for one network of a file in LDM layout.

    Args:
        part: ``unet``, ``vae``, ``controlnet``, ``text_encoder`` or ``text_encoder_2``.
        there: The file's tensors.
        config: The network's diffusers config.
    """
    if part in _OPEN_CLIP:
        return _text(part, there)
    from diffusers.loaders import single_file_utils as converters

    checkpoint = {name: _StandIn(stored) for name, stored in there.items()}
    if part == "unet":
        if not any(name.startswith(_UNET) for name in checkpoint):  # the denoiser alone
            checkpoint = {_UNET + name: stand_in for name, stand_in in checkpoint.items()}
        converted = converters.convert_ldm_unet_checkpoint(checkpoint, config)
        converted |= {new: checkpoint[old] for new, old in _LEFT_OUT.items() if old in checkpoint}
    elif part == "vae":
        converted = converters.convert_ldm_vae_checkpoint(checkpoint, config)
        for prefix in ("first_stage_model.", ""):
            inside = {n.removeprefix(prefix): v for n, v in checkpoint.items()}
            converted |= {n: v for n, v in inside.items() if n.startswith(_STATISTICS)}
    else:
        converted = converters.convert_controlnet_checkpoint(checkpoint, config)
    return {name: stand_in.stored for name, stand_in in converted.items() if stand_in is not None}


def matched(parameters: Iterable[str], sources: Mapping[str, Source]) -> dict[str, Source]:
    """What each parameter is read from, allowing for names that older versions wrote.

    Parameters without a tensor are missing from the result.
    """
    found = {}
    by_current_name = {_current(name): source for name, source in sources.items()}
    for parameter in parameters:
        if (source := by_current_name.get(_current(parameter))) is not None:
            found[parameter] = source
    return found


_TIED = ("shared.weight", "encoder.embed_tokens.weight")
"""T5's table of words, which files name once or twice."""


def with_tied(parameters: Iterable[str], found: Mapping[str, Source]) -> dict[str, Source]:
    """`found` with the one table of words for each name that a network has for it."""
    table = next((found[name] for name in _TIED if name in found), None)
    if table is None:
        return dict(found)
    return {**{name: table for name in _TIED if name in set(parameters)}, **found}


def _current(name: str) -> str:
    """`name` without wrappers of text encoders, and with today's names of VAE attention."""
    for wrapper in ("text_model.", "language_model.", "model.", "language_model."):
        name = name.removeprefix(wrapper)
    if ".attentions." in name:
        for old, new in _OLD_ATTENTION.items():
            name = name.replace(old, new)
    return name


def _text(part: str, there: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """A text encoder as CLIP's authors name its tensors in transformers, or as open_clip does."""
    prefixes = _CLIP if part == "text_encoder" else ()
    for prefix in prefixes:
        inside = _under(prefix, there)
        if inside:
            return inside
    for prefix in _OPEN_CLIP[part]:
        if f"{prefix}positional_embedding" in there:
            return _from_open_clip(_under(prefix, there))
    return dict(there)


def _under(prefix: str, there: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    return {n.removeprefix(prefix): stored for n, stored in there.items() if n.startswith(prefix)}


def _from_open_clip(there: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    """It keeps query, key and value as one tensor, and the projection turned round."""
    found = {new: there[old] for old, new in _OPEN_CLIP_TOP.items() if old in there}
    if projection := there.get("text_projection"):
        found["text_projection.weight"] = projection.turned()
    for name, stored in there.items():
        match name.split("."):
            case ["transformer", "resblocks", number, "attn", kind] if kind.startswith("in_proj_"):
                third = stored.shape[0] // 3
                for place, letter in enumerate("qkv"):
                    inner = f"self_attn.{letter}_proj.{kind.removeprefix('in_proj_')}"
                    rows = stored.rows(place * third, (place + 1) * third)
                    found[f"encoder.layers.{number}.{inner}"] = rows
            case ["transformer", "resblocks", number, *inner, kind]:
                module = _OPEN_CLIP_LAYER.get(".".join(inner), "")
                found[f"encoder.layers.{number}.{module}.{kind}"] = stored
    return found
