import numpy as np

from tools.nano.latents import scene_at
from tools.nano.scenes import COLOURS, PLACES, held_out, is_held_out, random_scene


def test_an_index_always_gives_the_same_scene(concepts):
    first = [scene_at(concepts, ("3d",), index) for index in range(50)]
    assert first == [scene_at(concepts, ("3d",), index) for index in range(50)]


def test_training_never_shows_a_combination_kept_out(concepts):
    rng = np.random.default_rng(0)
    shown = {
        (subject.code, scene.colour, scene.place)
        for scene in (random_scene(concepts, "3d", rng) for _ in range(3000))
        for subject in scene.subjects
    }
    kept = {(s.subjects[0].code, s.colour, s.place) for s in held_out(concepts)}
    assert kept
    assert not shown & kept


def test_about_a_tenth_of_the_combinations_is_kept_out():
    kept = [is_held_out(f"{i:x}", c, p) for i in range(100) for c in COLOURS for p in PLACES]
    assert 0.08 < np.mean(kept) < 0.12


def test_a_thing_that_must_not_be_mirrored_never_is(concepts):
    rng = np.random.default_rng(0)
    scenes = [random_scene(concepts[2:], "3d", rng) for _ in range(200)]
    assert not any(scene.flipped for scene in scenes)
