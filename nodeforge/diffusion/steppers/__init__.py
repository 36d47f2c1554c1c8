"""Samplers on schedules: which pairs there are, and the `Stepper` that walks one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from nodeforge.diffusion.schedule import NAMES as SCHEDULES
from nodeforge.diffusion.schedule import check_rho
from nodeforge.diffusion.steppers.native import NATIVE, NativeStepper
from nodeforge.diffusion.steppers.own import OWN, OwnStepper
from nodeforge.diffusion.steppers.stepper import Blend, Predict, Stepper
from nodeforge.errors import NodeForgeError
from nodeforge.values import Sampler, Schedule
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

SAMPLERS = tuple(name for name in SAMPLER_LABELS if name in NATIVE or name in OWN)
"""All samplers by name."""


class UnsupportedPairError(NodeForgeError):
    """A sampler that cannot walk this schedule, or has no eta."""


def table() -> dict[tuple[str, str], str]:
    """Sampler and schedule to who walks it.

    ``diffusers``: its scheduler as its pipelines call it; ``own``: a step of ours; ``""``: nobody.
    """
    return {(name, schedule): _kind(name, schedule) for name in SAMPLERS for schedule in SCHEDULES}


def _kind(sampler: str, schedule: str, bent: bool = False) -> str:
    """Who walks the pair; a `bent` schedule has a rho of its own, which diffusers does not take."""
    native = NATIVE.get(sampler)
    if native and schedule in native.schedules and not bent:
        return "diffusers"
    return "own" if sampler in OWN else ""


def make_stepper(
    sampler: Sampler, schedule: Schedule, config: Mapping[str, Any], device: torch.device
) -> Stepper:
    """The stepper for a sampler on a schedule: diffusers' own where it has the pair.

    Args:
        sampler: Its name, and eta where it takes one.
        schedule: What to walk.
        config: The model's scheduler configuration, as its family's pipeline would have it.
        device: Where x will be.

    Raises:
        UnsupportedPairError: nobody walks this pair.
        ScheduleError: the schedule has no step to run.
    """
    kind = _kind_for(sampler, schedule)
    stepper = OwnStepper if kind == "own" else NativeStepper
    return stepper(sampler, schedule, config, device)


def _kind_for(sampler: Sampler, schedule: Schedule) -> str:
    """Who walks these recipes; eta and rho may leave it to a step of ours."""
    _check_names(sampler, schedule)
    check_rho(schedule)
    bent = schedule.rho is not None
    kind = _kind(sampler.name, schedule.name, bent)
    if sampler.eta is not None and not _has_eta(sampler.name, kind):
        kind = "own"
        if not _has_eta(sampler.name, kind):
            raise _refused(
                f"the sampler '{sampler.name}' has no eta.", f"one that has: {_with_eta()}"
            )
    if not kind:
        which = f"'{schedule.name}'" + (" with a rho of its own" if bent else "")
        raise _refused(
            f"the sampler '{sampler.name}' cannot walk the schedule {which}.",
            f"another sampler, or one of its schedules: {_schedules_of(sampler.name)}",
        )
    return kind


def _check_names(sampler: Sampler, schedule: Schedule) -> None:
    for what, name, known in (
        ("sampler", sampler.name, SAMPLERS),
        ("schedule", schedule.name, SCHEDULES),
    ):
        if name not in known:
            raise _refused(f"there is no {what} '{name}'.", f"one of: {', '.join(known)}")


def _has_eta(sampler: str, kind: str) -> bool:
    if kind == "own":
        return sampler in OWN and OWN[sampler].eta is not None
    return sampler in NATIVE and NATIVE[sampler].eta is not None


def _refused(fact: str, way_out: str) -> UnsupportedPairError:
    return UnsupportedPairError(fact, way_out=f"Choose {way_out}.")


def _schedules_of(sampler: str) -> str:
    return ", ".join(schedule for schedule in SCHEDULES if _kind(sampler, schedule))


def _with_eta() -> str:
    return ", ".join(s for s in SAMPLERS if _has_eta(s, "own") or _has_eta(s, "diffusers"))


__all__ = [
    "SAMPLERS",
    "SAMPLER_LABELS",
    "SCHEDULES",
    "SCHEDULE_LABELS",
    "Blend",
    "Predict",
    "Stepper",
    "UnsupportedPairError",
    "make_stepper",
    "table",
]
