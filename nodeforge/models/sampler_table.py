"""Which sampler walks which schedule, as a table that needs no torch.

It is generated from the code that walks them (`python -m tools.catalogue`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from nodeforge.models.families import FAMILIES
from nodeforge.settings import shipped
from nodeforge.values.setting_names import FLOW

Walked = Mapping[str, frozenset[str]]
"""Schedules that a sampler walks: ``plain``, with an ``eta``, with a ``rho``."""


class Levels(StrEnum):
    """What a model's noise levels are, by which a sampler walks them or not."""

    NUMBERED = "other"
    """Timesteps, whose noise betas tell."""
    FLOW = "flow"
    """Shares of noise and picture."""
    SIGMAS = "sigmas"
    """Sigmas themselves (Karras et al. 2022)."""


def levels_of(family: str, prediction: str = "") -> Levels:
    """What the noise levels of a model are.

    Args:
        family: Its family's name.
        prediction: What it predicts; empty is its family's usual.
    """
    facts = FAMILIES[family]
    if (prediction or facts.prediction_types[0]) == FLOW:
        return Levels.FLOW
    return Levels.SIGMAS if facts.knows_sigmas else Levels.NUMBERED


@cache
def sampler_table() -> dict[str, dict[str, dict[str, dict[str, list[str]]]]]:
    """Sampler, convention, `Levels` of the model, ``plain``, ``eta`` or ``rho``."""
    return json.loads((shipped("resources") / "samplers.json").read_text("utf-8"))


def walked(sampler: str, levels: Levels | None, convention: str) -> Walked:
    """The schedules that a sampler walks.

    Args:
        sampler: One of the table.
        levels: Of the model; None is any.
        convention: Whose numbers the loop follows.
    """
    kinds = tuple(Levels) if levels is None else (levels,)
    found = sampler_table()[sampler][convention]
    return {
        how: frozenset(of for kind in kinds for of in found[kind][how])
        for how in ("plain", "eta", "rho")
    }
