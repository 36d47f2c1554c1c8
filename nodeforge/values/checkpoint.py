"""The state of a denoise loop between two whole steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nodeforge.values.uncounted_fields import counted_if_not

if TYPE_CHECKING:
    from torch import Tensor

    from nodeforge.values.latent import Latent


@dataclass(frozen=True)
class Checkpoint:
    """All that the loop needs to go on as if it had never stopped.

    Args:
        latent: The noisy latent after the step.
        step: Index of the next whole step.
        call: Index of the next model call; a two-call sampler makes two a step.
        stepper: State of the stepper: JSON values and tensors, nested dicts and lists.
        participants: State of those that keep one, likewise, by class name.
        generators: One torch CPU generator state (uint8) for each item of the batch.
        clean: The clean estimate of the step's last model call, float16; only for pictures.
        digests: Of the latent after each step so far; for the locks of pictures.
        made_in: Names of the environments in which these steps were made; for the same.
    """

    latent: Latent
    step: int
    call: int
    stepper: Mapping[str, Any] = field(default_factory=dict)
    participants: Mapping[str, Any] = field(default_factory=dict)
    generators: tuple[Tensor, ...] = ()
    clean: Latent | None = None
    digests: tuple[str, ...] = field(default=(), metadata=counted_if_not(()))
    made_in: tuple[str, ...] = field(default=(), metadata=counted_if_not(()))
