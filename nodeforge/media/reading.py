"""Reads videos: a range of frames, evenly spaced, into one array of 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from nodeforge.imaging import in_proportion
from nodeforge.media import animated_webp, facts
from nodeforge.media.colours import Bytes, to_rgb, turn_of
from nodeforge.media.container import DAMAGE, audio_stream, damaged, open_media, video_stream
from nodeforge.media.errors import ClipTooLargeError, CutOffError, MediaError
from nodeforge.media.facts import VideoFacts, probe_video
from nodeforge.media.gif_text import read_gif_text
from nodeforge.media.sound import Sound, decoded
from nodeforge.media.timeline import Selection, Times, chosen_frames, frame_rate, told_rate

MOST_CLIP = 4 * 2**30
"""Bytes of the frames of one clip: 27 s at 1920 × 1080 and 24 frames a second."""
_MARGIN = 2.0
"""Seconds that are looked at beyond a range: frames are stored in another order than shown."""


@dataclass(frozen=True)
class Clip:
    """Frames of one size, evenly spaced in time.

    Args:
        frames: uint8, (frames, height, width, 3), sRGB.
        rate: Frames a second.
        sound: Its sound, which starts with the first frame; None is none.
        facts: What its file is.
        remarks: What was done to it or is unusual, as sentences.
    """

    frames: Bytes
    rate: float
    sound: Sound | None
    facts: VideoFacts
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scan:
    """Presentation times of the frames of a file, or of the part around a range."""

    times: Times
    end: float
    first: float
    reaches_end: bool
    latest: float


def read_video(
    path: Path,
    selection: Selection | None = None,
    most_bytes: int = MOST_CLIP,
    check: Callable[[int, int], None] = lambda done, of: None,
) -> Clip:
    """A range of a video, upright, in sRGB of 8 bits, evenly spaced in time.

    Args:
        path: MP4, MOV, WebM, MKV, AVI, GIF, APNG, WebP, ...
        selection: What is read; by default all.
        most_bytes: What the frames may take.
        check: Called after each frame with how many are read and of how many; may raise.

    Raises:
        MissingStreamError: it has no video stream.
        RangeError: nothing of it lies in the range.
        ClipTooLargeError: the frames would take more than `most_bytes`; nothing is decoded then.
        CutOffError: it ends within the range.
        MediaError: it cannot be read.
    """
    selection = selection or Selection()
    selection.check()
    told = probe_video(path)
    size = in_proportion((told.width, told.height), selection.width, selection.height)
    _check_estimate(told, selection, size, most_bytes, path)
    try:
        if animated_webp.is_webp(path):
            return _read_webp(path, told, selection, size, most_bytes, check)
        with open_media(path) as container:
            return _Reader(container, path, told).clip(selection, size, most_bytes, check)
    except MediaError as error:
        raise (error if error.place else error.at(str(path))) from error.__cause__


def read_frame(path: Path, seconds: float = 0.0, longest: int = 0) -> Bytes:
    """One frame of a video, for a thumbnail: uint8 (height, width, 3).

    Args:
        path: The video.
        seconds: When it is shown, from the beginning.
        longest: Pixels of the longer side at most; 0 keeps its size.

    Raises:
        MediaError: it cannot be read.
    """
    told = probe_video(path)
    share = min(1.0, longest / max(told.width, told.height)) if longest else 1.0
    width, height = (max(1, round(side * share)) for side in (told.width, told.height))
    size = (width, height)
    if seconds <= 0 and not animated_webp.is_webp(path):
        with open_media(path) as container:
            stream = video_stream(container, path)
            frame = facts.first_frame(container, stream, path)
            return _upright(VideoReformatter(), frame, size)
    return read_video(path, Selection(seconds, most=1, width=width, height=height)).frames[0]


def check_clip(
    count: int, width: int, height: int, rate: float = 24.0, most_bytes: int = MOST_CLIP
) -> None:
    """Refuse a clip that would be too large, before it is made.

    Raises:
        ClipTooLargeError: its frames would take more than `most_bytes`.
    """
    size = count * width * height * 3
    if size > most_bytes:
        most = max(1, most_bytes // (width * height * 3))
        raise ClipTooLargeError(
            f"{count:,} frames of {width} × {height} pixels would take {size / 2**30:,.1f} GiB; "
            f"{most_bytes / 2**30:.1f} GiB are held at once.",
            way_out=f"Take at most {most:,} frames ({most / rate:.1f} s) of this size: set 'start' "
            "and 'end', take every nth frame, or a smaller size.",
        )


class _Reader:
    """One opened video."""

    def __init__(self, container: InputContainer, path: Path, told: VideoFacts) -> None:
        self._container, self._path, self._facts = container, path, told
        self._stream: VideoStream = video_stream(container, path)

    def clip(
        self,
        selection: Selection,
        size: tuple[int, int],
        most_bytes: int,
        check: Callable[[int, int], None],
    ) -> Clip:
        scan = self._scan(*selection.seconds(self._facts.rate))
        rate, is_even = self._rate(scan)
        start, stop = selection.seconds(rate)
        self._check_whole(scan, stop)
        indices, made_rate = chosen_frames(scan.times, scan.end, rate, selection)
        check_clip(len(indices), *size, made_rate, most_bytes)
        frames = self._frames(scan, indices, size, check)
        stop = start + len(indices) / made_rate
        sound, remarks = self._sound(scan.first + start, scan.first + stop)
        remarks += self._remarks(is_even, rate)
        return Clip(frames, made_rate, sound, self._facts, remarks)

    def _rate(self, scan: _Scan) -> tuple[float, bool]:
        """Frames a second, and whether the frames are evenly spaced."""
        if self._container.format.name == "gif" and (told := told_rate(read_gif_text(self._path))):
            return frame_rate(scan.times, scan.end, told, 0.5)
        return frame_rate(scan.times, scan.end, self._facts.rate)

    def _scan(self, start: float, stop: float) -> _Scan:
        """The times of all packets of the range, without decoding any."""
        stream = self._stream
        tick = float(stream.time_base or 0)
        first = (stream.start_time or 0) * tick
        if start > _MARGIN and stream.time_base:
            self._container.seek(int((first + start) / tick), stream=stream)
        found: list[tuple[float, float]] = []
        latest, reaches_end = 0.0, True
        try:
            for packet in self._container.demux():
                if packet.size == 0 or packet.time_base is None:
                    continue
                when = packet.pts if packet.pts is not None else packet.dts
                at = float(when * packet.time_base) - first if when is not None else None
                lasts = float((packet.duration or 0) * packet.time_base)
                latest = max(latest, (at or 0.0) + lasts)
                if packet.stream is not stream or packet.is_discard:
                    continue
                found.append((at if at is not None else len(found) / self._facts.rate, lasts))
                if at is not None and at > stop + _MARGIN and packet.is_keyframe:
                    reaches_end = False
                    break
        except DAMAGE:
            pass  # what is there so far is compared with what the header says
        if not found:
            raise damaged(self._path, "it has no frames where the range begins")
        found.sort()
        times = np.array([each for each, _ in found])
        last = found[-1][1] or 1 / self._facts.rate
        return _Scan(times, times[-1] + last, first, reaches_end, latest)

    def _check_whole(self, scan: _Scan, stop: float) -> None:
        """Refuse a range that goes beyond the end of a file that was cut off."""
        if not scan.reaches_end:
            return
        announced = self._announced(scan.first)
        missing = announced - max(scan.end, scan.latest)
        if missing > max(0.1, 1.5 / self._facts.rate) and stop > scan.end + 0.5 / self._facts.rate:
            raise self._cut_off(scan.end, announced)

    def _announced(self, first: float) -> float:
        """How long the file is by its header, from its first frame on; 0 where it does not say."""
        stream = self._stream
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if self._container.format.name.startswith(("matroska", "avi")):
            return (self._container.duration or 0) / av.time_base - first
        return 0.0

    def _cut_off(self, there: float, announced: float) -> CutOffError:
        of = f" of {announced:.2f} s" if announced > there else ""
        frames = max(1, int(there * self._facts.rate + 1e-6))
        return CutOffError(
            f"is cut off or damaged: {there:.2f} s{of} can be read.",
            there,
            place=str(self._path),
            way_out=f"Read it with 'end' at {there:.2f} s ({frames} frames) or less, or get the "
            "whole file.",
        )

    def _frames(
        self,
        scan: _Scan,
        indices: NDArray[np.intp],
        size: tuple[int, int],
        check: Callable[[int, int], None],
    ) -> Bytes:
        """The frames of rising `indices`; one that the decoder leaves out is the one before it."""
        made = np.empty((len(indices), size[1], size[0], 3), np.uint8)
        reformatter, at = VideoReformatter(), 0
        for shown, until in self._shown(scan, indices):
            made[at] = _upright(reformatter, shown, size)
            made[at + 1 : until] = made[at]
            at = until
            check(at, len(indices))
        return made

    def _shown(self, scan: _Scan, indices: NDArray[np.intp]) -> Iterator[tuple[VideoFrame, int]]:
        """Frames that are taken, each with how many of `indices` are done after it."""
        before: VideoFrame | None = None
        done, last = 0, -1
        for index, frame in self._decoded(scan, int(indices[0])):
            last = max(last, index)
            until = int(np.searchsorted(indices, index, side="left"))
            if until > done:
                yield (before or frame), until
                done = until
            until = int(np.searchsorted(indices, index, side="right"))
            if until > done:
                yield frame, until
                done = until
            if done == len(indices):
                return
            before = frame
        there = scan.times[last + 1] if last + 1 < len(scan.times) else scan.end
        if before is None or len(scan.times) - 1 - last > 1:
            raise self._cut_off(float(there) if before is not None else 0.0, scan.end)
        yield before, len(indices)

    def _decoded(self, scan: _Scan, first: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decoded frames with their places in `scan.times`, from `first` or before it on."""
        tick = float(self._stream.time_base or 0)
        start = scan.times[first] if first else None
        for attempt in (True, False):
            far = attempt and start is not None and start > _MARGIN and bool(tick)
            try:
                self._container.seek(
                    int((scan.first + start) / tick) if far and start is not None else 0,
                    stream=self._stream if far else None,
                )
                found = self._counted(scan)
                head = next(found, None)
                if far and (head is None or head[0] > first):
                    continue  # the key frame comes before in the file and after in time
                if head is not None:
                    yield head
                    yield from found
                return
            except DAMAGE as error:
                if isinstance(error, MediaError):
                    raise
                if far and not attempt:
                    continue
                return  # `_shown` says how far it came
        return

    def _counted(self, scan: _Scan) -> Iterator[tuple[int, VideoFrame]]:
        for number, frame in enumerate(self._container.decode(self._stream)):
            if frame.pts is None:
                index = number
            else:
                at = float(frame.pts * (frame.time_base or 0)) - scan.first
                index = int(np.searchsorted(scan.times, at + 1e-4, side="right")) - 1
            if index >= 0:
                yield min(index, len(scan.times) - 1), frame

    def _sound(self, start: float, stop: float) -> tuple[Sound | None, tuple[str, ...]]:
        """The sound of the range, as far as it can be decoded, and what is to be said of it."""
        if not self._container.streams.audio:
            return None, ()
        name = self._path.name
        with open_media(self._path) as container:
            try:
                stream = audio_stream(container, self._path)
            except MediaError as error:
                return None, (f"{name}: its sound is left out, as it {error.fact}",)
            sound, is_cut = decoded(container, stream, start, stop)
        there = sound.samples.shape[1] > 0
        told = f"{name}: its sound is damaged after {sound.seconds:.2f} s of this range."
        return sound if there else None, (told,) if is_cut else ()

    def _remarks(self, is_even: bool, rate: float) -> tuple[str, ...]:
        told, name = self._facts, self._path.name
        found = []
        if not is_even:
            found.append(
                f"{name}: its frames are unevenly spaced; they are read at {rate:g} a second, by "
                "their times."
            )
        if told.hdr:
            found.append(
                f"{name}: its colours are HDR ({told.hdr}, {told.bits} bits); they are read as "
                "they are, without tone mapping, in 8 bits."
            )
        if told.rotation:
            found.append(
                f"{name}: is stored turned by {told.rotation}°; its frames are upright here."
            )
        return tuple(found)


