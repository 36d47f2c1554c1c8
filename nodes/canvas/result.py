"""What a workflow gives back to the canvas."""

from functools import reduce
from typing import Annotated, NamedTuple

import torch

from nodeforge import imaging
from nodeforge.api import Image, Mask, Range, node


class Result(NamedTuple):
    """A generation, and how the canvas will look with it."""

    patch: Image
    image: Image


@node("canvas.result", title="Canvas result", shows=True)
def result(
    generated: Image,
    image: Image,
    mask: Mask,
    feather: Annotated[int, Range(0, 512)] = 8,
    match_colour: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Result:
    """Cut what the mask allows out of generated pictures, for a new layer of the canvas.

    Every pixel where the mask is 0 is fully transparent in the patch, so the canvas keeps its
    bytes there.

    Args:
        generated: What the model made, of any size.
        image: The canvas's pixels.
        mask: Where the canvas may change, of that size.
        feather: Pixels of the canvas over which the patch fades in, inside of the mask.
        match_colour: How far to take out the drift of colour that shows around the mask.

    Returns:
        patch: Of the box's size, transparent where nothing changes; the canvas takes this.
        image: The patch laid over the canvas's pixels.
    """
    mask.check_fits(image)
    patch = imaging.each(
        lambda new, old, where: imaging.patch(old, new, where, feather, match_colour),
        *(generated.pixels.numpy(), image.pixels.numpy(), mask.values.numpy()),
    )
    over = imaging.each(_over, image.pixels.numpy(), patch)
    return Result(Image(torch.from_numpy(patch)), Image(torch.from_numpy(over)))


class Layers(NamedTuple):
    """A picture taken apart, and what its layers show together."""

    patch: Image
    image: Image


@node("canvas.layers", title="Canvas layers", shows=True)
def layers(generated: Image, image: Image, mask: Mask) -> Layers:
    """Give pictures with alpha to the canvas as the layers of one group, the lowest first.

    Nothing fades in and no colour is matched: a layer shows what the others do not.

    Args:
        generated: The layers, of any size, as 'VAE decode' gives them.
        image: The canvas's pixels, which the layers were made of.
        mask: Where the canvas may change, of that size.

    Returns:
        patch: The layers in the box's size, transparent where the mask is 0; the canvas takes them.
        image: The layers over each other.
    """
    mask.check_fits(image)
    made = imaging.each(imaging.layer_patch, generated.pixels.numpy(), mask.values.numpy()[:1])
    shown = reduce(imaging.apply, map(imaging.to_bytes, made))
    return Layers(
        Image(torch.from_numpy(made)), Image(torch.from_numpy(imaging.to_float(shown)[None]))
    )


def _over(below: imaging.Pixels, patch: imaging.Pixels) -> imaging.Pixels:
    """In 8 bits, as the canvas does it."""
    return imaging.to_float(imaging.apply(imaging.to_bytes(below), imaging.to_bytes(patch)))
