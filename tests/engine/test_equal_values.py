"""Equal things are computed once: nodes with one key, and what comes out as it did before."""

import threading
from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.cache import checkpoint_of, steps_known
from nodeforge.engine.events import Source
from nodeforge.engine.planning.reason import Cause
from nodeforge.engine.running.context import RunRequest, RunState
from nodeforge.engine.running.traces import Trace, Traces
from nodeforge.graph.model import Graph
from support.counting import CALLS, Bench, graph, open_bench


def spaced(text: str) -> Graph:
    """A prompt whose spaces are taken away, and what is made of it."""
    return graph(
        {
            "words": ("test.text", {"text": text}),
            "strip": ("test.strip", {}),
            "grow": ("test.grow", {}),
            "more": ("test.grow", {"by": "!"}),
        },
        {"strip.text": "words.text", "grow.text": "strip.text", "more.text": "grow.text"},
    )


def twins() -> Graph:
    return graph(
        {
            "words": ("test.text", {}),
            "left": ("test.grow", {}),
            "right": ("test.grow", {}),
            "join": ("test.join", {}),
        },
        {
            "left.text": "words.text",
            "right.text": "words.text",
            "join.parts[0]": "left.text",
            "join.parts[1]": "right.text",
        },
    )


# one key


def test_two_equal_nodes_are_computed_once(bench: Bench):
    assert bench.run(twins(), "join") == {"join": {"text": "a fox0.-a fox0."}}
    assert bench.calls == {"text": 1, "grow": 1, "join": 1}
    assert [event.node for event in bench.told(events.Finished)] == ["words", "left", "join"]
    assert bench.told(events.Reused)[0].nodes == {"right": Source.MEMORY}


def test_equal_nodes_have_one_cost_in_the_forecast(bench: Bench):
    forecast = bench.session.forecast(bench.plan(twins(), "join"))
    assert forecast["left"].source is Source.COMPUTED
    assert forecast["right"].source is Source.MEMORY


def test_equal_nodes_with_effects_all_run(bench: Bench):
    saves = graph(
        {"words": ("test.text", {}), "a": ("test.save", {}), "b": ("test.save", {})},
        {"a.text": "words.text", "b.text": "words.text"},
    )
    bench.run(saves)
    assert bench.calls == {"text": 1, "save": 2}


def test_a_failure_names_the_equal_nodes(bench: Bench):
    failing = graph(
        {
            "words": ("test.text", {}),
            "a": ("test.fail", {}),
            "b": ("test.fail", {}),
            "join": ("test.join", {}),
        },
        {
            "a.text": "words.text", "b.text": "words.text",
            "join.parts[0]": "a.text", "join.parts[1]": "b.text",
        },
    )  # fmt: skip
    bench.run(failing, "join")
    (failed,) = bench.told(events.Failed)
    assert (failed.node, failed.same) == ("a", ("b",))


def test_a_fallback_serves_the_equal_nodes_and_is_not_kept(bench: Bench):
    inexact = graph(
        {
            "words": ("test.text", {}),
            "a": ("test.inexact", {}),
            "b": ("test.inexact", {}),
            "join": ("test.join", {}),
        },
        {
            "a.text": "words.text", "b.text": "words.text",
            "join.parts[0]": "a.text", "join.parts[1]": "b.text",
        },
    )  # fmt: skip
    for _ in range(2):
        assert bench.run(inexact, "join") == {"join": {"text": "a fox0-a fox0"}}
        assert (bench.calls["inexact"], bench.calls["join"]) == (1, 1)


