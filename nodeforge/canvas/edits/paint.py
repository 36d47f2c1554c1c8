"""What a stroke or fill applies to a layer: a colour, a picture, or erasing.

Every tool that paints ends here: brush, fill, gradient, clone, paste.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from nodeforge.canvas.document.blending import (
    alpha_of,
    blend_inside,
    blend_normal,
    faded,
    inverse,
    plus,
    times,
)
from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.tiles import Draft, parts
from nodeforge.imaging import Box, Bytes

Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha, 0..255, colours not multiplied."""


class Paint(Protocol):
    """A source of pixels."""

    @property
    def opaque(self) -> bool:
        """Whether what it shows is everywhere as opaque as the alpha it is laid through."""
        ...

    def seen(self, alpha: Bytes, box: Box) -> Bytes | None:
        """Its premultiplied RGBA8 in a box of the canvas, times `alpha`; None erases."""
        ...

    def level(self, alpha: Bytes, box: Box) -> Bytes | None:
        """The same for a mask, (height, width)."""
        ...


@dataclass(frozen=True)
class ColourPaint:
    """One colour; a mask gets its alpha."""

    colour: Colour

    @property
    def opaque(self) -> bool:
        return self.colour[3] == 255

    @cached_property
    def _by_alpha(self) -> np.ndarray:
        red, green, blue, opacity = self.colour
        whole = np.array([red, green, blue, 255]) * opacity / 255
        table = np.rint(np.arange(256)[:, None] * whole / 255).astype(np.uint8)
        return np.minimum(table, table[:, 3:]).view(np.uint32)[:, 0]

    def seen(self, alpha: Bytes, box: Box) -> Bytes:
        pixels = np.take(self._by_alpha, alpha, mode="clip")
        return pixels.view(np.uint8).reshape(*alpha.shape, 4)

    def level(self, alpha: Bytes, box: Box) -> Bytes:
        return faded(alpha, self.colour[3] / 255)


class EraserPaint:
    """Takes away."""

    opaque = True

    def seen(self, alpha: Bytes, box: Box) -> None:
        return None

    def level(self, alpha: Bytes, box: Box) -> None:
        return None


@dataclass(frozen=True)
class PicturePaint:
    """A picture that lies somewhere on the canvas.

    Args:
        pixels: Premultiplied RGBA8; transparent around it. A mask gets its alpha.
        left, top: Where its corner lies.
    """

    pixels: Bytes
    left: int = 0
    top: int = 0

    @property
    def opaque(self) -> bool:
        return False

    def seen(self, alpha: Bytes, box: Box) -> Bytes:
        return times(self._cut(box), alpha)

    def level(self, alpha: Bytes, box: Box) -> Bytes:
        return times(alpha_of(self._cut(box)), alpha)

    def _cut(self, box: Box) -> Bytes:
        whole = Box(self.left, self.top, self.pixels.shape[1], self.pixels.shape[0])
        inside = box.overlap(whole)
        if inside == box:
            return _part(self.pixels, box.moved(-self.left, -self.top))
        out = np.zeros((box.height, box.width, 4), np.uint8)
        if inside is not None:
            there = _part(self.pixels, inside.moved(-self.left, -self.top))
            _part(out, inside.moved(-box.left, -box.top))[...] = there
        return out


def _part(pixels: Bytes, box: Box) -> Bytes:
    return pixels[box.top : box.bottom, box.left : box.right]


def apply_paint(draft: Draft, layer: Layer, ink: Paint, alpha: Bytes, box: Box) -> None:
    """Lay `ink` on what `draft` started from, in a box of the canvas, through `alpha`.

    What the draft was before counts for nothing there: the same part laid again, with more
    alpha, is as if it was laid once. That keeps a stroke from passing its own opacity.

    Args:
        layer: Whose tiles are drafted: its offset and locks count.
        alpha: (height, width) of the box.
    """
    local = layer.local(box)
    for key, there, here in parts(local):
        part = _of(box, here)
        through = alpha[here]
        if not cv2.countNonZero(through) and draft.get(key) is draft.base.get(key):
            continue
        base = draft.base.get(key)
        before = None if base is None else base[there]
        out = draft.writable(key)[there]
        if layer.is_mask:
            _lay_mask(out, before, ink.level(through, part), through)
        elif layer.alpha_locked:
            _lay_locked(out, before, ink.seen(through, part))
        else:
            seen = ink.seen(through, part)
            own = through if seen is None or ink.opaque else alpha_of(seen)
            _lay(out, before, seen, own)


def _of(box: Box, here: tuple[slice, slice]) -> Box:
    rows, columns = here
    size = (columns.stop - columns.start, rows.stop - rows.start)
    return Box(box.left + columns.start, box.top + rows.start, *size)


def _lay(out: Bytes, before: Bytes | None, seen: Bytes | None, alpha: Bytes) -> None:
    if before is None:
        out[...] = 0 if seen is None else seen
    elif seen is None:
        out[...] = times(before, inverse(alpha))
    else:
        blend_normal(out, before, seen, alpha)


def _lay_locked(out: Bytes, before: Bytes | None, seen: Bytes | None) -> None:
    if before is not None:
        out[...] = before
        if seen is not None:
            blend_inside(out, seen)


def _lay_mask(out: Bytes, before: Bytes | None, level: Bytes | None, alpha: Bytes) -> None:
    if before is None:
        out[...] = 0 if level is None else level
    elif level is None:
        out[...] = times(before, inverse(alpha))
    else:
        out[...] = plus(times(before, inverse(level)), level)
