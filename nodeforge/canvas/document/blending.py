"""Blends premultiplied RGBA8 pixels over premultiplied RGBA8 pixels, in place.

What is transparent above leaves the bits below as they are, what is opaque there (normal, at
opacity 1) gives its own: so a layer changes nothing but where it shows something.
"""

from __future__ import annotations

import threading
from typing import cast

import cv2
import numpy as np

from nodeforge.imaging import BlendMode, Bytes, mix

_SHARE = 1 / 255


def premultiplied(straight: Bytes) -> Bytes:
    """RGBA8 with colours times alpha, rounded; RGB gets an opaque alpha."""
    if straight.shape[2] == 3:
        return cast("Bytes", cv2.cvtColor(straight, cv2.COLOR_RGB2RGBA))
    out = times(straight, straight[..., 3])
    out[..., 3] = straight[..., 3]
    return out


def straight(premultiplied: Bytes) -> Bytes:
    """RGBA8 with colours divided by alpha, rounded; what is transparent is black."""
    alpha = four(premultiplied[..., 3])
    out = cast("Bytes", cv2.divide(premultiplied, alpha, scale=255))  # cv2 says 0 where that is 0
    out[..., 3] = premultiplied[..., 3]
    return out


def alpha_of(pixels: Bytes) -> Bytes:
    return cast("Bytes", cv2.extractChannel(pixels, 3))


def inverse(pixels: Bytes) -> Bytes:
    """255 - each value."""
    return cast("Bytes", cv2.bitwise_not(pixels))


def plus(first: Bytes, second: Bytes) -> Bytes:
    """The sum, 255 at most."""
    return cast("Bytes", cv2.add(first, second))


def four(plane: Bytes) -> Bytes:
    """One channel four times."""
    return cast("Bytes", cv2.merge((plane, plane, plane, plane)))


def times(pixels: Bytes, share: Bytes) -> Bytes:
    """Every channel times share / 255, rounded; `share` is (height, width), or like `pixels`."""
    wide = four(share) if pixels.ndim > share.ndim else share
    return cast("Bytes", cv2.multiply(pixels, wide, scale=_SHARE))


def faded(pixels: Bytes, opacity: float) -> Bytes:
    """Every channel times `opacity`, 0..1."""
    return pixels if opacity >= 1 else cast("Bytes", cv2.convertScaleAbs(pixels, alpha=opacity))


def blend_onto(
    base: Bytes, source: Bytes, mode: BlendMode = BlendMode.NORMAL, opacity: float = 1.0
) -> None:
    """Lay `source` on `base`, which is changed.

    Both (height, width, 4). Formulas of W3C Compositing and Blending Level 1:
    ``co = cs (1 - ab) + cb (1 - as) + as ab B(cb, cs)`` in premultiplied colours.
    """
    alpha = alpha_of(source)
    if mode not in (BlendMode.NORMAL, BlendMode.SCREEN):
        if cv2.countNonZero(alpha):
            base[...] = _mixed(base, source, mode, np.float32(opacity))
        return
    if opacity < 1:
        source = faded(source, opacity)
        alpha = alpha_of(source)
    if mode is BlendMode.SCREEN:  # cs + cb - cs cb holds in premultiplied colours, too
        base[...] = plus(times(base, inverse(source)), source)
    else:
        blend_normal(base, base, source, alpha)


def blend_normal(out: Bytes, base: Bytes, source: Bytes, alpha: Bytes) -> None:
    """`source`, whose alpha is `alpha`, on `base`, into `out`, which may be `base`."""
    clear = inverse(alpha)
    if not cv2.countNonZero(clear):
        out[...] = source
        return
    size = clear.size * 4
    room = _kept.room[:size].reshape(*clear.shape, 4) if size <= _kept.room.size else None
    wide = cv2.merge((clear, clear, clear, clear), dst=room)
    cv2.multiply(base, wide, dst=out, scale=_SHARE)
    cv2.add(out, source, dst=out)


class _Kept(threading.local):
    """Room for a tile: to ask the system for it each time costs as much as the arithmetic."""

    def __init__(self) -> None:
        self.room = np.empty(256 * 256 * 4, np.uint8)


_kept = _Kept()


def blend_inside(base: Bytes, source: Bytes) -> None:
    """Lay `source` on `base` where that is not transparent, and as much; alpha stays."""
    alpha = alpha_of(base)
    sum = plus(times(base, inverse(alpha_of(source))), times(source, alpha))
    base[..., :3] = np.minimum(sum[..., :3], alpha[..., None])  # roundings may pass it by one


def _mixed(base: Bytes, source: Bytes, mode: BlendMode, opacity: np.float32) -> Bytes:
    below, above = (pixels.astype(np.float32) * np.float32(_SHARE) for pixels in (base, source))
    under, over = below[..., 3:], above[..., 3:]
    colours = mix(_divided(below[..., :3], under), _divided(above[..., :3], over), mode)
    above *= opacity
    out = above[..., :3] * (1 - under) + below[..., :3] * (1 - over) + under * over * colours
    made = np.empty_like(base)
    made[..., 3] = np.rint((over + under - over * under)[..., 0] * 255)
    made[..., :3] = np.minimum(np.rint(out * 255), made[..., 3:])
    return made


def _divided(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.divide(colours, alpha, out=np.zeros_like(colours), where=alpha > 0).clip(0, 1)
