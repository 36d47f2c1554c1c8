"""What the server answers, and when."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine.protocol import Frame, read_frame, write_frames
from nodeforge.errors import Cancelled
from nodeforge.worker.build import build_server
from nodeforge.worker.server import Server
from support.queue_worker import session_on


def _answer(name: str, header: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    return {"name": name}, b""


@pytest.fixture
def serving(tmp_path: Path):
    """A server whose `prepare` ends when the event is set, and how to ask it."""
    theirs, ours = os.pipe()
    heard, told = os.pipe()
    requests, replies = os.fdopen(theirs, "rb"), os.fdopen(told, "wb")
    asking, hearing = os.fdopen(ours, "wb"), os.fdopen(heard, "rb")
    ready = threading.Event()
    answers = {name: partial(_answer, name) for name in ("plan", "memory_needs")}
    server = Server(
        session_on(tmp_path),
        requests,
        replies,
        answers,
        prepare=lambda: _wait(ready),
        after_prepare=("memory_needs",),
    )
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()

    def ask(*names: str) -> None:
        write_frames(asking, [Frame({"request": name, "id": name}) for name in names])

    def hear() -> str:
        frame = read_frame(hearing)
        assert frame is not None
        return frame.header["name"]

    yield ask, hear, ready
    ready.set()
    asking.close()
    thread.join(10)
    for stream in (requests, replies, hearing):
        stream.close()


def test_frames_do_not_wait_for_a_plan(tmp_path: Path):
    """A frame that is jumped to waited 20 ms and more for the plan of the workflow."""
    theirs, ours = os.pipe()
    heard, told = os.pipe()
    planned = threading.Event()

    def plan(header: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        _wait(planned)
        return _answer("plan", header)

    with (
        os.fdopen(theirs, "rb") as requests,
        os.fdopen(told, "wb") as replies,
        os.fdopen(heard, "rb") as hearing,
    ):
        answers = {"plan": plan, "clip_frames": partial(_answer, "clip_frames")}
        session = session_on(tmp_path)
        server = Server(session, requests, replies, answers, at_once=("clip_frames",))
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        with os.fdopen(ours, "wb") as asking:
            asked = [Frame({"request": name, "id": name}) for name in answers]
            write_frames(asking, asked)
            first = read_frame(hearing)
            planned.set()
            second = read_frame(hearing)
        thread.join(10)
    assert [frame and frame.header["name"] for frame in (first, second)] == ["clip_frames", "plan"]


def _wait(ready: threading.Event) -> None:
    ready.wait(10)


def test_questions_that_need_the_libraries_wait_for_them(
    serving: tuple[Callable[..., None], Callable[[], str], threading.Event],
):
    """Two threads that import diffusers at once each find modules half made (ImportError)."""
    ask, hear, ready = serving
    ask("memory_needs", "plan")
    assert hear() == "plan"
    ready.set()
    assert hear() == "memory_needs"
    ask("memory_needs")
    assert hear() == "memory_needs"


def test_the_worker_imports_diffusers_for_no_question_before_it_is_prepared(tmp_path: Path):
    with Path(os.devnull).open("rb") as requests, Path(os.devnull).open("wb") as replies:
        server = build_server("cpu", requests, replies)
    assert server._after_prepare == {"memory_needs", "devices"}
    assert server._after_prepare <= set(server._answers)


def test_a_question_that_computes_is_answered_between_runs_and_gives_way_to_them(tmp_path: Path):
    """Beside a run it would change how the run's own networks compute."""
    theirs, ours = os.pipe()
    heard, told = os.pipe()
    begun, threads = threading.Event(), list[int]()

    def compute(header: dict[str, Any], check: Callable[[], None]) -> tuple[dict[str, Any], bytes]:
        threads.append(threading.get_ident())
        begun.set()
        if header["id"] == "wrong":
            raise ValueError("a mistake")
        try:
            while True:
                check()
        except Cancelled:
            return {"name": "gave way"}, b""

    with (
        os.fdopen(theirs, "rb") as requests,
        os.fdopen(told, "wb") as replies,
        os.fdopen(heard, "rb") as hearing,
    ):
        computing = {"speeds": compute}
        server = Server(session_on(tmp_path), requests, replies, {}, computing=computing)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        with os.fdopen(ours, "wb") as asking:
            write_frames(asking, [Frame({"request": "speeds", "id": "long"})])
            assert begun.wait(10)
            write_frames(asking, [Frame({"request": "run", "id": "run", "graph": {"nodes": {}}})])
            frames = [read_frame(hearing), read_frame(hearing)]
            write_frames(asking, [Frame({"request": "speeds", "id": "wrong"})])
            frames.append(read_frame(hearing))
        thread.join(10)
    headers = [frame.header for frame in frames if frame is not None]
    assert headers[0] == {"answer": "long", "name": "gave way"}
    assert headers[1]["run"] == "run"
    assert "a mistake" in headers[2]["error"]["fact"]
    assert set(threads) == {thread.ident}
