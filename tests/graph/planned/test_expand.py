"""Planned values, lists that fan out, and switches that hang on them, in real runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nodeforge.engine import events
from nodeforge.engine.running.context import RunRequest
from nodeforge.graph.model import Graph, Mode
from nodeforge.graph.planned import MOST_COPIES
from support.counting import Bench, graph, open_bench

PACKS = ("values", "lists", "graph")
Nodes = dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return open_bench(tmp_path, packs=PACKS)


def failure(bench: Bench, made: Graph, *targets: str) -> str:
    assert bench.run(made, *targets) == {}
    (failed,) = bench.told(events.Failed)
    return str(failed.error)


TEXTS: Nodes = {"texts": ("lists.texts", {"lines": "a\n\n b \nc"})}


def grown(nodes: Nodes, links: dict[str, str]) -> Graph:
    """`nodes`, then grow, then all of it joined."""
    nodes = {
        **nodes,
        "grow": ("test.grow", {}),
        "collect": ("lists.collect", {}),
        "join": ("test.join", {}),
    }
    behind = {"collect.value": "grow.text", "join.parts[0]": "collect.values"}
    return graph(nodes, {**links, **behind})


def test_what_is_behind_a_list_is_computed_once_a_value(bench: Bench):
    made = grown(TEXTS, {"grow.text": "texts.text"})
    assert bench.run(made, "join") == {"join": {"text": "a.-b.-c."}}
    assert bench.calls == {"grow": 3, "join": 1}


def test_a_value_of_a_list_counts_as_one_that_stands_there(bench: Bench):
    bench.run(grown(TEXTS, {"grow.text": "texts.text"}), "join")
    alone = graph({"grow": ("test.grow", {"text": "b"})}, {})
    assert bench.run(alone, "grow") == {"grow": {"text": "b."}}
    assert bench.calls == {}


def test_equal_values_are_computed_once(bench: Bench):
    nodes: Nodes = {"texts": ("lists.texts", {"lines": "a\nb\na\na"})}
    made = grown(nodes, {"grow.text": "texts.text"})
    assert bench.run(made, "join")["join"]["text"] == "a.-b.-a.-a."
    assert bench.calls == {"grow": 2, "join": 1}


def test_two_lists_that_meet_make_each_combination(bench: Bench):
    """24 prompts and two sizes: what hangs on the prompt alone is made once a prompt."""
    nodes: Nodes = {
        "texts": ("lists.texts", {"lines": "\n".join(f"p{i}" for i in range(24))}),
        "strip": ("test.strip", {}),
        "seeds": ("lists.seeds", {"seed": 7, "count": 2}),
        "text": ("test.text", {}),
    }
    links = {
        "strip.text": "texts.text",
        "text.text": "strip.text",
        "text.seed": "seeds.seed",
        "grow.text": "text.text",
    }
    parts = bench.run(grown(nodes, links), "join")["join"]["text"].split("-")
    assert parts == [f"p{i}{seed}." for i in range(24) for seed in (7, 8)]
    assert bench.calls == {"strip": 24, "text": 48, "grow": 48, "join": 1}


def test_zip_takes_lists_pair_by_pair(bench: Bench):
    nodes: Nodes = {
        **TEXTS,
        "seeds": ("lists.seeds", {"seed": 1, "count": 3}),
        "zip": ("lists.zip", {}),
        "text": ("test.text", {}),
    }
    links = {
        "zip.first[0]": "texts.text",
        "zip.second[0]": "seeds.seed",
        "text.text": "zip.first",
        "text.seed": "zip.second",
        "grow.text": "text.text",
    }
    assert bench.run(grown(nodes, links), "join")["join"]["text"] == "a1.-b2.-c3."
    nodes["seeds"] = ("lists.seeds", {"seed": 1, "count": 2})
    told = failure(bench, grown(nodes, links), "join")
    assert "Zip lists (zip)" in told
    assert "the lists have 3 and 2 values" in told
    for lengths, text in (("shortest", "a1.-b2."), ("repeat", "a1.-b2.-c1.")):
        nodes["zip"] = ("lists.zip", {"lengths": lengths})
        assert bench.run(grown(nodes, links), "join")["join"]["text"] == text


def test_a_list_behind_a_list_belongs_to_its_value(bench: Bench):
    """What meets both is computed for each value of the inner one, with the outer one it is of."""
    nodes: Nodes = {
        "outer": ("lists.numbers", {"values": "10, 20, 30"}),
        "inner": ("lists.seeds", {"count": 2}),
        "formula": ("values.expression", {"formula": "a * 1000 + b"}),
        "text": ("test.text", {"text": ""}),
    }
    links = {
        "inner.seed": "outer.whole",
        "formula.a": "outer.number",
        "formula.b": "inner.seed",
        "text.seed": "formula.whole",
        "grow.text": "text.text",
    }
    parts = bench.run(grown(nodes, links), "join")["join"]["text"].split("-")
    assert parts == ["10010.", "10011.", "20020.", "20021.", "30030.", "30031."]


def test_a_switch_hangs_on_a_calculated_value(bench: Bench):
    nodes: Nodes = {
        "width": ("values.integer", {"value": 1024}),
        "wide": ("values.expression", {"formula": "a > 768"}),
        "switch": ("graph.switch", {}),
        "small": ("test.fail", {"text": "never"}),
        "large": ("test.text", {"text": "large"}),
    }
    links = {
        "wide.a": "width.value",
        "switch.choice": "wide.holds",
        "switch.choices[0]": "small.text",
        "switch.choices[1]": "large.text",
        "grow.text": "switch.value",
    }
    assert bench.run(grown(nodes, links), "join")["join"]["text"] == "large0."


def test_a_switch_chooses_anew_for_each_value_of_a_list(bench: Bench):
    nodes: Nodes = {
        "picks": ("lists.numbers", {"values": "1, 0, 1"}),
        "switch": ("graph.switch", {}),
        "a": ("test.text", {"text": "a"}),
        "b": ("test.text", {"text": "b"}),
    }
    links = {
        "switch.choice": "picks.whole",
        "switch.choices[0]": "a.text",
        "switch.choices[1]": "b.text",
        "grow.text": "switch.value",
    }
    assert bench.run(grown(nodes, links), "join")["join"]["text"] == "b0.-a0.-b0."
    assert bench.calls == {"text": 2, "grow": 2, "join": 1}


def test_values_go_into_lists_and_whatever_input(bench: Bench):
    nodes: Nodes = {
        "a": ("values.text", {"value": "x"}),
        "b": ("test.text", {"text": "y"}),
        "join": ("test.join", {}),
    }
    made = graph(nodes, {"join.parts[0]": "a.value", "join.parts[1]": "b.text"})
    assert bench.run(made, "join") == {"join": {"text": "x-y0"}}


def test_a_value_by_a_link_has_the_key_of_one_that_was_typed(bench: Bench):
    linked = graph(
        {"seed": ("values.seed", {"value": 3}), "text": ("test.text", {})},
        {"text.seed": "seed.value"},
    )
    bench.run(linked, "text")
    assert bench.run(graph({"text": ("test.text", {"seed": 3})}, {}), "text")
    assert bench.calls == {}


def test_what_only_a_run_knows_is_computed_in_the_run(bench: Bench):
    """A planned node behind a result is a node as others are."""
    nodes: Nodes = {
        "text": ("test.text", {"text": "x"}),
        "held": ("values.text", {}),
        "grow": ("test.grow", {}),
    }
    made = graph(nodes, {"held.value": "text.text", "grow.text": "held.value"})
    assert bench.run(made, "grow") == {"grow": {"text": "x0."}}


def test_a_planned_node_may_be_asked_for_itself(bench: Bench):
    made = graph(
        {"a": ("values.float", {"value": 3}), "sum": ("values.expression", {"formula": "a*2"})},
        {"sum.a": "a.value"},
    )
    assert bench.run(made, "sum") == {"sum": {"number": 6.0, "whole": 6, "holds": True}}


def test_what_is_muted_is_left_out_of_the_list(bench: Bench):
    nodes: Nodes = {
        "picks": ("lists.numbers", {"values": "1, 0, 1"}),
        "switch": ("graph.switch", {}),
        "a": ("test.text", {"text": "a"}),
        "b": ("test.text", {"text": "b"}),
        "middle": ("test.strip", {}),
    }
    links = {
        "middle.text": "a.text",
        "switch.choice": "picks.whole",
        "switch.choices[0]": "middle.text",
        "switch.choices[1]": "b.text",
        "grow.text": "switch.value",
    }
    made = grown(nodes, links)
    made.nodes["middle"].mode = Mode.BYPASS
    assert bench.run(made, "join")["join"]["text"] == "b0.-a0.-b0."


FAULTS: dict[str, tuple[Nodes, dict[str, str], str]] = {
    "a list that only a run knows": (
        {"text": ("test.text", {}), "list": ("lists.texts", {})},
        {"list.lines": "text.text", "grow.text": "list.text"},
        "List of texts (list): is a list of values that only a run knows",
    ),
    "a Collect of nothing": (
        {"all": ("lists.collect", {}), "other": ("test.join", {})},
        {"other.parts[0]": "all.values", "grow.text": "other.text"},
        "Collect (all), port 'value': has neither a link nor a value",
    ),
    "an empty list": (
        {"list": ("lists.texts", {"lines": "  \n"})},
        {"grow.text": "list.text"},
        "List of texts (list): gives an empty list",
    ),
    "a choice that only a run knows": (
        {
            "text": ("test.text", {}),
            "held": ("values.integer", {}),
            "switch": ("graph.switch", {}),
        },
        {
            "held.value": "text.text",
            "switch.choice": "held.value",
            "switch.choices[0]": "text.text",
            "grow.text": "switch.value",
        },
        "hangs on a value that only a run knows",
    ),
    "a branch that nothing feeds": (
        {
            "text": ("test.text", {}),
            "held": ("values.integer", {"value": 2}),
            "switch": ("graph.switch", {}),
        },
        {
            "switch.choice": "held.value",
            "switch.choices[0]": "text.text",
            "grow.text": "switch.value",
        },
        "nothing feeds branch 2",
    ),
    "a choice below 0": (
        {
            "text": ("test.text", {}),
            "held": ("values.integer", {"value": -1}),
            "switch": ("graph.switch", {}),
        },
        {
            "switch.choice": "held.value",
            "switch.choices[0]": "text.text",
            "grow.text": "switch.value",
        },
        "is -1, which is no branch",
    ),
    "a circle": (
        {"a": ("values.text", {}), "b": ("values.text", {})},
        {"a.value": "b.value", "b.value": "a.value", "grow.text": "a.value"},
        "needs its own result",
    ),
    "arithmetic that is none": (
        {"sum": ("values.expression", {"formula": "9**9**9"}), "text": ("test.text", {})},
        {"text.seed": "sum.whole", "grow.text": "text.text"},
        "Expression (sum), port 'formula': '9**9**9' comes to a number that is too large",
    ),
    "too many copies": (
        {
            "a": ("lists.seeds", {"count": 9_999}),
            "b": ("lists.seeds", {"count": 9_999}),
            "sum": ("values.expression", {}),
            "text": ("test.text", {}),
        },
        {
            "sum.a": "a.seed",
            "sum.b": "b.seed",
            "text.seed": "sum.whole",
            "grow.text": "text.text",
        },
        f"a run computes {MOST_COPIES:,} nodes at most",
    ),
    "a seed out of range": (
        {"held": ("values.integer", {"value": -5}), "text": ("test.text", {})},
        {"text.seed": "held.value", "grow.text": "text.text"},
        "is -5, which is not a whole number",
    ),
    "a text for a number": (
        {"held": ("values.text", {"value": "x"}), "text": ("test.text", {})},
        {"text.seed": "held.value", "grow.text": "text.text"},
        "needs integer, not 'x'",
    ),
    "an output that is not there": (
        {"held": ("values.text", {"value": "x"})},
        {"grow.text": "held.other"},
        "'held' has no output 'other'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_planned_is_said(bench: Bench, name: str):
    nodes, links, fact = FAULTS[name]
    told = failure(bench, grown(nodes, links), "join")
    assert fact in told
    assert bench.calls.get("join", 0) == 0


def test_all_values_of_a_list_do_not_go_into_one_input(bench: Bench):
    nodes: Nodes = {**TEXTS, "all": ("lists.collect", {}), "strip": ("test.strip", {})}
    made = graph(nodes, {"all.value": "texts.text", "strip.text": "all.values"})
    told = failure(bench, made, "strip")
    assert "is given all values of a list at once" in told


def test_a_long_chain_of_values_overflows_nothing(bench: Bench):
    count = 5_000
    nodes: Nodes = {f"n{i}": ("values.expression", {"formula": "a + 1"}) for i in range(count)}
    nodes["text"] = ("test.text", {"text": ""})
    links = {f"n{i}.a": f"n{i - 1}.number" for i in range(1, count)}
    made = graph(nodes, {**links, "text.seed": f"n{count - 1}.whole"})
    assert bench.run(made, "text") == {"text": {"text": str(count)}}


def test_events_name_the_copies(bench: Bench):
    bench.run(grown(TEXTS, {"grow.text": "texts.text"}), "join")
    assert [each.node for each in bench.told(events.Started)] == [
        "grow#1:3",
        "grow#2:3",
        "grow#3:3",
        "join",
    ]


def test_the_result_of_each_copy_is_kept_and_found(bench: Bench):
    made = grown(TEXTS, {"grow.text": "texts.text"})
    bench.run(made, "join")
    request = RunRequest("look")
    found = [bench.session.kept(made, request, f"grow#{n}:3", "text", 0) for n in (1, 2, 3)]
    assert found == ["a.", "b.", "c."]
    gone = bench.session.kept(made, request, "grow#9:9", "text", 0)
    assert gone == "a."  # the list is shorter now: the first
