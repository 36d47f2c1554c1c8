"""Calls networks on torch's meta device as runs call them, with inputs of the usual sizes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.families import behaviour
from nodeforge.diffusion.networks.loading import LoadedModel
from nodeforge.diffusion.tensors.prompt_inputs import PromptInputs
from nodeforge.diffusion.vae.causal import decoded_groups, decoded_picture, is_causal
from nodeforge.diffusion.vae.normalising import cells_folded
from nodeforge.diffusion.vae.sounds import WHOLE
from nodeforge.diffusion.vision.enlarging import TILE_ON_CARD
from nodeforge.diffusion.weights.configs import scale_of
from nodeforge.diffusion.weights.model_facts import ModelFacts, facts
from nodeforge.models import (
    FAMILIES,
    SPACES,
    TEXT_ENCODER_KINDS,
    Family,
    GuidanceKind,
    SoundLength,
)
from nodeforge.values import (
    AddedConditions,
    Latent,
    Model,
    NetworkRecipe,
    TextEncoderPart,
    UpscaleModel,
    Vae,
)
from nodeforge.values.latent import BCTHW

META = torch.device("meta")
TOKENS = 77
"""Of a prompt of one chunk."""
_TEXT_WIDTHS = (
    "source_dim",
    "text_encoder_dim",
    "cross_attention_dim",
    "joint_attention_dim",
    "cap_feat_dim",
    "text_dim",
    "text_hidden_dim",
    "context_in_dim",
)
"""How the configurations of denoisers name the width of the encoded text."""


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.zeros(shape, dtype=dtype, device=device)


def blank_call(
    recipe: NetworkRecipe,
    network: Any,
    dtype: torch.dtype,
    device: torch.device = META,
    filled: Callable[[tuple[int, ...], torch.dtype, torch.device], Tensor] = _zeros,
) -> Callable[[], object] | None:
    """One call of a network as a run makes it; None where it is not known.

    Args:
        recipe: Which network.
        network: It.
        dtype: What it computes in.
        device: Where it is; on torch's meta device nothing is computed.
        filled: Makes its inputs, of a shape and dtype on a device; zeros by default.
    """

    def blank(*shape: int, dtype: torch.dtype = dtype) -> Tensor:
        return filled(shape, dtype, device)

    match recipe:
        case Model():
            return _denoiser_call(recipe, network, blank)
        case TextEncoderPart():
            return _encoder_call(recipe, network, blank)
        case Vae() if is_causal(network) and SPACES[recipe.space].layout == BCTHW:
            _, *sides = _video_cells(recipe.space)
            clip = blank(1, network.config.z_dim, 2, *sides)  # more groups take no more
            return lambda: [None for _ in decoded_groups(network, clip)]
        case Vae() if (sound := _sound_of(recipe.space)) is not None:
            cells = min(_usual_cells(sound, recipe.space), WHOLE)
            latent = blank(1, network.config.decoder_input_channels, cells)
            return lambda: network.decode(latent, return_dict=False)
        case Vae():
            side = _largest_size(recipe.space) // scale_of(network.config) * cells_folded(network)
            if is_causal(network):
                picture = blank(1, network.config.z_dim, side, side)
                return lambda: decoded_picture(network, picture)
            latent = blank(1, network.config.latent_channels, side, side)
            return lambda: network.decode(latent, return_dict=False)
        case UpscaleModel():
            tile = blank(1, network.channels, TILE_ON_CARD, TILE_ON_CARD)
            return lambda: network(tile)
    return None


def keeps_states(recipe: NetworkRecipe) -> bool:
    """Whether a text encoder is asked for the state after each block, as all but T5 are."""
    return isinstance(recipe, TextEncoderPart) and not _class_of(recipe).startswith(("T5", "UMT5"))


def state_bytes(recipe: NetworkRecipe, network: Any, dtype: torch.dtype) -> int:
    """Bytes of the state after one block of a text encoder."""
    assert isinstance(recipe, TextEncoderPart)
    width = network.config.get_text_config().hidden_size
    return _tokens(recipe.kind, network) * width * dtype.itemsize


def _encoder_call(
    recipe: TextEncoderPart, network: Any, blank: Callable[..., Tensor]
) -> Callable[[], object]:
    tokens = _tokens(recipe.kind, network)
    ids = blank(1, tokens, dtype=torch.long)
    asked: dict[str, Any] = {"output_hidden_states": keeps_states(recipe)}
    if not _class_of(recipe).startswith(("T5", "UMT5", "CLIP")):  # a language model
        asked["attention_mask"] = blank(1, 1, tokens, tokens, dtype=torch.bool)
        asked["use_cache"] = False
    return lambda: network(input_ids=ids, **asked)


def _class_of(part: TextEncoderPart) -> str:
    return TEXT_ENCODER_KINDS[part.kind].network


def _denoiser_call(
    recipe: Model, network: Any, blank: Callable[..., Tensor]
) -> Callable[[], object]:
    told, family = facts(recipe), FAMILIES[recipe.weights.family]
    batch = 2 if told.guidance is GuidanceKind.CFG else 1
    batch += told.reads_picture
    beside = told.reads_mask or told.reads_picture
    channels = told.in_channels // family.cells_in_token if beside else told.latent_channels
    x = blank(batch, channels, *_cells(family, told), dtype=torch.float32)
    seconds = told.usual_seconds or told.most_seconds
    frame = Latent(x[:1], told.space, told.scale, told.layout, told.rate, seconds)
    said = _said(family, told, network, batch, frame, blank)
    model, time = LoadedModel(network, family.name), blank(1, dtype=torch.float32)[0]
    return lambda: behaviour(family.name).predict(model, x, time, said)


def _cells(family: Family, told: ModelFacts) -> tuple[int, ...]:
    """Of a latent of the family's native size or length."""
    if family.sound:
        return (told.cells_of(told.usual_seconds),)
    side = family.native_size // told.scale
    if family.layers:
        return family.layers + 1, side, side
    return _video_cells(family.space) if family.video else (side, side)


