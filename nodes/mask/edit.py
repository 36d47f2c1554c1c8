"""Changing masks."""

from typing import Annotated

from nodeforge import imaging
from nodeforge.api import Latent, Mask, Range, node

from .arrays import mapped


@node("mask.invert", title="Invert mask")
def invert(mask: Mask) -> Mask:
    """Invert a mask.

    Args:
        mask: The mask.
    """
    return Mask(mapped(imaging.invert, mask))


@node("mask.grow", title="Grow mask")
def grow(mask: Mask, pixels: Annotated[int, Range(-1024, 1024)] = 8) -> Mask:
    """Make a mask larger on every side.

    Args:
        mask: The mask.
        pixels: By how much; a negative number makes it smaller.
    """
    return Mask(mapped(lambda values: imaging.grow(values, pixels), mask))


@node("mask.feather", title="Feather mask")
def feather(mask: Mask, radius: Annotated[int, Range(0, 512)] = 8) -> Mask:
    """Soften a mask's edge on both sides.

    Args:
        mask: The mask.
        radius: Pixels on each side; farther away nothing changes.
    """
    return Mask(mapped(lambda values: imaging.feather(values, radius), mask))


@node("mask.combine", title="Combine masks")
def combine(first: Mask, second: Mask, how: imaging.Combine = imaging.Combine.ADD) -> Mask:
    """Make one mask of two of the same size.

    Args:
        first: A mask.
        second: The mask to add, subtract or intersect.
        how: The operation.
    """
    return Mask(mapped(lambda a, b: imaging.combine(a, b, how), first, second))


@node("mask.threshold", title="Threshold mask")
def threshold(mask: Mask, level: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5) -> Mask:
    """Make a grey mask black and white.

    Args:
        mask: The mask.
        level: What is above it becomes 1, the rest 0.
    """
    return Mask(mapped(lambda values: imaging.threshold(values, level), mask))


@node("mask.scale_to_latent", title="Scale mask to latent")
def scale_to_latent(mask: Mask, latent: Latent) -> Mask:
    """Bring a mask to the size of a latent's picture; one of that size stays as it is.

    Args:
        mask: The mask, of any size.
        latent: The latent that it is to be used with.
    """
    size = (latent.width, latent.height)
    return Mask(mapped(lambda m: imaging.resize(m, *size, imaging.Method.BILINEAR), mask))
