"""Reads a saved video or sound as it is shown: any frame, scaled down, and the sound.

Unlike a node, which reads a range once, a window asks for frames here and there; nothing of the
file is kept but where it was read last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from PIL import Image, UnidentifiedImageError

from nodeforge.media.colours import to_rgb, turn_of
from nodeforge.media.container import open_media
from nodeforge.media.errors import MediaError
from nodeforge.media.waveform import waveform
from nodeforge.values.clips import ClipFacts

PICTURES_THAT_MOVE = (".gif", ".apng", ".webp", ".png")
"""Suffixes of formats that Pillow reads: they may hold one picture or several."""
_SOONER_THAN_A_SEEK = 48
"""Frames that are read on rather than sought, where no key frame is known to lie between."""
_GIF_RATE = 10.0
_LONGEST_SOUND = 2**27
"""Bytes of sound that are read at once: 11 minutes of 48 kHz in stereo."""
_PEAK_RATE = 4000
"""Samples a second that a waveform is drawn from."""


class ClipReader:
    """An open video or sound file. Not for several threads.

    Args:
        path: The file.

    Raises:
        MediaError: it is damaged, of an unknown format, or holds nothing that plays.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = ExitStack()
        self._reformatter = VideoReformatter()
        self._pictures: Any = None
        self._container: Any = None
        self._video: Any = None
        self._frames: Iterator[tuple[int, Any]] = iter(())
        self._last: tuple[int, Any] | None = None
        self._pending: tuple[int, Any] | None = None
        self._keys: list[int] = []
        """Places of the key frames that the file's index names."""
        try:
            moving = path.suffix.lower() in PICTURES_THAT_MOVE
            self.facts = self._open_pictures() if moving else self._open_container()
        except (FFmpegError, OSError, UnidentifiedImageError, ValueError) as error:
            self.close()
            raise MediaError(
                f"cannot be played: {_reason(error)}.",
                place=str(path),
                way_out="Save it again, or choose another file.",
            ) from error

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()
        self._kept.close()

    def frames(self, first: int, count: int, longest: int) -> np.ndarray:
        """Frames as they are shown: turned upright, evenly spaced, scaled down in proportion.

        Args:
            first: Which comes first.
            count: How many at most.
            longest: Pixels of the longer side at most.

        Returns:
            uint8 (frames, height, width, 3), sRGB; fewer where the clip ends or is cut off.

        Raises:
            MediaError: not even one can be read.
        """
        try:
            wanted = range(first, min(first + count, self.facts.frames))
            made = [
                self._shown(frame, longest)
                for frame in map(self._frame, wanted)
                if frame is not None
            ]
        except (FFmpegError, OSError, ValueError, EOFError, SyntaxError) as error:
            raise MediaError(
                f"cannot be read at frame {first + 1}: {_reason(error)}.", place=str(self._path)
            ) from error
        if not made:
            raise MediaError(f"has no frame {first + 1}.", place=str(self._path))
        return np.stack(made)

    def sound(self) -> tuple[np.ndarray, int]:
        """The sound, int16 (samples, channels) of one or two channels, and its samples a second.

        Eleven minutes at most; empty where there is none.
        """
        with open_media(self._path) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                return np.empty((0, 1), np.int16), 0
            layout = "mono" if stream.channels == 1 else "stereo"
            return _samples(container, stream, layout, stream.rate), stream.rate

    def waveform(self, width: int, height: int) -> np.ndarray:
        """The picture of the sound, uint8 (height, width, 4), of the channels' mean."""
        with open_media(self._path) as container:
            stream = container.streams.audio[0]
            samples = _samples(container, stream, "mono", _PEAK_RATE)
        return waveform(samples.T.astype(np.float32) / 32768, width, height)

    def _open_pictures(self) -> ClipFacts:
        self._pictures = Image.open(self._path)
        count = getattr(self._pictures, "n_frames", 1)
        if count < 2:
            raise ValueError("it holds one picture")
        width, height = self._pictures.size
        self._pictures.seek(1)  # the duration of a first frame is that of the file in some
        self._pictures.load()  # WebP tells it then
        duration = self._pictures.info.get("duration", 0)
        rate = 1000 / duration if duration else _GIF_RATE
        return ClipFacts(count, rate, count / rate, width, height)

    def _open_container(self) -> ClipFacts:
        container = self._container = self._kept.enter_context(open_media(self._path))
        pictures = (
            s for s in container.streams.video if not s.disposition & s.disposition.attached_pic
        )
        self._video = next(pictures, None)
        sound = next(iter(container.streams.audio), None)
        length = (container.duration or 0) / av.time_base
        heard = _duration(sound, length) if sound is not None else 0.0
        if self._video is None:
            if not heard:
                raise ValueError("it has neither pictures nor sound")
            return ClipFacts(seconds=heard, sound=heard)
        self._video.thread_type = "AUTO"
        rate = float(self._video.average_rate or self._video.guessed_rate or 25)
        seconds = _duration(self._video, length)
        count = self._video.frames or max(1, round(seconds * rate))
        container.seek(self._video.start_time or 0, stream=self._video)  # Matroska's index is read
        self._keys = _key_frames(self._video, rate)
        self._frames = self._decode()
        self._pending = next(self._frames, None)
        if self._pending is None:
            raise ValueError("it has no frame")
        frame = self._pending[1]
        size = (frame.width, frame.height)
        width, height = size[::-1] if turn_of(frame).swaps_sides else size
        return ClipFacts(count, rate, max(count / rate, heard), width, height, heard)

    def _frame(self, index: int) -> Any:
        """The frame that is shown at a place: the last that is due by then. None for none."""
        if self._pictures is not None:
            if index < self._pictures.tell():  # Pillow cannot go back in every APNG
                self._pictures.close()
                self._pictures = Image.open(self._path)
            self._pictures.seek(index)
            return self._pictures.convert("RGB")
        if self._is_sought(index):
            self._seek(index, skipping=True)
            if (self._walk_to(index) or (-1,))[0] != index:
                self._seek(index)  # the frame that is due may have been left out
        found = self._walk_to(index)
        return found and found[1]

    def _is_sought(self, index: int) -> bool:
        """Whether a seek is sooner at a place than reading on."""
        at = self._last[0] if self._last else -1
        key = self._keys[bisect_right(self._keys, index) - 1] if self._keys else 0
        return index < at or key > at + 1 or index > at + _SOONER_THAN_A_SEEK

    def _walk_to(self, index: int) -> tuple[int, Any] | None:
        """Read on to a place; the last frame that is due by then, with its place."""
        while self._last is None or self._last[0] < index:
            following = self._pending or next(self._frames, None)
            self._pending = None
            if following is None:
                break
            if following[0] > index and self._last is not None:
                self._pending = following
                break
            self._last = following
        return self._last

    def _seek(self, index: int, *, skipping: bool = False) -> None:
        """Go to the key frame before a place.

        Args:
            index: The place.
            skipping: Leave out frames before it that no other is made from.
        """
        stream = self._video
        start = stream.start_time or 0
        due = start + int(index / self.facts.rate / stream.time_base)
        self._container.seek(due, stream=stream)
        self._frames, self._last, self._pending = (
            self._decode(due if skipping else None),
            None,
            None,
        )

    def _decode(self, due: int | None = None) -> Iterator[tuple[int, Any]]:
        """Frames with their place by time, in order.

        Args:
            due: Frames before this time, in the stream's units, are left out where no other is
                made from them.
        """
        stream = self._video
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        start = float((stream.start_time or 0) * stream.time_base)
        for packet in self._container.demux(stream):
            early = due is not None and packet.pts is not None and packet.pts < due
            stream.codec_context.skip_frame = "NONREF" if early else "DEFAULT"
            for frame in packet.decode():
                if frame.time is not None:
                    yield round((frame.time - start) * rate), frame

    def _shown(self, frame: Any, longest: int) -> np.ndarray:
        share = min(1.0, longest / max(frame.width, frame.height))
        width, height = (max(1, round(side * share)) for side in (frame.width, frame.height))
        if isinstance(frame, Image.Image):
            return np.asarray(frame.resize((width, height), Image.Resampling.BOX))
        turned = turn_of(frame).apply(to_rgb(self._reformatter, frame, width, height))
        return np.ascontiguousarray(turned)


def _key_frames(stream: Any, rate: float) -> list[int]:
    """Places of the key frames in a stream's index, from 0; as far as the file has one."""
    entries = [(each.timestamp, each.is_keyframe) for each in stream.index_entries]
    first = entries[0][0] if entries else 0  # times of decoding: a few frames before those shown
    return [round((at - first) * float(stream.time_base) * rate) for at, key in entries if key]


def _duration(stream: Any, whole: float) -> float:
    return float(stream.duration * stream.time_base) if stream.duration else whole


def _samples(container: Any, stream: Any, layout: str, rate: int) -> np.ndarray:
    """int16 (samples, channels)."""
    resampler = av.AudioResampler("s16", layout, rate)
    made: list[np.ndarray] = []
    size = 0
    channels = 1 if layout == "mono" else 2
    for frame in container.decode(stream):
        for part in resampler.resample(frame):
            made.append(part.to_ndarray().reshape(-1, channels))
            size += made[-1].nbytes
        if size > _LONGEST_SOUND:
            break
    made += [part.to_ndarray().reshape(-1, channels) for part in resampler.resample(None)]
    return np.concatenate(made) if made else np.empty((0, channels), np.int16)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture"
    return str(getattr(error, "strerror", "") or error).rstrip(".")
