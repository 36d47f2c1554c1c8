"""Colours and shape of decoded frames: to upright sRGB pixels, and back to YUV for encoders.

YUV without a tag is BT.709 from 720 lines on and BT.601 below, as players have it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
HD_LINES = 720
_UNSPECIFIED = 2
_MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""By the matrix coefficients of H.273, which frames carry."""
TRANSFERS = {16: "PQ", 18: "HLG"}
"""HDR transfer functions of H.273."""


@dataclass(frozen=True)
class Turn:
    """How stored pixels become upright: quarter turns against the clock, after a flip."""

    quarters: int = 0
    is_flipped: bool = False

    @property
    def swaps_sides(self) -> bool:
        return self.quarters % 2 == 1

    def apply(self, pixels: Bytes) -> Bytes:
        """Stored pixels (height, width, 3), upright."""
        return np.rot90(pixels[:, ::-1] if self.is_flipped else pixels, self.quarters)


def turn_of(frame: VideoFrame) -> Turn:
    """What the display matrix of a frame says; phones write one instead of turning pixels."""
    try:
        data = frame.side_data[Type.DISPLAYMATRIX]  # pyright: ignore[reportGeneralTypeIssues]
    except KeyError:
        return Turn()
    a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])
    is_flipped = a * d - b * c < 0
    if is_flipped:  # undo a flip from left to right, which came first
        a, b = -a, -b
    # (a, b) is where the x axis goes on the screen, whose y axis points down.
    angle = np.degrees(np.arctan2(-b, a))
    return Turn(round(angle / 90) % 4, is_flipped)


def to_rgb(reformatter: VideoReformatter, frame: VideoFrame, width: int, height: int) -> Bytes:
    """The pixels of a frame as stored, not turned, at a size: uint8 (height, width, 3).

    Args:
        reformatter: One for all frames of a clip, which keeps its tables.
        frame: The frame.
        width: Pixels.
        height: Pixels.
    """
    if (frame.width, frame.height) == (width, height):
        scaling = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    else:
        shrinks = frame.width * frame.height > width * height
        scaling = Interpolation.AREA if shrinks else Interpolation.LANCZOS
        scaling |= Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    made = reformatter.reformat(
        frame,
        width,
        height,
        "rgb24",
        src_colorspace=_matrix(frame),
        src_color_range=frame.color_range or None,
        dst_color_range=ColorRange.JPEG,
        interpolation=scaling,
        threads=1,
    )
    return np.asarray(made.to_ndarray(), np.uint8)


def _matrix(frame: VideoFrame) -> Colorspace:
    lines = Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
    return _MATRICES.get(int(frame.colorspace), lines)


@dataclass(frozen=True)
class YuvColours:
    """The tags of YUV that is written: BT.709 for HD, BT.601 below."""

    matrix: Colorspace
    tag: int
    primaries: ColorPrimaries
    transfer: ColorTrc

    @classmethod
    def of(cls, height: int) -> YuvColours:
        if height >= HD_LINES:
            return cls(Colorspace.ITU709, 1, ColorPrimaries.BT709, ColorTrc.BT709)
        return cls(Colorspace.ITU601, 6, ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M)


def to_yuv(reformatter: VideoReformatter, pixels: Bytes, colours: YuvColours) -> VideoFrame:
    """An encoder's frame in yuv420p, limited range, of RGB pixels (height, width, 3)."""
    return reformatter.reformat(
        VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"),
        format="yuv420p",
        dst_colorspace=colours.matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        threads=1,
    )
