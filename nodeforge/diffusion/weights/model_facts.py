"""What sampling needs of a model, from its configuration and header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

from nodeforge.diffusion.errors import LoadingError
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.diffusion.weights.configs import (
    config_root,
    denoiser_config,
    scale_of,
    scheduler_config,
    vae_config,
)
from nodeforge.models import (
    FAMILIES,
    SPACES,
    Family,
    GuidanceKind,
    ScheduleShift,
    is_whole_model,
    predicts,
    read_index,
)
from nodeforge.values import Model, Vae, Weights, counted_if_not
from nodeforge.values.latent import BCHW, BCL, BCTHW

_ROUNDING = 1e-6
"""So much above a whole number of cells is that number: 4.4 seconds are 110 of 25 a second."""
_MOTION_RATE = 8.0
"""Frames a second of the clips that AnimateDiff's modules were trained on."""


@dataclass(frozen=True)
class ModelFacts:
    """What sampling must know of a model, read without loading it.

    Args:
        family: Its family.
        variant: Which of the family's kinds of models it is; empty where there is one.
        space: The latent space that it works in.
        in_channels: Channels that the denoiser reads, as its configuration counts them.
        latent_channels: Channels of its latents.
        scale: Pixels of the picture for one cell of the latent.
        multiple: What the picture's sides must be divisible by, pixels.
        reads_mask: Whether it is an inpainting model, which reads the mask and the masked picture.
        reads_picture: Whether it reads the picture to edit as channels beside the latent.
        folds_mask: As `nodeforge.models.Family` has it.
        guidance: How it is guided.
        guides_from_positive: As `nodeforge.models.Family` has it.
        guidance_width: Of the guidance scale as a UNet is told it; 0 where it is not.
        scheduler: The scheduler's configuration: betas, prediction type, ...
        pipeline: The pipeline's: what a missing negative prompt stands for, ...
        shift: How its schedule is moved, where its scheduler is dynamic.
        comfyui_shift: How far ComfyUI moves its schedule; None where the scheduler says it.
        rounds_strength_up: As `nodeforge.models.Family` has it.
        is_flow_map: Whether it draws to any later time in one call, which it is told.
        layout: Which axes its latents have.
        frames: Of a video, where nobody says how many; the whole and its layers; 1 for pictures.
        layers: As `nodeforge.models.Family` has it.
        rate: Frames of its videos, or samples of its sounds, a second; 0 for pictures.
        frames_in_cell: As `nodeforge.models.LatentSpace` has it.
        cells: Of a sound's latents, or the most of them where they are fitted; 0 for pictures and
            videos.
        fitted: Whether a sound's latent has as many cells as the sound lasts; otherwise each has
            them all.
        usual_seconds: Length of a sound where nobody says one; 0 is that of its latents.
        kv_cache: As `nodeforge.models.Family` has it.
        most_cells: The longest side of a latent that the denoiser has places for; 0 is any.
    """

    family: str
    space: str
    in_channels: int
    latent_channels: int
    scale: int
    scheduler: Mapping[str, Any]
    pipeline: Mapping[str, Any]
    variant: str = ""
    multiple: int = 8
    reads_mask: bool = False
    reads_picture: bool = False
    folds_mask: bool = False
    guidance: GuidanceKind = GuidanceKind.CFG
    guides_from_positive: bool = False
    guidance_width: int = 0
    shift: ScheduleShift = ScheduleShift.STATIC
    comfyui_shift: float | None = None
    rounds_strength_up: bool = False
    is_flow_map: bool = field(default=False, metadata=counted_if_not(False))
    layout: str = field(default=BCHW, metadata=counted_if_not(BCHW))
    frames: int = field(default=1, metadata=counted_if_not(1))
    layers: int = field(default=0, metadata=counted_if_not(0))
    rate: float = field(default=0.0, metadata=counted_if_not(0.0))
    frames_in_cell: int = field(default=1, metadata=counted_if_not(1))
    cells: int = field(default=0, metadata=counted_if_not(0))
    fitted: bool = field(default=False, metadata=counted_if_not(False))
    usual_seconds: float = field(default=0.0, metadata=counted_if_not(0.0))
    most_cells: int = field(default=0, metadata=counted_if_not(0))
    kv_cache: bool = field(default=False, metadata=counted_if_not(False))

    @property
    def most_seconds(self) -> float:
        """The longest sound that its latents hold; 0 for pictures and videos."""
        return self.cells * self.scale / self.rate if self.cells else 0.0

    def cells_of(self, seconds: float) -> int:
        """How many cells the latent of a sound of so many seconds has."""
        if not self.fitted:
            return self.cells
        return math.ceil(seconds * self.rate / self.scale - _ROUNDING)

    @property
    def kind(self) -> str:
        """What the model predicts."""
        return str(self.scheduler.get("prediction_type", "epsilon"))


