import numpy as np
import pytest
import torch
from torch import nn

from tools.nano.batches import Chance
from tools.nano.muon import Muon, by_gram, by_steps, orthogonal, split_parameters
from tools.nano.presets import Stage
from tools.nano.training import AVERAGE, Trainer, load_average, rate_at

STAGE = Stage(steps=12, batch=8, rate=0.01, warmup=2, ema=0.9)


def tiny_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))


def trainer(folder, stage=STAGE):
    return Trainer(tiny_model(), stage, folder, seed=1)


def vectors(chance):
    return (torch.from_numpy(chance.numpy.standard_normal((8, 4), np.float32)),)


def copying(model):
    """The loss of copying random vectors through noise."""

    def loss_of(chance, parts):
        (wanted,) = parts
        return (model(wanted + 0.1 * chance.normal(wanted)) - wanted).square().mean()

    return loss_of


def run(trained, **options):
    return trained.run(vectors, copying(trained.model), **options)


def state(trained):
    average = {f"average.{key}": value for key, value in trained.average.state_dict().items()}
    return {**trained.model.state_dict(), **average}


def test_a_resumed_run_ends_in_the_same_state_as_an_uninterrupted_one(tmp_path):
    whole = trainer(tmp_path / "whole")
    run(whole)
    first = trainer(tmp_path / "parts")
    for _ in range(5):
        first.advance(copying(first.model), vectors(Chance(first.seed, first.step)))
    first.save()
    second = trainer(tmp_path / "parts")
    assert second.step == 5
    run(second)
    assert second.losses == whole.losses
    for name, value in state(whole).items():
        assert torch.equal(value, state(second)[name]), name


def test_a_run_stops_when_its_minutes_are_over_and_can_go_on(tmp_path):
    short = trainer(tmp_path)
    assert not run(short, minutes=0)
    again = trainer(tmp_path)
    assert again.step == 1
    assert run(again)


def test_the_loss_falls(tmp_path):
    longer = trainer(tmp_path, Stage(steps=200, batch=8, rate=0.01, warmup=2))
    run(longer)
    assert longer.losses[-1] < longer.losses[0] / 3


def test_the_average_lies_between_start_and_end(tmp_path):
    trained = trainer(tmp_path)
    run(trained)
    start, mean, end = tiny_model()[0].weight, trained.average[0].weight, trained.model[0].weight
    assert 0 < (mean - end).norm() < (start - end).norm()


@pytest.mark.parametrize(("step", "rate"), [(0, 0.005), (1, 0.01), (8, 0.01), (11, 1 / 300)])
def test_the_rate_rises_stays_and_falls(step, rate):
    assert rate_at(STAGE, step) == pytest.approx(rate)


def test_the_average_outlives_a_lost_checkpoint(tmp_path):
    trained = trainer(tmp_path)
    run(trained)
    (tmp_path / "checkpoint.pt").unlink()
    read = tiny_model()
    assert load_average(read, tmp_path)
    assert (tmp_path / AVERAGE).stat().st_size < 2000
    assert torch.allclose(read[0].weight, trained.average[0].weight, atol=1e-3)
    assert not load_average(read, tmp_path / "nowhere")


@pytest.mark.parametrize(("muon", "kinds"), [(True, ["Muon", "AdamW"]), (False, ["AdamW"])])
def test_a_stage_says_what_its_inner_matrices_take(muon, kinds, tmp_path):
    trained = trainer(tmp_path, Stage(steps=2, batch=8, rate=0.01, muon=muon))
    assert [type(optimizer).__name__ for optimizer in trained.optimizers] == kinds
    assert run(trained)


def test_the_chance_of_a_step_depends_on_seed_and_step_alone():
    like = torch.zeros(3)
    assert torch.equal(Chance(1, 5).normal(like), Chance(1, 5).normal(like))
    assert not torch.equal(Chance(1, 5).normal(like), Chance(1, 6).normal(like))


def test_a_finished_run_is_left_as_it_is(tmp_path):
    run(trainer(tmp_path))
    written = (tmp_path / "checkpoint.pt").stat().st_mtime_ns
    assert run(trainer(tmp_path))
    assert (tmp_path / "checkpoint.pt").stat().st_mtime_ns == written


def test_muon_steps_each_matrix_as_if_it_were_alone():
    torch.manual_seed(0)
    start, gradients = torch.randn(3, 6, 4), torch.randn(3, 6, 4)
    together, alone = ([nn.Parameter(m.clone()) for m in start] for _ in range(2))
    for parameter, gradient in zip([*together, *alone], [*gradients, *gradients], strict=True):
        parameter.grad = gradient.clone()
    Muon([{"params": together}], 0.1).step()
    for parameter in alone:
        Muon([{"params": [parameter]}], 0.1).step()
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (2, 16, 48)])
def test_an_orthogonal_step_has_singular_values_near_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_gram_matrices_lead_to_the_same_step():
    torch.manual_seed(0)
    matrices = torch.randn(3, 16, 80)
    matrices = matrices / matrices.norm(dim=(-2, -1), keepdim=True)
    assert torch.allclose(by_gram(matrices, 5), by_steps(matrices, 5), atol=1e-4)


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
