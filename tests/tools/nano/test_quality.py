"""Sections on quality, over a small untrained model and judge, and their rows in the card."""

from dataclasses import replace

import pytest
import torch

from tools.nano.bench import Bench
from tools.nano.card import autoencoder as autoencoder_rows
from tools.nano.card import second_judge as second_judge_rows
from tools.nano.presets import PRESETS
from tools.nano.quality import autoencoder, second_judge
from tools.nano.sampling import new_pipeline
from tools.nano.second_judge import SecondJudge
from tools.nano.shapes import new_text_encoder, new_unet, new_vae
from tools.nano.tokens import build_tokenizer


@pytest.fixture
def bench(run_folder, concepts):
    torch.manual_seed(0)
    tokenizer = build_tokenizer(concepts)
    text = new_text_encoder(tokenizer, layers=1).eval()
    preset = replace(PRESETS["cpu"], device="cpu")
    bench = Bench(preset, run_folder, run_folder / "model", only=2)
    # Cached properties: what is given here is not loaded.
    bench.pipeline = new_pipeline(
        new_vae((8, 8, 16, 16, 16)).eval(), new_unet((32, 32)).eval(), text, tokenizer
    )
    bench.second_judge = SecondJudge(len(concepts), (8, 16)).eval()
    return bench


def test_round_trips_are_measured_in_both_styles(bench):
    found = autoencoder(bench)
    assert set(found) == {"3d", "3d_steepness", "flat", "flat_steepness"}
    assert found["3d_steepness"] > 0
    fidelity, sharpness = autoencoder_rows(found)
    assert fidelity[0] == "VAE round trip, 3d / flat"
    assert " / " in sharpness[2]


def test_the_second_judge_is_asked_about_originals_too(bench):
    judged = second_judge(bench)
    assert judged["pictures"] == 2
    assert all(0 <= judged[name] <= 1 for name in ("originals", "round_trips", "half_and_back"))
    rows = second_judge_rows({"second_judge": judged, "frechet": {"over_floor": 1.5}})
    assert rows[-1][2] == "1.50"
    assert second_judge_rows({}) == []
