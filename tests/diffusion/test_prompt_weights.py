"""Brackets and weights in prompts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.diffusion.text.prompt_weights import parse


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a red cat", [("a red cat", 1.0)]),
        ("", [("", 1.0)]),
        ("a (red:1.3) cat", [("a ", 1.0), ("red", 1.3), (" cat", 1.0)]),
        ("a (red) cat", [("a ", 1.0), ("red", 1.1), (" cat", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("[red]", [("red", 1 / 1.1)]),
        ("(a (b:2) c:0.5)", [("a ", 0.5), ("b", 1.0), (" c", 0.5)]),
        ("(red: .5)", [("red", 0.5)]),
        ("(red:-1)", [("red", -1.0)]),
        (r"a \(red\) cat\\", [("a (red) cat\\", 1.0)]),
        (r"(a\):1.5)", [("a)", 1.5)]),
        ("a ) b ( c", [("a ) b ( c", 1.0)]),
        ("(a] b", [("(a] b", 1.0)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("time 10:30", [("time 10:30", 1.0)]),
        ("(:1.5)", [("", 1.0)]),
    ],
)
def test_a_prompt_becomes_weighted_pieces(prompt, pieces):
    found = parse(prompt)
    assert [piece.text for piece in found] == [text for text, _ in pieces]
    assert [piece.weight for piece in found] == pytest.approx([weight for _, weight in pieces])


@given(st.text(alphabet="ab ()[]\\:1.2"))
def test_any_text_is_read(text):
    assert parse(text)


def test_deep_and_long_prompts_take_linear_time():
    start = time.perf_counter()
    parse("(" * 20_000 + "word " * 20_000 + ")" * 20_000)
    parse(":" * 100_000)
    parse("(a:" + " " * 100_000)
    assert time.perf_counter() - start < 2.0
