"""A line that breaks loses nothing, and tells nothing twice."""

import contextlib
import random
import socket
import threading
import time
from typing import Any

import pytest

from nodeforge.engine.protocol import Frame
from nodeforge.engine.remote.line import Line


class Side:
    """A line with what it has received."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.line = Line(lambda frame: self.got.append(frame.header["x"]), ping=0.05)

    def listen(self, stream: Any) -> None:
        def run() -> None:
            with contextlib.suppress(OSError, ValueError):
                self.line.listen(stream)
            self.line.disconnect(stream)

        threading.Thread(target=run, daemon=True).start()


def joined(one: Side, other: Side) -> tuple[socket.socket, socket.socket]:
    """Connect two sides, as a client and its host do."""
    here, there = socket.socketpair()
    ours: Any = here.makefile("rwb")
    theirs: Any = there.makefile("rwb")
    seen = one.line.seen, other.line.seen
    one.line.connect(ours, seen[1])
    other.line.connect(theirs, seen[0])
    one.listen(ours)
    other.listen(theirs)
    return here, there


def waited(condition: Any, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def cut(*sockets: socket.socket) -> None:
    for each in sockets:
        each.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("seed", range(4))
def test_breaks_anywhere_lose_nothing_and_repeat_nothing(seed: int):
    rng, one, other = random.Random(seed), Side(), Side()
    sockets = joined(one, other)
    for number in range(400):
        if number and number % 50 == 0:
            sockets = joined(one, other)
        one.line.send(Frame({"x": number}, bytes(rng.randrange(3000))))
        other.line.send(Frame({"x": -number}))
        if number % 50 == 37:
            time.sleep(rng.random() * 0.01)
            cut(*sockets)
            assert waited(lambda: not (one.line.is_up or other.line.is_up))
    joined(one, other)
    assert waited(lambda: len(one.got) >= 400 and len(other.got) >= 400)
    assert other.got == list(range(400))
    assert one.got == [-n for n in range(400)]
    assert one.line.flush(5.0)
    assert other.line.flush(5.0)


def test_what_passes_is_not_kept_for_later():
    one, other = Side(), Side()
    one.line.send(Frame({"x": "preview"}), passing=True)
    one.line.send(Frame({"x": "kept"}))
    joined(one, other)
    assert waited(lambda: other.got)
    one.line.send(Frame({"x": "preview"}), passing=True)
    assert waited(lambda: len(other.got) > 1)
    assert other.got == ["kept", "preview"]


def test_two_full_pipes_do_not_stop_each_other():
    one, other = Side(), Side()
    joined(one, other)
    for number in range(30):
        one.line.send(Frame({"x": number}, bytes(500_000)))
        other.line.send(Frame({"x": number}, bytes(500_000)))
    assert waited(lambda: len(one.got) == len(other.got) == 30)
    assert one.line.bytes_received > 15_000_000
