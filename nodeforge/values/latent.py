"""An image, a video or a sound in VAE space."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nodeforge.errors import NodeForgeError
from nodeforge.values.uncounted_fields import counted_if_not

if TYPE_CHECKING:
    from torch import Tensor


BCHW, BCTHW, BCL = "BCHW", "BCTHW", "BCL"
"""Layouts of pictures, videos and sounds: batch, channels, time, height, width; length."""


class LatentMismatchError(NodeForgeError):
    """Two latents that cannot be combined."""


@dataclass(frozen=True)
class Latent:
    """An image, a video or a sound in VAE space.

    Args:
        samples: float32 on the CPU, axes as `layout` says; already multiplied by the VAE's
            scaling factor, so the spread is about 1.
        space: The latent space of the VAE that it belongs to, as ``sd`` or ``flux``.
        scale: Pixels of the picture for one cell, along each side; samples for one cell of a sound.
        layout: Which axes `samples` has: ``BCHW``, ``BCTHW`` for video, ``BCL`` for sound.
        rate: Frames of the video, or samples of the sound, a second; 0 for pictures.
        seconds: How long the sound is that it holds; what its cells hold after it is silence. 0
            for pictures and videos.
    """

    samples: Tensor
    space: str
    scale: int
    layout: str = BCHW
    rate: float = field(default=0.0, metadata=counted_if_not(0.0))
    seconds: float = field(default=0.0, metadata=counted_if_not(0.0))

    @property
    def batch(self) -> int:
        return self.samples.shape[self.layout.index("B")]

    @property
    def frames(self) -> int:
        """Cells along the time axis of a video; a VAE may make several frames of one."""
        return self.samples.shape[self.layout.index("T")] if "T" in self.layout else 1

    @property
    def is_sound(self) -> bool:
        """Whether it is of a sound, which has neither height nor width."""
        return self.layout == BCL

    @property
    def height(self) -> int:
        """Height of the decoded picture in pixels; 0 for sounds."""
        return 0 if self.is_sound else self.samples.shape[self.layout.index("H")] * self.scale

    @property
    def width(self) -> int:
        """Width of the decoded picture in pixels; 0 for sounds."""
        return 0 if self.is_sound else self.samples.shape[self.layout.index("W")] * self.scale

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
