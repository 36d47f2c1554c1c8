"""Batches, layers, tiles and parts of masks, as nodes."""

import pytest
import torch

from nodeforge.api import Image, Mask, SizeMismatchError
from nodeforge.imaging import (
    BlendMode,
    Channel,
    ColourDistance,
    EmptyBatchError,
    PartOrder,
    PictureError,
)


def test_a_batch_is_put_together_and_taken_apart(nodes, image):
    first, second = image(batch=2, seed=1), image(seed=2)
    made = nodes["image.batch"]([first, second])
    assert nodes["image.size"](made) == (40, 30, 3)
    assert torch.equal(nodes["image.slice"](made, 0, 2).pixels, first.pixels)
    assert torch.equal(nodes["image.slice"](made, -1).pixels, second.pixels)
    assert nodes["image.repeat"](made, 3).batch == 9


def test_an_empty_batch_is_refused_by_every_kind_of_node(nodes, image):
    none, no_mask = Image(torch.zeros(0, 4, 4, 3)), Mask(torch.zeros(0, 4, 4))
    for name in ("image.adjust", "image.slice", "image.text", "image.levels", "mask.from_channel"):
        with pytest.raises(EmptyBatchError):
            nodes[name](none)
    with pytest.raises(EmptyBatchError):
        nodes["image.blend"](none, none)
    for name in ("mask.parts", "mask.part", "mask.bounds"):
        with pytest.raises(EmptyBatchError):
            nodes[name](no_mask)


def test_tiles_of_a_batch_come_back_bit_for_bit(nodes, image):
    pictures = image(70, 50, batch=2, channels=4)
    cut = nodes["image.split_tiles"](pictures, 32, 8)
    back = nodes["image.join_tiles"](cut.tiles, pictures, cut.size, cut.overlap)
    assert torch.equal(back.pixels, pictures.pixels)
    with pytest.raises(SizeMismatchError, match="2 pictures of 70 × 50 pixels are cut into 12"):
        nodes["image.join_tiles"](image(32, 32, batch=6), pictures, 32, 8)


def test_a_layer_covers_its_place_and_no_other(nodes, image):
    base, over = image(batch=2, seed=1), image(10, 10, seed=2)
    made = nodes["image.layer"](base, over, left=35, top=-4)
    assert torch.equal(made.pixels[1, :6, 35:], over.pixels[0, 4:, :5])
    made.pixels[:, :6, 35:] = base.pixels[:, :6, 35:]
    assert torch.equal(made.pixels, base.pixels)
    assert torch.equal(nodes["image.layer"](base, over, left=100).pixels, base.pixels)
    assert torch.equal(nodes["image.layer"](base, over, opacity=0.0).pixels, base.pixels)


def test_a_layer_is_seen_through_its_mask_and_mode(nodes):
    base, over = Image(torch.full((1, 2, 2, 3), 0.5)), Image(torch.full((1, 2, 2, 3), 0.25))
    mask = Mask(torch.tensor([[[0.0, 0.5], [1.0, 1.0]]]))
    made = nodes["image.layer"](base, over, mask, mode=BlendMode.MULTIPLY)
    assert made.pixels[0, ..., 0].tolist() == [[0.5, 0.3125], [0.125, 0.125]]
    with pytest.raises(SizeMismatchError, match="mask is 2 × 2 pixels, the picture 1 × 2"):
        nodes["image.layer"](base, Image(over.pixels[:, :, :1]), mask)


def test_transparency_is_set_and_removed(nodes, image, mask):
    picture = image(channels=4)
    clear = nodes["image.set_alpha"](picture, mask())
    assert torch.equal(nodes["mask.from_alpha"](clear).values, mask().values)
    flat = nodes["image.flatten"](clear, "#ff0000")
    assert flat.pixels[0, 10, 12].tolist() == [1, 0, 0]
    assert torch.equal(flat.pixels[0, 0, 0], picture.pixels[0, 0, 0, :3])
    assert torch.equal(nodes["image.flatten"](image()).pixels, image().pixels)


def test_pictures_are_compared_by_numbers(nodes, image):
    black = Image(torch.zeros(1, 2, 2, 3))
    other = Image(black.pixels.clone())
    other.pixels[0, 0, 0] = torch.tensor([0.5, 0.0, 0.0])
    made = nodes["image.similarity"](black, other)
    assert made == pytest.approx((0.5 / 12, 0.5, 0.25, 10 * 1.6812412))
    assert nodes["image.similarity"](image(), image()) == (0, 0, 0, 100)
    with pytest.raises(SizeMismatchError):
        nodes["image.similarity"](image(), image(41, 30))
    other.pixels[0, 1, 1] = float("nan")
    with pytest.raises(PictureError, match="NaN"):
        nodes["image.similarity"](black, other)


