"""Sigmas as ComfyUI makes them: its walk through the trained levels, in single precision.

Where samplers draw from a Brownian tree, the last bits of a level show: noise between two levels
changes with the root of their distance. So the arithmetic is that of k-diffusion, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from nodeforge.diffusion.schedules.schedule import (
    betas_of,
    check_ays,
    check_rho,
    trained_sigmas,
    whole_steps,
)
from nodeforge.diffusion.schedules.spacings import (
    SPACINGS,
    TUNED,
    beta_timesteps,
    linear_quadratic,
)
from nodeforge.diffusion.tensors.prediction import FLOW
from nodeforge.values import Schedule
from nodeforge.values.custom_sigmas import ScheduleError, check_sigmas

_WHOLE = 0.9999
"""Strengths above it run the whole schedule."""

_LEAST_ALPHA = 4.8973451890853435e-08
"""What stands for none of the picture with zero SNR: a sigma of 4518."""


def trained_levels(scheduler: Mapping[str, Any]) -> Tensor:
    """The sigma of each timestep a model was trained with, float64, rising.

    Args:
        scheduler: A diffusers scheduler's configuration, as `schedule.trained_sigmas` takes it.
    """
    if scheduler.get("prediction_type") == FLOW:
        return trained_sigmas(scheduler)
    alphas = torch.cumprod(1.0 - betas_of(scheduler, torch.float64), dim=0)
    sigmas = ((1 - alphas) / alphas) ** 0.5
    return _zero_snr(sigmas) if scheduler.get("rescale_betas_zero_snr") else sigmas


def _zero_snr(sigmas: Tensor) -> Tensor:
    """The levels moved so that the last is nothing but noise: Lin et al. 2023, algorithm 1."""
    roots = (1 / (sigmas * sigmas + 1)).sqrt()
    moved = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
    alphas = moved**2
    alphas[-1] = _LEAST_ALPHA
    return ((1 - alphas) / alphas) ** 0.5


def nearest_timestep(sigma: Tensor, trained: Tensor) -> Tensor:
    """The whole timestep whose level is nearest to `sigma` by logarithm, float32.

    Args:
        sigma: One level or several, float32.
        trained: As `trained_levels` gives them.
    """
    away = sigma.reshape(-1).log() - trained.log().float()[:, None]
    return away.abs().argmin(dim=0).reshape(sigma.shape).float()


def comfyui_sigmas(schedule: Schedule, trained: Tensor, *, skips_last: bool = False) -> Tensor:
    """Sigmas of the full schedule, float32, the last one 0.

    Mostly steps + 1 of them. ``ddim_uniform`` has a step more where the steps do not divide the
    trained levels, ``beta`` fewer where two round to one level.

    Args:
        schedule: Which one.
        trained: As `trained_levels` gives them.
        skips_last: The sampler leaves out the last level above 0 of a schedule a step longer.

    Raises:
        ScheduleError: the schedule cannot be made for this model, or this number of steps.
    """
    if schedule.name == "custom":
        check_sigmas(schedule.sigmas)
        return torch.tensor(schedule.sigmas, dtype=torch.float32)
    check_rho(schedule)
    if schedule.name in TUNED:
        check_ays(float(trained[-1]))
    levels = _levels(schedule, trained, whole_steps(schedule) + skips_last).float()
    if skips_last:
        levels = levels[:-1]
    sigmas = torch.cat([levels, levels.new_zeros(1)])
    if not (sigmas[1:] < sigmas[:-1]).all():
        raise ScheduleError(
            f"the schedule '{schedule.name}' has no {schedule.steps} different noise levels.",
            way_out="Choose another number of steps, or another schedule.",
        )
    return sigmas


def first_of(schedule: Schedule, sigmas: Tensor) -> int:
    """Index of the first whole step that is run, of those that `sigmas` has.

    Raises:
        ScheduleError: no step would be run.
    """
    whole = len(sigmas) - 1
    run = whole if schedule.strength > _WHOLE else int(whole_steps(schedule) * schedule.strength)
    if run < 1:
        raise ScheduleError(
            f"{schedule.steps} steps at strength {schedule.strength} leave no step to run.",
            way_out="Raise the strength, or the number of steps.",
        )
    return max(0, whole - run)


def _levels(schedule: Schedule, trained: Tensor, steps: int) -> Tensor:
    if schedule.name == "karras":
        return _karras(trained, steps, schedule.rho or 7.0)
    if schedule.name == "polyexponential":
        return _polyexponential(trained, steps, schedule.rho or 1.0)
    return {**SPACINGS, **_OWN}[schedule.name](trained, steps)


def _lowest(trained: Tensor) -> float:
    """In single precision, as `_highest`."""
    return float(trained[0].float())


def _highest(trained: Tensor) -> float:
    return float(trained[-1].float())


def _karras(trained: Tensor, steps: int, rho: float) -> Tensor:
    """Even in the rho-th root of sigma: Karras et al. 2022, equation 5."""
    low, high = _lowest(trained) ** (1 / rho), _highest(trained) ** (1 / rho)
    return (high + torch.linspace(0, 1, steps) * (low - high)) ** rho


def _exponential(trained: Tensor, steps: int) -> Tensor:
    low, high = math.log(_lowest(trained)), math.log(_highest(trained))
    return torch.linspace(high, low, steps).exp()


def _polyexponential(trained: Tensor, steps: int, rho: float) -> Tensor:
    low, high = math.log(_lowest(trained)), math.log(_highest(trained))
    ramp = torch.linspace(1, 0, steps) ** rho
    return (ramp * (high - low) + low).exp()


def _normal(trained: Tensor, steps: int) -> Tensor:
    """Even in timesteps from the last to the first."""
    return _at(torch.linspace(*_ends(trained), steps), trained)


def _sgm_uniform(trained: Tensor, steps: int) -> Tensor:
    """Even in timesteps from the last one, without the first: Lin et al. 2023."""
    return _at(torch.linspace(*_ends(trained), steps + 1)[:-1], trained)


def _ends(trained: Tensor) -> tuple[float, float]:
    return float(len(trained) - 1), 0.0


def _at(timesteps: Tensor, trained: Tensor) -> Tensor:
    """Sigmas at timesteps with fractions, straight lines between their logarithms.

    One by one: many at once, torch's exponential has other last bits.
    """
    return torch.stack([sigma_at(time, trained) for time in timesteps])


def sigma_at(timestep: Tensor, trained: Tensor) -> Tensor:
    """The sigma at one timestep with a fraction."""
    logs, share = trained.log().float(), timestep.frac()
    low, high = logs[int(timestep.floor())], logs[int(timestep.ceil())]
    return ((1 - share) * low + share * high).exp()


def _linear_quadratic(trained: Tensor, steps: int) -> Tensor:
    return linear_quadratic(torch.ones(1, dtype=torch.float64), steps).float() * trained[-1].float()


def _ddim_uniform(trained: Tensor, steps: int) -> Tensor:
    """Every so-manieth level up from the second lowest, as far as there are any: DDIM."""
    return trained[1 :: max(len(trained) // steps, 1)].flip(0)


def _beta(trained: Tensor, steps: int, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Lee et al. 2024, at whole timesteps; those that fall on one level count once."""
    places = beta_timesteps(len(trained), steps, alpha, beta).round().long()
    return trained[torch.unique_consecutive(places)]


