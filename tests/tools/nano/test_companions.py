"""Figures of edits and clips, over pictures of the compositor itself."""

import numpy as np
import pytest
import torch

from tools.nano.bench import Bench
from tools.nano.changes import random_edit
from tools.nano.clips import PATHS, PLACES, Clip
from tools.nano.companions import (
    clip_figures,
    edit_figures,
    is_beside,
    is_there,
    kept,
    seconds_in,
)
from tools.nano.compose import draw
from tools.nano.presets import PRESETS
from tools.nano.scenes import Scene
from tools.nano.second_judge import SecondJudge


class Same(torch.nn.Module):
    """An autoencoder without loss."""

    device = torch.device("cpu")

    def encode(self, pictures):
        return type("", (), {"latent_dist": type("", (), {"mean": pictures})})

    def decode(self, latents):
        return type("", (), {"sample": latents})


@pytest.fixture
def edits(concepts):
    rng = np.random.default_rng(0)
    return [random_edit(concepts, "3d", rng) for _ in range(12)]


@pytest.fixture
def pairs(edits, styles):
    return [(draw(edit.before, styles), draw(edit.after, styles)) for edit in edits]


@pytest.fixture
def bench(run_folder, concepts):
    torch.manual_seed(0)
    bench = Bench(PRESETS["cpu"], run_folder, run_folder / "nano")
    bench.second_judge = SecondJudge(len(concepts), (8, 16)).eval()
    return bench


def test_the_compositor_s_own_edits_are_perfect(edits, pairs):
    found = edit_figures(edits, [after for _, after in pairs], pairs, Same())
    assert found["there"] == found["kept_within_6"] == 1
    assert found["kept_difference"] == 0


def test_a_picture_left_as_it_was_is_no_edit(edits, pairs):
    found = edit_figures(edits, [before for before, _ in pairs], pairs, Same())
    assert found["there"] == 0
    assert found["kept_difference"] == 0


def test_a_change_is_not_there_in_a_picture_of_something_else(pairs):
    before, after = pairs[0]
    where = np.ones(before.shape[:2], bool)
    assert is_there(after, before, after, where)
    assert not is_there(np.full_like(before, 127), before, after, where)


def test_what_is_near_a_change_need_not_be_kept():
    before = np.zeros((64, 64, 3), np.uint8)
    after = before.copy()
    after[30:34, 30:34] = 200
    same = kept(before, after)
    assert not same[24:40, 24:40].any()
    assert same[:20].all()


def test_the_compositor_s_own_clips_move_as_they_should(bench, concepts, styles):
    clips = [
        Clip(Scene((concepts[0],), "3d", PLACES.get(move, "small"), "red"), move) for move in PATHS
    ]
    strips = [[draw(scene, styles) for scene in clip.frames()] for clip in clips]
    found = clip_figures(bench, clips, strips)
    assert found["moves"] == 1
    assert set(found["by_move"]) == set(PATHS)
    still = [[strip[0]] * len(strip) for strip in strips]
    assert clip_figures(bench, clips, still)["moves"] < 0.2


def test_a_section_waits_for_its_folder(tmp_path):
    assert is_beside("concepts", tmp_path / "nano")
    assert not is_beside("edits", tmp_path / "nano")
    (tmp_path / "nano-edit").mkdir()
    assert is_beside("edits", tmp_path / "nano")


def test_the_seconds_of_each_call_are_counted():
    network, seen = torch.nn.Linear(2, 2), torch.zeros(1, 2)
    with seconds_in(network) as taken:
        network(seen)
        network(seen)
    network(seen)
    assert len(taken) == 2
    assert min(taken) > 0


def test_turbo_is_measured_where_its_lora_lies(tmp_path):
    model = tmp_path / "nano"
    assert not is_beside("turbo", model)
    (model / "lora").mkdir(parents=True)
    (model / "lora" / "turbo.safetensors").touch()
    assert is_beside("turbo", model)
