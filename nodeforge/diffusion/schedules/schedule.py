"""Makes the sigmas of a schedule recipe, and the part of them that is run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.schedules.spacings import AYS_TOP, BENT, SPACINGS, TUNED
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.values import Schedule
from nodeforge.values.custom_sigmas import ScheduleError, check_sigmas

NAMES = (*SPACINGS, "custom")

_DDIM_REACHES = 0.85

LEAST_ALPHA = 2.0**-24
"""What stands for none of the picture, as in diffusers' schedulers: a sigma of 4096."""


ROUNDS_UP = "rounds_strength_up"
"""In a scheduler's configuration of ours: whether a share of a step is run as a whole one."""
SINGLE = "levels_in_single_precision"
"""In a scheduler's configuration of ours: whether its even levels are made in float32."""
TO_ZERO = "levels_cut_before_zero"
"""In a scheduler's configuration of ours: whether even levels are made down to 0, in float32."""
MU = "mu"
"""In a scheduler's configuration of ours: the exponent of its shift, by the picture's size."""


def first_step(schedule: Schedule, up: bool = False) -> int:
    """Index of the first whole step that is run: at 20 steps and strength 0.5, the tenth.

    Args:
        schedule: Its steps and strength.
        up: Run the larger of two counts of steps where the strength lies between them.

    Raises:
        ScheduleError: no step would be run.
    """
    steps = whole_steps(schedule)
    run = min(int(steps * schedule.strength), steps)
    if up:  # in diffusers' order: rounding decides whole steps
        run = steps - int(max(steps - min(steps * schedule.strength, steps), 0))
    if run < 1:
        raise ScheduleError(
            f"{steps} steps at strength {schedule.strength} leave no step to run.",
            way_out="Raise the strength, or the number of steps.",
        )
    return steps - run


def whole_steps(schedule: Schedule) -> int:
    """Whole steps of the full schedule, at strength 1."""
    if schedule.name == "custom":
        check_sigmas(schedule.sigmas)
        return len(schedule.sigmas) - 1
    assert schedule.steps is not None, "the loop has resolved it"
    return schedule.steps


def check_flow(schedule: Schedule) -> None:
    """Raise `ScheduleError` where custom sigmas are none that a flow-matching model knows."""
    if schedule.name == "custom" and schedule.sigmas[0] > 1:
        raise ScheduleError(
            "the noise of a flow-matching model falls from 1, these sigmas from "
            f"{schedule.sigmas[0]:g}.",
            way_out="Write for instance '1, 0.9, 0.75, 0.5, 0.2, 0'.",
        )


def trained_sigmas(scheduler: Mapping[str, Any]) -> Tensor:
    """The sigma of each timestep a model was trained with, float64, rising.

    Args:
        scheduler: A diffusers scheduler's configuration, with its betas; with
            ``rescale_betas_zero_snr`` the last level is nothing but noise (Lin et al. 2023). A
            flow-matching model has the even levels up to 1, moved by ``shift`` (Esser et al. 2024,
            equation 23), or by the exponential of ``mu``; one of sigmas themselves (`is_edm`) has
            levels even in their logarithm between its lowest and highest.
    """
    if scheduler.get("prediction_type") == FLOW:
        count = scheduler.get("num_train_timesteps", 1000)
        even = torch.arange(1, count + 1, dtype=torch.float64) / count
        shift = shift_of(scheduler)
        return shift * even / (1 + (shift - 1) * even)
    if is_edm(scheduler):
        low, high = (math.log(scheduler[f"sigma_{end}"]) for end in ("min", "max"))
        count = scheduler.get("num_train_timesteps", 1000)
        return torch.linspace(low, high, count, dtype=torch.float64).exp()
    alphas = _alphas(scheduler)
    return ((1 - alphas) / alphas) ** 0.5


def shift_of(scheduler: Mapping[str, Any]) -> float:
    """How far a flow-matching schedule is moved to noisier levels; 1 is not."""
    mu = scheduler.get(MU)
    if mu is not None:
        return math.exp(mu)
    return scheduler.get("shift", scheduler.get("flow_shift", 1.0))


def is_edm(scheduler: Mapping[str, Any]) -> bool:
    """Whether a model knows sigmas themselves, not numbered levels (Karras et al. 2022).

    Args:
        scheduler: A diffusers scheduler's configuration, with ``sigma_data``.
    """
    return "sigma_data" in scheduler


def edm_timestep_of(sigma: Tensor) -> Tensor:
    """What such a model is told of `sigma`: 0..1, by its arc tangent (Evans et al. 2024)."""
    return (sigma.double().atan() / math.pi * 2).float()


def trained_betas(scheduler: Mapping[str, Any]) -> list[float]:
    """The betas that lead to `trained_sigmas`, for schedulers that cannot make them."""
    alphas = _alphas(scheduler)
    return (1 - alphas / torch.cat([alphas.new_ones(1), alphas[:-1]])).tolist()


