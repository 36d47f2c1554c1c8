import pytest
import torch
from torch import nn

from tools.nano.muon import Muon, orthogonal, split_parameters
from tools.nano.presets import Stage
from tools.nano.training import Chance, Trainer, rate_at

STAGE = Stage(steps=12, batch=8, rate=0.01, warmup=2, ema=0.9)


def tiny_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))


def trainer(folder, stage=STAGE):
    return Trainer(tiny_model(), stage, folder, seed=1)


def copying(model):
    """The loss of copying random vectors."""

    def loss_of(chance):
        wanted = torch.randn(8, 4, generator=chance.torch)
        return (model(wanted) - wanted).square().mean()

    return loss_of


def state(trained):
    average = {f"average.{key}": value for key, value in trained.average.state_dict().items()}
    return {**trained.model.state_dict(), **average}


def test_a_resumed_run_ends_in_the_same_state_as_an_uninterrupted_one(tmp_path):
    whole = trainer(tmp_path / "whole")
    whole.run(copying(whole.model))
    first = trainer(tmp_path / "parts")
    for _ in range(5):
        first.advance(copying(first.model))
    first.save()
    second = trainer(tmp_path / "parts")
    assert second.step == 5
    second.run(copying(second.model))
    assert second.losses == whole.losses
    for name, value in state(whole).items():
        assert torch.equal(value, state(second)[name]), name


def test_a_run_stops_when_its_minutes_are_over_and_can_go_on(tmp_path):
    short = trainer(tmp_path)
    assert not short.run(copying(short.model), minutes=0)
    again = trainer(tmp_path)
    assert again.step == 1
    assert again.run(copying(again.model))


def test_the_loss_falls(tmp_path):
    longer = trainer(tmp_path, Stage(steps=200, batch=8, rate=0.01, warmup=2))
    longer.run(copying(longer.model))
    assert longer.losses[-1] < longer.losses[0] / 3


def test_the_average_lies_between_start_and_end(tmp_path):
    trained = trainer(tmp_path)
    trained.run(copying(trained.model))
    start, mean, end = tiny_model()[0].weight, trained.average[0].weight, trained.model[0].weight
    assert 0 < (mean - end).norm() < (start - end).norm()


@pytest.mark.parametrize(("step", "rate"), [(0, 0.005), (1, 0.01), (8, 0.01), (11, 1 / 300)])
def test_the_rate_rises_stays_and_falls(step, rate):
    assert rate_at(STAGE, step) == pytest.approx(rate)


def test_the_chance_of_a_step_depends_on_seed_and_step_alone():
    like = torch.zeros(3)
    assert torch.equal(Chance(1, 5).normal(like), Chance(1, 5).normal(like))
    assert not torch.equal(Chance(1, 5).normal(like), Chance(1, 6).normal(like))


@pytest.mark.parametrize("shape", [(16, 48), (48, 16)])
def test_an_orthogonal_step_has_singular_values_near_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_muon_takes_inner_matrices_and_leaves_embeddings_and_biases():
    model = nn.ModuleDict({"words": nn.Embedding(5, 4), "inner": nn.Conv2d(4, 4, 3)})
    inner, embeddings, rest = split_parameters(model)
    assert [p.shape for p in inner] == [(4, 4, 3, 3)]
    assert [p.shape for p in embeddings] == [(5, 4)]
    assert [p.shape for p in rest] == [(4,)]


def test_a_frozen_parameter_is_not_trained():
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    inner, _, rest = split_parameters(model)
    assert not inner
    assert len(rest) == 1
    Muon([{"params": [nn.Parameter(torch.ones(2, 2))]}], 0.1).step()
