"""What a sampler step may use: noise, history, eta."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""From a noisy latent (clean + sigma * noise) and its sigma to the clean estimate."""


@dataclass
class StepContext:
    """Noise, and what the steps before left.

    Args:
        eta: Share of fresh noise, 0 is deterministic.
        normal: Gives fresh standard normal noise of x's shape.
        brownian: Gives standard normal noise for the way between two sigmas.
        history: What steps before have left, each with its sigma, the last one first: clean
            estimates or slopes, as the sampler likes.
        x_before: x before the last step, for samplers that correct it.
        span: How many points of the schedule the step spans.
        draws_brownian: Fresh noise between two sigmas comes from the Brownian path.
        levels: Sigmas of the run, from its first to where it stops, float32.
        index: The step's place among them.
        unguided: The negative prompt's clean estimate of the last model call, for CFG++.
        memory: What a sampler keeps beside the history: numbers and tensors by name.
        stochastic: The sigmas, highest first, between which SA-Solver adds noise.
    """

    eta: float
    normal: Callable[[], Tensor]
    brownian: Callable[[Tensor, Tensor], Tensor]
    history: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    x_before: Tensor | None = None
    span: int = 1
    draws_brownian: bool = False
    levels: Tensor | None = None
    index: int = 0
    unguided: Tensor | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    stochastic: tuple[float, float] = (float("inf"), 0.0)

    def between(self, sigma: Tensor, sigma_next: Tensor) -> Tensor:
        """Standard normal noise for the way between two sigmas, as the sampler draws it."""
        return self.brownian(sigma, sigma_next) if self.draws_brownian else self.normal()

    def level(self, ahead: int) -> Tensor | None:
        """The sigma `ahead` steps after the step's first; None beyond the run's last."""
        place = self.index + ahead
        inside = self.levels is not None and 0 <= place < len(self.levels)
        return self.levels[place] if inside and self.levels is not None else None

    def remember(self, value: Tensor, sigma: Tensor, most: int) -> None:
        """Put `value` first in the history, and keep at most that many."""
        self.history = [(value, sigma), *self.history[: most - 1]]


class SamplerStep(Protocol):
    """One step of a sampler, from `sigma` to `sigma_next`."""

    def __call__(
        self, denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, context: StepContext
    ) -> Tensor: ...


def ancestral_split(sigma: Tensor, sigma_next: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """The level to step down to, and the noise to add there to reach `sigma_next`.

    Song et al. 2021 (DDIM), equation 16, in units of sigma.
    """
    up = eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2) ** 0.5
    up = up.minimum(sigma_next)
    return (sigma_next**2 - up**2) ** 0.5, up
