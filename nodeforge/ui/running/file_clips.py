"""A saved video or sound file as a clip; it is read in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from nodeforge.errors import NodeForgeError
from nodeforge.ui.common.clip_files import is_clip_file
from nodeforge.ui.running.result_clips import (
    ClipSource,
    FramesCallback,
    ImageCallback,
    Sound,
    SoundCallback,
    split_frames,
)
from nodeforge.values.clips import ClipFacts

if TYPE_CHECKING:
    from nodeforge.media.clip_reader import ClipReader

_SEVERAL = 2**26
"""Bytes of pictures that are read for one request."""


def open_file_clip(
    path: Path,
    use: Callable[[ClipSource | None], None],
    owner: QObject,
    failed: Callable[[str], None] = lambda _: None,
) -> bool:
    """Open a file that plays; returns whether it is one, by its name.

    Args:
        path: The file.
        use: Called later, in the main thread, with the clip; None where it cannot be played.
        owner: Lives as long as the file is read.
        failed: Called before that with the reason.
    """
    if not is_clip_file(path):
        return False
    FileClip(path, use, failed, owner)
    return True


def read_thumbnail(
    path: Path,
    longest: int,
    use: Callable[[QImage | None, ClipFacts], None],
    owner: QObject,
) -> bool:
    """Read the first frame of a video, or the waveform of a sound; whether a file is one.

    Args:
        path: The file.
        longest: Pixels of the longer side at most.
        use: Called later, in the main thread; with None and empty facts where it cannot be read.
        owner: Lives as long as the file is read.
    """

    def opened(source: ClipSource | None) -> None:
        if source is None:
            use(None, ClipFacts())
            return

        def got(image: QImage | None) -> None:
            use(image, source.facts)
            source.close()

        if source.facts.frames:
            source.request_frames(0, 1, longest, lambda images: got(images[0] if images else None))
        else:
            source.request_waveform(longest, max(1, longest // 4), got)

    return open_file_clip(path, opened, owner)


class FileClip(QObject):
    """Reads frames in its thread, and gives them in the main thread."""

    _answered = Signal(object, object)

    def __init__(
        self,
        path: Path,
        use: Callable[[ClipSource | None], None],
        failed: Callable[[str], None],
        owner: QObject,
    ) -> None:
        super().__init__(owner)
        self._path = path
        self._facts = ClipFacts()
        self._reader: ClipReader | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, "clip-file")
        self._answered.connect(self._give, Qt.ConnectionType.QueuedConnection)
        self._ask(self._open, partial(self._opened, use, failed))

    @property
    def facts(self) -> ClipFacts:
        return self._facts

    @property
    def key(self) -> object:
        return self._path, self._facts

    def request_frames(self, first: int, count: int, longest: int, done: FramesCallback) -> None:
        def frames(reader: ClipReader) -> tuple[bytes, Sequence[int]]:
            pixels = reader.frames(first, count, longest)
            return pixels.tobytes(), pixels.shape[:3]

        def give(answer: Any) -> None:
            done(None if isinstance(answer, Exception) else split_frames(answer[0], *answer[1]))

        self._ask_reader(frames, give)

    def request_sound(self, done: SoundCallback) -> None:
        def sound(reader: ClipReader) -> Sound | None:
            samples, rate = reader.sound()
            return Sound(samples.tobytes(), rate, samples.shape[1]) if len(samples) else None

        self._ask_reader(sound, lambda answer: done(answer if isinstance(answer, Sound) else None))

    def request_waveform(self, width: int, height: int, done: ImageCallback) -> None:
        def picture(reader: ClipReader) -> bytes:
            return reader.waveform(width, height).tobytes()

        def give(answer: Any) -> None:
            kind = QImage.Format.Format_RGBA8888
            if isinstance(answer, bytes):
                done(QImage(answer, width, height, width * 4, kind).copy())
            else:
                done(None)

        self._ask_reader(picture, give)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._reader is not None:
            self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=False)
        self.deleteLater()

    def _open(self) -> ClipReader:
        from nodeforge.media.clip_reader import ClipReader  # numpy, PyAV: only when needed

        return ClipReader(self._path)

    def _opened(
        self,
        use: Callable[[ClipSource | None], None],
        failed: Callable[[str], None],
        answer: Any,
    ) -> None:
        if isinstance(answer, Exception):
            known = isinstance(answer, NodeForgeError)
            failed(answer.fact if known else str(answer))
            use(None)
            self.close()
            return
        self._reader, self._facts = answer, answer.facts
        use(self)

    def _ask_reader(self, work: Callable[[ClipReader], Any], done: Callable[[Any], None]) -> None:
        reader = self._reader
        assert reader is not None
        self._ask(lambda: work(reader), done)

    def _ask(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do `work` in the thread; `done` gets what it returns, or the exception."""

        def answered(made: Future[Any]) -> None:
            if not self._closed and not made.cancelled():
                self._answered.emit(done, made.exception() or made.result())

        if not self._closed:
            self._thread.submit(work).add_done_callback(answered)

    def _give(self, done: Callable[[Any], None], answer: Any) -> None:
        if not self._closed:
            done(answer)
