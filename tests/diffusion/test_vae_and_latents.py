"""Encoding, decoding, tiles, previews, and work on latents."""

from __future__ import annotations

import pytest
import tiny_transformers
import torch

from nodeforge import diffusion
from nodeforge.diffusion import LatentSizeError, Method
from nodeforge.diffusion.denoising.preview import Factors, factors_of, fit, preview
from nodeforge.diffusion.tensors.tiles import map_tiles
from nodeforge.diffusion.vae.normalising import cells_folded
from nodeforge.errors import Cancelled
from nodeforge.values import Image, Latent, LatentMismatchError, Mask


@pytest.fixture
def vae(residency, sd):
    with residency.use(sd.vae) as loaded:
        yield loaded


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_encoding_takes_the_mean_and_so_repeats(vae):
    image = Image(noise(2, 32, 40, 3).sigmoid())
    first, second = diffusion.encode(vae, image), diffusion.encode(vae, image)
    assert torch.equal(first.samples, second.samples)
    assert first.samples.shape == (2, 4, 4, 5)
    assert (first.width, first.height, first.space) == (40, 32, "sd")


def test_alpha_is_left_out(vae):
    pixels = noise(1, 32, 32, 4).sigmoid()
    first = diffusion.encode(vae, Image(pixels)).samples
    assert torch.equal(first, diffusion.encode(vae, Image(pixels[..., :3].contiguous())).samples)


def test_a_size_the_scale_does_not_divide_is_refused(vae):
    with pytest.raises(LatentSizeError, match="30 × 32 pixels") as caught:
        diffusion.encode(vae, Image(torch.zeros(1, 32, 30, 3)))
    assert "32 × 32" in caught.value.way_out


def test_a_latent_of_another_family_is_refused(vae):
    with pytest.raises(LatentMismatchError, match="of the space nano, the VAE works in sd"):
        diffusion.decode(vae, Latent(torch.zeros(1, 8, 4, 4), "nano", 16))


def test_decoded_pixels_lie_between_0_and_1(vae):
    pixels = diffusion.decode(vae, Latent(9 * noise(1, 4, 4, 6), "sd", 8)).pixels
    assert pixels.shape == (1, 32, 48, 3)
    assert 0 <= float(pixels.min()) < float(pixels.max()) <= 1


def test_tiles_that_do_nothing_leave_the_picture_alone():
    x = noise(2, 3, 37, 53)
    assert torch.allclose(map_tiles(x, lambda tile: tile * 2, 16, 4), x * 2, atol=1e-6)


@pytest.mark.parametrize("size", [(16, 16), (5, 40), (17, 16), (40, 5)])
def test_tiles_that_enlarge_meet_without_seams(size):
    x = noise(1, 2, *size)
    enlarge = lambda tile: tile.repeat_interleave(2, -1).repeat_interleave(2, -2)  # noqa: E731
    assert torch.allclose(map_tiles(x, enlarge, 16, 4), enlarge(x), atol=1e-6)


def test_tiles_are_cancelled_between_two(vae):
    def check():
        raise Cancelled

    with pytest.raises(Cancelled):
        diffusion.decode(vae, Latent(noise(1, 4, 4, 4), "sd", 8), tiled=True, check=check)


def test_tiled_work_lies_close_to_the_whole(vae):
    latent = Latent(noise(1, 4, 80, 16), "sd", 8)
    whole = diffusion.decode(vae, latent)
    tiled = diffusion.decode(vae, latent, tiled=True)
    assert tiled.pixels.shape == whole.pixels.shape
    assert float((tiled.pixels - whole.pixels).abs().mean()) < 0.02
    image = Image(whole.pixels)
    near = diffusion.encode(vae, image, tiled=True).samples - diffusion.encode(vae, image).samples
    assert float(near.abs().mean()) < 0.1


@pytest.fixture(params=["flux1", "flux2_klein"])
def flow_vae(request, residency, tmp_path):
    tiny_transformers.PIPELINES[request.param]().save_pretrained(tmp_path)
    with residency.use(diffusion.describe(tmp_path).vae) as loaded:
        yield loaded


@pytest.mark.parametrize("upright", [True, False])
def test_tiles_of_the_flow_families_vaes_meet_without_seams(flow_vae, upright):
    """Also where the VAE folds cells into channels: tiles are cut of what its decoder reads."""
    network, space = flow_vae.network, flow_vae.space
    channels = network.config.latent_channels * cells_folded(network) ** 2
    long, short = 560 // flow_vae.scale, 32 // flow_vae.scale
    shape = (long, short) if upright else (short, long)
    latent = Latent(noise(1, channels, *shape), space, flow_vae.scale)
    along = 1 if upright else 2

    whole = diffusion.decode(flow_vae, latent)
    tiled = diffusion.decode(flow_vae, latent, tiled=True)
    assert tiled.pixels.shape == whole.pixels.shape
    _assert_no_seam(tiled.pixels - whole.pixels, along, 0.02)

    again = diffusion.encode(flow_vae, whole, tiled=True).samples
    difference = again - diffusion.encode(flow_vae, whole).samples
    assert difference.shape == latent.samples.shape
    _assert_no_seam(difference, along + 1, 0.1)


