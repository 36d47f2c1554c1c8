"""Blocks on their way to a card: the same numbers, and no buffer is written while it is read.

There is no card here. The processor stands in for one: its streams do nothing, so that numbers are
those of the whole path. What order streams and threads guarantee is found by vector clocks
(Lamport 1978, Fidge 1988): two accesses race unless one is known to come before the other.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import Denoising, Residency
from nodeforge.diffusion.networks import block_reader
from nodeforge.diffusion.networks.block_reader import BlockReader
from nodeforge.diffusion.networks.card_buffers import CardBuffers
from nodeforge.diffusion.networks.loading import load
from nodeforge.diffusion.networks.streaming import stream_of
from nodeforge.diffusion.tensors.policy import Policy
from nodeforge.settings import MemoryMode
from nodeforge.values import Guidance, Noise, Sampler, Schedule

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flux")
    tiny_transformers.PIPELINES["z_image"]().save_pretrained(folder)
    return diffusion.describe(folder)


@pytest.fixture
def card(monkeypatch):
    """Have the processor taken for a card, without memory that is pinned."""
    monkeypatch.setattr(block_reader, "has_streams", lambda _: True)
    monkeypatch.setattr(block_reader, "pinned", lambda size: torch.empty(size, dtype=torch.uint8))


def latent(described, residency):
    with residency.use(described.text_encoder) as encoder:
        prompt = diffusion.encode_text(encoder, described.text_encoder, "a red fox")
    task = Denoising(
        described.model, prompt, Sampler("flow_euler"), Schedule("simple", 3), Guidance(1.0),
        noise=Noise(1, 32, 64),
    )  # fmt: skip
    return diffusion.denoise(diffusion.LocalHost(residency), task).samples


def test_numbers_are_the_same_by_way_of_a_card_s_buffers(described, card):
    filled = []
    fill = CardBuffers._copy

    def counted(self, number, source):
        filled.append(number)
        fill(self, number, source)

    CardBuffers._copy = counted
    try:
        fed = latent(described, Residency("cpu", Policy(MemoryMode.VERY_LOW)))
    finally:
        CardBuffers._copy = fill
    assert len(filled) > 10
    assert torch.equal(fed, latent(described, Residency("cpu")))


def test_all_buffers_are_given_back_after_a_run(described, card):
    stream = stream_of(load(described.model, CPU, streamed=True).network)
    stream._reader.get(0)
    assert stream._reader._card is not None
    stream.rest()
    assert stream._reader._card is None
    assert stream._reader._buffers == []


Clock = dict[str, int]


def merge(into: Clock, other: Clock) -> None:
    for who, count in other.items():
        into[who] = max(into.get(who, 0), count)


@dataclass
class Watched:
    """All accesses of a test, each with what is known to be before it."""

    threads: dict[int, Clock] = field(default_factory=dict)
    accesses: list[tuple[str, str, bool, Clock]] = field(default_factory=list)

    @property
    def here(self) -> Clock:
        return self.threads.setdefault(threading.get_ident(), {})

    def access(self, by: str, clock: Clock, what: str, *, writes: bool) -> None:
        clock[by] = clock.get(by, 0) + 1
        self.accesses.append((by, what, writes, dict(clock)))

    def races(self) -> list[tuple[str, str, str]]:
        found = []
        for number, (one, what, writes, then) in enumerate(self.accesses):
            for other, same, also, now in self.accesses[number + 1 :]:
                ordered = now.get(one, 0) >= then[one] or then.get(other, 0) >= now[other]
                if what == same and (writes or also) and not ordered:
                    found.append((what, one, other))
        return found


class Stream:
    def __init__(self, watched: Watched, name: str) -> None:
        self.watched, self.name, self.clock = watched, name, {}

    def wait_event(self, event):
        merge(self.clock, self.watched.here)
        merge(self.clock, event.clock)

    def ask(self, what: str, *, writes: bool) -> None:
        merge(self.clock, self.watched.here)  # work is asked for after what the thread did
        self.watched.access(self.name, self.clock, what, writes=writes)


class Event:
    def __init__(self, watched: Watched) -> None:
        self.watched, self.clock = watched, {}

    def record(self, stream):
        merge(stream.clock, self.watched.here)
        self.clock = dict(stream.clock)

    def synchronize(self):
        merge(self.watched.here, self.clock)


def watched_reader(reader: BlockReader, monkeypatch) -> tuple[Watched, Stream]:
    """Have a reader's card watched: its streams, the thread that reads, and their accesses."""
    watched = Watched()
    computing, copying = Stream(watched, "computing"), Stream(watched, "copying")

    @contextmanager
    def stream(_):
        yield

    card = SimpleNamespace(
        Stream=lambda _: copying,
        Event=lambda: Event(watched),
        current_stream=lambda _: computing,
        stream=stream,
    )
    monkeypatch.setattr(torch, "get_device_module", lambda _: card)
    started, read, files = BlockReader._started, BlockReader._read, BlockReader._read_files
    copy = CardBuffers._copy
    handed: list[Clock] = []

    def watched_started(self, number):
        handed.append(dict(watched.here))
        return started(self, number)

    def watched_read(self, number, buffer):
        merge(watched.here, handed.pop(0))
        self.reading = buffer
        read(self, number, buffer)
        self.done = dict(watched.here)

    def watched_files(self, number, places):
        what = f"source {self.reading}"
        watched.access("reading", watched.here, what, writes=True)
        files(self, number, places)

    def watched_copy(self, number, source):
        copying.ask(f"source {number}", writes=False)
        copying.ask(f"card {number}", writes=True)
        copy(self, number, source)

    monkeypatch.setattr(BlockReader, "_started", watched_started)
    monkeypatch.setattr(BlockReader, "_read", watched_read)
    monkeypatch.setattr(BlockReader, "_read_files", watched_files)
    monkeypatch.setattr(CardBuffers, "_copy", watched_copy)
    return watched, computing


def walk(described, monkeypatch, order) -> Watched:
    reader = stream_of(load(described.model, CPU, streamed=True).network)._reader
    watched, computing = watched_reader(reader, monkeypatch)
    for number in order:
        if number is None:
            reader.begin_again()
            continue
        take = CardBuffers.take

        def known(self, buffer, take=take):
            merge(watched.here, reader.done)  # the thread was waited for
            return take(self, buffer)

        with monkeypatch.context() as patch:
            patch.setattr(CardBuffers, "take", known)
            reader.get(number)
        for _ in range(2):
            computing.ask(f"card {reader._used}", writes=False)
    reader.rest()
    return watched


ORDERS = {
    "in turn": [0, 1, 2, 3] * 3,
    "any": [0, 1, 3, 2, 0, 0, 3, 1],
    "left out": [0, 1, None, 0, None, 0, 1, 2, None, 0, 1],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_no_buffer_is_written_while_it_is_read(described, card, monkeypatch, order):
    watched = walk(described, monkeypatch, order)
    assert len(watched.accesses) > 20
    assert watched.races() == []


@pytest.mark.parametrize("missing", ["await_source", "give_up", "take"])
def test_each_of_the_waits_is_needed(described, card, monkeypatch, missing):
    """The check finds what goes wrong without it."""

    def nothing(self, number, *_):
        if missing == "give_up":
            self._used[number] = Event(Watched())
        return self._held[number]

    monkeypatch.setattr(CardBuffers, missing, nothing)
    assert walk(described, monkeypatch, ORDERS["in turn"]).races()
