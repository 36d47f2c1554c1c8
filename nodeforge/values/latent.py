"""An image in VAE space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodeforge.errors import NodeForgeError

if TYPE_CHECKING:
    from torch import Tensor


class LatentMismatchError(NodeForgeError):
    """Two latents that cannot be combined."""


@dataclass(frozen=True)
class Latent:
    """An image in VAE space.

    Args:
        samples: float32 on the CPU, axes as `layout` says; already multiplied by the VAE's
            scaling factor, so the spread is about 1.
        space: The latent space of the VAE that it belongs to, as ``sd`` or ``flux``.
        scale: Pixels of the picture for one cell, along each side.
        layout: Which axes `samples` has: ``BCHW``; a video adds T.
    """

    samples: Tensor
    space: str
    scale: int
    layout: str = "BCHW"

    @property
    def batch(self) -> int:
        return self.samples.shape[self.layout.index("B")]

    @property
    def height(self) -> int:
        """Height of the decoded picture in pixels."""
        return self.samples.shape[self.layout.index("H")] * self.scale

    @property
    def width(self) -> int:
        """Width of the decoded picture in pixels."""
        return self.samples.shape[self.layout.index("W")] * self.scale

    def check_like(self, other: Latent) -> None:
        """Raise `LatentMismatchError` unless the two can be combined."""
        if self.space != other.space or self.layout != other.layout:
            raise LatentMismatchError(
                f"one latent is of the space {self.space}, the other of {other.space}.",
                way_out="Encode both with the same VAE.",
            )
        if self.samples.shape[1:] != other.samples.shape[1:]:
            raise LatentMismatchError(
                f"one latent is {self.width} × {self.height} pixels, "
                f"the other {other.width} × {other.height}.",
                way_out="Scale one of them first.",
            )
        if self.batch != other.batch and 1 not in (self.batch, other.batch):
            raise LatentMismatchError(
                f"one latent holds {self.batch} pictures, the other {other.batch}.",
                way_out="Repeat one of them until the numbers agree.",
            )
