"""Changing masks."""

from typing import Annotated, NamedTuple

import numpy as np
import torch

from nodeforge import imaging
from nodeforge.api import Latent, Mask, Range, node

from .arrays import mapped, merged


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


class Bounds(NamedTuple):
    """A rectangle around a mask."""

    left: int
    top: int
    width: int
    height: int


@node("mask.bounds", title="Bounding box of mask")
def bounds(mask: Mask, padding: Annotated[int, Range(0, 4096)] = 0) -> Bounds:
    """Give the smallest rectangle around all that is masked, as numbers for *Crop image*.

    Around an empty mask it is the whole picture; around several masks, it holds them all.

    Args:
        mask: The mask.
        padding: Pixels more on every side, up to the picture's border.

    Returns:
        left: Where it starts, pixels from the left.
        top: Where it starts, pixels from above.
        width: Pixels.
        height: Pixels.
    """
    return Bounds(*imaging.padded_box(merged(mask), padding))


class Parts(NamedTuple):
    """What of a mask hangs together."""

    masks: Mask
    number: int


@node("mask.parts", title="Parts of mask")
def parts(
    mask: Mask,
    least_area: Annotated[int, Range(1, 2**26)] = 64,
    most: Annotated[int, Range(1, 64)] = 8,
    order: imaging.PartOrder = imaging.PartOrder.LARGEST,
) -> Parts:
    """Take a mask apart into masks that touch each other nowhere (connected components).

    Args:
        mask: The mask; of a batch, parts are taken of what all of them cover.
        least_area: Pixels; smaller parts are left out.
        most: How many parts are given.
        order: Which come first.

    Returns:
        masks: One mask for each part, as a batch; one empty mask where there is no part.
        number: How many parts there are.
    """
    whole = merged(mask)
    found = imaging.parts(whole, least_area, most, order)
    imaging.check_pixels(mask.width, mask.height, max(1, len(found)))
    masks = np.stack(found or [np.zeros_like(whole)])
    return Parts(Mask(torch.from_numpy(masks)), len(found))


@node("mask.part", title="Part of mask")
def part(
    mask: Mask,
    index: Annotated[int, Range(0, 4096)] = 0,
    least_area: Annotated[int, Range(1, 2**26)] = 64,
    order: imaging.PartOrder = imaging.PartOrder.LARGEST,
) -> Mask:
    """Take one part of a mask, of those that touch each other nowhere (connected components).

    Args:
        mask: The mask; of a batch, parts are taken of what all of them cover.
        index: Which one, counted from 0; beyond the last the mask is empty.
        least_area: Pixels; smaller parts do not count.
        order: Which come first.
    """
    whole = merged(mask)
    found = imaging.parts(whole, least_area, index + 1, order)
    chosen = found[index] if index < len(found) else np.zeros_like(whole)
    return Mask(torch.from_numpy(chosen[None]))


@node("mask.scale_to_latent", title="Scale mask to latent")
def scale_to_latent(mask: Mask, latent: Latent) -> Mask:
    """Bring a mask to the size of a latent's picture; one of that size stays as it is.

    Args:
        mask: The mask, of any size.
        latent: The latent that it is to be used with.
    """
    size = (latent.width, latent.height)
    return Mask(mapped(lambda m: imaging.resize(m, *size, imaging.Method.BILINEAR), mask))
