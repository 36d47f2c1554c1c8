"""The protocol of a sampler on a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from nodeforge.diffusion.tensors.noise import DrawnNoise

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From x as the model reads it, its timestep and its sigma, to the guided prediction."""

Blend = Callable[[Tensor, Callable[[Tensor, Tensor], Tensor]], Tensor]
"""Changes x after a model call. It gets what adds noise to a clean latent at x's level."""


@dataclass
class NegativePrediction:
    """Where guidance leaves what the last model call predicted for the negative prompt.

    Args:
        prediction: (batch, channels, height, width); None before the first call.
    """

    prediction: Tensor | None = None


class Stepper(Protocol):
    """A sampler on a schedule. It walks whole steps; each makes one model call or several.

    Its x is scaled as it likes; `to_sigmas` and `from_sigmas` translate to clean + sigma * noise.
    """

    @property
    def steps(self) -> int:
        """Whole steps of the full schedule."""
        ...

    @property
    def first(self) -> int:
        """The first whole step that is run at the schedule's strength."""
        ...

    @property
    def timesteps(self) -> list[float]:
        """The timestep at the start of each whole step, and 0 after the last."""
        ...

    @property
    def negative(self) -> NegativePrediction | None:
        """Where it reads the negative prompt's prediction; None where it does not."""
        ...

    @property
    def reads_stop(self) -> bool:
        """Whether its numbers depend on where the run stops."""
        ...

    def cut(self, start: int, stop: int) -> tuple[int, int]:
        """Only the whole steps from `start` to `stop` will be run; call it before `prepare`.

        Returns:
            The same, or its own steps where it divides what lies between anew; `first` is then 0,
            and `steps` their number.
        """
        ...

    @property
    def position(self) -> int:
        """The whole step that comes next."""
        ...

    def prepare(self, position: int, drawn: DrawnNoise) -> None:
        """Stand before whole step `position`, with the generators to draw from."""
        ...

    def pure_noise(self, noise: Tensor) -> Tensor:
        """x before the first step, from standard normal noise alone."""
        ...

    def add_noise(self, clean: Tensor, noise: Tensor) -> Tensor:
        """x at the position's level, from a clean latent and standard normal noise."""
        ...

    def step(self, predict: Predict, x: Tensor, blend: Blend | None) -> Tensor:
        """One whole step."""
        ...

    @property
    def calls(self) -> int:
        """Model calls made since it was prepared, those before a restored state included."""
        ...

    def to_sigmas(self, x: Tensor) -> Tensor:
        """x at the position, as clean + sigma * noise."""
        ...

    def from_sigmas(self, x: Tensor) -> Tensor:
        """The reverse of `to_sigmas`."""
        ...

    def state(self) -> dict[str, Any]:
        """All that later steps depend on beside x: JSON values and tensors."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; the stepper was prepared afresh, with the same arguments."""
        ...
