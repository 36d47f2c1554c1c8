"""Which sampler supports which schedule, and the `Stepper` for a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from nodeforge.diffusion.samplers.diffusers_stepper import NATIVE, DiffusersStepper
from nodeforge.diffusion.samplers.sigma_stepper import OWN, SigmaStepper
from nodeforge.diffusion.samplers.stepper import Blend, Predict, Stepper
from nodeforge.diffusion.schedules.schedule import NAMES as SCHEDULES
from nodeforge.diffusion.schedules.schedule import check_rho
from nodeforge.diffusion.schedules.spacings import TUNED
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.errors import NodeForgeError
from nodeforge.values import Sampler, Schedule
from nodeforge.values.sampling_labels import SAMPLER_LABELS, SCHEDULE_LABELS

SAMPLERS = tuple(name for name in SAMPLER_LABELS if name in NATIVE or name in OWN)
"""All samplers by name."""


class UnsupportedPairError(NodeForgeError):
    """A sampler that cannot walk this schedule, or has no eta."""


def table(flow: bool = False) -> dict[tuple[str, str], str]:
    """Sampler and schedule to who walks it, with flow-matching models or with all others.

    ``diffusers``: its scheduler as its pipelines call it; ``own``: a step of ours; ``""``: nobody.
    """
    return {(name, of): _kind(name, of, flow) for name in SAMPLERS for of in SCHEDULES}


def _kind(sampler: str, schedule: str, flow: bool, bent: bool = False) -> str:
    """Who walks the pair; a `bent` schedule has a rho of its own, which diffusers does not take."""
    native, own = NATIVE.get(sampler), OWN.get(sampler)
    if native and schedule in (native.flow if flow else native.schedules) and not bent:
        return "diffusers"
    knows = own is not None and own.flow is flow and not (flow and schedule in TUNED)
    return "own" if knows else ""


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
        UnsupportedPairError: nobody walks this pair with a model that predicts what this one does.
        ScheduleError: the schedule has no step to run.
    """
    kind = kind_for(sampler, schedule, config.get("prediction_type") == FLOW)
    stepper = SigmaStepper if kind == "own" else DiffusersStepper
    return stepper(sampler, schedule, config, device)


def kind_for(sampler: Sampler, schedule: Schedule, flow: bool) -> str:
    """Who walks these recipes, as in `table`; eta and rho may leave it to a step of ours.

    Raises:
        UnsupportedPairError: nobody does.
        ScheduleError: the schedule takes no rho, or not this one.
    """
    _check_names(sampler, schedule)
    _check_flow(sampler.name, flow)
    check_rho(schedule)
    bent = schedule.rho is not None
    kind = _kind(sampler.name, schedule.name, flow, bent)
    if sampler.eta is not None and not _has_eta(sampler.name, kind):
        kind = "" if flow else "own"
        if not _has_eta(sampler.name, kind):
            raise _refused(
                f"the sampler '{sampler.name}' has no eta.", f"one that has: {_with_eta()}"
            )
    if not kind:
        which = f"'{schedule.name}'" + (" with a rho of its own" if bent else "")
        raise _refused(
            f"the sampler '{sampler.name}' cannot walk the schedule {which}.",
            f"another sampler, or one of its schedules: {_schedules_of(sampler.name, flow)}",
        )
    return kind


def _check_names(sampler: Sampler, schedule: Schedule) -> None:
    for what, name, known in (
        ("sampler", sampler.name, SAMPLERS),
        ("schedule", schedule.name, SCHEDULES),
    ):
        if name not in known:
            raise _refused(f"there is no {what} '{name}'.", f"one of: {', '.join(known)}")


def _check_flow(sampler: str, flow: bool) -> None:
    if _schedules_of(sampler, flow):
        return
    if flow:
        able = ", ".join(name for name in SAMPLERS if _schedules_of(name, flow))
        raise _refused(
            f"the sampler '{sampler}' is not for flow-matching models.", f"one of: {able}"
        )
    raise UnsupportedPairError(
        f"the sampler '{sampler}' is for flow-matching models alone, which this one is not.",
        way_out="Choose another sampler; or, if the model does predict flow, say so in "
        "'prediction' where it is loaded.",
    )


def _has_eta(sampler: str, kind: str) -> bool:
    if kind == "own":
        return sampler in OWN and OWN[sampler].eta is not None
    return sampler in NATIVE and NATIVE[sampler].eta is not None


def _refused(fact: str, way_out: str) -> UnsupportedPairError:
    return UnsupportedPairError(fact, way_out=f"Choose {way_out}.")


def _schedules_of(sampler: str, flow: bool) -> str:
    return ", ".join(schedule for schedule in SCHEDULES if _kind(sampler, schedule, flow))


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
    "kind_for",
    "make_stepper",
    "table",
]
