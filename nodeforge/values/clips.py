"""Videos and sound as nodes see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Audio:
    """Sounds of one length.

    Args:
        samples: float32 on the CPU, (batch, channels, samples), about -1..1; one channel or more,
            left before right.
        rate: Samples a second.
    """

    samples: Tensor
    rate: int

    @property
    def batch(self) -> int:
        return self.samples.shape[0]

    @property
    def channels(self) -> int:
        return self.samples.shape[1]

    @property
    def seconds(self) -> float:
        return self.samples.shape[2] / self.rate


@dataclass(frozen=True)
class Video:
    """A clip: frames of one size, evenly spaced in time.

    Args:
        frames: uint8 on the CPU, (frames, height, width, 3), sRGB: 8 bits, so that a clip takes a
            quarter of the memory that pictures of its frames do.
        rate: Frames a second.
        audio: Its sound, a batch of one that starts with the first frame; None is none.
    """

    frames: Tensor
    rate: float
    audio: Audio | None = None

    @property
    def count(self) -> int:
        """How many frames."""
        return self.frames.shape[0]

    @property
    def height(self) -> int:
        return self.frames.shape[1]

    @property
    def width(self) -> int:
        return self.frames.shape[2]

    @property
    def seconds(self) -> float:
        """How long the frames last; its sound may last longer or shorter."""
        return self.count / self.rate