def test_pictures_are_scaled_to_an_area_or_a_side(nodes, image):
    made = nodes["image.scale_to_area"](image(40, 30), 0.01, 1)
    assert (made.width, made.height) == (118, 89)
    assert nodes["image.scale_to_area"](image(40, 30), 0.01, 16).width == 112
    made = nodes["image.scale_to_side"](image(40, 30), 20)
    assert (made.width, made.height) == (20, 15)


PIXEL = Image(torch.tensor([[[[1.0, 0.5, 0.25, 0.5]]]]))


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        (Channel.RED, 0.5),
        (Channel.GREEN, 0.25),
        (Channel.BLUE, 0.125),
        (Channel.ALPHA, 0.5),
        (Channel.LUMINANCE, 0.2126 * 0.5 + 0.7152 * 0.25 + 0.0722 * 0.125),
    ],
)
def test_a_channel_is_a_mask_of_its_values(nodes, channel, value):
    assert nodes["mask.from_channel"](PIXEL, channel).values.item() == pytest.approx(value)
    opaque = Image(PIXEL.pixels[..., :3])
    assert nodes["mask.from_channel"](opaque, Channel.ALPHA).values.item() == 1


def test_a_colour_is_found_by_how_it_looks(nodes):
    """CIE Lab: black and white are 1 apart; sRGB's grey 119 has a lightness of 50.03."""
    greys = Image(torch.tensor([0.0, 119 / 255, 1.0]).reshape(1, 1, 3, 1).repeat(1, 1, 1, 3))

    def found(tolerance):
        made = nodes["mask.from_colour"](greys, "#000", tolerance, ColourDistance.PERCEPTUAL)
        return made.values.flatten().tolist()

    assert found(0.49) == [1, 0, 0]
    assert found(0.51) == [1, 1, 0]
    assert found(1.0) == [1, 1, 1]


def parts_mask():
    """Areas 4 (corners touch), 6 and 1."""
    values = torch.zeros(1, 6, 10)
    values[0, 0:2, 6:8] = torch.tensor([[1.0, 0.0], [0.0, 0.5]])
    values[0, 2, 8:10] = 1
    values[0, 3:6, 0:2] = 0.25
    values[0, 5, 9] = 1
    return Mask(values)


def test_parts_of_a_mask_hang_together_and_keep_their_values(nodes):
    made = nodes["mask.parts"](parts_mask(), least_area=1)
    assert made.number == 3
    assert [int((m > 0).sum()) for m in made.masks.values] == [6, 4, 1]
    assert made.masks.values[0].max() == 0.25
    assert torch.equal(made.masks.values.sum(dim=0), parts_mask().values[0])


@pytest.mark.parametrize(
    ("order", "areas"),
    [(PartOrder.LARGEST, [6, 4]), (PartOrder.LEFT, [6, 4]), (PartOrder.TOP, [4, 6])],
)
def test_parts_are_sorted_and_small_ones_left_out(nodes, order, areas):
    made = nodes["mask.parts"](parts_mask(), 2, 8, order)
    assert [int((m > 0).sum()) for m in made.masks.values] == areas
    assert nodes["mask.parts"](parts_mask(), 2, 1, order).number == 1
    one = nodes["mask.part"](parts_mask(), 1, 2, order)
    assert int((one.values > 0).sum()) == areas[1]


def test_beyond_the_last_part_the_mask_is_empty(nodes):
    assert nodes["mask.part"](parts_mask(), 3, 1).values.max() == 0
    made = nodes["mask.parts"](Mask(torch.zeros(2, 5, 4)))
    assert made.number == 0
    assert made.masks.values.shape == (1, 5, 4)


def test_the_box_of_a_mask_crops_what_is_masked(nodes, image, mask):
    box = nodes["mask.bounds"](mask())
    assert box == (10, 8, 12, 9)
    assert torch.equal(nodes["image.crop"](image(), *box).pixels, image().pixels[:, 8:17, 10:22])
    assert nodes["mask.bounds"](mask(), 9) == (1, 0, 30, 26)
    assert nodes["mask.bounds"](Mask(torch.zeros(1, 5, 4)), 2) == (0, 0, 4, 5)
