"""Blend modes, and compositing one picture over another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from nodeforge.imaging.arrays import Pixels, alike, check_same_size, with_alpha

_LUMINOSITY = np.array([0.3, 0.59, 0.11], np.float32)


class BlendMode(StrEnum):
    """How two colours make one; formulas of W3C Compositing and Blending Level 1."""

    NORMAL = "normal"
    MULTIPLY = "multiply"
    SCREEN = "screen"
    OVERLAY = "overlay"
    SOFT_LIGHT = "soft light"
    HARD_LIGHT = "hard light"
    DARKEN = "darken"
    LIGHTEN = "lighten"
    DIFFERENCE = "difference"
    EXCLUSION = "exclusion"
    COLOUR_DODGE = "colour dodge"
    COLOUR_BURN = "colour burn"
    ADD = "add"
    SUBTRACT = "subtract"
    HUE = "hue"
    SATURATION = "saturation"
    COLOUR = "colour"
    LUMINOSITY = "luminosity"


def blend(base: Pixels, over: Pixels, mode: BlendMode, opacity: float) -> Pixels:
    """`over` laid on `base`; at opacity 0 the bits of `base`.

    Args:
        base: (height, width, 3 or 4).
        over: Of the same size; its alpha, if it has one, counts like opacity.
        mode: How colours mix.
        opacity: 0..1.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(base, over)
    weight = np.float32(opacity) * (over[..., 3:] if over.shape[2] == 4 else np.float32(1))
    mixed = mix(base[..., :3], over[..., :3], mode)
    if base.shape[2] == 4:  # where nothing is below, the upper colour is seen as it is
        mixed = with_alpha(_lerp(over[..., :3], mixed, base[..., 3:]))
    return _mixed(base, mixed, np.broadcast_to(weight, (*base.shape[:2], 1)))


