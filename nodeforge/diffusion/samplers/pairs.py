"""Which sampler supports which schedule, and the `Stepper` for a pair."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import torch

from nodeforge.diffusion.samplers.comfyui_stepper import COMFYUI as COMFYUI_SAMPLERS
from nodeforge.diffusion.samplers.comfyui_stepper import FLOW_SAMPLERS, ComfyStepper
from nodeforge.diffusion.samplers.diffusers_stepper import EDM, NATIVE, DiffusersStepper
from nodeforge.diffusion.samplers.sigma_stepper import OWN, SigmaStepper
from nodeforge.diffusion.samplers.stepper import Blend, Predict, Stepper
from nodeforge.diffusion.schedules.schedule import NAMES as SCHEDULES
from nodeforge.diffusion.schedules.schedule import check_rho, is_edm
from nodeforge.diffusion.schedules.spacings import FOR_FLOW, TUNED
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.errors import NodeForgeError
from nodeforge.values import Sampler, Schedule
from nodeforge.values.sampling_labels import CONVENTION_LABELS, SAMPLER_LABELS, SCHEDULE_LABELS
from nodeforge.values.setting_names import COMFYUI, DIFFUSERS

SAMPLERS = tuple(n for n in SAMPLER_LABELS if n in NATIVE or n in OWN or n in COMFYUI_SAMPLERS)
"""All samplers by name."""

CONVENTIONS = tuple(CONVENTION_LABELS)
"""Whose numbers a loop can follow."""


class UnsupportedPairError(NodeForgeError):
    """A sampler that cannot walk this schedule, has no eta, or is not in this convention."""


def table(flow: bool = False, convention: str = DIFFUSERS) -> dict[tuple[str, str], str]:
    """Sampler and schedule to who walks it, with flow-matching models or with all others.

    ``diffusers``: its scheduler as its pipelines call it; ``own``: a step of ours; ``""``: nobody.
    """
    pairs = product(SAMPLERS, SCHEDULES)
    return {(name, of): _kind(name, of, flow, convention) for name, of in pairs}


def _kind(sampler: str, schedule: str, flow: bool, convention: str, bent: bool = False) -> str:
    """Who walks the pair; a `bent` schedule has a rho of its own, which diffusers does not take."""
    if schedule in (TUNED if flow else FOR_FLOW):
        return ""
    if convention == COMFYUI:
        able = FLOW_SAMPLERS if flow else COMFYUI_SAMPLERS
        return "own" if sampler in able else ""
    native, own = NATIVE.get(sampler), OWN.get(sampler)
    if native and schedule in (native.flow if flow else native.schedules) and not bent:
        return "diffusers"
    return "own" if own is not None and own.flow is flow else ""


def make_stepper(
    sampler: Sampler, schedule: Schedule, config: Mapping[str, Any], device: torch.device
) -> Stepper:
    """The stepper for a sampler on a schedule: diffusers' own where it has the pair.

    Args:
        sampler: Its name, eta where it takes one, and its convention.
        schedule: What to walk.
        config: The model's scheduler configuration, as its family's pipeline would have it.
        device: Where x will be.

    Raises:
        UnsupportedPairError: nobody walks this pair with a model that predicts what this one does.
        ScheduleError: the schedule has no step to run.
    """
    flow = config.get("prediction_type") == FLOW
    kind = kind_for(sampler, schedule, flow, sigmas=is_edm(config))
    if sampler.convention == COMFYUI:
        return ComfyStepper(sampler, schedule, config, device)
    stepper = SigmaStepper if kind == "own" else DiffusersStepper
    return stepper(sampler, schedule, config, device)


def kind_for(sampler: Sampler, schedule: Schedule, flow: bool, *, sigmas: bool = False) -> str:
    """Who walks these recipes, as in `table`; eta and rho may leave it to a step of ours.

    Args:
        sampler: Its name, eta and convention.
        schedule: What to walk.
        flow: With flow-matching models.
        sigmas: With models of sigmas themselves (`is_edm`).

    Raises:
        UnsupportedPairError: nobody does.
        ScheduleError: the schedule takes no rho, or not this one.
    """
    _check_names(sampler, schedule)
    _check_convention(sampler)
    name, of = sampler.name, sampler.convention
    _check_flow(name, flow, of)
    check_rho(schedule)
    bent = schedule.rho is not None
    kind = _kind(name, schedule.name, flow, of, bent)
    if kind and sampler.eta is not None and not _has_eta(name, kind, of):
        kind = "" if flow else "own"
        if not _has_eta(name, kind, of):
            raise _refused(f"the sampler '{name}' has no eta.", f"one that has: {_with_eta(of)}")
    if not kind:
        which = f"'{schedule.name}'" + (" with a rho of its own" if bent else "")
        raise _refused(
            f"the sampler '{name}' cannot walk the schedule {which}.",
            f"another sampler, or one of its schedules: {_schedules_of(name, flow, of)}",
        )
    return _edm_kind(sampler, schedule) if sigmas and not flow else kind


def _edm_kind(sampler: Sampler, schedule: Schedule) -> str:
    """Who walks a pair with models of sigmas themselves, which have no betas.

    Raises:
        UnsupportedPairError: nobody does.
    """
    if sampler.convention == COMFYUI:
        raise _refused(
            "models of this kind are not walked in ComfyUI's convention.",
            f"the convention '{DIFFUSERS}'",
        )
    native = EDM.get(sampler.name)
    plain = sampler.eta is None and schedule.rho is None
    if native is not None and schedule.name in native.schedules and plain:
        return "diffusers"
    if sampler.name in OWN:
        return "own"
    able = ", ".join(name for name in SAMPLERS if name in OWN and not OWN[name].flow)
    raise _refused(
        f"the sampler '{sampler.name}' cannot walk this model's noise levels.", f"one of: {able}"
    )


def _check_names(sampler: Sampler, schedule: Schedule) -> None:
    for what, name, known in (
        ("sampler", sampler.name, SAMPLERS),
        ("schedule", schedule.name, SCHEDULES),
        ("convention", sampler.convention, CONVENTIONS),
    ):
        if name not in known:
            raise _refused(f"there is no {what} '{name}'.", f"one of: {', '.join(known)}")


def _check_convention(sampler: Sampler) -> None:
    """Raise `UnsupportedPairError` where the sampler exists in the other convention alone."""
    name, convention = sampler.name, sampler.convention
    if any(_schedules_of(name, kind, convention) for kind in (False, True)):
        return
    other = next(each for each in CONVENTIONS if each != convention)
    raise UnsupportedPairError(
        f"the sampler '{name}' is not in the convention '{convention}'.",
        way_out=f"Set 'convention' to {other}, or choose another sampler.",
    )


def _check_flow(sampler: str, flow: bool, convention: str) -> None:
    if _schedules_of(sampler, flow, convention):
        return
    if flow:
        able = ", ".join(name for name in SAMPLERS if _schedules_of(name, flow, convention))
        raise _refused(
            f"the sampler '{sampler}' is not for flow-matching models.", f"one of: {able}"
        )
    raise UnsupportedPairError(
        f"the sampler '{sampler}' is for flow-matching models alone, which this one is not.",
        way_out="Choose another sampler; or, if the model does predict flow, say so in "
        "'prediction' where it is loaded.",
    )


def _has_eta(sampler: str, kind: str, convention: str) -> bool:
    if convention == COMFYUI:
        return kind == "own" and COMFYUI_SAMPLERS[sampler].eta is not None
    if kind == "own":
        return sampler in OWN and OWN[sampler].eta is not None
    return sampler in NATIVE and NATIVE[sampler].eta is not None


def _refused(fact: str, way_out: str) -> UnsupportedPairError:
    return UnsupportedPairError(fact, way_out=f"Choose {way_out}.")


def _schedules_of(sampler: str, flow: bool, convention: str) -> str:
    return ", ".join(of for of in SCHEDULES if _kind(sampler, of, flow, convention))


def _with_eta(convention: str) -> str:
    kinds = ("own", "diffusers")
    return ", ".join(
        name
        for name in SAMPLERS
        if _schedules_of(name, False, convention)
        and any(_has_eta(name, kind, convention) for kind in kinds)
    )


__all__ = [
    "CONVENTIONS",
    "CONVENTION_LABELS",
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
