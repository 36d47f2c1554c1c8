"""Judges a picture that was made again: identical, equal to the eye, or different, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nodeforge.engine.replay.differences import (
    Difference,
    Differs,
    Finding,
    find,
    machine_differences,
    saving_differences,
)
from nodeforge.engine.replay.lock import PictureLock, read_lock
from nodeforge.engine.replay.words import Words
from nodeforge.errors import RequestError
from nodeforge.formats.pictures import is_media, is_picture, texts_of_file
from nodeforge.spec import Catalogue
from nodeforge.values.picture_lock import LOCK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frames = NDArray[np.uint8]

MOST_APART = 4
"""Of 255: the largest difference that is equal to the eye ..."""
LEAST_PSNR = 45.0
"""... where the peak signal-to-noise ratio is no less, decibels."""
_ENCODERS = {".jpg": "pillow", ".jpeg": "pillow", ".webp": "pillow"}
"""What encodes pictures that lose something."""


class Alike(StrEnum):
    """How alike a picture and what was made again are."""

    IDENTICAL = "identical"
    TO_THE_EYE = "equal to the eye"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Verdict:
    """What came of making a picture again.

    Args:
        alike: How alike the two are.
        apart: The largest difference of a channel, of 255; 255 where the sizes differ.
        psnr: Peak signal-to-noise ratio, decibels; infinite where they are identical.
        where: The first node and step that differ, in words; empty where none is known to.
        node: That node's id.
        loop: The first node of which a step differs; empty where none does.
        step: That step, counted from 1.
        causes: What differs there, or of the environment, in words.
        besides: What differs too, without being the cause, in words.
    """

    alike: Alike
    apart: int
    psnr: float
    where: str = ""
    node: str = ""
    loop: str = ""
    step: int = 0
    causes: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """The verdict in words, the first line alone being enough."""
        if self.alike is Alike.IDENTICAL:
            yield "Identical: every pixel is the same."
        else:
            psnr = f"PSNR {self.psnr:.1f} dB" if math.isfinite(self.psnr) else "of another size"
            called = "Equal to the eye" if self.alike is Alike.TO_THE_EYE else "Different"
            yield f"{called}: at most {self.apart} of 255 apart, {psnr}."
        if self.where:
            yield f"First differs: {self.where}."
        for cause in self.causes:
            yield f"Cause: {cause}."
        for besides in self.besides:
            yield f"Also differs: {besides}."

    def to_json(self) -> dict[str, Any]:
        raw = asdict(self)
        return {**raw, "psnr": self.psnr if math.isfinite(self.psnr) else None}


def judge(picture: Path, again: Path, catalogue: Catalogue) -> Verdict:
    """Compare a picture or video with what its replay saved, by pixels and by locks.

    Args:
        picture: The file that was saved before.
        again: The file that was saved now.
        catalogue: Names nodes and files.

    Raises:
        NodeForgeError: one cannot be read.
    """
    then, now = (read_lock(texts_of_file(each).get(LOCK), each.name) for each in (picture, again))
    alike, apart, psnr = compare_pixels(picture, again)
    finding = find(then, now)
    words = Words(then, catalogue)
    if alike is not Alike.IDENTICAL and not finding.node:
        causes = _after_the_last_node(then, now, picture)
        finding = Finding(then.node, then.type_of(then.node), causes=causes)
    return Verdict(
        alike,
        apart,
        psnr,
        words.where(finding) if finding.node else "",
        finding.node,
        finding.loop,
        finding.step,
        tuple(words.of(each, finding.node) for each in finding.causes),
        tuple(words.of(each, finding.node) for each in finding.besides),
    )


def compare_pixels(picture: Path, again: Path) -> tuple[Alike, int, float]:
    """How alike the pixels of two files are, the largest difference, and the PSNR in decibels.

    Raises:
        NodeForgeError: one cannot be read.
    """
    import numpy as np  # only here: it is slow to import

    one, other = frames_of(picture), frames_of(again)
    if one.shape[:-1] != other.shape[:-1]:
        return Alike.DIFFERENT, 255, math.nan
    largest, square = 0, 0.0
    for first, second in zip(one, other, strict=True):  # one at a time: videos are large
        apart = np.abs(_opaque(first, second).astype(np.int16) - _opaque(second, first))
        largest = max(largest, int(apart.max()))
        square += float(np.square(apart, dtype=np.float64).mean()) / len(one)
    if not largest:
        return Alike.IDENTICAL, 0, math.inf
    psnr = 10 * math.log10(255**2 / square)
    close = largest <= MOST_APART and psnr >= LEAST_PSNR
    return Alike.TO_THE_EYE if close else Alike.DIFFERENT, largest, psnr


def frames_of(path: Path) -> Frames:
    """The pixels of a picture or video, uint8 (frames, height, width, 3 or 4).

    Raises:
        RequestError: it is neither.
        NodeForgeError: it cannot be read.
    """
    if is_media(path):
        from nodeforge.media import Selection, read_video  # only here: it brings FFmpeg

        return read_video(path, Selection()).frames
    if not is_picture(path):
        raise RequestError("is neither picture nor video.", place=path.name, way_out="Choose one.")
    from nodeforge.imaging import decode_bytes

    return decode_bytes(path)[None]


def _opaque(pixels: Frames, other: Frames) -> Frames:
    """`pixels` with an alpha channel where the other has one."""
    import numpy as np

    if pixels.shape[-1] >= other.shape[-1]:
        return pixels
    return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=-1)


def _after_the_last_node(
    then: PictureLock, now: PictureLock, picture: Path
) -> tuple[Difference, ...]:
    """Why pixels differ although all results are as they were."""
    if not then.nodes or not now.nodes:
        return tuple(machine_differences(then, now)) or (Difference(Differs.UNKNOWN),)
    if own := saving_differences(then, now):
        return tuple(own)
    encoder = _ENCODERS.get(picture.suffix.lower(), "av" if is_media(picture) else "")
    encoders = tuple(each for each in machine_differences(then, now) if each.name == encoder)
    return encoders or (Difference(Differs.SAVED),)
