"""The table of samplers by steps: what draws it, and that it goes on where it stopped."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tools.nano.samplers import BATCH, FIRST_SEED, STEPS, SUITABLE, Drawer, Grid

NANO = Path(__file__).parents[3] / "resources" / "models" / "nano"
PROMPTS = [f"thing {place}" for place in range(BATCH + 1)]


class Drawn:
    """Grey pictures, and what they were asked for."""

    def __init__(self, until=None):
        self.asked = []
        self.until = until

    def __call__(self, sampler, steps, prompts, seed):
        if len(self.asked) == self.until:
            raise KeyboardInterrupt
        self.asked.append((sampler, steps, list(prompts), seed))
        return [np.full((8, 8, 3), 100, np.uint8)] * len(prompts), steps


def grid(draw, folder):
    return Grid(draw, PROMPTS, lambda first, pictures: [first == 0] * len(pictures), folder)


def test_each_picture_is_that_of_its_own_prompt_and_seed():
    draw = Drawer(NANO, torch.device("cpu"))
    together, calls = draw("heun", 3, ["a fox on a red background", "a bus"], 7)
    alone, _ = draw("heun", 3, ["a bus"], 8)
    assert calls == 5
    assert np.abs(together[1].astype(int) - alone[0]).mean() < 2  # bfloat16 sums in another order
    assert np.abs(together[0].astype(int) - alone[0]).mean() > 20


def test_every_cell_has_the_same_prompts_and_seeds(tmp_path):
    draw = Drawn()
    found = grid(draw, tmp_path).measured()
    cells = [(name, steps) for name in SUITABLE for steps in STEPS]
    for seed, prompts in ((FIRST_SEED, PROMPTS[:BATCH]), (FIRST_SEED + BATCH, PROMPTS[BATCH:])):
        assert [ask[:2] for ask in draw.asked if ask[2:] == (prompts, seed)] == cells
    assert found["top1"]["euler"] == [pytest.approx(BATCH / len(PROMPTS))] * len(STEPS)
    assert found["calls"]["euler"] == list(STEPS)


def test_a_stopped_grid_goes_on_and_a_whole_one_begins_anew(tmp_path):
    whole = grid(Drawn(), tmp_path / "whole").measured()
    with pytest.raises(KeyboardInterrupt):
        grid(Drawn(until=3), tmp_path).measured()
    rest = Drawn()
    assert grid(rest, tmp_path).measured() == whole
    assert len(rest.asked) == 2 * len(SUITABLE) * len(STEPS) - 3
    assert not list(tmp_path.glob("*.json"))
