"""Numbers, texts and lists that are computed while a run is planned."""

from __future__ import annotations

from typing import Any

import pytest

from nodeforge.errors import RequestError
from nodeforge.graph.planned.functions import FUNCTIONS
from nodeforge.graph.planned.functions.texts import text_of

CASES: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    ("values.compare", (1, 2, "<"), (True,)),
    ("values.compare", (2, 2, "≤"), (True,)),
    ("values.compare", (2, 2, "≠"), (False,)),
    ("values.compare", (3, 2, "≥"), (True,)),
    ("values.choose", (["a", 2, "c"], 1), (2,)),
    ("values.choose", (["a", 2, "c"], -1), ("c",)),
    ("text.compare", ("Fox", "fox", "=", True), (True,)),
    ("text.compare", ("a red fox", "red", "contains", False), (True,)),
    ("text.compare", ("a red fox", "a", "starts with", False), (True,)),
    ("text.compare", ("a red fox", "FOX", "ends with", True), (True,)),
    ("text.compare", ("a", "b", "<", False), (True,)),
    ("text.length", ("füchse",), (6,)),
    ("text.join", (["a", "", 2.0, True], ", ", True), ("a, 2, true",)),
    ("text.join", (["a", "", "b"], r"\n", False), ("a\n\nb",)),
    ("text.join", (["a", "b"], r"\\n", True), (r"a\nb",)),
    ("text.replace", ("a.b.c", ".", r"\1", False, False), (r"a\1b\1c",)),
    ("text.replace", ("a  b", r"\s+", " ", True, False), ("a b",)),
    ("text.replace", ("red fox", r"(\w+) (\w+)", r"\2 \1", True, False), ("fox red",)),
    ("text.replace", ("RED fox", "red", "blue", False, True), ("blue fox",)),
    ("text.replace", ("text", "", "x", False, False), ("text",)),
    (
        "text.format",
        ("{subject} in {place}", "subject, place", ["a fox", "Rome"]),
        ("a fox in Rome",),
    ),
    (
        "text.format",
        ("{n:03} {x:.2f} {{a}} {3}", "n, x", [7, 0.5, "third"]),
        ("007 0.50 {a} third",),
    ),
    ("text.format", ("plain", "", []), ("plain",)),
    ("lists.count", (0.1, 0.1, 3), ([0.1, 0.2, 0.3], [0, 0, 0], 3)),
    ("lists.split", ("a, b,,c ", ","), (["a", "b", "c"], 3)),
    ("lists.split", ("a  b\nc", ""), (["a", "b", "c"], 3)),
    ("lists.item", ([5, 6, 7], 2), (7,)),
    ("lists.slice", ([0, 1, 2, 3, 4], 1, 2, 2), ([1, 3], 2)),
    ("lists.slice", ([0, 1, 2], -1, 0, 1), ([2], 1)),
    ("lists.length", (["a", "b"],), (2,)),
    ("lists.repeat", ([1, 2], 2, "whole list"), ([1, 2, 1, 2], 4)),
    ("lists.repeat", ([1, 2], 2, "each value"), ([1, 1, 2, 2], 4)),
]


@pytest.mark.parametrize(("type_id", "given", "expected"), CASES)
def test_what_functions_give(type_id: str, given: tuple[Any, ...], expected: tuple[Any, ...]):
    assert tuple(FUNCTIONS[type_id](*given)) == expected


def test_a_seed_gives_the_same_number_on_every_machine():
    """The values of a first run, written down."""
    assert FUNCTIONS["values.random"](0, 0.0, 1.0) == (0.6033409992558312, 1)
    assert FUNCTIONS["values.random"](2**63 - 1, -5.0, 5.0) == (2.841614215355661, 3)
    assert FUNCTIONS["lists.shuffle"]([0, 1, 2, 3, 4, 5], 3).value == [1, 2, 3, 0, 5, 4]


def test_random_numbers_fill_their_range():
    whole = [FUNCTIONS["values.random"](seed, 1.0, 6.0).whole for seed in range(6_000)]
    assert {*whole} == {1, 2, 3, 4, 5, 6}
    counts = [whole.count(side) for side in range(1, 7)]
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 20.5  # chi-squared, 0.1 %, 5
    numbers = [FUNCTIONS["values.random"](seed, 0.2, 0.4).number for seed in range(1_000)]
    assert min(numbers) >= 0.2
    assert max(numbers) <= 0.4


def test_a_shuffled_list_has_the_same_values():
    for seed in range(50):
        assert sorted(FUNCTIONS["lists.shuffle"](list(range(20)), seed).value) == list(range(20))


FAULTS: list[tuple[str, tuple[Any, ...], str]] = [
    ("values.random", (0, 2.0, 1.0), "turned round"),
    ("values.choose", (["a"], 1), "there is no value 1"),
    ("values.choose", ([], 0), "there are 0"),
    ("text.replace", ("text", "(", "", True, False), "is no regular expression"),
    ("text.replace", ("text", "t", r"\2", True, False), "group"),
    ("text.replace", ("a" * 2_000 + "!", r"(a|a|b?a)+$", "", True, False), "takes more than"),
    ("text.replace", ("a" * 1_001, "a", "b" * 1_000, False, False), "more than 1,000,000"),
    ("text.join", (["a" * 600_000, "b" * 600_000], "", True), "more than 1,000,000"),
    ("text.format", ("{place}", "subject", ["a fox"]), "no field 'place'; there are: subject, 1"),
    ("text.format", ("{a.b}", "a", ["x"]), "no field 'a.b'"),
    ("text.format", ("{a!r}", "a", ["x"]), "a format that is not read"),
    ("text.format", ("{a:999999999}", "a", ["x"]), "a format that is not read"),
    ("text.format", ("{a:.2f}", "a", ["x"]), "does not fit"),
    ("text.format", ("{a", "a", ["x"]), "brackets do not fit"),
    ("text.format", ("{a}", "a, a", ["x", "y"]), "stands twice"),
    ("text.format", ("{a}", "a, 7", ["x", "y"]), "is no name of a field"),
    ("lists.item", ([1], 5), "there is no value 5: there are 1"),
    ("lists.slice", ([1, 2], 2, 0, 1), "nothing is left"),
    ("lists.repeat", (list(range(5_000)), 3, "whole list"), "more than 10,000"),
]


@pytest.mark.parametrize(("type_id", "given", "fact"), FAULTS)
def test_what_cannot_be_computed_is_said(type_id: str, given: tuple[Any, ...], fact: str):
    """bad input of each kind 6."""
    with pytest.raises(RequestError, match="") as caught:
        FUNCTIONS[type_id](*given)
    assert fact in str(caught.value)
    assert caught.value.way_out


def test_values_in_words():
    assert [text_of(each) for each in (1, 2.0, 0.1, True, "x")] == ["1", "2", "0.1", "true", "x"]
