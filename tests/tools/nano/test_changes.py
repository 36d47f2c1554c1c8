"""Edits: two scenes that differ in what is asked for, and its wordings."""

from dataclasses import replace

import numpy as np
import pytest

from tools.nano.changes import EDITS, random_edit, shows_kept_out
from tools.nano.compose import draw
from tools.nano.instructions import EDIT_WORDS, MOVE_WORDS, instruction, moving
from tools.nano.meanings import Meanings, of_edit, of_scene
from tools.nano.scenes import COLOURS, Scene


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def made(kind, concepts, rng):
    return EDITS[kind](concepts, "3d", rng)


def texts(edit, rng):
    return {instruction(edit, rng) for _ in range(200)}


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_changes_the_picture(kind, concepts, styles, rng):
    edit = made(kind, concepts, rng)
    assert edit.kind == kind
    before, after = draw(edit.before, styles), draw(edit.after, styles)
    assert np.abs(before.astype(int) - after).mean() > 0.5


def test_what_is_added_leaves_the_rest_exactly_as_it_was(concepts, styles, rng):
    edit = made("add", concepts, rng)
    before, after = draw(edit.before, styles), draw(edit.after, styles)
    halves = [(before[:, :120], after[:, :120]), (before[:, 136:], after[:, 136:])]
    assert sum(np.array_equal(*half) for half in halves) == 1


@pytest.mark.parametrize("kept_out", [False, True])
def test_training_and_evaluation_take_different_edits(kept_out, concepts, rng):
    edits = [random_edit(concepts, "3d", rng, kept_out) for _ in range(100)]
    assert all(shows_kept_out(edit.after) == kept_out for edit in edits)
    assert not any(shows_kept_out(edit.before) for edit in edits)


@pytest.mark.parametrize("kind", EDITS)
def test_every_kind_has_several_wordings_and_one_that_is_plain(kind, concepts, rng):
    edit = made(kind, concepts, rng)
    told = texts(edit, rng)
    assert len(told) >= 3
    assert not any("{" in text or "  " in text for text in told)
    assert {instruction(edit, rng, plain=True) for _ in range(20)} <= {
        instruction(edit, np.random.default_rng(1), plain=True)
    }


def test_a_replacement_names_both_things(concepts, rng):
    edit = made("replace", concepts, rng)
    edit = replace(
        edit,
        before=replace(edit.before, subjects=(concepts[0],)),
        after=replace(edit.after, subjects=(concepts[1],)),
    )
    assert instruction(edit, rng, plain=True) == "turn the ball into an owl"
    assert set(of_edit(edit)) == {("edit", "replace"), ("gone", "ball"), ("thing", "owl")}


def test_an_edit_of_one_of_two_things_names_it(concepts, rng):
    edit = made("background", concepts, rng)
    pair = replace(edit.before, subjects=tuple(concepts[:2]), place="pair")
    edit = replace(edit, kind="smaller", before=pair)
    assert not any(" it" in f" {text} ".replace(" it ", " it") for text in texts(edit, rng))


def test_a_move_stands_at_the_end_of_a_caption(concepts, rng):
    told = moving(Scene((concepts[1],), "3d", "large", "red"), "left", rng)
    assert "owl" in told
    assert told.endswith(MOVE_WORDS["left"])


def test_labels_name_things_colours_and_place(concepts):
    meanings = Meanings(concepts, ("3d",))
    scene = Scene((concepts[0],), "3d", "bottom", "white", "black")
    told = {
        label for label, at in meanings.positions.items() if meanings.vector(of_scene(scene))[at]
    }
    assert told == {
        ("thing", "ball"),
        ("colour", "white"),
        ("second colour", "black"),
        ("place", "bottom"),
    }


def test_texts_of_every_kind_are_taught(concepts, rng):
    meanings = Meanings(concepts, ("3d",))
    seen = sum(meanings.sample(rng)[1] for _ in range(600))
    assert all(seen[at] > 0 for at in meanings.positions.values())
    assert set(EDITS) == set(EDIT_WORDS)
    assert len(COLOURS) == 10