def _upright(reformatter: VideoReformatter, frame: VideoFrame, size: tuple[int, int]) -> Bytes:
    turn = turn_of(frame)
    width, height = size[::-1] if turn.swaps_sides else size
    return turn.apply(to_rgb(reformatter, frame, width, height))


def _check_estimate(
    told: VideoFacts, selection: Selection, size: tuple[int, int], most_bytes: int, path: Path
) -> None:
    """Refuse by the header what is far too large, before its packets are looked at."""
    start, stop = selection.seconds(told.rate)
    rate = (selection.rate or told.rate) / selection.every
    count = int(max(0.0, min(stop, told.seconds) - start) * rate)
    count = min(count, selection.most) if selection.most else count
    try:
        check_clip(count, *size, rate, most_bytes)
    except ClipTooLargeError as error:
        raise error.at(str(path)) from None


def _read_webp(
    path: Path,
    told: VideoFacts,
    selection: Selection,
    size: tuple[int, int],
    most_bytes: int,
    check: Callable[[int, int], None],
) -> Clip:
    with animated_webp.opened(path) as picture:
        times, end, _ = animated_webp.timing_of(picture, path)
        indices, rate = chosen_frames(times, end, told.rate, selection)
        check_clip(len(indices), *size, rate, most_bytes)
        made = np.empty((len(indices), size[1], size[0], 3), np.uint8)
        found = animated_webp.frames_of(picture, indices.tolist(), size)
        for place, pixels in enumerate(found):
            made[place] = pixels
            check(place + 1, len(indices))
    return Clip(made, rate, None, told)
