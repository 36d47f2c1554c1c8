"""Pictures beside and on each other, and text on them."""

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeforge import imaging
from nodeforge.api import File, Image, Mask, Multiline, Range, node

from .arrays import mapped


@node("image.stitch", title="Stitch images")
def stitch(
    first: Image,
    second: Image,
    side: imaging.Side = imaging.Side.RIGHT,
    same_size: bool = True,
    align: imaging.Align = imaging.Align.CENTRE,
    gap: Annotated[int, Range(0, 4096)] = 0,
    colour: str = "#000000",
) -> Image:
    """Put two pictures side by side, or one above the other.

    Args:
        first: A picture.
        second: The picture that goes beside it.
        side: Where the second one goes.
        same_size: Resize the second one, in proportion, to the height of the first, or the width.
        align: Where the smaller one lies, if they are of different sizes; start is above or left.
        gap: Pixels between them.
        colour: Of the gap and of what neither covers, as #rrggbb.
    """
    fill = imaging.parse_colour(colour)
    return mapped(
        lambda a, b: imaging.stitch(a, b, side, align, gap, fill, same_size=same_size),
        first,
        second,
    )


@node("image.layer", title="Lay over")
def layer(
    base: Image,
    over: Image,
    mask: Mask | None = None,
    left: Annotated[int, Range(-16384, 16384)] = 0,
    top: Annotated[int, Range(-16384, 16384)] = 0,
    mode: imaging.BlendMode = imaging.BlendMode.NORMAL,
    opacity: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
) -> Image:
    """Lay a picture of any size on another at a place; beside it, every bit stays.

    Args:
        base: The lower picture.
        over: The upper picture; its transparency counts, and what reaches beyond is cut off.
        mask: How much of the upper one is seen, of its size.
        left: Where it starts, pixels from the left.
        top: Where it starts, pixels from above.
        mode: How colours mix.
        opacity: How much of it is seen.
    """
    if mask is None:
        return mapped(
            lambda low, high: imaging.lay_over(low, high, left, top, mode, opacity), base, over
        )
    mask.check_fits(over)
    return mapped(
        lambda low, high, seen: imaging.lay_over(low, high, left, top, mode, opacity, seen),
        *(base, over, mask),
    )


@node("image.text", title="Text on image")
def text(
    image: Image,
    text: Annotated[str, Multiline()] = "NodeForge",
    size: Annotated[int, Range(4, 1024)] = 32,
    colour: str = "#ffffff",
    opacity: Annotated[float, Range(0.0, 1.0, step=0.05)] = 1.0,
    left: Annotated[int, Range(-16384, 16384)] = 16,
    top: Annotated[int, Range(-16384, 16384)] = 16,
    width: Annotated[int, Range(0, 16384)] = 0,
    align: imaging.TextAlign = imaging.TextAlign.LEFT,
    font: Annotated[Path | None, File("any")] = None,
) -> Image:
    """Draw a text on pictures.

    Args:
        image: The pictures.
        text: What to write; long lines are wrapped.
        size: Height of the font, pixels.
        colour: As #rrggbb.
        opacity: How much of it is seen.
        left: Where its box starts, pixels from the left.
        top: Where its box starts, pixels from above.
        width: Where lines are wrapped, pixels; 0 is the picture's right edge.
        align: Where shorter lines lie in that width.
        font: A font file (TTF, OTF); nothing is Aileron, which has the letters of English alone.
    """
    how = imaging.Lettering(
        size, imaging.parse_colour(colour), opacity, left, top, width, align, font
    )
    return mapped(lambda pixels: imaging.draw_text(pixels, text, how), image)


@node("image.set_alpha", title="Set transparency")
def set_alpha(image: Image, mask: Mask) -> Image:
    """Make pictures transparent where a mask is 1, in place of the transparency that they had.

    Args:
        image: The pictures.
        mask: Of their size; 0 stays opaque.
    """
    mask.check_fits(image)
    return mapped(lambda pixels, hidden: imaging.with_transparency(pixels, hidden), image, mask)


@node("image.flatten", title="Remove transparency")
def flatten(image: Image, colour: str = "#ffffff") -> Image:
    """Lay pictures on a colour, so that nothing of them is transparent.

    Args:
        image: The pictures; without transparency they stay as they are.
        colour: What is seen where they are transparent, as #rrggbb.
    """
    below = imaging.parse_colour(colour)
    return mapped(lambda pixels: imaging.flattened(pixels, below), image)


class Measured(NamedTuple):
    """How alike pictures are."""

    mean: float
    largest: float
    changed: float
    psnr: float


@node("image.similarity", title="Compare by numbers")
def similarity(before: Image, after: Image) -> Measured:
    """Say in numbers how alike two pictures of one size are; alpha counts.

    Args:
        before: A picture.
        after: The other one.

    Returns:
        mean: Mean absolute difference, 0 to 1.
        largest: The largest difference of a channel, 0 to 1.
        changed: Share of the pixels that differ at all, 0 to 1.
        psnr: Peak signal-to-noise ratio, decibels; 100 stands for equal.
    """
    return Measured(*imaging.similarity(before.pixels.numpy(), after.pixels.numpy()))
