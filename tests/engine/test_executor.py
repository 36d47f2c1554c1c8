from pathlib import Path

import pytest

from nodeforge.engine import events
from nodeforge.engine.events import Source
from nodeforge.graph.model import Graph, Input, Mode, Node, Output
from support.counting import Bench, graph, open_bench


def fox(seed: int = 1, text: str = "a fox") -> Graph:
    return graph(
        {
            "words": ("test.text", {"text": text}),
            "number": ("test.text", {"seed": seed, "text": ""}),
            "slow": ("test.slow", {}),
            "join": ("test.join", {}),
            "save": ("test.save", {}),
        },
        {
            "slow.text": "words.text",
            "join.parts[0]": "slow.text",
            "join.parts[1]": "number.text",
            "save.text": "join.text",
        },
    )


def test_a_run_computes_its_targets_in_order_and_tells_what_it_saved(bench: Bench):
    bench.run(fox())
    assert (bench.outputs / "text.txt").read_text() == "a fox0-1"
    (finished,) = bench.told(events.RunFinished)
    assert finished.outputs == [str(bench.outputs / "text.txt")]
    assert [event.node for event in bench.told(events.Finished)][-2:] == ["join", "save"]


def test_a_new_seed_reruns_only_what_depends_on_it(bench: Bench):
    bench.run(fox(seed=1))
    bench.run(fox(seed=2))
    assert bench.calls == {"text": 1, "join": 1, "save": 1}
    assert bench.told(events.Reused)[0].nodes == {"slow": Source.MEMORY}


def test_what_only_feeds_cached_results_has_no_event(bench: Bench):
    bench.run(fox(), "join")
    assert bench.run(fox(), "join") == {"join": {"text": "a fox0-1"}}
    assert bench.calls == {}
    assert bench.told(events.Reused)[0].nodes == {"join": Source.MEMORY}
    assert not bench.told(events.Started)


def test_effects_happen_at_every_run(bench: Bench):
    bench.run(fox())
    bench.run(fox())
    assert bench.calls == {"save": 1}


def test_a_new_process_finds_on_disk_what_took_long(bench: Bench, tmp_path: Path):
    bench.run(fox())
    bench.session.cache.flush()
    again = open_bench(tmp_path)
    again.run(fox())
    assert again.calls == {"text": 1, "join": 1, "save": 1}
    assert again.told(events.Reused)[0].nodes == {"slow": Source.DISK}


def test_a_pinned_result_is_on_disk_however_quick(bench: Bench, tmp_path: Path):
    pinned = fox()
    pinned.nodes["join"].pin = True
    bench.run(pinned)
    bench.session.cache.flush()
    again = open_bench(tmp_path)
    again.run(pinned, "join")
    assert again.calls == {}


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_entry_is_a_miss(bench: Bench, tmp_path: Path, damage: str):
    bench.run(fox())
    bench.session.cache.flush()
    (entry,) = (tmp_path / "cache").rglob("*.result")
    data = bytearray(entry.read_bytes())
    data[40] ^= 1
    entry.write_bytes({"cut": data[:30], "flip": data, "empty": b""}[damage])
    again = open_bench(tmp_path)
    again.run(fox())
    assert again.calls == {"text": 2, "slow": 1, "join": 1, "save": 1}
    assert again.told(events.RunFinished)


def test_copying_renaming_and_rerouting_recompute_nothing(bench: Bench):
    bench.run(fox(), "join")
    other = fox()
    other.nodes["join"].title = "Mine"
    other.nodes["copy"] = other.nodes.pop("slow")
    other.nodes["by_the_way"] = Node("test.reroute")
    other.links = {
        Input("copy", "text"): Output("words", "text"),
        Input("by_the_way", "value"): Output("copy", "text"),
        Input("join", "parts", 0): Output("by_the_way", "value"),
        Input("join", "parts", 1): Output("number", "text"),
    }
    bench.run(other, "join")
    assert bench.calls == {}


def test_the_order_of_a_list_port_counts(bench: Bench):
    bench.run(fox(), "join")
    swapped = fox()
    first, second = Input("join", "parts", 0), Input("join", "parts", 1)
    swapped.links[first], swapped.links[second] = swapped.links[second], swapped.links[first]
    assert bench.run(swapped, "join")["join"]["text"] == "1-a fox0"


def test_several_results_are_told_apart(bench: Bench):
    halves = graph(
        {
            "words": ("test.text", {"text": "abc"}),
            "split": ("test.split", {}),
            "join": ("test.join", {"between": "+"}),
        },
        {
            "split.text": "words.text",
            "join.parts[0]": "split.second",
            "join.parts[1]": "split.first",
        },
    )
    assert bench.run(halves, "join")["join"]["text"] == "c0+ab"


def test_a_file_counts_by_its_content_not_its_path(bench: Bench, tmp_path: Path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "a.txt").write_text("same")
    (inputs / "b.txt").write_text("same")
    for name, calls in (("a.txt", {"read": 1}), ("b.txt", {})):
        bench.run(graph({"read": ("test.read", {"file": name})}, {}), "read")
        assert bench.calls == calls
    (inputs / "b.txt").write_text("changed")
    result = bench.run(graph({"read": ("test.read", {"file": "b.txt"})}, {}), "read")
    assert result["read"]["text"] == "changed"


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "..\\secret.txt", "C:\\x.txt"])
def test_a_workflow_cannot_read_outside_its_folders(bench: Bench, tmp_path: Path, name: str):
    (tmp_path / "secret.txt").write_text("secret")
    bench.run(graph({"read": ("test.read", {"file": name})}, {}), "read")
    (failed,) = bench.told(events.Failed)
    assert "outside" in failed.error.fact
    assert not bench.calls