def facts(model: Model) -> ModelFacts:
    """What sampling must know of `model`. Reads configuration and headers only.

    Raises:
        LoadingError: a part of the model is missing.
    """
    weights, family = model.weights, FAMILIES[model.weights.family]
    network = denoiser_config(weights)
    channels, scale = latent_layout(weights)
    folded = channels * (family.cells_in_token if family.folds_cells else 1)
    beside = network["in_channels"] - family.latents_read * folded
    guidance = family.guidance_of(model.variant)
    if guidance is GuidanceKind.EMBEDDED and network.get("guidance_embeds") is False:
        guidance = GuidanceKind.NONE
    scheduler = _scheduler(model)
    return ModelFacts(
        family=weights.family,
        variant=model.variant,
        space=family.space,
        in_channels=network["in_channels"],
        latent_channels=channels,
        scale=scale,
        multiple=scale * family.cells_in_side,
        reads_mask=beside > folded,
        reads_picture=beside == folded,
        folds_mask=family.folds_mask,
        scheduler=scheduler,
        comfyui_shift=_comfyui_shift(model, family, scheduler),
        pipeline=read_index(config_root(weights)),
        guidance=guidance,
        guides_from_positive=family.guides_from_positive,
        guidance_width=network.get("time_cond_proj_dim") or 0,
        shift=family.shift,
        rounds_strength_up=family.rounds_strength_up,
        most_cells=_most_tokens(network) * family.cells_in_side,
        kv_cache=family.kv_cached(model.variant) and network.get("causal_condition") is not False,
        is_flow_map=bool(network.get("flow_map")),
        **_time_axis(model, network),
    )


def _time_axis(model: Model, network: Mapping[str, Any]) -> dict[str, Any]:
    family = FAMILIES[model.weights.family]
    if (sound := family.sound) is not None:
        cells = network.get("sample_size", sound.cells)
        return {
            "layout": BCL,
            "cells": cells,
            "rate": float(_sound_rate(model.weights)),
            "fitted": sound.fitted,
            "usual_seconds": sound.usual_seconds,
        }
    if (video := family.video) is not None:
        told = {"layout": BCTHW, "frames": video.frames, "rate": video.rate}
        return {**told, "frames_in_cell": family.latent_space.frames_in_cell}
    if family.layers:
        return {"layout": BCTHW, "frames": family.layers + 1, "layers": family.layers}
    if model.motion is None:
        return {}
    return {"layout": BCTHW, "frames": model.motion.context, "rate": _MOTION_RATE}


