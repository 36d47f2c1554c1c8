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


@dataclass(frozen=True)
class ClipFacts:
    """What a window must know of a video, a sound or a latent's time axis to play it.

    Args:
        frames: How many pictures; 0 for a sound alone.
        rate: Frames a second; 0 for a sound alone.
        seconds: How long it lasts, the longer of pictures and sound.
        width: Of a frame in pixels, of a latent of its decoded frame; 0 for a sound alone.
        height: Of a frame in pixels.
        sound: Seconds of sound; 0 for none.
    """

    frames: int = 0
    rate: float = 0.0
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    sound: float = 0.0
