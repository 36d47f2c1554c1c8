import numpy as np
import pytest
import torch

from tools.nano.batches import in_order


def vectors(chance):
    return torch.tensor([chance.step]), torch.from_numpy(chance.numpy.random(3, np.float32))


@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
def test_workers_beside_a_card_make_the_same_batches_in_the_same_order():
    steps = [7, 3, 4, 5, 6]
    here = list(in_order(vectors, 1, steps, torch.device("cpu")))
    ahead = list(in_order(vectors, 1, steps, torch.device("cuda")))
    assert [int(step) for step, _ in ahead] == steps
    for (_, one), (_, other) in zip(here, ahead, strict=True):
        assert torch.equal(one, other)
