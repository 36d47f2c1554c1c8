"""The upscaler: the published layout, and what it is taught."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from nodeforge import diffusion, models
from nodeforge.values import Image
from tools.nano.compose import draw
from tools.nano.measures import psnr
from tools.nano.scenes import Scene
from tools.nano.train_upscaler import (
    Pairs,
    Upscaler,
    clean,
    degraded,
    enlarged,
    gains,
    lanczos,
    save_upscaler,
    upscaling_loss,
)


@pytest.fixture
def picture(concepts, styles):
    return draw(Scene((concepts[0],), "3d", "large", "blue"), styles)


def test_an_untrained_one_enlarges_as_nearest_neighbours_do(picture):
    small = clean(picture)
    assert np.array_equal(enlarged(Upscaler(8, 2), small), small.repeat(2, 0).repeat(2, 1))


def test_its_file_has_the_published_keys(tmp_path):
    save_upscaler(Upscaler(8, 2), tmp_path / "x2.safetensors")
    shapes = {
        name: tuple(value.shape) for name, value in load_file(tmp_path / "x2.safetensors").items()
    }
    assert shapes["body.0.weight"] == (8, 3, 3, 3)
    assert shapes["body.1.weight"] == (8,)
    assert shapes["body.6.weight"] == (12, 8, 3, 3)
    assert len(shapes) == 4 * 2 + 3


def test_its_file_enlarges_by_the_node_to_the_same_picture(picture, tmp_path):
    torch.manual_seed(0)
    model = Upscaler(8, 2)
    torch.nn.init.normal_(model.body[-1].weight, std=0.05)
    save_upscaler(model, tmp_path / "x2.safetensors")
    model.load_state_dict({n: v.half().float() for n, v in model.state_dict().items()})
    assert models.upscaler_label(models.recognise(tmp_path / "x2.safetensors")).endswith("×2")
    small = clean(picture)
    host = diffusion.LocalHost(diffusion.Residency("cpu"))
    with host.use(diffusion.describe_upscaler(tmp_path / "x2.safetensors")) as upscaler:
        image = Image(torch.from_numpy(small / np.float32(255))[None])
        made = diffusion.enlarge(upscaler, image).pixels[0].numpy()
    assert np.abs(made * 255 - enlarged(model, small)).max() <= 0.51


def test_pairs_are_crops_and_their_halves(concepts, styles):
    small, large = Pairs(concepts, styles).batch(4, np.random.default_rng(0))
    assert small.shape == (4, 3, 64, 64)
    assert large.shape == (4, 3, 128, 128)
    assert (functional.avg_pool2d(large, 2) - small).abs().mean() < 0.05


def test_one_that_enlarges_four_times_sees_quarters(concepts, styles, picture, tmp_path):
    small, large = Pairs(concepts, styles, 4).batch(4, np.random.default_rng(0))
    assert (small.shape, large.shape) == ((4, 3, 64, 64), (4, 3, 256, 256))
    assert (functional.avg_pool2d(large, 4) - small).abs().mean() < 0.05
    model, quarter = Upscaler(8, 2, scale=4), clean(picture, 4)
    assert np.array_equal(enlarged(model, quarter), quarter.repeat(4, 0).repeat(4, 1))
    fresh, rng = gains(model, [picture], 4), np.random.default_rng(0)
    model.fit_linear(Pairs(concepts, styles, 4).batch(4, rng) for _ in range(2))
    assert gains(model, [picture], 4)["clean"] > fresh["clean"] + 0.3
    save_upscaler(model, tmp_path / "x4.safetensors", 4)
    assert models.upscaler_label(models.recognise(tmp_path / "x4.safetensors")).endswith("×4")


def test_a_degraded_half_is_further_from_the_picture_than_a_clean_one(picture):
    rng = np.random.default_rng(0)
    assert psnr(lanczos(degraded(picture, rng, 60)), picture) < psnr(
        lanczos(clean(picture)), picture
    )


def test_it_learns_what_nearest_neighbours_lack():
    torch.manual_seed(0)
    large = functional.interpolate(torch.rand(2, 3, 12, 12), size=48, mode="bicubic").clamp(0, 1)
    small, model = functional.avg_pool2d(large, 2), Upscaler(8, 1)
    before = upscaling_loss(model(small), large)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(40):
        optimizer.zero_grad()
        upscaling_loss(model(small), large).backward()
        optimizer.step()
    assert upscaling_loss(model(small), large) < 0.8 * before
