"""Plays the frames of a clip: position, clock, frames asked for ahead.

The position follows a clock, so frames that come late are left out. Nothing here waits: frames
are asked for, and shown once they are there.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from nodeforge.ui.running.result_clips import ClipSource
from nodeforge.values.clips import ClipFacts

CACHE_BYTES = 192 * 2**20
"""Frames kept: 121 of 832 x 480 take 145 MB."""
_ANSWER_BYTES = 2 * 2**20
"""Frames of one request: one that is wanted at once waits for it."""
_MOST_FRAMES = 8
_AT_FIRST = 1
"""Frames of a request while nothing is shown of the position."""
_AT_ONCE = 2
"""Requests under way; one while frames are asked for ahead, so that a jump waits for no more."""
_LATE = 16
"""Frames that one that is shown in place of the position's may lie before it."""
_SOUND_RATE = 25.0
"""Positions a second of a sound that has no frames."""
_LONGEST_WAIT = 100
"""Milliseconds between two looks at the clock."""
NO_CLIP = ClipFacts()


class Player(QObject):
    """Shows one clip at a time.

    Args:
        clock: Seconds, from any start.
        cache_bytes: What frames that are kept may take.
    """

    frame_shown = Signal(QImage)
    moved = Signal(int)
    """The position has changed, a frame counted from 0."""
    playing_changed = Signal(bool)
    jumped = Signal()
    """While playing: the position was set, by the user or by going back to the start."""
    unreadable = Signal()
    """Frames were asked for and there are none."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        super().__init__()
        self._clock, self._limit = clock, cache_bytes
        self._source: ClipSource | None = None
        self._frames: OrderedDict[int, tuple[QImage, int]] = OrderedDict()
        """By position, the oldest first, with the size that was asked for."""
        self._bytes = 0
        self._longest = 0
        self._asked: set[int] = set()
        """Frames that were asked for and have not come."""
        self._requests = 0
        self._opened = 0
        self._position, self._shown = 0, -1
        self._start = (0.0, 0)
        """When playing began, and where."""
        self._playing = False
        self.loop, self._speed = True, 1.0
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @property
    def source(self) -> ClipSource | None:
        return self._source

    @property
    def facts(self) -> ClipFacts:
        """Of the clip; empty while there is none."""
        return self._source.facts if self._source else NO_CLIP

    @property
    def rate(self) -> float:
        """Positions a second."""
        return self.facts.rate if self.facts.frames else _SOUND_RATE

    @property
    def count(self) -> int:
        """How many positions: the frames of a video."""
        return self.facts.frames or math.ceil(self.facts.seconds * _SOUND_RATE)

    @property
    def position(self) -> int:
        """The frame to be shown, from 0."""
        return self._position

    @property
    def seconds(self) -> float:
        return self._position / self.rate

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def cached(self) -> int:
        """How many frames are kept."""
        return len(self._frames)

    def open(self, source: ClipSource | None, share: float = 0.0) -> None:
        """Show another clip, standing still; None for none.

        Args:
            share: Where in it, 0..1.
        """
        self.pause()
        if self._source is not None:
            self._source.close()
        self._source = source
        self._opened += 1
        self._frames.clear()
        self._asked.clear()
        self._bytes = self._requests = 0
        self._position, self._shown = round(share * max(0, self.count - 1)), -1
        self.moved.emit(self._position)
        self._fetch()

    def set_longest(self, longest: int) -> None:
        """Ask for frames whose longer side is that many pixels; smaller ones are asked for anew."""
        if longest != self._longest:
            self._longest = longest
            self._asked.clear()
            self._fetch()

    def play(self) -> None:
        if self._source is None or self._playing or self.count < 2:
            return
        if self._position >= self.count - 1:
            self._position = 0
        self._playing = True
        self._restart_clock()
        self.playing_changed.emit(True)
        self._tick()

    def pause(self) -> None:
        if self._playing:
            self._playing = False
            self._timer.stop()
            self.playing_changed.emit(False)

    def toggle(self) -> None:
        self.pause() if self._playing else self.play()

    def step(self, by: int) -> None:
        """Stop, and go to a neighbour."""
        self.pause()
        self.seek(self._position + by)

    def seek(self, position: int) -> None:
        """Go to a frame; playing goes on from there."""
        if self._source is None:
            return
        self._move(min(max(position, 0), self.count - 1))
        if self._playing:
            self._restart_clock()
            self.jumped.emit()

    def set_speed(self, speed: float) -> None:
        """Play that many times as fast."""
        self._speed = speed
        if self._playing:
            self._restart_clock()
            self.jumped.emit()
            self._tick()

    def _restart_clock(self) -> None:
        self._start = self._clock(), self._position

    def _tick(self) -> None:
        """Go to where the clock says, and look again when the next frame is due."""
        since, first = self._clock() - self._start[0], self._start[1]
        passed = since * self._speed * self.rate
        position, last = first + int(passed + 1e-6), self.count - 1
        if position > last and not self.loop:
            self._move(last)
            self.pause()
            return
        if position > last:
            position %= self.count
            self._position = position
            self._restart_clock()
            passed = 0.0
            self.jumped.emit()
        self._move(position)
        due = (int(passed + 1e-6) + 1 - passed) / (self._speed * self.rate)
        self._timer.start(min(_LONGEST_WAIT, max(1, math.ceil(due * 1000))))

    def _move(self, position: int) -> None:
        if position != self._position or self._shown != position:
            self._position = position
            self.moved.emit(position)
        self._show()
        self._fetch()

    def _show(self) -> None:
        """Show the frame of the position, or the last before it that is there."""
        for index in range(self._position, max(-1, self._position - _LATE), -1):
            if (frame := self._frames.get(index)) is not None:
                self._frames.move_to_end(index)
                if index != self._shown:
                    self._shown = index
                    self.frame_shown.emit(frame[0])
                return

    def _fetch(self) -> None:
        """Ask for what is missing, the nearest first."""
        source = self._source
        if source is None or not source.facts.frames or not self._longest:
            return
        while self._requests < (1 if self._position in self._frames else _AT_ONCE):
            run = self._missing()
            if not run:
                return
            self._requests += 1
            self._asked.update(run)
            arrived = partial(self._arrived, self._opened, run, self._longest)
            source.request_frames(run[0], len(run), self._longest, arrived)

    def _missing(self) -> Sequence[int]:
        """The next frames to ask for; none where enough are there."""
        size = self._frame_bytes()
        wanted = _AT_FIRST if self._position not in self._frames else _MOST_FRAMES
        most = max(1, min(wanted, _ANSWER_BYTES // size))
        found: list[int] = []
        for index in self._ahead(max(1, self._limit * 3 // 4 // size)):
            missing = index not in self._asked and not self._is_sharp(index)
            if missing and (not found or index == found[-1] + 1):
                found.append(index)
            elif found:
                break
            if len(found) == most:
                break
        return found

    def _ahead(self, count: int) -> Iterator[int]:
        """Frames in the order in which they are wanted: from the position on, then from the start.

        Where they do not all fit, a few before the position come last.
        """
        total = self.facts.frames
        if count >= total:
            yield from range(self._position, total)
            yield from range(self._position)
            return
        before = min(self._position, count // 4)
        yield from (at % total for at in range(self._position, self._position + count - before))
        yield from range(self._position - before, self._position)

    def _is_sharp(self, index: int) -> bool:
        """Whether a frame is there, as large as it is wanted."""
        frame = self._frames.get(index)
        return frame is not None and frame[1] >= self._longest

    def _frame_bytes(self) -> int:
        share = min(1.0, self._longest / max(self.facts.width, self.facts.height, 1))
        return max(1, round(self.facts.width * share * self.facts.height * share * 3))

    def _arrived(
        self, opened: int, run: Sequence[int], longest: int, images: Sequence[QImage] | None
    ) -> None:
        if opened != self._opened:
            return
        self._requests -= 1
        if images is None:
            self.unreadable.emit()
            return  # what cannot be read now is not asked for again
        if longest == self._longest:
            self._asked.difference_update(run)
        for index, image in zip(run, images, strict=False):
            self._keep(index, image, longest)
        self._show()
        self._fetch()

    def _keep(self, index: int, image: QImage, longest: int) -> None:
        before = self._frames.pop(index, None)
        if before is not None:
            self._bytes -= before[0].sizeInBytes()
        self._frames[index] = image, longest
        self._bytes += image.sizeInBytes()
        if index == self._shown:
            self._shown = -1  # show it anew: it may be sharper
        while self._bytes > self._limit and len(self._frames) > 1:
            oldest = next(iter(self._frames))
            if oldest == self._position:
                self._frames.move_to_end(oldest)
            else:
                self._bytes -= self._frames.pop(oldest)[0].sizeInBytes()
