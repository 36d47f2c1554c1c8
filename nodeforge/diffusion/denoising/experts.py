"""The denoisers of a run: one, or one for high and one for low noise, as Wan 2.2 has them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Self

from torch import Tensor

from nodeforge.diffusion.networks.loading import LoadedModel
from nodeforge.diffusion.participants import Host
from nodeforge.values import Model


class Experts:
    """Gives the denoiser for a noise level; of two, one at a time is in use.

    Args:
        host: Loads them.
        model: What draws at high noise, with what takes over below.
        config: The scheduler's configuration.
    """

    def __init__(self, host: Host, model: Model, config: Mapping[str, Any]) -> None:
        self._host = host
        self._high, self._low = model, model.low_noise
        self._steps = config.get("num_train_timesteps", 1000)
        self._used = ExitStack()
        self._recipe: Model | None = None
        self._loaded: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._used.close()

    @property
    def now(self) -> LoadedModel:
        """The one in use; the first is that for high noise."""
        return self._loaded or self._use(self._high)

    @property
    def draws_low_noise(self) -> bool:
        """Whether the one in use is the second of two."""
        return self._low is not None and self._recipe is self._low.model

    def at(self, timestep: Tensor) -> LoadedModel:
        """The one for a timestep, which is loaded where it is not in use."""
        if self._low is None:
            return self.now
        high = bool(timestep >= self._low.boundary * self._steps)
        return self._use(self._high if high else self._low.model)

    def _use(self, recipe: Model) -> LoadedModel:
        loaded = self._loaded
        if loaded is None or recipe is not self._recipe:
            self._used.close()
            loaded = self._used.enter_context(self._host.use(recipe))
            self._loaded, self._recipe = loaded, recipe
        return loaded