def _said(
    family: Family,
    told: ModelFacts,
    network: Any,
    batch: int,
    frame: Latent,
    blank: Callable[..., Tensor],
) -> PromptInputs:
    """What prompts say, for one picture of the size of `frame`, or one sound of its length."""
    config = network.config
    readers = [*(getattr(network, name).config for name in family.conditioners), config]
    width = next(each[n] for each in readers for n in _TEXT_WIDTHS if each.get(n))
    width *= config.get("num_text_layers", 1)
    tokens = family.usual_text_length + TOKENS * (
        family.chunk_first or not family.usual_text_length
    )
    words = blank(batch, tokens, width)
    numbers = behaviour(family.name).added_conditions(AddedConditions(), frame, True)
    pooled = config.get("pooled_projection_dim", 0)
    if numbers is not None:
        numbers = blank(batch, numbers.shape[1], dtype=torch.float32)
    if numbers is not None and "addition_time_embed_dim" in config:
        added = numbers.shape[1] * config.addition_time_embed_dim
        pooled = config.projection_class_embeddings_input_dim - added
    return PromptInputs(
        words,
        blank(batch, pooled) if pooled else None,
        numbers,
        _guidance(told, config, blank),
        blank(1) if told.is_flow_map else None,
        torch.ones(words.shape[:2], dtype=torch.bool) if family.text_length else None,
        references=(blank(batch, told.latent_channels, *frame.samples.shape[-2:]),)
        if family.layers
        else (),
        lyrics=(blank(family.lyrics_length, width),) * batch if family.lyrics_length else (),
        numbered=(blank(family.text_length, 2),) * batch if family.numbered_words else (),
    )


def _guidance(told: ModelFacts, config: Any, blank: Callable[..., Tensor]) -> Tensor | None:
    """The guidance scale as the denoiser is told it."""
    if told.guidance_width:
        return blank(1, told.guidance_width)
    return blank(1) if config.get("guidance_embeds") else None


def _tokens(kind: str, network: Any) -> int:
    """How many tokens a text encoder reads at once."""
    reading = (f for f in FAMILIES.values() if kind in f.text_encoders.values())
    lengths = (f.usual_text_length for f in reading)
    most = getattr(network.config.get_text_config(), "max_position_embeddings", None)
    return min(max(lengths, default=0) or TOKENS, most or sys.maxsize)


def _video_cells(space: str) -> tuple[int, int, int]:
    """Along time, down and across: of a clip that a family of this space was trained on."""
    family = next(f for f in FAMILIES.values() if f.space == space and f.video)
    assert family.video is not None
    scale = family.latent_space.scale
    cells = (family.video.frames - 1) // family.latent_space.frames_in_cell + 1
    return cells, family.video.height // scale, family.video.width // scale


def _sound_of(space: str) -> SoundLength | None:
    """How long the sounds are of the families of this space."""
    return next((f.sound for f in FAMILIES.values() if f.space == space), None)


def _usual_cells(sound: SoundLength, space: str) -> int:
    """Of a sound as long as is usual in this space."""
    if not sound.usual_seconds:
        return sound.cells
    return math.ceil(sound.usual_seconds * SPACES[space].rate / SPACES[space].scale)


def _largest_size(space: str) -> int:
    """Side of the largest pictures that a family of this space was trained on."""
    return max(family.native_size for family in FAMILIES.values() if family.space == space)
