"""The player's clock, what it asks for ahead, and what it keeps (issue 20)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtGui import QImage

from nodeforge.ui.viewer.player import Player
from nodeforge.values.clips import ClipFacts


class Frames:
    """A source whose answers come when the test says so; a frame's red is its number."""

    def __init__(self, count: int = 40, size: int = 16, rate: float = 10.0) -> None:
        self.facts = ClipFacts(count, rate, count / rate, size, size)
        self.key = id(self)
        self.waiting: list = []
        self.asked: list[Sequence[int]] = []
        self.closed = False

    def request_frames(self, first, count, longest, done):
        self.asked.append(range(first, first + count))
        side = min(longest, self.facts.width)

        def answer() -> None:
            images = []
            for index in range(first, min(first + count, self.facts.frames)):
                image = QImage(side, side, QImage.Format.Format_RGB888)
                image.fill(index << 16)
                images.append(image)
            done(images)

        self.waiting.append(answer)

    def answer_all(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def request_sound(self, done):
        done(None)

    def request_waveform(self, width, height, done):
        done(None)

    def close(self):
        self.closed = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def playing(clock: Clock, source: Frames, **options) -> tuple[Player, list[int]]:
    player = Player(clock, **options)
    shown: list[int] = []
    player.frame_shown.connect(lambda image: shown.append(image.pixelColor(0, 0).red()))
    player.open(source)
    player.set_longest(16)
    return player, shown


def at(player: Player, clock: Clock, seconds: float) -> int:
    clock.now = seconds
    player._tick()
    return player.position


def test_the_position_follows_the_clock_and_leaves_frames_out(qapp, clock):
    source = Frames()
    player, shown = playing(clock, source)
    source.answer_all()
    player.play()
    assert [at(player, clock, t) for t in (0.05, 0.1, 0.5, 2.04)] == [0, 1, 5, 20]
    assert shown == [0, 1, 5, 20]


@pytest.mark.parametrize(("speed", "frame"), [(0.25, 2), (0.5, 5), (1.5, 15), (2.0, 20)])
def test_speed_scales_the_clock_from_where_it_is_set(qapp, clock, speed, frame):
    player, _ = playing(clock, Frames())
    player.set_speed(speed)
    player.play()
    assert at(player, clock, 1.0) == frame
    player.set_speed(1.0)
    assert at(player, clock, 1.5) == frame + 5


def test_at_the_end_it_stops_or_starts_again(qapp, clock):
    player, _ = playing(clock, Frames())
    player.play()
    assert at(player, clock, 4.25) == 2
    player.loop = False
    assert at(player, clock, 99.0) == 39
    assert not player.playing
    player.play()  # from the start again
    assert player.position == 0


def test_frames_that_are_not_there_are_waited_for_without_stopping(qapp, clock):
    source = Frames()
    player, shown = playing(clock, source)
    player.play()
    assert at(player, clock, 3.0) == 30
    assert shown == []
    source.answer_all()
    assert shown[-1] == 30
    assert player.cached == 40


def test_a_jump_asks_for_its_frame_first(qapp, clock):
    source = Frames()
    player, shown = playing(clock, source)
    source.waiting.pop(0)()
    player.seek(33)
    assert 33 in source.asked[-1]
    assert source.asked[-1][0] == 33
    source.answer_all()
    assert shown[-1] == 33
    assert {index for run in source.asked for index in run} == set(range(40))


def test_what_is_kept_is_bounded_and_holds_the_position(qapp, clock):
    source = Frames(count=200)
    size = 16 * 16 * 3
    player, shown = playing(clock, source, cache_bytes=20 * size)
    source.answer_all()
    assert player.cached <= 20
    assert len(source.asked) < 15  # nor does it ask for ever
    player.seek(120)
    source.answer_all()
    assert shown[-1] == 120
    assert player.cached <= 20


def test_larger_frames_are_asked_for_and_smaller_ones_stay_meanwhile(qapp, clock):
    source = Frames(size=64)
    player, shown = playing(clock, source)
    source.answer_all()
    asked = len(source.asked)
    player.set_longest(64)
    assert len(source.asked) == asked + 1
    assert player.cached == 40
    player.seek(7)
    assert shown[-1] == 7
    source.answer_all()
    assert player._frames[7][0].width() == 64
    player.set_longest(32)  # what is there is large enough
    assert len(source.asked) == len(source.asked)
    assert not source.waiting


def test_answers_for_another_clip_are_dropped(qapp, clock):
    first, second = Frames(count=5), Frames(count=3)
    player, _ = playing(clock, first)
    player.open(second)
    assert first.closed
    first.answer_all()
    assert player.cached == 0
    second.answer_all()
    assert player.cached == 3
    player.open(None)
    assert player.count == 0
    player.play()
    assert not player.playing


@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_short_clips(qapp, clock, count):
    source = Frames(count=count)
    player, shown = playing(clock, source)
    source.answer_all()
    player.step(5)
    assert player.position == count - 1
    player.step(-5)
    assert player.position == 0
    player.play()
    assert player.playing == (count > 1)
    assert shown[-1] == 0


def test_a_source_that_has_no_frames_is_not_asked_again_and_again(qapp, clock):
    source = Frames()
    player, _ = playing(clock, source)
    told = []
    player.unreadable.connect(lambda: told.append(1))
    source.waiting.clear()
    player._arrived(player._opened, source.asked[0], 16, None)
    assert told == [1]
    assert len(source.asked) == 2  # both that were under way
