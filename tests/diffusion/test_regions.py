"""The detail pass: parts of a mask denoised one after another, on a tiny random model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nodeforge import diffusion, imaging
from nodeforge.diffusion.weights.describe import Described
from nodeforge.values import Conditioning, Guidance, Noise, Sampler, Schedule, SizeMismatchError

STEPS = 2
HOW = diffusion.Detailing(size=32, context=0.1)


@pytest.fixture(scope="module")
def task(sd: Described, residency: diffusion.Residency) -> diffusion.Denoising:
    with residency.use(sd.text_encoder) as encoder:
        prompt: Conditioning = diffusion.behaviour(encoder.family).encode(encoder, "a fox")
    schedule = Schedule("normal", 2 * STEPS, strength=0.5)
    return diffusion.Denoising(
        sd.model, prompt, Sampler("euler"), schedule, Guidance(1.0), noise=Noise(5)
    )


def picture(channels: int = 3) -> imaging.Pixels:
    values = np.random.default_rng(0).integers(0, 256, (48, 80, channels))
    return imaging.to_float(values.astype(np.uint8))


def parts(*lefts: int) -> list[imaging.Pixels]:
    made = []
    for left in lefts:
        mask = np.zeros((48, 80), np.float32)
        mask[10:22, left : left + 12] = 1
        made.append(mask)
    return made


def refined(host, task, sd, pixels, masks, **more):
    with torch.no_grad():
        return diffusion.refine_parts(host, task, sd.vae, pixels, masks, replace(HOW, **more))


@pytest.mark.parametrize("channels", [3, 4])
def test_every_byte_outside_of_the_parts_stays(host, task, sd, channels):
    pixels, masks = picture(channels), parts(4, 60)
    made = refined(host, task, sd, pixels, masks)
    outside = sum(masks) == 0
    assert np.array_equal(made[outside], pixels[outside])
    for mask in masks:
        assert not np.array_equal(made[mask > 0], pixels[mask > 0])
    assert host.model_calls == 2 * STEPS


def test_without_a_part_no_model_runs(host, task, sd):
    assert np.array_equal(refined(host, task, sd, picture(), []), picture())
    assert host.model_calls == 0


def test_progress_goes_on_from_part_to_part(residency, task, sd):
    told: list[tuple[int, int]] = []
    host = diffusion.LocalHost(residency, lambda step, of: told.append((step, of)))
    refined(host, task, sd, picture(), parts(4, 60))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_parts_that_see_the_same_are_taken_from_checkpoints(host, task, sd):
    whole = refined(host, task, sd, picture(), parts(4, 60))
    calls = host.model_calls
    again = refined(host, task, sd, picture(), parts(4, 60))
    assert host.model_calls == calls
    assert np.array_equal(again, whole)
    refined(host, task, sd, picture(), parts(4, 56))
    assert host.model_calls == calls + STEPS


def test_how_a_part_fades_in_runs_no_model(host, task, sd):
    refined(host, task, sd, picture(), parts(4))
    calls = host.model_calls
    refined(host, task, sd, picture(), parts(4), feather=0, match=0.0)
    assert host.model_calls == calls


def test_each_part_has_a_seed_of_its_own(host, task, sd):
    """The same place twice: the second loop starts from other noise."""
    refined(host, task, sd, picture(), parts(4))
    first = set(host.steps.kept)
    refined(host, replace(task, noise=Noise(6)), sd, picture(), parts(4))
    assert len(set(host.steps.kept) - first) == STEPS


def test_a_mask_of_another_size_is_refused_before_a_model_runs(host, task, sd):
    with pytest.raises(SizeMismatchError):
        refined(host, task, sd, picture()[:40], parts(4))
    assert host.model_calls == 0
