"""The words that a model was taught, from the file beside it."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeforge.models import known_words
from nodeforge.settings import shipped

MODELS = shipped("resources") / "models"


@pytest.fixture(scope="module")
def nano():
    return known_words(MODELS / "nano")


@pytest.mark.parametrize(
    "prompt",
    [
        "a fox on a yellow background",
        "An Owl on a purple background, small, on the left",
        "a (cat:1.2) and a [dog:puppy:0.4] on a gradient from blue to pink, 3d",
        "a t-rex, __colours__, <lora:flat:0.8> {red|blue} BREAK embedding:mine",
        "",
    ],
)
def test_prompts_of_its_card_have_no_unknown_word(nano, prompt):
    assert nano.unknown(prompt) == []


def test_unknown_words_are_told_as_they_stand_once(nano):
    assert nano.unknown("a Robot, a bicycle and a robot, a Robot") == ["Robot", "bicycle", "robot"]


@pytest.mark.parametrize(("word", "near"), [("foxes", "fox"), ("aeroplane", "airplane")])
def test_near_names_are_offered(nano, word, near):
    assert near in nano.near(word)


def test_nothing_is_near_to_letters_at_random(nano):
    assert nano.near("qqxzv") == []


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("nano-edit", "turn the fox into a cat"),
        ("nano-edit", "make the background red"),
        ("nano-edit", "add an apple on the left"),
        ("nano-motion", "a fox, moving to the left"),
        ("nano-motion", "a car on a red background, bouncing"),
    ],
)
def test_companions_know_their_own_wordings(model, text):
    known = known_words(MODELS / model)
    assert known is not None
    assert known.unknown(text) == []


def test_names_of_lists_are_no_words(nano):
    assert nano.unknown("places, edits and things") == ["places", "edits", "things"]


@given(st.text())
def test_any_text_is_read(text):
    known = known_words(MODELS / "nano")
    assert known is not None
    for word in known.unknown(text):
        assert word in text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b'"text"',
        b'{"things": 3}',
        b'{"things": ["a"]}',
        b"[" * 9999,
    ],
)
def test_a_file_of_something_else_breaks_nothing(tmp_path, content):
    (tmp_path / "vocabulary.json").write_bytes(content)
    known = known_words(tmp_path)
    assert known is None or known.near("fox") == []


def test_a_file_that_is_changed_is_read_again(tmp_path):
    assert known_words(tmp_path) is None
    file = tmp_path / "vocabulary.json"
    for number, thing in enumerate(("robot", "bicycle")):
        file.write_text(json.dumps({"things": {thing: []}, "words": ["a"]}), "utf-8")
        os.utime(file, ns=(number, number))
        known = known_words(tmp_path)
        assert known is not None
        assert known.unknown(f"a {thing}") == []
        assert known.unknown("a fox") == ["fox"]