def test_a_run_waits_for_a_key_that_another_computes(bench: Bench):
    asked = graph({"a": ("test.grow", {"text": "x"})}, {})
    CALLS.clear()
    threads = [
        threading.Thread(
            target=bench.session.run,
            args=(asked, RunRequest(f"run {i}", ["a"]), RunState(lambda _: None)),
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CALLS["grow"] == 1


# early cutoff


def test_a_change_whose_value_stays_ends_there(bench: Bench):
    bench.run(spaced("a fox"), "more")
    bench.run(spaced("a fox "), "more")
    # 'a fox ' with its seed differs from 'a fox' in the middle: nothing is equal here
    assert bench.calls == {"text": 1, "strip": 1, "grow": 2}
    bench.run(spaced("  a fox "), "more")
    assert bench.calls == {"text": 1, "strip": 1}
    assert {node for event in bench.told(events.Reused) for node in event.nodes} == {"more"}


def test_another_process_finds_equal_values(bench: Bench, tmp_path: Path):
    bench.run(spaced("a fox"), "more")
    bench.session.cache.flush()
    other = open_bench(tmp_path)
    other.run(spaced(" a fox"), "more")
    assert other.calls == {"text": 1, "strip": 1}


def test_a_chain_of_a_thousand_ends_at_its_first_node(bench: Bench):
    def chain(text: str) -> Graph:
        count = 1000
        nodes = {"first": ("test.text", {"text": text}), "n0": ("test.strip", {})}
        nodes |= {f"n{i}": ("test.slow", {"seconds": i * 1e-12}) for i in range(1, count)}
        links = {f"n{i}.text": f"n{i - 1}.text" for i in range(1, count)}
        return graph(nodes, {**links, "n0.text": "first.text"})

    bench.run(chain("a fox"), "n999")
    assert bench.calls == {"text": 1, "strip": 1, "slow": 999}
    bench.run(chain(" a fox"), "n999")
    assert bench.calls == {"text": 1, "strip": 1}


def test_a_feeder_that_is_gone_is_not_needed_where_its_trace_is(bench: Bench, tmp_path: Path):
    """What reads a changed and an evicted value is found by both their digests."""

    def two(text: str) -> Graph:
        return graph(
            {
                "words": ("test.text", {"text": text}),
                "strip": ("test.strip", {}),
                "cheap": ("test.text", {"text": "cheap"}),
                "join": ("test.join", {}),
                "grow": ("test.grow", {}),
            },
            {
                "strip.text": "words.text", "join.parts[0]": "strip.text",
                "join.parts[1]": "cheap.text", "grow.text": "join.text",
            },
        )  # fmt: skip

    bench.run(two("a fox"), "grow")
    bench.session.cache.flush()
    other = open_bench(tmp_path)  # on disk is only what took long: 'grow'
    other.run(two(" a fox"), "grow")
    assert other.calls == {"text": 1, "strip": 1}


def test_what_a_fallback_feeds_leaves_no_trace(bench: Bench):
    asked = graph(
        {
            "words": ("test.text", {}),
            "inexact": ("test.inexact", {}),
            "grow": ("test.grow", {}),
        },
        {"inexact.text": "words.text", "grow.text": "inexact.text"},
    )
    bench.run(asked, "grow")
    plan = bench.plan(asked, "grow")
    traces = bench.session.cache.traces
    assert traces.get(plan.nodes["words"].key)
    assert traces.get(plan.nodes["inexact"].key) is None
    assert traces.get(plan.nodes["grow"].key) is None
    bench.run(asked, "grow")
    assert bench.calls == {"inexact": 1, "grow": 1}


def test_a_value_without_a_digest_stops_nothing(bench: Bench):
    def asked(text: str) -> Graph:
        return graph(
            {
                "words": ("test.text", {"text": text}),
                "strip": ("test.strip", {}),
                "opaque": ("test.opaque", {}),
                "read": ("test.opaque", {}),
            },
            {"strip.text": "words.text", "opaque.text": "strip.text"},
        )

    bench.run(asked("a fox"), "opaque")
    trace = bench.session.cache.traces.get(bench.plan(asked("a fox"), "opaque").nodes["opaque"].key)
    assert trace is not None
    assert trace.digests == {}
    bench.run(asked(" a fox"), "opaque")
    assert bench.calls == {"text": 1, "strip": 1}


def test_the_steps_of_a_node_found_by_value_are_shown(bench: Bench):
    bench.run(spaced("a fox"), "more")
    first = bench.plan(spaced("a fox"), "more").nodes["grow"].key
    bench.session.cache.put(first + "-walk", ["step"], 0.0, to_disk=True)
    bench.run(spaced(" a fox"), "more")
    request = RunRequest("run")
    assert bench.session.kept(spaced(" a fox"), request, "grow", "text", 0) == "a fox0."
    assert bench.session.steps(spaced(" a fox"), request, "grow") == 1
    assert bench.session.steps_kept(spaced(" a fox"), request, "grow") == 1
    assert steps_known(bench.session.cache, "nothing") == 0
    assert checkpoint_of(bench.session.cache, "nothing", 1) is None


def test_of_a_stopped_loop_the_steps_that_were_done_are_shown(bench: Bench):
    """Window B13: 150 steps, stopped at 100, offered 150."""
    key, cache = bench.plan(spaced("a fox"), "more").nodes["grow"].key, bench.session.cache
    cache.put(key + "-walk", ["one", "two", "three"], 0.0, to_disk=True)
    cache.put("two-step", "checkpoint", 0.0, to_disk=True)
    request = RunRequest("run")
    assert bench.session.steps(spaced("a fox"), request, "grow") == 3
    assert bench.session.steps_kept(spaced("a fox"), request, "grow") == 2


def test_the_forecast_says_on_what_it_depends(bench: Bench):
    bench.run(spaced("a fox"), "more")
    forecast = bench.session.forecast(bench.plan(spaced(" a fox"), "more"))
    assert forecast["words"].unless == ()
    assert forecast["strip"].unless == ("words",)
    assert forecast["more"].unless == ("words",)


# why


def reasons(bench: Bench, asked: Graph, *targets: str) -> dict[str, str]:
    bench.run(asked, *targets, document="fox.json")
    return {event.node: event.reason.text() for event in bench.told(events.Started)}


def test_a_node_says_why_it_runs(bench: Bench, tmp_path: Path):
    first = reasons(bench, spaced("a fox"), "more")
    assert first == {
        "words": "new: Text", "strip": "new: Strip", "grow": "new: Grow", "more": "new: Grow",
    }  # fmt: skip
    second = reasons(bench, spaced("a cat"), "more")
    assert set(second.values()) == {"text changed in Text"}
    bench.session.cache.flush()
    bench.session.save_last_runs()
    other = open_bench(tmp_path)
    third = reasons(other, spaced("a dog"), "more")
    assert set(third.values()) == {"text changed in Text"}
    other.session.cache.flush()
    other.session.cache.memory.clear()
    assert other.session.cache.disk is not None
    other.session.cache.disk.clear()
    other.session.cache.traces.clear()
    fourth = reasons(other, spaced("a dog"), "more")
    assert set(fourth.values()) == {"not in the cache"}


def test_a_replaced_file_and_a_moved_link_are_named(bench: Bench, tmp_path: Path):
    file = tmp_path / "words.txt"
    file.write_text("a fox")

    def asked(port: str) -> Graph:
        return graph(
            {
                "read": ("test.read", {"file": str(file)}),
                "split": ("test.split", {}),
                "grow": ("test.grow", {}),
            },
            {"split.text": "read.text", "grow.text": f"split.{port}"},
        )

    def run(port: str) -> dict[str, str]:
        bench.run(asked(port), "grow", document="x", granted=[str(file)])
        return {event.node: event.reason.text() for event in bench.told(events.Started)}

    run("first")
    file.write_text("a badger")
    assert run("first")["grow"] == "file replaced in Read"
    assert run("second") == {"grow": "text of Grow is linked to something else"}


def test_a_node_with_effects_says_that_it_saves(bench: Bench):
    asked = graph({"save": ("test.save", {"text": "x"})}, {})
    reasons(bench, asked)
    assert reasons(bench, asked) == {"save": "it saves something"}
    (started,) = bench.told(events.Started)
    again = events.from_frame(events.to_frame(started))
    assert again == started
    assert started.reason.cause is Cause.EFFECT


def test_last_runs_of_many_documents_do_not_pile_up_in_memory(bench: Bench):
    asked = graph({"words": ("test.text", {})}, {})
    for number in range(40):
        bench.run(asked, "words", document=f"{number}.json")
        bench.session.save_last_runs()
    assert len(bench.session._reasons._last) <= 21
    bench.run(graph({"words": ("test.text", {"seed": 5})}, {}), "words", document="0.json")
    (started,) = bench.told(events.Started)
    assert started.reason.text() == "seed changed in Text"


# the journal


def test_traces_are_read_by_other_processes_at_once(tmp_path: Path):
    ours, theirs = Traces(tmp_path / "traces.log"), Traces(tmp_path / "traces.log")
    ours.refresh()
    ours.put("a" * 32, Trace("b" * 32, {"text": "c" * 32}))
    ours.flush()
    theirs.refresh()
    assert theirs.get("a" * 32) == Trace("b" * 32, {"text": "c" * 32})
    assert theirs.result_key("b" * 32) == "a" * 32


@pytest.mark.parametrize(
    "damage", [b"nonsense\n", b"\xff\xfe\x00\n", b"00000000 a b c=d\n", b"half"]
)
def test_a_damaged_line_is_no_trace(tmp_path: Path, damage: bytes):
    path = tmp_path / "traces.log"
    first = Traces(path)
    first.refresh()
    first.put("a" * 32, Trace("", {}))
    first.flush()
    with path.open("ab") as file:
        file.write(damage)
    first.put("b" * 32, Trace("", {"x": "1" * 32}))
    first.flush()
    again = Traces(path)
    again.refresh()
    assert again.get("a" * 32) == Trace("", {})
    assert again.get("b" * 32) == Trace("", {"x": "1" * 32})
    assert again.get("a") is None


def test_a_flipped_bit_is_no_trace(tmp_path: Path):
    path = tmp_path / "traces.log"
    first = Traces(path)
    first.refresh()
    first.put("a" * 32, Trace("b" * 32, {"text": "c" * 32}))
    first.flush()
    path.write_bytes(path.read_bytes().replace(b"cccc", b"cccd", 1))
    again = Traces(path)
    again.refresh()
    assert again.get("a" * 32) is None
    assert again.result_key("b" * 32) is None


def test_the_journal_stays_bounded_and_keeps_what_is_new(tmp_path: Path):
    path = tmp_path / "traces.log"
    traces, other = Traces(path, limit=10_000), Traces(path, limit=10_000)
    traces.refresh()
    other.refresh()
    for number in range(500):
        traces.put(f"{number:032x}", Trace(f"{number:032x}", {"text": "c" * 32}))
        if number % 10 == 0:
            traces.refresh()
    traces.flush()
    assert path.stat().st_size < 12_000
    other.refresh()
    assert other.get(f"{499:032x}") is not None
    assert other.get(f"{1:032x}") is None


def test_a_journal_that_cannot_be_written_is_one_for_this_process(tmp_path: Path):
    (tmp_path / "file").write_text("")
    traces = Traces(tmp_path / "file" / "traces.log")
    traces.refresh()
    traces.put("a" * 32, Trace("", {}))
    assert traces.get("a" * 32) == Trace("", {})
