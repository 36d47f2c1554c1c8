import torch

from tools.nano.meanings import Meanings
from tools.nano.train_text import reading_loss


def test_the_loss_looks_only_at_states_from_the_end_on(concepts):
    meanings = Meanings(concepts, ("3d",))
    labels = meanings.vector([("thing", "owl"), ("place", "left")])[None]
    tokens = torch.tensor([[0, 5, 6, 1, 1]])
    scores = torch.zeros(1, 5, len(meanings))
    scores[:, 3:] = torch.where(labels > 0, 20.0, -20.0)[:, None]
    assert reading_loss(scores, labels, tokens, end=1) < 1e-6
    assert reading_loss(scores, labels, tokens, end=6) > 0.1