def test_a_link_out_of_the_folder_is_not_followed(bench: Bench, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "a.txt").symlink_to(tmp_path / "secret.txt")
    bench.run(graph({"read": ("test.read", {"file": "a.txt"})}, {}), "read")
    assert bench.told(events.Failed)


def test_a_failure_names_the_node_and_its_inputs_and_keeps_the_rest(bench: Bench):
    broken = graph(
        {
            "slow": ("test.slow", {"text": "x"}),
            "fail": ("test.fail", {}),
            "save": ("test.save", {}),
        },
        {"fail.text": "slow.text", "save.text": "fail.text"},
    )
    bench.run(broken)
    (failed,) = bench.told(events.Failed)
    assert (failed.node, failed.error.kind) == ("fail", "ZeroDivisionError")
    assert failed.error.inputs == {"text": "x"}
    assert "Traceback" in failed.error.traceback
    bench.run(broken, "slow")
    assert bench.calls == {}


def test_a_stop_is_heard_between_steps_and_keeps_what_is_finished(bench: Bench):
    stopping = graph(
        {"slow": ("test.slow", {"text": "x"}), "stop": ("test.stop", {})},
        {"stop.text": "slow.text"},
    )
    bench.run(stopping, "stop")
    assert bench.calls == {"slow": 1, "step": 2}
    assert isinstance(bench.events[-1], events.RunCancelled)
    bench.run(stopping, "slow")
    assert bench.calls == {}


def test_a_result_of_a_fallback_is_never_stored(bench: Bench):
    inexact = graph({"a": ("test.inexact", {"text": "x"})}, {})
    for _ in range(2):
        assert bench.run(inexact, "a")["a"]["text"] == "x"
        assert bench.calls == {"inexact": 1}
    assert bench.told(events.Notice)[0].fact == "used a smaller tile"


def test_a_node_that_ran_out_of_memory_is_tried_once_more(bench: Bench):
    hungry = graph({"a": ("test.hungry", {"text": "x"})}, {})
    assert bench.run(hungry, "a")["a"]["text"] == "x"
    assert "memory ran out. Tried once more" in bench.told(events.Notice)[0].fact
    bench.run(hungry, "a")
    assert bench.calls == {}  # the result is what was asked for, so it is kept


def test_memory_that_never_suffices_is_said_with_a_way_out(bench: Bench):
    never = graph({"a": ("test.hungry", {"text": "x", "tries": 9})}, {})
    assert bench.run(never, "a") == {}
    assert bench.calls == {"hungry": 2}
    (failed,) = bench.told(events.Failed)
    assert failed.error.known
    assert failed.error.way_out == "Make fewer pictures at once."


def test_a_muted_save_is_not_run(bench: Bench):
    muted = fox()
    muted.nodes["save"].mode = Mode.MUTE
    bench.run(muted, "join")
    assert "save" not in bench.calls


def test_what_nothing_reads_any_more_is_dropped(bench: Bench):
    bench.session.cache.memory.limit = 0
    bench.session.cache.disk = None
    chain = {"n0": ("test.latent", {})} | {f"n{i}": ("test.double", {}) for i in range(1, 9)}
    links = {f"n{i}.latent": f"n{i - 1}.latent" for i in range(1, 9)}
    bench.run(graph(chain, links), "n8")
    assert bench.calls["double"] == 8
    assert bench.calls["most alive at once"] == 2


@pytest.mark.parametrize(
    ("nodes", "links", "fact"),
    [
        ({"a": ("test.slow", {})}, {}, "neither a link nor a value"),
        ({"a": ("test.slow", {})}, {"a.text": "a.text"}, "needs its own result"),
        ({"a": ("test.nothing", {})}, {}, "no node type"),
        ({"a": ("test.slow", {"text": 3})}, {}, "needs text, not 3"),
        ({"a": ("test.text", {"seed": 1.5})}, {}, "needs integer"),
        ({"a": ("test.text", {}), "b": ("test.slow", {})}, {"b.text": "a.words"}, "no output"),
        ({"a": ("test.text", {}), "b": ("test.slow", {})}, {"b.words": "a.text"}, "no input"),
        ({"b": ("test.slow", {})}, {"b.text": "a.text"}, "neither a link"),
        ({}, {}, "nothing to run"),
    ],
)
def test_a_workflow_that_cannot_run_says_why(bench: Bench, nodes, links, fact):
    bench.run(graph(nodes, links))
    (failed,) = bench.told(events.Failed)
    assert failed.node == ""
    assert fact in failed.error.fact


def test_whole_and_decimal_numbers_have_one_key(bench: Bench):
    for seconds in (0, 0.0):
        bench.run(graph({"a": ("test.slow", {"text": "x", "seconds": seconds})}, {}), "a")
    assert bench.calls == {}


def test_a_chain_of_ten_thousand_runs(bench: Bench):
    count = 10_000
    chain = {"n0": ("test.text", {})}
    chain |= {f"n{i}": ("test.slow", {"seconds": i * 1e-12}) for i in range(1, count)}
    links = {f"n{i}.text": f"n{i - 1}.text" for i in range(1, count)}
    bench.run(graph(chain, links), f"n{count - 1}")
    assert bench.calls == {"text": 1, "slow": count - 1}


def test_a_model_that_a_computed_text_names_is_refused_with_a_way_out(bench: Bench):
    asked = graph(
        {"words": ("test.text", {"text": "embedding:style"}), "read": ("test.prompt", {})},
        {"read.text": "words.text"},
    )
    bench.run(asked, "read")
    (failed,) = bench.told(events.Failed)
    assert failed.error.fact == "the text that names 'style0' is computed while the workflow runs."
