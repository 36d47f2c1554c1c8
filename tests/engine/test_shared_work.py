"""Workers on one machine compute nothing twice; machines share what they have finished."""

import multiprocessing
import os
import signal
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.cache import DiskTier, KeyClaims, SharedTier, shared_problem
from nodeforge.engine.events import Source
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.errors import Cancelled
from support.counting import CALLS, Bench, graph, open_bench

KEY = "ab" * 16
GROWN = graph({"a": ("test.grow", {"text": "x"})}, {})


def with_claims(home: Path) -> Bench:
    return open_bench(home, claims=KeyClaims(home / "claims"))


def run_in_thread(bench: Bench) -> threading.Thread:
    request = RunRequest("run", ["a"], outputs=bench.outputs)
    thread = threading.Thread(
        target=bench.session.run, args=(GROWN, request, RunState(lambda _: None))
    )
    thread.start()
    return thread


def test_what_two_workers_share_is_computed_once(tmp_path: Path):
    workers = [with_claims(tmp_path) for _ in range(4)]
    CALLS.clear()
    for thread in [run_in_thread(worker) for worker in workers]:
        thread.join()
    assert CALLS["grow"] == 1


def hold_for_ever(folder: Path, held: threading.Event) -> None:
    lock = KeyClaims(folder).hold(KEY, threading.Event())
    assert lock
    held.set()
    time.sleep(60)


def test_the_claim_of_a_worker_that_dies_ends_with_it(tmp_path: Path):
    context = multiprocessing.get_context("fork")
    held = context.Event()
    other = context.Process(target=hold_for_ever, args=(tmp_path, held))
    other.start()
    assert held.wait(20)
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Cancelled):
        KeyClaims(tmp_path).hold(KEY, stop)
    assert other.pid
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    lock = KeyClaims(tmp_path).hold(KEY, threading.Event())
    assert lock
    lock.release()


def test_where_nothing_can_be_claimed_both_compute(tmp_path: Path):
    (tmp_path / "claims").write_text("no folder")
    assert KeyClaims(tmp_path / "claims").hold(KEY, threading.Event()) is None
    assert with_claims(tmp_path).run(GROWN, "a") == {"a": {"text": "x."}}


# The shared folder


def tier(folder: Path, limit: int = 2**20) -> SharedTier:
    return SharedTier(folder, "test", limit)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "nas").mkdir()
    return tmp_path / "nas"


def machine(tmp_path: Path, name: str, shared: Path) -> Bench:
    return open_bench(tmp_path / name, shared=tier(shared))


def entries(shared: Path) -> list[Path]:
    return sorted(shared.glob("*/*/*/*.result"))


def test_what_one_machine_has_finished_the_other_does_not_compute(tmp_path: Path, shared: Path):
    first = machine(tmp_path, "first", shared)
    made = first.run(GROWN, "a")
    first.session.cache.flush()
    second = machine(tmp_path, "second", shared)
    assert second.run(GROWN, "a") == made
    assert second.calls == {}
    assert [event.nodes for event in second.told(events.Reused)] == [{"a": Source.DISK}]
    second.session.cache.flush()
    assert open_bench(tmp_path / "second").run(GROWN, "a") == made  # it is here now, too
    assert CALLS["grow"] == 0


def test_a_second_write_of_a_key_changes_nothing(shared: Path):
    tier(shared).put(KEY, b"first")
    (before,) = [path.stat() for path in entries(shared)]
    tier(shared).put(KEY, b"second")
    (after,) = [path.stat() for path in entries(shared)]
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert tier(shared).get(KEY) == b"first"


@pytest.mark.parametrize("damage", [b"", b"x" * 10, b"x" * 200], ids=["empty", "short", "other"])
def test_a_damaged_entry_is_computed_again(tmp_path: Path, shared: Path, damage: bytes):
    first = machine(tmp_path, "first", shared)
    made = first.run(GROWN, "a")
    first.session.cache.flush()
    (entry,) = entries(shared)
    good = entry.read_bytes()
    entry.write_bytes(damage)
    second = machine(tmp_path, "second", shared)
    assert second.run(GROWN, "a") == made
    assert second.calls == {"grow": 1}
    second.session.cache.flush()
    assert entry.read_bytes() == good


def write_for_ever(folder: Path, begun: threading.Event) -> None:
    mine = tier(folder, 2**30)
    for number in range(10_000):
        mine.put(f"{number % 50:032x}", bytes([number % 50]) * 200_000)
        mine.discard(f"{number % 50:032x}" if number % 3 else KEY)
        if number == 20:
            begun.set()


def test_a_crash_in_the_middle_leaves_no_torn_entry(shared: Path):
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    writers = [context.Process(target=write_for_ever, args=(shared, begun)) for _ in range(2)]
    for writer in writers:
        writer.start()
    assert begun.wait(20)
    for writer in writers:
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        for entry in entries(shared):
            number = int(entry.stem, 16)
            assert tier(shared).get(entry.stem) in (bytes([number]) * 200_000, None)
    assert all(entry.stat().st_size == 200_016 for entry in entries(shared))


def test_a_folder_that_is_away_is_told_once_and_never_made(tmp_path: Path, shared: Path):
    away = tmp_path / "away"
    bench = machine(tmp_path, "first", away)
    assert bench.run(GROWN, "a") == {"a": {"text": "x."}}
    (notice,) = bench.told(events.Notice)
    assert f"The shared cache {away}: the folder is not there. Results are kept" in notice.fact
    bench.run(graph({"a": ("test.grow", {"text": "y"})}, {}), "a")
    assert not bench.told(events.Notice)
    bench.session.cache.flush()
    assert not away.exists()
    assert shared_problem(shared) is None
    found = shared_problem(away)
    assert found
    assert "not there" in found[0]
    assert "shared_cache" in found[1]
    assert shared_problem(Path("nas")) is not None


def test_a_full_disk_there_costs_nothing_here(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(
        "nodeforge.engine.cache.disk.shutil.disk_usage",
        lambda path: usage(100, 100, 0) if "nas" in str(path) else usage(2**40, 0, 2**40),
    )
    bench = machine(tmp_path, "first", shared)
    told: list[events.Notice] = []
    for text in "xy":  # the first is written, or refused, while or after its run ends
        bench.run(graph({"a": ("test.grow", {"text": text})}, {}), "a")
        told += bench.told(events.Notice)
        bench.session.cache.flush()
    assert entries(shared) == []
    assert ["nearly full" in notice.fact for notice in told] == [True]
    assert isinstance(bench.session.cache.disk, DiskTier)
    assert bench.session.cache.disk.refused == ""
    assert len(list(bench.session.cache.disk.entries())) == 2


def test_a_folder_that_cannot_be_written_is_read(tmp_path: Path, shared: Path):
    tier(shared).put(KEY, b"there")
    (shared / "nodeforge-results" / "test" / "cd").write_text("in the way")
    mine = tier(shared)
    mine.put("cd" * 16, b"new")
    assert mine.problem()
    assert mine.get(KEY) == b"there"
