"""Preprocessors for ControlNets and adapters: edges, line art, scribble, tiles. OpenCV only.

All give float32, (height, width, 3); lines are white on black. What is
transparent counts as black, whatever its colour.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np

from nodeforge.imaging.arrays import Pixels, on_black
from nodeforge.imaging.colour import edges, luminance
from nodeforge.imaging.geometry import Method, resize
from nodeforge.imaging.masks import from_alpha

_SCALES = (1.0, 2.0, 4.0)
"""Widths of the blurs whose edges `soft_edges` joins, as shares of its own."""

_SPARSE = 0.5
"""What covers less than this share of a picture is a drawing."""


class Reading(StrEnum):
    """What of a picture a ControlNet sees."""

    AUTO = "auto"
    """Of a drawing its lines, of a picture its edges."""
    LINES = "lines"
    """What is drawn, white on black, whatever its colour."""
    EDGES = "edges"
    SOFT_EDGES = "soft edges"
    LINE_ART = "line art"
    SCRIBBLE = "scribble"
    TILE = "tile"
    """The picture without its details."""
    PICTURE = "picture"
    """The picture as it is."""


def control_hint(pixels: Pixels, reading: Reading) -> Pixels:
    """What a ControlNet sees of a picture, float32, (height, width, 3).

    Args:
        pixels: RGBA or RGB; what is transparent is not there.
    """
    if reading in (Reading.AUTO, Reading.LINES):
        drawn = 1 - from_alpha(pixels)
        if reading is Reading.LINES or drawn.mean() < _SPARSE:
            return _white(drawn)
        reading = Reading.EDGES
    match reading:
        case Reading.EDGES:
            return edges(pixels)
        case Reading.SOFT_EDGES:
            return soft_edges(pixels)
        case Reading.LINE_ART:
            return line_art(pixels)
        case Reading.SCRIBBLE:
            return scribble(pixels)
        case Reading.TILE:
            return tiled(pixels)
    return _colours(pixels)


def soft_edges(pixels: Pixels, detail: float = 0.5) -> Pixels:
    """Edges as bright as the change is strong, joined over three scales.

    In place of HED and PiDiNet, which need weights. A scale's edge is the strongest change of
    any colour in CIE Lab; a form that is there at all scales is brighter than texture is.

    Args:
        detail: 0 draws great forms alone, 1 fine texture as well.
    """
    width = 1.0 + 3.0 * (1.0 - detail)
    joined = np.mean([np.hypot(*_slopes(pixels, width * scale)) for scale in _SCALES], axis=0)
    return _white(np.clip(joined / _full(joined, width), 0, 1) ** np.float32(0.8))


def line_art(pixels: Pixels, width: float = 1.0, detail: float = 0.5) -> Pixels:
    """Thin lines as a pen would draw them: the borders of forms, and dark strokes as they are.

    Strokes are what is darker than its surroundings: the extended difference of Gaussians of
    Winnemöller et al. 2012, without its edge flow.

    Args:
        width: Of the lines, pixels.
        detail: 0 draws the clearest lines alone, 1 the faintest as well.
    """
    grey = luminance(_colours(pixels))
    darker = np.maximum(_soft(grey, width * 2.5) - _soft(grey, width), 0)
    threshold = np.float32(0.16 * (1.0 - detail) + 0.02)
    strokes = np.tanh(np.maximum(darker - threshold, 0) / threshold)
    borders = _soft(_thin_lines(pixels, width * 1.5, detail), width * 0.6)
    return _white(np.maximum(strokes, np.clip(borders * np.float32(2.5 * width), 0, 1)))


def scribble(pixels: Pixels, width: int = 4, detail: float = 0.4) -> Pixels:
    """Few thick lines, as drawn in haste: borders of the blurred picture, short ones left out.

    Args:
        width: Of the lines, pixels.
        detail: 0 draws great forms alone, 1 small ones as well.
    """
    blur = 2.0 + 4.0 * (1.0 - detail)
    lines = _without_short(_thin_lines(pixels, blur, detail), int(5 * blur))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(1, width), max(1, width)))
    return _white(np.asarray(cv2.dilate(lines, disc), np.float32))


def blurred(pixels: Pixels, radius: float = 6.0) -> Pixels:
    """The picture out of focus; a Gauss curve whose standard deviation is `radius` pixels."""
    return _colours(pixels) if radius <= 0 else np.clip(_soft(_colours(pixels), radius), 0, 1)


def tiled(pixels: Pixels, factor: float = 4.0) -> Pixels:
    """The picture with its details taken away, as tile ControlNets were trained to put back.

    It is shrunk by `factor` and brought back to its size.
    """
    height, width = pixels.shape[:2]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    less = resize(_colours(pixels), *small, Method.AREA)
    return resize(less, width, height, Method.BICUBIC)


def colour_cells(pixels: Pixels, cells: int = 8) -> Pixels:
    """The mean colour of every square, `cells` of them along the shorter side."""
    height, width = pixels.shape[:2]
    side = min(height, width) / max(1, cells)
    small = (max(1, round(width / side)), max(1, round(height / side)))
    mean = resize(_colours(pixels), *small, Method.AREA)
    return resize(mean, width, height, Method.NEAREST)


def _colours(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(on_black(pixels), np.float32)


def _white(plane: Pixels) -> Pixels:
    return np.repeat(plane.astype(np.float32)[..., None], 3, axis=2)


def _soft(pixels: Pixels, radius: float) -> Pixels:
    soft = cv2.GaussianBlur(pixels, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, np.float32)


def _slopes(pixels: Pixels, radius: float) -> tuple[Pixels, Pixels]:
    """The slope along each axis of the blurred picture's Lab channel that is steepest there."""
    lab = cv2.cvtColor(_soft(_colours(pixels), radius), cv2.COLOR_RGB2Lab) / np.float32(100)
    along, down = (
        np.asarray(cv2.Sobel(lab, cv2.CV_32F, *axes, borderType=cv2.BORDER_REPLICATE))
        for axes in ((1, 0), (0, 1))
    )
    steepest = np.hypot(along, down).argmax(axis=-1)[..., None]
    return tuple(np.take_along_axis(each, steepest, -1)[..., 0] for each in (along, down))  # pyright: ignore[reportReturnType]


def _full(slope: Pixels, radius: float) -> float:
    """The slope of a clear edge; a flat picture has none, and its noise is not made one."""
    return max(float(np.percentile(slope, 99)), 0.5 / radius)


def _thin_lines(pixels: Pixels, radius: float, detail: float) -> Pixels:
    """Lines one pixel wide along the ridges of the slope (Canny 1986, on its own slopes)."""
    along, down = _slopes(pixels, radius)
    full = 1000.0 / _full(np.hypot(along, down), radius)
    high = 1000.0 * (0.7 - 0.6 * detail)
    dx, dy = (np.clip(each * full, -8000, 8000).astype(np.int16) for each in (along, down))
    return (cv2.Canny(dx, dy, high * 0.4, high, L2gradient=True) > 0).astype(np.float32)


def _without_short(lines: Pixels, least: int) -> Pixels:
    """`lines` without the pieces that have fewer than `least` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8))
    long = stats[:count, cv2.CC_STAT_AREA] >= least
    long[0] = False
    return long[np.asarray(labels, np.intp)].astype(np.float32)
