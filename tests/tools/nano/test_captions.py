import numpy as np
import pytest

from tools.nano.captions import (
    article,
    caption,
    caption_or_none,
    caption_without_place,
    prompt,
)
from tools.nano.scenes import Scene


def wordings(scene, count=300):
    rng = np.random.default_rng(0)
    return {caption(scene, rng) for _ in range(count)}


@pytest.mark.parametrize(
    ("word", "written"),
    [("fox", "a fox"), ("owl", "an owl"), ("unicorn", "a unicorn"), ("umbrella", "an umbrella"),
     ("grapes", "grapes"), ("cactus", "a cactus"), ("bus", "a bus")],
)  # fmt: skip
def test_an_article_fits_its_word(word, written):
    assert article(word) == written


def test_captions_vary_in_name_article_style_background_and_place(concepts):
    told = wordings(Scene((concepts[0],), "3d", "left", "yellow"))
    for part in ("a ball", "sphere", "3d", "on a yellow background", "on the left", "small"):
        assert any(part in text for text in told), part
    assert any(text.startswith("ball") for text in told)


def test_a_caption_never_says_what_is_not_there(concepts):
    told = wordings(Scene((concepts[0],), "3d", "left", "yellow"))
    assert not any(word in text for text in told for word in ("owl", "flat", "right", "blue"))


def test_a_pair_is_told_from_left_to_right(concepts):
    for text in wordings(Scene((concepts[1], concepts[2]), "3d", "pair", "red")):
        assert text.index("owl") < text.index("moon")


def test_a_prompt_is_one_plain_wording(concepts):
    scene = Scene((concepts[1],), "3d", "top", "orange")
    assert prompt(scene) == "an owl on an orange background, small, at the top"


def test_some_captions_are_empty(concepts):
    rng = np.random.default_rng(0)
    scene = Scene((concepts[0],), "3d", "large", "red")
    told = [caption_or_none(scene, rng, 0.5) for _ in range(200)]
    assert 60 < told.count("") < 140


def test_a_style_that_is_not_the_default_is_always_named(concepts):
    scene = Scene((concepts[0],), "flat", "small", "red")
    rng = np.random.default_rng(0)
    assert all("flat" in caption(scene, rng, default="3d") for _ in range(50))
    assert any("flat" not in caption(scene, rng) for _ in range(50))


def test_a_caption_may_leave_the_place_open(concepts):
    scene = Scene((concepts[0],), "3d", "left", "red")
    rng = np.random.default_rng(0)
    assert not any("left" in caption_without_place(scene, rng) for _ in range(50))
