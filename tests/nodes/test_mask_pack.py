import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from nodeforge.api import Image, Latent, Mask, SizeMismatchError
from nodeforge.imaging import Combine


def test_a_grey_picture_is_a_mask_of_exactly_its_values(nodes, tmp_path):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Pillow.fromarray(values).save(tmp_path / "m.png")
    loaded = nodes["mask.load"](tmp_path / "m.png").values[0].numpy()
    assert np.array_equal(loaded, values.astype(np.float32) / np.float32(255))


def test_transparency_is_a_mask(nodes, tmp_path):
    Pillow.new("RGBA", (3, 2), (9, 9, 9, 0)).save(tmp_path / "m.png")
    from nodeforge_packs.mask.make import Channel  # pyright: ignore[reportMissingImports]

    loaded = nodes["mask.load"](tmp_path / "m.png", Channel.TRANSPARENCY)
    assert loaded.values.min() == 1


def test_masks_are_inverted_grown_and_feathered(nodes, mask):
    whole = mask(batch=2)
    assert torch.equal(nodes["mask.invert"](whole).values, 1 - whole.values)
    grown = nodes["mask.grow"](whole, 3)
    assert (grown.values >= whole.values).all()
    assert torch.equal(nodes["mask.combine"](grown, whole, Combine.INTERSECT).values, whole.values)
    assert nodes["mask.grow"](whole, -3).values.sum() < whole.values.sum()
    soft = nodes["mask.feather"](whole, 4)
    assert soft.values[:, 0, 0].max() == 0
    assert soft.batch == 2


def test_masks_of_two_sizes_are_refused(nodes, mask):
    with pytest.raises(SizeMismatchError, match="40 × 30 pixels, the other 20 × 20"):
        nodes["mask.combine"](mask(), mask(20, 20))


def test_masks_are_made_from_pictures(nodes, image):
    white = Image(torch.ones(2, 5, 6, 4))
    assert nodes["mask.from_colour"](white, "#fff").values.min() == 1
    assert nodes["mask.from_alpha"](white).values.max() == 0
    assert nodes["mask.from_alpha"](image()).values.shape == (1, 30, 40)


@pytest.mark.parametrize("size", [(40, 30), (700, 90), (513, 511)])
@pytest.mark.parametrize("channels", [3, 4])
def test_inpainting_leaves_every_pixel_outside_of_the_mask(nodes, image, mask, size, channels):
    original, where = image(*size, channels=channels), mask(*size)
    cut = nodes["inpaint.crop"](original, where, size=64)
    assert (cut.image.width, cut.image.height) == (cut.mask.width, cut.mask.height)
    assert cut.image.width % 16 == cut.image.height % 16 == 0
    changed = Image(1 - cut.image.pixels[..., :3])
    made = nodes["inpaint.put_back"](original, changed, where, cut.region, 4, 0.5)
    outside = where.values[0] == 0
    assert torch.equal(made.pixels[:, outside], original.pixels[:, outside])
    assert not torch.equal(made.pixels, original.pixels)


def test_several_pictures_are_put_back_into_one(nodes, image, mask):
    original = image()
    cut = nodes["inpaint.crop"](original, mask(), size=64)
    batch = Image(cut.image.pixels.repeat(3, 1, 1, 1))
    assert nodes["inpaint.put_back"](original, batch, mask(), cut.region).batch == 3


def test_an_empty_mask_changes_nothing(nodes, image):
    original, empty = image(), Mask(torch.zeros(1, 30, 40))
    cut = nodes["inpaint.crop"](original, empty, size=64)
    made = nodes["inpaint.put_back"](original, cut.image, empty, cut.region)
    assert torch.equal(made.pixels, original.pixels)


def test_a_mask_of_another_size_is_refused(nodes, image, mask):
    with pytest.raises(SizeMismatchError, match="20 × 20 pixels, the picture 40 × 30"):
        nodes["inpaint.crop"](image(), mask(20, 20))


def test_a_rectangle_covers_its_share_and_fades(nodes):
    mask = nodes["mask.rectangle"](40, 20, 0.25, 0.0, 0.75, 0.5).values
    assert mask.shape == (1, 20, 40)
    assert mask[0, :10, 10:30].min() == 1
    assert mask.sum() == 10 * 20
    soft = nodes["mask.rectangle"](40, 20, 0.25, 0.0, 0.75, 0.5, feather=4).values
    assert 0 < float(soft[0, 5, 9]) < 1
    assert nodes["mask.rectangle"](40, 20, 0.8, 0.0, 0.2, 1.0).values.max() == 0


def test_a_grey_mask_becomes_black_and_white(nodes):
    """comfyui 1.5: what is at the level is 0, as rounding half to even makes it."""
    grey = Mask(torch.tensor([[[0.0, 0.49, 0.5, 0.51, 1.0]]]))
    assert nodes["mask.threshold"](grey).values.tolist() == [[[0, 0, 0, 1, 1]]]


@pytest.mark.parametrize("size", [(20, 12), (64, 64), (48, 40)])
def test_a_mask_comes_to_the_size_of_a_latent(nodes, mask, size):
    """comfyui 1.11."""
    latent = Latent(torch.zeros(1, 4, 5, 6), "sd", 8)
    made = nodes["mask.scale_to_latent"](mask(*size), latent)
    assert (made.width, made.height) == (48, 40)
    if size == (48, 40):
        assert torch.equal(made.values, mask(*size).values)


@pytest.mark.parametrize("size", [(40, 30), (20, 20), (300, 7)])
def test_a_picture_and_a_mask_are_aligned(nodes, image, mask, size):
    """comfyui 1.11: the mask is stretched, then both are cropped in the middle."""
    picture = image(45, 31)
    made = nodes["inpaint.align"](picture, mask(*size), 8)
    assert (made.image.width, made.image.height) == (made.mask.width, made.mask.height) == (40, 24)
    assert torch.equal(made.image.pixels, picture.pixels[:, 3:27, 2:42])
    same = nodes["inpaint.align"](image(40, 24), mask(40, 24), 8)
    assert torch.equal(same.mask.values, mask(40, 24).values)


def test_a_picture_that_nothing_is_left_of_is_refused(nodes, image, mask):
    with pytest.raises(SizeMismatchError, match="smaller than 8 × 8"):
        nodes["inpaint.align"](image(40, 7), mask(), 8)
