"""What a step of our own may use beside the denoiser and two noise levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""From a noisy latent (clean + sigma * noise) and its sigma to the clean estimate."""


@dataclass
class Aid:
    """Noise, and what the step before left.

    Args:
        eta: Share of fresh noise, 0 is deterministic.
        normal: Gives fresh standard normal noise of x's shape.
        brownian: Gives standard normal noise for the way between two sigmas.
        previous: The clean estimate of the step before, and its sigma. A multistep sampler
            reads it and leaves its own.
    """

    eta: float
    normal: Callable[[], Tensor]
    brownian: Callable[[Tensor, Tensor], Tensor]
    previous: tuple[Tensor, Tensor] | None = None


class OwnStep(Protocol):
    """One step of a sampler, from `sigma` to `sigma_next`."""

    def __call__(
        self, denoise: Denoiser, x: Tensor, sigma: Tensor, sigma_next: Tensor, aid: Aid
    ) -> Tensor: ...


def ancestral_split(sigma: Tensor, sigma_next: Tensor, eta: float) -> tuple[Tensor, Tensor]:
    """The level to step down to, and the noise to add there to reach `sigma_next`.

    Song et al. 2021 (DDIM), equation 16, in units of sigma.
    """
    up = eta * (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2) ** 0.5
    up = up.minimum(sigma_next)
    return (sigma_next**2 - up**2) ** 0.5, up
