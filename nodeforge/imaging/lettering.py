"""Text drawn on pictures, in a font of one's own or the one that Pillow brings.

Fonts of the system are not looked for: a picture would depend on the machine that made it.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from nodeforge.imaging.arrays import Pixels
from nodeforge.imaging.blend import BlendMode, blend
from nodeforge.imaging.errors import FontError, PictureTooLargeError

_MOST_CHARACTERS = 10_000
_MISSING = "\U0010ffff"
"""A character that no font has, to see what is drawn in place of one."""


class TextAlign(StrEnum):
    """Where lines of different lengths lie."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True)
class Lettering:
    """How a text is drawn.

    Args:
        size: Height of the font, pixels.
        colour: RGB, 0..1.
        opacity: 0..1.
        left, top: Upper left corner of its box, pixels.
        width: Pixels of a line, at which it is wrapped; 0 is up to the picture's right edge.
        align: Where shorter lines lie in that width.
        font: A font file (TTF, OTF); None is Pillow's own (Aileron), which has the letters of
            English alone.
    """

    size: int = 32
    colour: Sequence[float] = (1, 1, 1)
    opacity: float = 1.0
    left: int = 0
    top: int = 0
    width: int = 0
    align: TextAlign = TextAlign.LEFT
    font: Path | None = None


def draw_text(pixels: Pixels, text: str, how: Lettering) -> Pixels:
    """`pixels` with a text on them; what reaches beyond the picture is cut off.

    Lines are wrapped between words; a word that is longer than a line, within it.

    Args:
        pixels: (height, width, 3 or 4), 0..1.
        text: What to draw; it may have several lines.
        how: Where and how.

    Raises:
        FontError: the font has not all its characters, or cannot be read.
        PictureTooLargeError: it has more than 10,000 characters.
    """
    text = text.expandtabs(4).replace("\r\n", "\n").rstrip()
    if len(text) > _MOST_CHARACTERS:
        raise PictureTooLargeError(
            f"a text of {len(text):,} characters; up to {_MOST_CHARACTERS:,} are drawn.",
            way_out="Make it shorter.",
        )
    font = _font(how)
    _check_characters(font, text)
    height, width = pixels.shape[:2]
    room = how.width or max(1, width - how.left)
    stencil = Image.new("L", (width, height))
    draw = ImageDraw.Draw(stencil)
    line_height = sum(font.getmetrics())
    for number, line in enumerate(_wrapped(font, text, room)):
        free = room - font.getlength(line)
        share = {TextAlign.LEFT: 0.0, TextAlign.CENTRE: 0.5, TextAlign.RIGHT: 1.0}[how.align]
        draw.text((how.left + free * share, how.top + number * line_height), line, 255, font)
    seen = np.asarray(stencil, np.float32) / np.float32(255)
    ink = np.broadcast_to(np.asarray(how.colour, np.float32), (height, width, 3))
    return blend(
        pixels, np.concatenate([ink, seen[..., None]], axis=2), BlendMode.NORMAL, how.opacity
    )


def _font(how: Lettering) -> FreeTypeFont:
    if how.font is None:
        font = ImageFont.load_default(how.size)
        assert isinstance(font, FreeTypeFont)
        return font
    try:
        return ImageFont.truetype(io.BytesIO(how.font.read_bytes()), how.size)
    except OSError as error:
        raise FontError(
            "is not a font, or cannot be read.",
            place=how.font.name,
            way_out="Choose a TTF or OTF file.",
        ) from error


def _check_characters(font: FreeTypeFont, text: str) -> None:
    box = _drawn(font, _MISSING)
    lacking = sorted({c for c in text if c not in " \n" and _drawn(font, c) == box})
    if lacking:
        shown = " ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in lacking[:8])
        raise FontError(
            f"the font has no character for: {shown}",
            way_out="Choose a font file (TTF, OTF) that has it.",
        )


def _drawn(font: FreeTypeFont, character: str) -> bytes:
    side = math.ceil(2 * font.size)
    stencil = Image.new("L", (side, side))
    ImageDraw.Draw(stencil).text((0, 0), character, 255, font)
    return stencil.tobytes()


def _wrapped(font: FreeTypeFont, text: str, room: float) -> Iterator[str]:
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if font.getlength(longer) <= room:
                line = longer
                continue
            if line:
                yield line
            *whole, line = _pieces(font, word, room)
            yield from whole
        yield line


def _pieces(font: FreeTypeFont, word: str, room: float) -> list[str]:
    """`word` in pieces that each fit, of at least one character."""
    pieces = [""]
    for character in word:
        if pieces[-1] and font.getlength(pieces[-1] + character) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces
