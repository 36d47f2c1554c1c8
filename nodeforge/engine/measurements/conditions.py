"""What is measured of a model, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.errors import RequestError
from nodeforge.models import (
    FAMILIES,
    Kind,
    ModelFolders,
    ModelInfo,
    SamplingSettings,
    Task,
    resolve,
)
from nodeforge.models.measurements.measurement import Conditions
from nodeforge.models.sampler_table import levels_of, walked
from nodeforge.values.setting_names import DIFFUSERS

STEPS = (4, 8, 12, 20, 30, 40)
REFERENCE_STEPS = 100
PROMPTS = (
    "a fox on a yellow background",
    "a castle, small, on the left",
    "a cat and a dog on a white background",
    "a sailboat on a gradient from blue to pink",
)
DETERMINISTIC = ("dpmpp_2m", "euler", "unipc", "heun", "deis", "flow_euler", "flow_heun")
"""Samplers that follow the probability flow, those first that most people use: with many steps
all of them come to one picture."""
STOCHASTIC = ("euler_a", "dpmpp_2m_sde")
"""Samplers that add noise in their steps: each number of steps is another picture."""
CALLS = {"heun": 2, "flow_heun": 2}
"""How often a sampler calls the model in a step, where that is not once."""
_SAMPLERS = 3
_MEASURED = (Kind.CHECKPOINT, Kind.UNET)


class NotMeasurableError(RequestError):
    """A model of which there is nothing to measure."""


@dataclass(frozen=True)
class MeasuredModel:
    """A model that can be measured.

    Args:
        name: As a workflow names it.
        path: Its file or folder.
        info: What it is.
        granted: Absolute paths that the person gave.
        lock: Which files it is run with beside it, as a workflow's lock says it.
    """

    name: str
    path: Path
    info: ModelInfo
    granted: tuple[str, ...] = ()
    lock: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extent:
    """How much is measured; less than the default is for tests and trials.

    Args:
        steps: Numbers of steps, ascending.
        reference_steps: Of the converged pictures.
        prompts: One at least.
        size: Side of the square pictures, pixels; None is the model's own.
    """

    steps: tuple[int, ...] = STEPS
    reference_steps: int = REFERENCE_STEPS
    prompts: tuple[str, ...] = PROMPTS
    size: int | None = None


def measured_model(
    folders: ModelFolders, name: str, granted: tuple[str, ...] = ()
) -> MeasuredModel:
    """The model `name`, where it can be measured.

    Raises:
        RequestError: it is not there, damaged, or of a kind or family that is not measured.
    """
    given = frozenset(map(Path, granted))
    path = folders.find(Kind.CHECKPOINT.value, name, given)
    info = models.recognise(path)
    if info.kind not in _MEASURED:
        raise NotMeasurableError(
            f"is {models.kind_with_article(info.kind)}, which draws nothing by itself."
            if info.kind is not Kind.UNKNOWN
            else f"is no model that can be used: {info.reason or 'its kind is unknown'}.",
            place=name,
            way_out="Name a checkpoint or a denoiser; 'nodeforge models' lists them.",
        )
    if info.family is None:
        raise NotMeasurableError(f"cannot be used: {info.reason}.", place=name)
    family = FAMILIES[info.family]
    if family.video is not None or family.sound:
        made = "draws videos" if family.video is not None else "makes sounds"
        raise NotMeasurableError(
            f"{made}; what is measured are pictures made of noise.",
            place=name,
            way_out="Measure a model of pictures.",
        )
    variant = family.variants.get(info.variant or family.variant)
    if variant is not None and variant.distilled:
        raise NotMeasurableError(
            f"was distilled to draw in {variant.recommended.steps} steps: with more, its pictures "
            "become others and converge to none, so there is no distance to measure.",
            place=name,
            way_out="Measure the model that it was made from.",
        )
    task = variant.task if variant is not None else None
    if family.layers or info.inpainting or task in (Task.EDIT, Task.INPAINTING):
        raise NotMeasurableError(
            "changes a picture that it is given; what is measured are pictures made of noise.",
            place=name,
            way_out="Measure the model that it was made from.",
        )
    return MeasuredModel(name, path, info, granted)


def conditions_of(
    model: MeasuredModel, key: str, device: str, device_kind: str, extent: Extent
) -> Conditions:
    """What a measurement of `model` has in common.

    Args:
        model: The model.
        key: Its content key.
        device: The device's name.
        device_kind: ``cuda``, ``cpu``, ...
        extent: How much is measured.

    Raises:
        NotMeasurableError: no deterministic sampler goes with it.
    """
    info = model.info
    assert info.family is not None
    family = FAMILIES[info.family]
    usual = resolve(SamplingSettings(), info.family, info.variant, info.prediction_type or "")
    levels = levels_of(info.family, info.prediction_type or "")

    def walks(name: str) -> bool:
        return usual.schedule in walked(name, levels, DIFFUSERS)["plain"]

    first = [usual.sampler] if usual.sampler in DETERMINISTIC else []
    samplers = [name for name in dict.fromkeys((*first, *DETERMINISTIC)) if walks(name)]
    if not samplers:
        raise NotMeasurableError("has no sampler without fresh noise.", place=model.name)
    side = extent.size or family.native_size_of(info.variant)
    if side % family.size_multiple:
        raise NotMeasurableError(
            f"{side} cannot be divided by {family.size_multiple}, as {family.label} needs.",
            place="--size",
            way_out=f"Take {max(1, round(side / family.size_multiple)) * family.size_multiple}.",
        )
    assert usual.steps is not None
    assert usual.guidance is not None
    return Conditions(
        key=key,
        family=info.family,
        variant=info.variant,
        device=device,
        device_kind=device_kind,
        width=side,
        height=side,
        guidance=usual.guidance,
        schedule=usual.schedule,
        samplers=tuple(samplers[:_SAMPLERS]),
        steps=extent.steps,
        reference_steps=extent.reference_steps,
        stochastic=tuple(name for name in STOCHASTIC if walks(name)),
        stochastic_steps=min(usual.steps, extent.steps[-1]),
        prompts=extent.prompts,
    )
