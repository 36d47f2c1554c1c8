"""Videos and sounds that the window plays: kept open, so that a frame costs no look-up.

A frame of a cached value would cost planning the workflow anew, and decoding the whole file of a
value that is on disk alone. Frames travel raw: of 832 x 480, scaled to half, 0.3 ms each; JPEG
took 4 ms to encode alone.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np

from nodeforge.diffusion.denoising.preview import factors_of, preview
from nodeforge.errors import RequestError
from nodeforge.media.waveform import waveform
from nodeforge.models import SPACES
from nodeforge.values import Audio, Latent, Video
from nodeforge.values.clips import ClipFacts
from nodeforge.values.latent import BCTHW

MOST_OPEN = 2
"""Clips kept open; they are held beside the cache's limit."""
LATENT_RATE = 8.0
"""Cells a second at which a latent's time axis plays that tells no rate."""
_LARGEST_ANSWER = 2**26
"""Bytes of frames in one answer."""
_LONGEST_SOUND = 2**27
"""Bytes of sound in one answer: 11 minutes of 48 kHz in stereo; what comes later is left out."""
_PCM = 32767


def facts_of(value: Any) -> ClipFacts | None:
    """What is played of a value; None for what stands still."""
    match value:
        case Video() if value.count:
            sound = _seconds(value.audio)
            size = value.width, value.height
            return ClipFacts(value.count, value.rate, max(value.seconds, sound), *size, sound)
        case Audio() if value.batch:
            return ClipFacts(seconds=value.seconds, sound=value.seconds)
        case Latent(layout=layout) if layout == BCTHW and value.frames > 1:
            frames = SPACES[value.space].frames_in_cell if value.space in SPACES else 1
            rate = value.rate / frames or LATENT_RATE
            return ClipFacts(value.frames, rate, value.frames / rate, value.width, value.height)
    return None


class OpenClips:
    """Clips that are being played, by id. One thread may open them while another reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._open: OrderedDict[str, Any] = OrderedDict()

    def open(self, value: Any) -> dict[str, Any]:
        """Keep `value` open; its facts, and the ``id`` to ask for its frames by.

        Nothing where it is no clip.
        """
        if (facts := facts_of(value)) is None:
            return {}
        with self._lock:
            clip = next((known for known, other in self._open.items() if other is value), "")
            clip = clip or f"clip-{next(self._ids)}"
            self._open[clip] = value
            self._open.move_to_end(clip)
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return {"id": clip, **asdict(facts)}

    def frames(self, clip: str, first: int, count: int, longest: int) -> np.ndarray:
        """Frames of a clip, scaled down in proportion.

        Args:
            clip: Its id.
            first: Which frame comes first.
            count: How many, at most; fewer where the clip ends or the answer would be too large.
            longest: Pixels of the longer side at most.

        Returns:
            uint8 (frames, height, width, 3).

        Raises:
            RequestError: the clip is not open any more.
        """
        value = self._value(clip)
        facts = facts_of(value)
        assert facts is not None
        made: list[np.ndarray] = []
        for index in range(max(0, first), min(first + count, facts.frames)):
            made.append(shrunk(_frame(value, index), longest))
            if (len(made) + 1) * made[0].nbytes > _LARGEST_ANSWER:
                break
        return np.stack(made) if made else np.empty((0, 0, 0, 3), np.uint8)

    def sound(self, clip: str) -> tuple[np.ndarray, int]:
        """The sound of a clip, the first of a batch, and its samples a second.

        Returns:
            int16 (samples, channels), one or two channels; of more, their mean.

        Raises:
            RequestError: the clip is not open any more.
        """
        audio = audio_of(self._value(clip))
        if audio is None:
            return np.empty((0, 1), np.int16), 0
        samples = np.nan_to_num(audio.samples[0].float().numpy())
        samples = samples[:, : _LONGEST_SOUND // (2 * min(len(samples), 2))]
        if len(samples) > 2:
            samples = samples.mean(axis=0, keepdims=True)
        return (np.clip(samples.T, -1, 1) * _PCM).round().astype(np.int16), audio.rate

    def waveform(self, clip: str, width: int, height: int) -> np.ndarray | None:
        """The picture of a clip's sound, uint8 (height, width, 4); None where it has none.

        Raises:
            RequestError: the clip is not open any more.
        """
        audio = audio_of(self._value(clip))
        return None if audio is None else waveform(audio.samples[0].numpy(), width, height)

    def clear(self) -> None:
        """Let all clips go."""
        with self._lock:
            self._open.clear()

    def _value(self, clip: str) -> Any:
        with self._lock:
            if clip not in self._open:
                raise RequestError("is not open any more.", place="the clip")
            self._open.move_to_end(clip)
            return self._open[clip]


def audio_of(value: Any) -> Audio | None:
    """The sound of a video or a sound that has one."""
    audio = value if isinstance(value, Audio) else getattr(value, "audio", None)
    return audio if audio is not None and audio.batch else None


def shrunk(frame: np.ndarray, longest: int) -> np.ndarray:
    """A picture whose longer side has `longest` pixels at most.

    By area to a whole part of the size, which is quick, then linearly: 0.3 ms for 832 x 480 to
    320 x 185, where by area alone took 1.7 ms, and 11 ms to 704 x 406.

    Args:
        frame: uint8 (height, width, 3).
        longest: Pixels; at least 1.
    """
    height, width = frame.shape[:2]
    if max(height, width) <= longest:
        return frame
    share = longest / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    part = min(int(1 / share), height, width)
    if part > 1:
        whole = frame[: height // part * part, : width // part * part]
        frame = cv2.resize(whole, (width // part, height // part), interpolation=cv2.INTER_AREA)
    return cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)


def _frame(value: Any, index: int) -> np.ndarray:
    if isinstance(value, Latent):
        return preview(value.samples[0, :, index], factors_of(value.space, value.samples.shape[1]))
    return value.frames[index].numpy()


def _seconds(audio: Audio | None) -> float:
    return audio.seconds if audio is not None and audio.batch else 0.0