def lay_over(
    base: Pixels,
    over: Pixels,
    left: int,
    top: int,
    mode: BlendMode = BlendMode.NORMAL,
    opacity: float = 1.0,
    mask: Pixels | None = None,
) -> Pixels:
    """`over` laid on `base` at a place; where it does not lie, the bits of `base`.

    Args:
        base: (height, width, 3 or 4).
        over: Of any size; what reaches beyond `base` is cut off.
        left, top: Where its upper left corner lies, pixels; may be negative.
        mode, opacity: As `blend`.
        mask: (height, width) of `over`: how much of it is seen.

    Raises:
        SizeMismatchError: the mask has another size than `over`.
    """
    if mask is not None:
        check_same_size(over, mask)
        over = with_alpha(over) * np.concatenate([np.ones((*mask.shape, 3)), mask[..., None]], 2)
    height, width = base.shape[:2]
    x0, x1 = max(left, 0), min(left + over.shape[1], width)
    y0, y1 = max(top, 0), min(top + over.shape[0], height)
    out = base.copy()
    if x0 < x1 and y0 < y1:
        seen = over[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
        out[y0:y1, x0:x1] = blend(base[y0:y1, x0:x1], seen, mode, opacity)
    return out


def with_transparency(pixels: Pixels, hidden: Pixels) -> Pixels:
    """`pixels`, (height, width, 4), transparent where `hidden`, (height, width), is 1.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(pixels, hidden)
    return np.concatenate([pixels[..., :3], np.float32(1) - hidden[..., None]], axis=-1)


def flattened(pixels: Pixels, colour: Sequence[float]) -> Pixels:
    """`pixels`, (height, width, 3), laid on a colour (RGB, 0..1); opaque ones keep their bits."""
    if pixels.shape[2] == 3:
        return pixels.copy()
    below = np.broadcast_to(np.asarray(colour, np.float32), pixels[..., :3].shape)
    return blend(below, pixels, BlendMode.NORMAL, 1.0)


def crossfade(first: Pixels, second: Pixels, weight: Pixels) -> Pixels:
    """From `first` at weight 0 to `second` at 1; where they are equal, their bits.

    Args:
        first, second: Of one shape, (height, width, 3 or 4).
        weight: 0..1, (height, width, 1) or what broadcasts to it.
    """
    wide = np.broadcast_to(weight, (*first.shape[:2], 1))
    equal = (first == second).all(axis=-1, keepdims=True)
    return np.where(equal, first, _mixed(first, second, wide)).astype(np.float32)


def mix(base: Pixels, over: Pixels, mode: BlendMode) -> Pixels:
    """What two opaque colours make, 0..1.

    Args:
        base, over: RGB along the last axis; arrays of one shape.
        mode: Hue, saturation, colour and luminosity mix whole colours, all others each channel.
    """
    return np.clip(_FORMULAS[mode](base, over), 0, 1)


def composite(base: Pixels, over: Pixels, mask: Pixels) -> Pixels:
    """`over` where `mask` is 1, `base` where it is 0, bit for bit; a mix between.

    Args:
        base, over: (height, width, 3 or 4), of one size.
        mask: (height, width), of that size.

    Raises:
        SizeMismatchError: the sizes differ.
    """
    check_same_size(base, over)
    check_same_size(base, mask)
    base, over = alike(base, over)
    return _mixed(base, over, mask[..., None])


def _mixed(base: Pixels, over: Pixels, weight: Pixels) -> Pixels:
    """From `base` at weight 0 to `over` at 1, both exactly; what is transparent has no colour."""
    if base.shape[2] == 4:
        alpha = _lerp(base[..., 3:], over[..., 3:], weight)
        seen = _lerp(base[..., :3] * base[..., 3:], over[..., :3] * over[..., 3:], weight)
        colours = np.divide(seen, alpha, out=np.zeros_like(seen), where=alpha > 0)
        between = np.concatenate([np.clip(colours, 0, 1), alpha], axis=-1)
    else:
        between = _lerp(base, over, weight)
    return np.where(weight <= 0, base, np.where(weight >= 1, over, between)).astype(np.float32)


def _lerp(base: Pixels, over: Pixels, weight: Pixels) -> Pixels:
    return np.asarray(base + (over - base) * weight, np.float32)


def _overlay(base: Pixels, over: Pixels) -> Pixels:
    return np.where(base <= 0.5, 2 * base * over, 1 - 2 * (1 - base) * (1 - over))


def _soft_light(base: Pixels, over: Pixels) -> Pixels:
    curve = np.where(base <= 0.25, ((16 * base - 12) * base + 4) * base, np.sqrt(base))
    darker = base - (1 - 2 * over) * base * (1 - base)
    return np.where(over <= 0.5, darker, base + (2 * over - 1) * (curve - base))


def _exclusion(base: Pixels, over: Pixels) -> Pixels:
    return np.asarray(base + over - 2 * base * over, np.float32)


def _colour_dodge(base: Pixels, over: Pixels) -> Pixels:
    room = np.float32(1) - over
    lit = np.divide(base, room, out=np.ones_like(base), where=room > 0)
    return np.where(base <= 0, np.float32(0), lit)


def _colour_burn(base: Pixels, over: Pixels) -> Pixels:
    burnt = np.divide(np.float32(1) - base, over, out=np.ones_like(base), where=over > 0)
    return np.where(base >= 1, base, np.float32(1) - np.minimum(burnt, 1))


def _luminosity(colours: Pixels) -> Pixels:
    """``Lum(C)`` of the specification, with an axis of one channel."""
    return np.asarray((colours @ _LUMINOSITY)[..., None], np.float32)


def _ends(colours: Pixels) -> tuple[Pixels, Pixels]:
    """The least and the greatest channel; numpy's own along an axis of three is far slower."""
    red, green, blue = (colours[..., channel, None] for channel in range(3))
    least = np.minimum(np.minimum(red, green), blue)
    return least, np.maximum(np.maximum(red, green), blue)


def _saturation(colours: Pixels) -> Pixels:
    """``Sat(C)``, likewise."""
    least, most = _ends(colours)
    return most - least


def _with_luminosity(colours: Pixels, luminosity: Pixels) -> Pixels:
    """``SetLum(C, l)`` and, within it, ``ClipColor``: towards grey as far as 0..1 needs it."""
    apart = colours - _luminosity(colours)
    least, most = _ends(apart)
    share = np.ones_like(luminosity)
    np.divide(luminosity, -least, out=share, where=luminosity + least < 0)
    np.divide(1 - luminosity, most, out=share, where=luminosity + most > 1)
    return np.asarray(luminosity + apart * share, np.float32)


def _with_saturation(colours: Pixels, saturation: Pixels) -> Pixels:
    """``SetSat(C, s)``; a grey becomes black, as it has no hue."""
    least, most = _ends(colours)
    spread = most - least
    share = np.divide(saturation, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray((colours - least) * share, np.float32)


def _hue(base: Pixels, over: Pixels) -> Pixels:
    return _with_luminosity(_with_saturation(over, _saturation(base)), _luminosity(base))


def _saturated(base: Pixels, over: Pixels) -> Pixels:
    return _with_luminosity(_with_saturation(base, _saturation(over)), _luminosity(base))


_FORMULAS: dict[BlendMode, Callable[[Pixels, Pixels], Pixels]] = {
    BlendMode.NORMAL: lambda base, over: over,
    BlendMode.MULTIPLY: lambda base, over: base * over,
    BlendMode.SCREEN: lambda base, over: 1 - (1 - base) * (1 - over),
    BlendMode.OVERLAY: _overlay,
    BlendMode.SOFT_LIGHT: _soft_light,
    BlendMode.HARD_LIGHT: lambda base, over: _overlay(over, base),
    BlendMode.DARKEN: np.minimum,
    BlendMode.LIGHTEN: np.maximum,
    BlendMode.DIFFERENCE: lambda base, over: np.abs(base - over),
    BlendMode.EXCLUSION: _exclusion,
    BlendMode.COLOUR_DODGE: _colour_dodge,
    BlendMode.COLOUR_BURN: _colour_burn,
    BlendMode.ADD: lambda base, over: base + over,
    BlendMode.SUBTRACT: lambda base, over: base - over,
    BlendMode.HUE: _hue,
    BlendMode.SATURATION: _saturated,
    BlendMode.COLOUR: lambda base, over: _with_luminosity(over, _luminosity(base)),
    BlendMode.LUMINOSITY: lambda base, over: _with_luminosity(base, _luminosity(over)),
}
