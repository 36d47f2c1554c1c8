"""Pictures and masks as nodes see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodeforge.errors import NodeForgeError

if TYPE_CHECKING:
    from torch import Tensor


class SizeMismatchError(NodeForgeError):
    """A picture and what belongs to it differ in size."""


@dataclass(frozen=True)
class Image:
    """Pictures of one size.

    Args:
        pixels: float32 on the CPU, (batch, height, width, 3 or 4), 0..1, sRGB; a fourth
            channel is alpha, not premultiplied. An 8-bit value v is exactly v / 255.
    """

    pixels: Tensor

    @property
    def batch(self) -> int:
        return self.pixels.shape[0]

    @property
    def height(self) -> int:
        return self.pixels.shape[1]

    @property
    def width(self) -> int:
        return self.pixels.shape[2]

    @property
    def has_alpha(self) -> bool:
        return self.pixels.shape[3] == 4

    @property
    def colours(self) -> Tensor:
        """The pixels without alpha; black where they are transparent, whatever hides there."""
        return self.pixels[..., :3] * (self.pixels[..., 3:] > 0) if self.has_alpha else self.pixels


@dataclass(frozen=True)
class Mask:
    """Where a picture may change.

    Args:
        values: float32 on the CPU, (batch, height, width), 0..1; 1 where it may change.
    """

    values: Tensor

    @property
    def batch(self) -> int:
        return self.values.shape[0]

    @property
    def height(self) -> int:
        return self.values.shape[1]

    @property
    def width(self) -> int:
        return self.values.shape[2]

    def check_fits(self, image: Image) -> None:
        """Raise `SizeMismatchError` unless the mask has the picture's size."""
        if (self.width, self.height) != (image.width, image.height):
            raise SizeMismatchError(
                f"the mask is {self.width} × {self.height} pixels, "
                f"the picture {image.width} × {image.height}.",
                way_out="Use a mask of the picture's size.",
            )


@dataclass(frozen=True)
class Region:
    """A rectangle cut out of a picture, and the size it was brought to.

    Args:
        left, top: Its upper left corner in the original, pixels; may lie outside of it.
        width, height: Its size in the original, pixels.
        scaled_width, scaled_height: Its size after cutting, pixels, as a model wants it.
    """

    left: int
    top: int
    width: int
    height: int
    scaled_width: int
    scaled_height: int
