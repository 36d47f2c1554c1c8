"""Each family's facts, one file a family. Its behaviour is in `nodeforge.diffusion.families`."""

import pkgutil
from importlib import import_module

from nodeforge.models.families.common.dtypes import BFLOAT16_FIRST, FULL_FIRST, HALF_FIRST
from nodeforge.models.families.common.family import (
    Conditioner,
    Family,
    GuidanceKind,
    RecommendedSettings,
    ScheduleShift,
    SoundLength,
    Task,
    Variant,
    VideoSize,
)
from nodeforge.models.families.common.signature import Signature
from nodeforge.models.families.common.spaces import (
    OOBLECK,
    QWEN21_VAE,
    SPACES,
    WAN_VAE,
    LatentSpace,
)
from nodeforge.models.families.common.text_encoder_kinds import KINDS as TEXT_ENCODER_KINDS
from nodeforge.models.families.common.text_encoder_kinds import TextEncoderKind


def _found() -> dict[str, Family]:
    """The family of each module here, so that a new one is a new file and nothing else."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    there = [value for m in modules for value in vars(m).values() if isinstance(value, Family)]
    return {family.name: family for family in there}


FAMILIES: dict[str, Family] = _found()

__all__ = [
    "BFLOAT16_FIRST",
    "FAMILIES",
    "FULL_FIRST",
    "HALF_FIRST",
    "OOBLECK",
    "QWEN21_VAE",
    "SPACES",
    "TEXT_ENCODER_KINDS",
    "WAN_VAE",
    "Conditioner",
    "Family",
    "GuidanceKind",
    "LatentSpace",
    "RecommendedSettings",
    "ScheduleShift",
    "Signature",
    "SoundLength",
    "Task",
    "TextEncoderKind",
    "Variant",
    "VideoSize",
]