def _beta57(trained: Tensor, steps: int) -> Tensor:
    return _beta(trained, steps, 0.5, 0.7)


def _kl_optimal(trained: Tensor, steps: int) -> Tensor:
    """Even in the arc tangent of sigma: Sabour et al. 2024 (Align Your Steps)."""
    if steps < 2:
        raise ScheduleError(
            "the schedule 'kl_optimal' goes from the highest to the lowest level: it needs two.",
            way_out="Choose two steps or more.",
        )
    low, high = math.atan(_lowest(trained)), math.atan(_highest(trained))
    ramp = torch.arange(steps, dtype=torch.float32) / (steps - 1)
    return (ramp * low + (1 - ramp) * high).tan()


_PUBLISHED = {
    "ays": (999, 850, 736, 645, 545, 455, 343, 233, 124, 24, 0),
    "ays_sdxl": (999, 845, 730, 587, 443, 310, 193, 116, 53, 13, 0),
}
"""Timesteps of Align Your Steps in ten steps."""


def _ays(trained: Tensor, steps: int) -> Tensor:
    return _through("ays", trained, steps)


def _ays_sdxl(trained: Tensor, steps: int) -> Tensor:
    return _through("ays_sdxl", trained, steps)


def _through(name: str, trained: Tensor, steps: int) -> Tensor:
    """The published levels at another number of steps: straight lines between logarithms."""
    logs = trained[list(_PUBLISHED[name])].log()
    places = torch.linspace(0, len(logs) - 1, steps + 1, dtype=torch.float64)[:-1]
    low = places.floor().long()
    return logs[low].lerp(logs[low + 1], places - low).exp()


_OWN: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "normal": _normal,
    "linear_quadratic": _linear_quadratic,
    "exponential": _exponential,
    "sgm_uniform": _sgm_uniform,
    "ddim_uniform": _ddim_uniform,
    "beta": _beta,
    "beta57": _beta57,
    "kl_optimal": _kl_optimal,
    "ays": _ays,
    "ays_sdxl": _ays_sdxl,
}