def _alphas(scheduler: Mapping[str, Any]) -> Tensor:
    """The share of the picture's variance at each timestep, float64."""
    betas = betas_of(scheduler)
    if not scheduler.get("rescale_betas_zero_snr"):
        return torch.cumprod(1.0 - betas, dim=0).double()
    from diffusers.schedulers.scheduling_euler_discrete import rescale_zero_terminal_snr

    alphas = torch.cumprod(1.0 - rescale_zero_terminal_snr(betas), dim=0).double()
    alphas[-1] = LEAST_ALPHA
    return alphas


def betas_of(scheduler: Mapping[str, Any], dtype: torch.dtype = torch.float32) -> Tensor:
    """The variance that each timestep adds, of a diffusers scheduler's configuration."""
    if (betas := scheduler.get("trained_betas")) is not None:
        return torch.tensor(betas, dtype=dtype)
    count = scheduler.get("num_train_timesteps", 1000)
    low, high = scheduler.get("beta_start", 0.00085), scheduler.get("beta_end", 0.012)
    kind = scheduler.get("beta_schedule", "scaled_linear")
    if kind == "linear":
        return torch.linspace(low, high, count, dtype=dtype)
    if kind == "scaled_linear":
        return torch.linspace(low**0.5, high**0.5, count, dtype=dtype) ** 2
    if kind == "squaredcos_cap_v2":
        return _cosine_betas(count).to(dtype)
    raise ScheduleError(f"the model's scheduler has betas of an unknown kind, '{kind}'.")


def _cosine_betas(count: int) -> Tensor:
    """Nichol and Dhariwal 2021, equation 17, each beta at most 0.999."""
    time = torch.linspace(0, 1, count + 1, dtype=torch.float64)
    alpha_bar = torch.cos((time + 0.008) / 1.008 * torch.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=0.999)


def sigmas_of(schedule: Schedule, trained: Tensor) -> Tensor:
    """Sigmas of the full schedule, float32, steps + 1 of them, the last one 0.

    Args:
        schedule: Which one.
        trained: As `trained_sigmas` gives them.

    Raises:
        ScheduleError: the schedule cannot be made for this model, or this number of steps.
    """
    if schedule.name == "custom":
        check_sigmas(schedule.sigmas)
        return torch.tensor(schedule.sigmas, dtype=torch.float32)
    if schedule.name in TUNED:
        check_ays(float(trained[-1]))
    check_ddim(schedule, len(trained))
    sigmas = _spaced(schedule, trained)
    sigmas = torch.cat([sigmas, sigmas.new_zeros(1)]).float()
    if not (sigmas[1:] < sigmas[:-1]).all():
        raise ScheduleError(
            f"the schedule '{schedule.name}' has no {schedule.steps} different noise levels.",
            way_out="Choose fewer steps, or another schedule.",
        )
    return sigmas


def _spaced(schedule: Schedule, trained: Tensor) -> Tensor:
    if schedule.rho is None:
        return SPACINGS[schedule.name](trained, whole_steps(schedule))
    check_rho(schedule)
    return BENT[schedule.name](trained, whole_steps(schedule), schedule.rho)


def check_rho(schedule: Schedule) -> None:
    """Raise `ScheduleError` unless the schedule takes its rho."""
    if schedule.rho is None:
        return
    if schedule.name not in BENT:
        raise ScheduleError(
            f"the schedule '{schedule.name}' has no rho.",
            way_out=f"Leave rho empty, or choose one of: {', '.join(BENT)}.",
        )
    if not 0 < schedule.rho < float("inf"):
        raise ScheduleError("rho must be above 0.", way_out="7 is usual for karras.")


def check_ddim(schedule: Schedule, trained: int) -> None:
    """Raise `ScheduleError` where whole strides through the timesteps end far below the last."""
    steps = whole_steps(schedule)
    reached = steps * (trained // steps)
    if schedule.name == "ddim_uniform" and 0 < reached < _DDIM_REACHES * trained:
        raise ScheduleError(
            f"the schedule 'ddim_uniform' with {steps} steps leaves out the noisiest of "
            f"the {trained} levels.",
            way_out=f"Take {trained // 2} or {trained // 4} steps, or another schedule.",
        )


def check_ays(largest: float) -> None:
    """Raise `ScheduleError` where a model's highest level is none that Align Your Steps is for."""
    if abs(largest / AYS_TOP - 1) > 0.05:
        raise ScheduleError(
            f"Align Your Steps is for models trained with noise up to {AYS_TOP}; "
            f"this one's goes up to {largest:.3g}.",
            way_out="Choose another schedule, such as 'sgm_uniform'.",
        )


def timestep_of(sigma: Tensor, trained: Tensor) -> Tensor:
    """The timestep, with fractions, at which a model knows `sigma`; between two by log sigma."""
    logs, log = trained.log(), sigma.double().clamp(min=1e-10).log()
    high = torch.searchsorted(logs, log).clamp(1, len(logs) - 1)
    share = ((log - logs[high - 1]) / (logs[high] - logs[high - 1])).clamp(0, 1)
    return (high - 1 + share).float()
