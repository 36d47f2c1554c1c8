"""Noise near that of a seed."""

import pytest
import torch

from nodeforge.diffusion import draw_noise, parse_variations
from nodeforge.diffusion.tensors.noise import draw_varied_noise, slerp
from nodeforge.errors import RequestError

SHAPE = (4, 32, 32)


def test_no_share_is_the_seeds_own_noise_and_a_whole_one_the_others():
    alone, other = draw_noise((3,), SHAPE).start, draw_noise((9,), SHAPE).start
    assert torch.equal(draw_varied_noise(3, 1, ((9, 0.0),), SHAPE).start, alone)
    assert torch.allclose(draw_varied_noise(3, 1, ((9, 1.0),), SHAPE).start, other, atol=1e-6)


def test_items_share_the_first_seed_and_differ_by_the_last():
    batch = draw_varied_noise(3, 2, ((9, 0.5), (20, 0.3)), SHAPE)
    for item in range(2):
        alone = draw_varied_noise(3, 1, ((9, 0.5), (20 + item, 0.3)), SHAPE).start
        assert torch.equal(batch.start[item : item + 1], alone)
    assert batch.seeds == (3, 3)
    drawn = [torch.randn(5, generator=each) for each in batch.generators]
    assert torch.equal(drawn[0], drawn[1])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_lies_between_is_as_strong_as_noise(share: float):
    first, second = draw_noise((1,), SHAPE).start, draw_noise((2,), SHAPE).start
    assert slerp(first, second, share).std().item() == pytest.approx(1, abs=0.03)


def test_the_larger_the_share_the_farther_away():
    first = draw_noise((1,), SHAPE).start
    far = [
        (draw_varied_noise(1, 1, ((2, share),), SHAPE).start - first).norm()
        for share in (0.1, 0.3, 0.9)
    ]
    assert far == sorted(far)


def test_noise_blends_with_itself():
    first = draw_noise((1,), SHAPE).start
    assert torch.allclose(slerp(first, first.clone(), 0.3), first)


def test_variations_are_read_from_text():
    assert parse_variations(" 12:0.3, 7 : .1,") == ((12, 0.3), (7, 0.1))
    assert parse_variations("") == ()


@pytest.mark.parametrize("text", ["12", "a:0.3", "12:2", "12:-1", "12:0.3 7:0.1"])
def test_what_is_no_variation_is_refused(text: str):
    with pytest.raises(RequestError, match="share"):
        parse_variations(text)