def _most_tokens(network: Mapping[str, Any]) -> int:
    """For how many tokens along a side a denoiser has places; 0 where for any number."""
    sides, folded = network.get("max_size"), network.get("patch_size")
    if isinstance(sides, list) and isinstance(folded, list):
        return max(side // cells for side, cells in zip(sides, folded, strict=True))
    return network.get("pos_embed_max_size") or 0


def _sound_rate(weights: Weights) -> int:
    """Samples a second of the sounds that a model makes."""
    space = FAMILIES[weights.family].latent_space
    own = is_whole_model(path := Path(weights.path)) and (path / "vae").is_dir()
    config = vae_config(Vae(replace(weights, part="vae"), space.name)) if own else {}
    return config.get("sampling_rate", space.rate)


def _comfyui_shift(model: Model, family: Family, scheduler: Mapping[str, Any]) -> float | None:
    """ComfyUI's fixed shift, where no node sets another and no variant has a fixed one."""
    moves = family.shift is ScheduleShift.STATIC or scheduler.get("use_dynamic_shifting")
    return family.comfyui_shift if model.shift is None and moves else None


def _scheduler(model: Model) -> dict[str, Any]:
    """The scheduler's configuration with what the recipe says otherwise."""
    family = FAMILIES[model.weights.family]
    scheduler = scheduler_config(model.weights)
    own = is_whole_model(Path(model.weights.path))
    if variant := family.variants.get(model.variant):
        scheduler |= {**({} if own else variant.scheduler), **variant.pipeline_scheduler}
    if family.pipeline_shift is not None:
        scheduler["shift"] = family.pipeline_shift
    if prediction := model.prediction or predicts(scheduler):
        scheduler["prediction_type"] = prediction
    if model.shift is not None:
        scheduler |= {"shift": model.shift, "use_dynamic_shifting": False}
        if "shift_terminal" in scheduler:  # nor is it stretched to a last level
            scheduler["shift_terminal"] = None
    if model.zero_snr is not None:
        scheduler["rescale_betas_zero_snr"] = model.zero_snr
    if model.zero_snr:  # only then is the level of nothing but noise among the steps
        scheduler["timestep_spacing"] = "trailing"
    return scheduler


def shifted(model: Model, shift: float) -> Model:
    """A flow-matching model that spends more of its steps on the noisier levels.

    Args:
        model: The denoiser.
        shift: Above 0; 1 is none (Esser et al. 2024, equation 23).

    Raises:
        LoadingError: it predicts something else than flow.
    """
    kind = facts(model).scheduler.get("prediction_type", "epsilon")
    if kind != FLOW:
        raise LoadingError(
            "only flow-matching models have noise levels that can be shifted; this one predicts "
            f"{kind}.",
            place="port 'model'",
            way_out="Take the node away; or, if the model does predict flow, say so in "
            "'prediction' where it is loaded.",
        )
    return replace(model, shift=shift)


def latent_layout(weights: Weights) -> tuple[int, int]:
    """Channels of a model's latents, and pixels of the picture for one cell."""
    space = SPACES[FAMILIES[weights.family].space]
    if not (is_whole_model(path := Path(weights.path)) and (path / "vae").is_dir()):
        return space.channels, space.scale
    return vae_layout(Vae(replace(weights, part="vae"), space.name))


def vae_layout(vae: Vae) -> tuple[int, int]:
    """Channels of a VAE's latents, and pixels of the picture for one cell."""
    config = vae_config(vae)
    if "z_dim" in config:  # a VAE of videos folds pixels, not cells
        return config["z_dim"], scale_of(config)
    if "decoder_input_channels" in config:
        return config["decoder_input_channels"], scale_of(config)
    folded = prod(config.get("patch_size") or (1,))
    return config.get("latent_channels", 4) * folded, scale_of(config)


def native_size(weights: Weights) -> tuple[int, int]:
    """Side of the square pictures its family was trained on, and what a side must be a multiple
    of: pixels.

    Raises:
        LoadingError: it makes sounds.
    """
    family = FAMILIES[weights.family]
    if family.sound:
        raise LoadingError(
            f"{family.label} makes sounds, which have no size.",
            place="port 'model'",
            way_out="Choose a model of pictures.",
        )
    return family.native_size, family.size_multiple
