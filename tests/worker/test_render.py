"""Pictures of cached values: which one of a batch, how large, and that none is lost on the way."""

import numpy as np
import pytest
import torch

from nodeforge.values import Image, Latent, Mask, Noise
from nodeforge.worker.render import render


def pictures():
    values = torch.randint(0, 256, (3, 20, 40, 4), generator=torch.Generator().manual_seed(0))
    return Image(values.float() / 255), values.numpy().astype(np.uint8)


@pytest.mark.parametrize("item", [0, 1, 2])
def test_each_picture_of_a_batch_comes_byte_for_byte(item):
    image, values = pictures()
    assert np.array_equal(render(image, 8192, item), values[item])


def test_a_picture_is_made_smaller_where_less_is_asked_for():
    assert render(pictures()[0], 10).shape == (5, 10, 4)


def test_masks_and_latents_have_pictures_and_other_values_have_none():
    assert render(Mask(torch.ones(2, 4, 6)), item=1).shape == (4, 6, 3)
    assert render(Latent(torch.zeros(2, 4, 4, 6), "sd", 8), item=1).shape[:2] == (4, 6)
    assert render(Noise(1, 64, 64)) is None


@pytest.mark.parametrize("item", [-1, 3])
def test_there_is_no_picture_beyond_the_batch(item):
    assert render(pictures()[0], item=item) is None
