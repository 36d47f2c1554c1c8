"""Whatever is painted can be undone, and done again, to the last bit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.random_edits import content, paint, start


def check(seeds: list[int]) -> None:
    document, canvas = start()
    first, made = content(canvas.state), len(document.history)
    for seed in seeds:
        paint(document, canvas, seed)
    last, steps = content(canvas.state), len(document.history)
    while len(document.history) > made:
        document.undo()
    assert content(canvas.state) == first
    while document.redo():
        pass
    assert len(document.history) == steps
    assert content(canvas.state) == last


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**32), max_size=12))
def test_undo_all_gives_the_first_bytes_and_redo_all_the_last(seeds):
    check(seeds)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.integers(0, 2**32), max_size=40))
def test_undo_all_gives_the_first_bytes_and_redo_all_the_last_at_length(seeds):
    check(seeds)
