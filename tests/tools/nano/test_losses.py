"""Losses on sharpness tell what errors of pixels do not."""

import torch
from torch.nn import functional

from tools.nano.losses import energy_loss, reconstruction_loss, steepness_loss


def step(at=30, softness=0):
    """A bright right part; the edge as soft as a box of that many pixels."""
    picture = torch.zeros(1, 1, 64, 64)
    picture[..., at:] = 1
    if softness:
        wide = functional.pad(picture, (softness // 2, softness // 2, 0, 0), mode="replicate")
        picture = functional.avg_pool2d(wide, (1, softness), 1)
    return picture


def test_every_loss_of_a_picture_and_itself_is_nothing():
    for loss in (energy_loss, steepness_loss, lambda a, b: reconstruction_loss(a, b, False)):
        assert loss(step(), step()) == 0


def test_steepness_tells_a_soft_edge_and_energy_hardly_does():
    sharp, soft = step(), step(softness=5)
    assert energy_loss(soft, sharp) < 0.5 * steepness_loss(soft, sharp)


def test_an_edge_moved_a_little_costs_less_sharpness_than_one_that_is_gone():
    moved, gone = step(at=31), torch.full((1, 1, 64, 64), 0.5)
    for loss in (energy_loss, steepness_loss):
        assert loss(moved, step()) < 0.5 * loss(gone, step())


def test_a_flat_picture_has_a_gradient():
    flat = torch.zeros(1, 1, 32, 32, requires_grad=True)
    steepness_loss(flat, step()[..., 16:48, 16:48]).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()