def _assert_no_seam(difference, axis, most):
    """It is small, and no row or column steps away from the one before it."""
    assert float(difference.abs().mean()) < most
    steps = difference.movedim(axis, 0).diff(dim=0).flatten(1).square().mean(1).sqrt()
    assert float(steps.max()) < 8 * float(steps.median()) + 1e-6


@pytest.mark.parametrize(
    "complaint",
    [
        torch.OutOfMemoryError(),
        RuntimeError("MPS backend out of memory. Tried to allocate 768.00 MB on private pool."),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
    ids=["card", "apple", "cudnn"],
)
def test_out_of_memory_falls_back_to_tiles_and_says_so(vae, monkeypatch, complaint):
    decode, sizes, told = vae.network.decode, [], []

    def small_card(tile, **more):
        sizes.append(tile.shape[-1])
        if tile.shape[-1] > 64:
            raise complaint
        return decode(tile, **more)

    monkeypatch.setattr(vae.network, "decode", small_card)
    latent = Latent(noise(1, 4, 8, 100), "sd", 8)
    image = diffusion.decode(vae, latent, fell_back=lambda: told.append(True))
    assert image.width == 800
    assert told == [True]
    assert max(sizes[1:]) == 64


def test_memory_that_never_suffices_is_an_error_with_a_way_out(vae, monkeypatch):
    def no_memory(tile, **more):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(vae.network, "decode", no_memory)
    with pytest.raises(diffusion.OutOfMemoryError, match="64 × 32"):
        diffusion.decode(vae, Latent(noise(1, 4, 4, 8), "sd", 8))


def test_factors_are_fitted_to_the_vae(vae):
    latents = noise(4, 4, 8, 8)
    found = fit(vae, latents)
    assert (found.matrix.shape, found.bias.shape) == ((4, 3), (3,))
    decoded = diffusion.decode(vae, Latent(latents, "sd", 8)).pixels.permute(0, 3, 1, 2)
    small = torch.nn.functional.interpolate(decoded, size=(8, 8), mode="area")
    guess = torch.einsum("bchw,cr->brhw", latents, found.matrix) + found.bias[:, None, None]
    assert (guess - small).var() < small.var()


def test_a_preview_has_the_latent_s_size():
    picture = preview(noise(8, 5, 7), factors_of("a family without factors", 8))
    assert picture.shape == (5, 7, 3)
    white = preview(torch.ones(4, 2, 2), Factors(torch.ones(4, 3), torch.zeros(3)))
    assert white.min() == 255


@pytest.mark.parametrize("method", list(Method))
def test_upscaling_gives_the_asked_size(method):
    latent = Latent(noise(2, 4, 4, 4), "sd", 8)
    scaled = diffusion.upscale(latent, 64, 48, method)
    assert (scaled.width, scaled.height, scaled.batch) == (64, 48, 2)
    flat = diffusion.upscale(Latent(torch.ones(1, 4, 4, 4), "sd", 8), 64, 48, method)
    assert torch.allclose(flat.samples, torch.ones(1))


def test_blending_and_repeating():
    first, second = (Latent(torch.full((1, 4, 2, 2), v), "sd", 8) for v in (0.0, 1.0))
    assert diffusion.blend(first, second, 0.25).samples.unique().tolist() == [0.25]
    both = diffusion.blend(first, diffusion.repeat(second, 3), 1.0)
    assert both.batch == 3
    with pytest.raises(LatentMismatchError):
        diffusion.blend(first, Latent(torch.zeros(1, 4, 2, 3), "sd", 8), 0.5)


def test_an_empty_latent_has_the_family_s_layout(sd):
    channels, scale = diffusion.latent_layout(sd.vae.weights)
    latent = diffusion.empty("sd", channels, scale, 64, 32, 2)
    assert latent.samples.shape == (2, 4, 4, 8)
    assert not latent.samples.any()


def test_a_masked_picture_is_grey_where_it_may_change():
    image = Image(torch.ones(1, 4, 4, 4))
    values = torch.zeros(1, 4, 4)
    values[:, 0] = 1
    seen = diffusion.masked_picture(image, Mask(values)).pixels
    assert seen.shape == (1, 4, 4, 3)
    assert seen[:, 0].unique().tolist() == [0.5]
    assert seen[:, 1:].unique().tolist() == [1.0]
