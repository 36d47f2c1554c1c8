"""Spacings of noise levels: normal, Karras, exponential, beta, ...

Each function gives `steps` falling sigmas, float64, without the 0 at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from scipy.stats import beta as beta_distribution
from torch import Tensor

Spacing = Callable[[Tensor, int], Tensor]
"""From the trained sigmas, float64 and rising by timestep, and the number of steps."""


def normal(trained: Tensor, steps: int) -> Tensor:
    """Even in timesteps, from the last to the first."""
    return _at(torch.linspace(len(trained) - 1, 0, steps, dtype=torch.float64), trained)


def sgm_uniform(trained: Tensor, steps: int) -> Tensor:
    """Even in timesteps from the last one; the last step falls from high: Lin et al. 2023."""
    return _at(torch.linspace(len(trained) - 1, 0, steps + 1, dtype=torch.float64)[:-1], trained)


def simple(trained: Tensor, steps: int) -> Tensor:
    """Every so-manieth trained level, counted from the noisiest."""
    back = torch.arange(steps, dtype=torch.float64) * (len(trained) / steps)
    return trained[len(trained) - 1 - back.long()]


def ddim_uniform(trained: Tensor, steps: int) -> Tensor:
    """Every so-manieth trained level, counted from the second lowest: Song et al. 2021 (DDIM)."""
    up = 1 + torch.arange(steps) * (len(trained) // steps)
    return trained[up.clamp(max=len(trained) - 1)].flip(0)


def beta(trained: Tensor, steps: int) -> Tensor:
    """More steps at both ends: Lee et al. 2024, timesteps at a beta distribution's quantiles.

    diffusers' `use_beta_sigmas` spreads sigmas instead of timesteps, which is something else.
    """
    return _at(beta_timesteps(len(trained), steps), trained)


def beta57(trained: Tensor, steps: int) -> Tensor:
    """`beta` with 0.5 and 0.7: more steps at low noise than at high."""
    return _at(beta_timesteps(len(trained), steps, 0.5, 0.7), trained)


def beta_timesteps(trained: int, steps: int, alpha: float = 0.6, beta: float = 0.6) -> Tensor:
    """Timesteps with fractions, falling, at even quantiles of a beta distribution."""
    quantiles = 1 - torch.arange(steps, dtype=torch.float64) / steps
    share = torch.from_numpy(beta_distribution.ppf(quantiles.numpy(), alpha, beta))
    return share * (trained - 1)


def linear_quadratic(trained: Tensor, steps: int) -> Tensor:
    """Half of the steps linear at the top, then quadratic: Polyak et al. 2024 (Movie Gen).

    The linear half removes a fortieth of the noise; slopes agree where the halves meet.
    """
    half = steps // 2
    share = 0.025 if half else 0.0
    slope = share / max(half, 1)
    step = torch.arange(steps, dtype=torch.float64)
    after = (step - half).clamp(min=0)
    bend = (1 - share - slope * (steps - half)) / (steps - half) ** 2
    return trained[-1] * (1 - slope * step - bend * after**2)


def karras(trained: Tensor, steps: int, rho: float = 7.0) -> Tensor:
    """Even in the rho-th root of sigma: Karras et al. 2022, equation 5."""
    low, high = trained[0] ** (1 / rho), trained[-1] ** (1 / rho)
    return (high + _ramp(steps) * (low - high)) ** rho


def exponential(trained: Tensor, steps: int) -> Tensor:
    """Even in the logarithm of sigma."""
    return polyexponential(trained, steps, 1.0)


def polyexponential(trained: Tensor, steps: int, rho: float = 1.0) -> Tensor:
    """A power of the way in the logarithm of sigma; above 1, more steps at little noise."""
    low, high = trained[0].log(), trained[-1].log()
    return (low + (1 - _ramp(steps)) ** rho * (high - low)).exp()


def kl_optimal(trained: Tensor, steps: int) -> Tensor:
    """Even in the arc tangent of sigma: Sabour et al. 2024 (Align Your Steps), equation 14.

    Optimal for data of one point each, by the Kullback-Leibler divergence.
    """
    low, high = trained[0].atan(), trained[-1].atan()
    return (high + _ramp(steps) * (low - high)).tan()


_AYS = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
_AYS_SDXL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)


def ays(trained: Tensor, steps: int) -> Tensor:
    """Optimised for Stable Diffusion 1.5 in ten steps: Sabour et al. 2024 (Align Your Steps)."""
    return _through(_AYS, steps)


def ays_sdxl(trained: Tensor, steps: int) -> Tensor:
    """Optimised for SDXL in ten steps: Sabour et al. 2024 (Align Your Steps)."""
    return _through(_AYS_SDXL, steps)


def flux2(trained: Tensor, steps: int) -> Tensor:
    """Even levels, moved as far as the trained ones are: the scheduler of Flux.2's authors.

    The move itself goes by the picture's size (`resolution_shift.empirical_mu`).
    """
    least = 1 / len(trained)
    shift = trained[0] * (1 - least) / (least * (1 - trained[0]))
    even = torch.linspace(1, 0, steps + 1, dtype=torch.float64)[:-1]
    return shift * even / (1 + (shift - 1) * even)


AYS_TOP = _AYS[0]
"""The noise level that both begin at; only models trained up to it can use them."""

TUNED = ("ays", "ays_sdxl")
"""Schedules of given levels, for models trained up to `AYS_TOP`."""

SPACINGS: Mapping[str, Spacing] = {
    "normal": normal,
    "karras": karras,
    "exponential": exponential,
    "sgm_uniform": sgm_uniform,
    "simple": simple,
    "ddim_uniform": ddim_uniform,
    "beta": beta,
    "beta57": beta57,
    "linear_quadratic": linear_quadratic,
    "kl_optimal": kl_optimal,
    "polyexponential": polyexponential,
    "ays": ays,
    "ays_sdxl": ays_sdxl,
    "flux2": flux2,
}

BENT: Mapping[str, Callable[[Tensor, int, float], Tensor]] = {
    "karras": karras,
    "polyexponential": polyexponential,
}
"""Those that take a rho."""


FOR_FLOW = ("flux2",)
"""Schedules that only flow-matching models know."""


def _ramp(steps: int) -> Tensor:
    return torch.linspace(0, 1, steps, dtype=torch.float64)


def _at(timesteps: Tensor, trained: Tensor) -> Tensor:
    """Sigmas at timesteps with fractions."""
    low = timesteps.floor().long()
    high = (low + 1).clamp(max=len(trained) - 1)
    return trained[low].lerp(trained[high], timesteps - low)


def _through(levels: tuple[float, ...], steps: int) -> Tensor:
    """`levels` at another number of steps: straight lines between their logarithms."""
    logs = torch.tensor(levels, dtype=torch.float64).log()
    place = torch.linspace(0, len(levels) - 1, steps + 1, dtype=torch.float64)[:-1]
    low = place.floor().long()
    return logs[low].lerp(logs[low + 1], place - low).exp()
