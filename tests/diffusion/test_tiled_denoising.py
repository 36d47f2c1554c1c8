"""A large picture tile by tile: no seams, small inputs, cancelled between tiles, resumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_models
import torch

from nodeforge import diffusion
from nodeforge.diffusion import DenoiseError, Denoising
from nodeforge.diffusion.tensors.tiles import Tile, map_placed_tiles
from nodeforge.errors import Cancelled
from nodeforge.values import (
    Guidance,
    Image,
    Latent,
    Mask,
    Noise,
    Sampler,
    Schedule,
    Tiling,
)

# diffusers' schedulers hand numpy arrays to torch the old way, thousands of times.
pytestmark = pytest.mark.filterwarnings("ignore:__array_")

WIDTH, HEIGHT, SCALE = 384, 128, 8
TILING = Tiling(128, 64)


@pytest.fixture
def task(sd, prompts):
    return Denoising(
        sd.model, prompts[0], Sampler("euler"), Schedule("normal", 2), Guidance(3.0), prompts[1],
        noise=Noise(3, WIDTH, HEIGHT),
    )  # fmt: skip


def in_tiles(task, tiling=TILING):
    return replace(task, model=replace(task.model, tiling=tiling))


def seen(host, task):
    """Width and height of all that the network is given, in cells."""
    sizes = set()
    with host.use(task.model) as model:
        handle = model.network.register_forward_pre_hook(
            lambda _, inputs: sizes.add(tuple(inputs[0].shape[-2:]))
        )
        diffusion.denoise(host, task)
        handle.remove()
    return sizes


def test_the_network_sees_no_more_than_a_tile(host, task):
    assert seen(host, task) == {(HEIGHT // SCALE, WIDTH // SCALE)}
    assert seen(host, in_tiles(task)) == {(16, 16)}
    assert seen(host, in_tiles(task, Tiling(64, 16))) == {(8, 8)}


class Watching(diffusion.LocalHost):
    """Keeps what it is told."""

    def __init__(self, residency):
        super().__init__(residency)
        self.told = []

    def progress(self, step, of, preview=None, part=0.0):
        self.told.append((step, of, part))


@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_tiles_tell_how_far_their_step_is(residency, task, sampler):
    host = Watching(residency)
    task = replace(in_tiles(task), sampler=Sampler(sampler), schedule=Schedule("normal", 3))
    diffusion.denoise(host, task)
    assert [(step, of) for step, of, part in host.told if not part] == [(1, 3), (2, 3), (3, 3)]
    assert all(of == 3 and 0 <= part < 1 for _, of, part in host.told)
    done = [step + part for step, _, part in host.told]
    assert done == sorted(set(done))
    assert len([part for step, _, part in host.told if step == 1 and part]) >= 4


def test_the_whole_at_once_tells_only_steps(residency, task):
    host = Watching(residency)
    diffusion.denoise(host, task)
    assert host.told == [(1, 2, 0.0), (2, 2, 0.0)]


def test_a_picture_of_one_tile_has_the_bits_and_keys_of_the_whole(host, task):
    whole = diffusion.denoise(host, task).samples
    keys = set(host.steps.kept)
    large = in_tiles(task, Tiling(384, 128))
    assert torch.equal(diffusion.denoise(host, large).samples, whole)
    assert set(host.steps.kept) == keys


@pytest.mark.parametrize("overlap", [2, 4, 8])
def test_tiles_that_disagree_fade_into_each_other_without_a_step(overlap):
    """The hardest case: each tile is of one value, 0 or 1. Then a fade is all there is."""
    x = torch.zeros(1, 1, 16, 64)
    number = lambda place: place.left // (16 - overlap) % 2  # noqa: E731
    out = map_placed_tiles(x, lambda part, place: part + number(place), 16, overlap)[0, 0, 8]
    assert out.min() == 0
    assert out.max() > 0.85
    steps = (out[1:] - out[:-1]).abs()
    assert steps.max() <= 1 / (overlap + 1) + 1e-6


def test_work_that_knows_its_place_covers_all():
    x = torch.rand(1, 2, 37, 53)
    rows, columns = torch.meshgrid(torch.arange(37.0), torch.arange(53.0), indexing="ij")
    where = torch.stack([rows, columns])[None]
    out = map_placed_tiles(x, lambda part, place: part * 0 + place.cut(where), 16, 6)
    assert torch.allclose(out, where, atol=1e-4)


def test_a_place_of_something_finer_is_larger():
    hint = torch.arange(64.0).reshape(1, 1, 8, 8)
    assert torch.equal(Tile(1, 2, 2, 1).cut(hint, 2), hint[..., 2:6, 4:6])


class Stopping(diffusion.LocalHost):
    def check(self):
        if self.model_calls == 3:
            raise Cancelled


def test_a_step_is_cancelled_between_two_tiles(residency, task):
    host = Stopping(residency)
    with pytest.raises(Cancelled):
        diffusion.denoise(host, in_tiles(task))
    assert not host.steps.kept


def test_a_run_in_tiles_resumes_and_another_tiling_starts_at_0(host, residency, task):
    whole = diffusion.denoise(host, in_tiles(task)).samples
    first = next(iter(host.steps.kept.items()))
    again = diffusion.LocalHost(residency)
    again.steps.store(*first)
    assert torch.equal(diffusion.denoise(again, in_tiles(task)).samples, whole)
    before = len(host.steps.kept)
    diffusion.denoise(host, in_tiles(task, Tiling(128, 32)))
    assert len(host.steps.kept) == before + 2


def test_controlnets_and_inpainting_models_work_in_tiles(
    host, prompts, sd_folder, inpainting_folder, tmp_path
):
    model = diffusion.describe(inpainting_folder).model
    net = diffusion.describe_controlnet(tiny_models.write_controlnet(sd_folder, tmp_path))
    pixels = np.random.default_rng(0).random((1, HEIGHT, WIDTH, 3), np.float32)
    positive = diffusion.add_control(prompts[0], net, Image(torch.from_numpy(pixels)), 1.0)
    task = Denoising(
        replace(model, tiling=TILING), positive, Sampler("euler"), Schedule("normal", 2),
        Guidance(3.0), noise=Noise(1, WIDTH, HEIGHT), mask=Mask(torch.ones(1, HEIGHT, WIDTH)),
        masked_image=Latent(torch.zeros(1, 4, HEIGHT // SCALE, WIDTH // SCALE), "sd", SCALE),
    )  # fmt: skip
    assert diffusion.denoise(host, task).samples.isfinite().all()


def test_tiles_that_share_everything_are_refused(host, task):
    with pytest.raises(DenoiseError, match="tiles of 128 pixels cannot share 128"):
        diffusion.denoise(host, in_tiles(task, Tiling(128, 128)))
