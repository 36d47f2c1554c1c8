"""Colours of pictures, and one picture over another."""

from typing import Annotated

from nodeforge import imaging
from nodeforge.api import Image, Mask, Range, node

from .arrays import mapped


@node("image.blend", title="Blend images")
def blend(
    base: Image,
    over: Image,
    mode: imaging.BlendMode = imaging.BlendMode.NORMAL,
    opacity: Annotated[float, Range(0.0, 1.0, step=0.05)] = 0.5,
) -> Image:
    """Lay one picture on another of the same size.

    Args:
        base: The lower picture.
        over: The upper picture; its transparency counts.
        mode: How colours mix.
        opacity: How much of the upper one is seen.
    """
    return mapped(lambda low, high: imaging.blend(low, high, mode, opacity), base, over)


@node("image.composite", title="Composite images")
def composite(base: Image, over: Image, mask: Mask) -> Image:
    """Composite by a mask: one picture where it is 1, another, bit for bit, where it is 0.

    Args:
        base: Seen where the mask is 0.
        over: Seen where the mask is 1.
        mask: Of the pictures' size.
    """
    mask.check_fits(base)
    return mapped(imaging.composite, base, over, mask)


@node("image.adjust", title="Adjust colours")
def adjust(
    image: Image,
    brightness: Annotated[float, Range(-1.0, 1.0, step=0.01)] = 0.0,
    contrast: Annotated[float, Range(0.0, 4.0, step=0.01)] = 1.0,
    saturation: Annotated[float, Range(0.0, 4.0, step=0.01)] = 1.0,
    hue: Annotated[float, Range(-180.0, 180.0, step=1.0)] = 0.0,
    gamma: Annotated[float, Range(0.1, 10.0, step=0.01)] = 1.0,
) -> Image:
    """Change brightness, contrast and colour.

    Args:
        image: The pictures.
        brightness: Added to every pixel.
        contrast: Times the distance from middle grey.
        saturation: Times the distance from grey; 0 is black and white.
        hue: Turns the colour circle, degrees.
        gamma: Above 1 lifts the dark parts.
    """
    return mapped(
        lambda pixels: imaging.adjust(pixels, brightness, contrast, saturation, hue, gamma), image
    )


@node("image.levels")
def levels(
    image: Image,
    black: Annotated[float, Range(0.0, 255.0, step=1.0)] = 0.0,
    white: Annotated[float, Range(0.0, 255.0, step=1.0)] = 255.0,
    gamma: Annotated[float, Range(0.1, 10.0, step=0.01)] = 1.0,
    darkest: Annotated[float, Range(0.0, 255.0, step=1.0)] = 0.0,
    brightest: Annotated[float, Range(0.0, 255.0, step=1.0)] = 255.0,
) -> Image:
    """Spread the brightness of pictures between a black and a white point.

    Args:
        image: The pictures.
        black: What becomes the darkest, 0 to 255.
        white: What becomes the brightest, 0 to 255; above black.
        gamma: Above 1 lifts what is between.
        darkest: What black becomes.
        brightest: What white becomes; below `darkest` the picture is inverted.
    """
    return mapped(
        lambda pixels: imaging.levels(pixels, black, white, gamma, darkest, brightest), image
    )


@node("image.curves")
def curves(
    image: Image,
    points: str = "0:0, 128:140, 255:255",
    channel: imaging.CurveChannel = imaging.CurveChannel.COLOURS,
) -> Image:
    """Change brightness by a smooth curve through points, which never overshoots between them.

    Args:
        image: The pictures.
        points: What is so bright, and what it becomes, 0 to 255: ``0:0, 128:140, 255:255``.
        channel: What it changes; link several nodes for a curve each.
    """
    through = imaging.curve_points(points)
    return mapped(lambda pixels: imaging.curve(pixels, through, channel), image)


@node("image.match_colour", version=2, title="Match colours")
def match_colour(
    image: Image,
    reference: Image,
    mask: Mask | None = None,
    strength: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Image:
    """Match mean and standard deviation of the colours to those of another picture.

    Args:
        image: The pictures.
        reference: Whose colours they get; of any size, unless there is a mask.
        mask: Compare only where it is 0, as where an inpainted picture should be as before.
        strength: How far to go.
    """
    if mask is None:
        return mapped(lambda a, b: imaging.match_colour(a, b, strength), image, reference)
    mask.check_fits(image)
    mask.check_fits(reference)
    return mapped(
        lambda a, b, where: imaging.match_colour(a, b, strength, where), image, reference, mask
    )


@node("image.edges", version=2, title="Find edges")
def edges(
    image: Image,
    low: Annotated[float, Range(0.0, 1.0, step=0.01)] = 0.4,
    high: Annotated[float, Range(0.0, 1.0, step=0.01)] = 0.8,
) -> Image:
    """Draw the edges of pictures as white lines on black (Canny), as ControlNets read them.

    Args:
        image: The pictures.
        low: A weaker change than this is no edge.
        high: A stronger one always is; one between, only if it touches such a one.
    """
    return mapped(lambda pixels: imaging.edges(pixels, low, high), image)
