import torch

from tools.nano.scenes import COLOURS, Scene
from tools.nano.train_text import label_count, labels_of, reading_loss


def numbered(concepts):
    return {concept: index for index, concept in enumerate(concepts)}


def test_labels_name_things_colours_and_place(concepts):
    scene = Scene((concepts[0], concepts[2]), "3d", "pair", "white", "black")
    told = labels_of(scene, numbered(concepts)).nonzero().flatten().tolist()
    assert told == [0, 2, 3 + 0, 3 + len(COLOURS) + 1]


def test_a_single_thing_has_its_place(concepts):
    assert labels_of(Scene((concepts[1],), "3d", "bottom", "red"), numbered(concepts))[-1] == 1


def test_the_loss_looks_only_at_states_from_the_end_on(concepts):
    labels = labels_of(Scene((concepts[1],), "3d", "left", "red"), numbered(concepts))[None]
    tokens = torch.tensor([[0, 5, 6, 1, 1]])
    scores = torch.zeros(1, 5, label_count(len(concepts)))
    scores[:, 3:] = torch.where(labels > 0, 20.0, -20.0)[:, None]
    assert reading_loss(scores, labels, tokens, end=1) < 1e-6
    assert reading_loss(scores, labels, tokens, end=6) > 0.1
