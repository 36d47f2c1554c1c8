"""Videos and sounds of results, frame by frame from the worker's cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Protocol

from PySide6.QtGui import QImage

from nodeforge.ui.running.workers.connection import Answer, WorkerConnection
from nodeforge.values.clips import ClipFacts

FramesCallback = Callable[[Sequence[QImage] | None], None]
SoundCallback = Callable[["Sound | None"], None]
ImageCallback = Callable[[QImage | None], None]


@dataclass(frozen=True)
class Sound:
    """Samples to be heard.

    Args:
        samples: 16-bit PCM of the machine's byte order, channels interleaved.
        rate: Samples a second of each channel.
        channels: 1 or 2.
    """

    samples: bytes
    rate: int
    channels: int


class ClipSource(Protocol):
    """Gives the frames of a video or a sound; answers come later, in the main thread."""

    @property
    def facts(self) -> ClipFacts: ...

    @property
    def key(self) -> object:
        """Equal for sources of the same clip."""
        ...

    def request_frames(self, first: int, count: int, longest: int, done: FramesCallback) -> None:
        """Request up to `count` frames from `first` on, the longer side `longest` pixels at most.

        `done` gets at least one frame, or None where there is none to be had.
        """
        ...

    def request_sound(self, done: SoundCallback) -> None: ...

    def request_waveform(self, width: int, height: int, done: ImageCallback) -> None: ...

    def close(self) -> None:
        """Nothing more is asked for."""
        ...


class ResultClip:
    """A clip that the worker has open; it is opened anew where the worker has let it go.

    Args:
        link: The worker.
        arguments: Of the question ``open_clip``.
        answer: What that question was answered: facts and ``id``.
    """

    def __init__(
        self, link: WorkerConnection, arguments: dict[str, Any], answer: dict[str, Any]
    ) -> None:
        self._link, self._arguments = link, arguments
        self._id = answer["id"]
        self._facts = clip_facts(answer)
        self._closed = False

    @property
    def facts(self) -> ClipFacts:
        return self._facts

    @property
    def key(self) -> object:
        return self._id, self._facts

    def request_frames(self, first: int, count: int, longest: int, done: FramesCallback) -> None:
        asked = {"first": first, "count": count, "longest": longest}
        self._ask("clip_frames", lambda answer: done(_frames(answer)), asked)

    def request_sound(self, done: SoundCallback) -> None:
        self._ask("clip_sound", lambda answer: done(_sound(answer)), {})

    def request_waveform(self, width: int, height: int, done: ImageCallback) -> None:
        asked = {"width": width, "height": height}
        self._ask("clip_waveform", lambda answer: done(image_of_answer(answer)), asked)

    def close(self) -> None:
        self._closed = True

    def _ask(
        self,
        question: str,
        done: Callable[[Answer], None],
        asked: dict[str, Any],
        *,
        again: bool = True,
    ) -> None:
        def answered(answer: Answer) -> None:
            if self._closed:
                return
            if isinstance(answer, dict) or not again:
                done(answer)
                return
            retry = partial(self._ask, question, done, asked, again=False)
            self._link.ask(
                "open_clip", lambda opened: self._reopened(opened, retry), **self._arguments
            )

        self._link.ask(question, answered, at_once=True, clip=self._id, **asked)

    def _reopened(self, answer: Answer, retry: Callable[[], None]) -> None:
        if isinstance(answer, dict) and answer["clip"]:
            self._id = answer["clip"]["id"]
        retry()


def clip_facts(answer: dict[str, Any]) -> ClipFacts:
    """The facts in an answer of the worker."""
    return ClipFacts(**{each.name: answer[each.name] for each in fields(ClipFacts)})


def image_of_answer(answer: Answer) -> QImage | None:
    """The picture in an answer of the worker; None where it has none."""
    if not isinstance(answer, dict) or not answer["shape"]:
        return None
    height, width, channels = answer["shape"]
    formats = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    return QImage(answer["payload"], width, height, width * channels, formats[channels]).copy()


def _frames(answer: Answer) -> list[QImage] | None:
    if not isinstance(answer, dict) or not answer["shape"][0]:
        return None
    return split_frames(answer["payload"], *answer["shape"][:3])


def split_frames(pixels: bytes, count: int, height: int, width: int) -> list[QImage]:
    """Pictures out of the RGB bytes of several after one another."""
    size, line, kind = height * width * 3, width * 3, QImage.Format.Format_RGB888
    whole = memoryview(pixels)
    return [
        QImage(whole[index * size : (index + 1) * size], width, height, line, kind).copy()
        for index in range(count)
    ]


def _sound(answer: Answer) -> Sound | None:
    if not isinstance(answer, dict) or not answer["payload"]:
        return None
    return Sound(answer["payload"], answer["rate"], answer["channels"])
