"""Colour adjustment, colour matching and edge detection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import cv2
import numpy as np

from nodeforge.errors import NodeForgeError
from nodeforge.imaging.arrays import Pixels, on_black, to_bytes, with_alpha

_LAB_LIGHTNESS = 100
"""CIE Lab's lightness of white; black is 0."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of red, green and blue in brightness: ITU-R BT.709."""


class Channel(StrEnum):
    """What of a picture's pixels is read."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    ALPHA = "alpha"
    LUMINANCE = "luminance"


class ColourError(NodeForgeError):
    """A text that is no colour."""


def parse_colour(text: str) -> tuple[float, float, float]:
    """Red, green and blue, 0..1, of ``#rrggbb`` or ``#rgb``.

    Raises:
        ColourError: it is neither.
    """
    digits = text.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    if not re.fullmatch("[0-9a-fA-F]{6}", digits):
        raise ColourError(f"'{text}' is no colour.", way_out="Write it as #rrggbb.")
    red, green, blue = (value / 255 for value in bytes.fromhex(digits))
    return red, green, blue


def luminance(pixels: Pixels) -> Pixels:
    """Brightness, (height, width), of sRGB values as they are, laid on black.

    A grey pixel's is exactly its value; a transparent one's is 0, whatever its colour.
    """
    pixels = on_black(pixels)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return np.where((red == green) & (green == blue), red, pixels[..., :3] @ _LUMA)


def channel(pixels: Pixels, which: Channel) -> Pixels:
    """One channel of `pixels`, (height, width); colours are laid on black.

    Alpha is 1 where a picture is opaque, and everywhere where it has none.
    """
    if which is Channel.LUMINANCE:
        return luminance(pixels)
    if which is Channel.ALPHA:
        return with_alpha(pixels)[..., 3].copy()
    place = (Channel.RED, Channel.GREEN, Channel.BLUE).index(which)
    return on_black(pixels)[..., place].copy()


def colour_distance(pixels: Pixels, colour: Sequence[float]) -> Pixels:
    """How different each pixel looks from `colour`: (height, width), float32.

    The distance in CIE Lab (CIE 1976), a hundredth of it: black and white are 1 apart, and 0.023
    is about what an eye just sees. Alpha does not count.
    """
    wanted = np.asarray(colour, np.float32).reshape(1, 1, 3)
    apart = _lab(pixels) - _lab(wanted)
    return np.asarray(np.linalg.norm(apart, axis=-1) / _LAB_LIGHTNESS, np.float32)


def adjust(
    pixels: Pixels,
    brightness: float = 0.0,
    contrast: float = 1.0,
    saturation: float = 1.0,
    hue: float = 0.0,
    gamma: float = 1.0,
) -> Pixels:
    """`pixels` with other colours; the same bits where nothing is asked for. Alpha stays.

    Args:
        brightness: Added, -1..1.
        contrast: Distance from middle grey, times this.
        saturation: Distance from grey of the same brightness, times this.
        hue: Turns the colour circle, degrees.
        gamma: Above 1 lifts the dark parts.
    """
    colours = pixels[..., :3]
    if gamma != 1:
        colours = np.power(np.clip(colours, 0, 1), np.float32(1 / gamma))
    if contrast != 1:
        colours = (colours - np.float32(0.5)) * np.float32(contrast) + np.float32(0.5)
    if brightness:
        colours = colours + np.float32(brightness)
    if saturation != 1:
        grey = luminance(colours)[..., None]
        colours = grey + (colours - grey) * np.float32(saturation)
    if hue % 360:
        colours = _turned(np.clip(colours, 0, 1), hue)
    out = pixels.copy()
    out[..., :3] = np.clip(colours, 0, 1)
    return out


def _turned(colours: Pixels, degrees: float) -> Pixels:
    hsv = cv2.cvtColor(np.ascontiguousarray(colours, np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32)


def match_colour(
    pixels: Pixels,
    reference: Pixels,
    strength: float = 1.0,
    where: Pixels | None = None,
) -> Pixels:
    """`pixels` with the mean and spread of the colours of `reference`: Reinhard et al. 2001.

    In CIE Lab, channel by channel, of what can be seen. Alpha stays.

    Args:
        pixels: (height, width, 3 or 4).
        reference: Of any size, without `where`; of the same size, with it.
        strength: 0 leaves `pixels` alone.
        where: (height, width): colours are compared only where it is 0, that is, where a mask
            leaves both pictures alike. Where it is 0 nowhere, `pixels` stays as it is.
    """
    keep = _visible(pixels) if where is None else (where <= 0) & _visible(pixels)
    told = _visible(reference) if where is None else keep & _visible(reference)
    if strength == 0 or not keep.any() or not told.any():
        return pixels.copy()
    lab = _lab(pixels)
    source, wanted = lab[keep], _lab(reference)[told]
    spread = source.std(axis=0)
    scale = np.where(spread > 1e-3, wanted.std(axis=0) / np.maximum(spread, 1e-3), 1)
    moved = (lab - source.mean(axis=0)) * scale + wanted.mean(axis=0)
    matched = np.clip(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_Lab2RGB), 0, 1)
    out = pixels.copy()
    out[..., :3] += (matched - out[..., :3]) * np.float32(strength)
    return out


def _visible(pixels: Pixels) -> np.ndarray:
    """Where a picture shows anything, (height, width)."""
    return pixels[..., 3] > 0 if pixels.shape[2] == 4 else np.ones(pixels.shape[:2], bool)


def _lab(pixels: Pixels) -> Pixels:
    colours = np.ascontiguousarray(pixels[..., :3], np.float32)
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2Lab), np.float32)


def edges(pixels: Pixels, low: float = 0.4, high: float = 0.8) -> Pixels:
    """White lines on black where brightness changes: Canny 1986, as ControlNets read it.

    Args:
        low: A weaker change than this is no edge; 0..1, of 255.
        high: A stronger one always is; between, only if it touches one.

    Returns:
        float32, (height, width, 3), each pixel 0 or 1.
    """
    grey = cv2.cvtColor(to_bytes(on_black(pixels)), cv2.COLOR_RGB2GRAY)
    lines = cv2.Canny(grey, low * 255, high * 255) > 0
    return np.repeat(lines[..., None], 3, axis=2).astype(np.float32)
