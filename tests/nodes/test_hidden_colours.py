"""Colours under full transparency change nothing that is made of a picture."""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from nodeforge import imaging
from nodeforge.api import Image, Mask, Region
from nodeforge.imaging import put_back

HEIGHT, WIDTH = 24, 40
SEEN = np.zeros((HEIGHT, WIDTH), bool)
SEEN[6:18, 10:30] = True


def hiding(colour, seed=0):
    """Noise in a rectangle; elsewhere a colour that is transparent."""
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    pixels[..., 3] = np.where(SEEN, 255, 0)
    pixels[~SEEN, :3] = colour
    return pixels


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 10, 90)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_mask_counts_no_brightness_under_transparency(nodes, tmp_path, mode, colour):
    """files A11: a white brush on a transparent layer."""
    pixels = hiding(colour)
    pixels[SEEN, :3] = 255
    Pillow.fromarray(pixels).convert(mode).save(tmp_path / "m.png")
    loaded = nodes["mask.load"](tmp_path / "m.png").values[0].numpy()
    assert np.array_equal(loaded, SEEN.astype(np.float32))


def test_half_transparent_white_is_half_a_mask(nodes, tmp_path):
    """files A11: laid on black."""
    Pillow.new("RGBA", (3, 2), (255, 255, 255, 51)).save(tmp_path / "m.png")
    assert nodes["mask.load"](tmp_path / "m.png").values.unique().tolist() == pytest.approx([0.2])


READERS = [
    "image.edges",
    "image.soft_edges",
    "image.line_art",
    "image.scribble",
    "image.blur",
    "image.tile",
    "image.colour_cells",
    "mask.from_colour",
    "mask.from_alpha",
]


@pytest.mark.parametrize("name", READERS)
def test_hidden_colours_do_not_matter(nodes, name):
    """files A11."""
    made = []
    for colour in ((255, 255, 255), (0, 0, 0), (0, 200, 90)):
        image = Image(torch.from_numpy(imaging.to_float(hiding(colour))[None]))
        result = nodes[name](image)
        made.append(result.values if isinstance(result, Mask) else result.pixels)
    assert all(torch.equal(each, made[0]) for each in made)
    assert "image" in inspect.signature(nodes[name]).parameters


def test_hidden_colours_are_no_reference_for_colours(nodes):
    """files A11: neither those of the picture nor those of the reference."""

    def matched(first, second):
        image, reference = (
            Image(torch.from_numpy(imaging.to_float(hiding(colour, seed))[None]))
            for seed, colour in ((0, first), (1, second))
        )
        return nodes["image.match_colour"](image, reference).pixels[0][torch.from_numpy(SEEN)]

    plain = matched((0, 0, 0), (0, 0, 0))
    assert torch.equal(matched((255, 0, 90), (0, 0, 0)), plain)
    assert torch.equal(matched((0, 0, 0), (9, 255, 9)), plain)


def test_what_a_network_is_shown_has_no_hidden_colours():
    """files A11: VAE encode, ControlNets, image encoders."""
    one, other = (
        Image(torch.from_numpy(imaging.to_float(hiding(colour))[None]))
        for colour in ((255, 0, 0), (0, 0, 255))
    )
    assert torch.equal(one.colours, other.colours)
    plain = Image(one.pixels[..., :3])
    assert plain.colours is plain.pixels


@pytest.mark.parametrize("feather", [0, 1, 8, 40])
def test_a_transparent_hole_is_filled_to_its_edge(feather):
    """files A12: there is nothing to fade to."""
    hole = np.zeros((70, 100), bool)
    hole[20:50, 20:60] = True
    original = np.full((70, 100, 4), 0.5, np.float32)
    original[hole] = 0
    generated = np.full((70, 100, 3), 0.8, np.float32)
    region = Region(0, 0, 100, 70, 100, 70)
    made = put_back(original, generated, hole.astype(np.float32), region, feather)
    assert (made[hole, 3] == 1).all()
    assert np.allclose(made[hole, :3], 0.8)
    assert np.array_equal(made[~hole], original[~hole])


def test_an_opaque_part_of_a_mask_still_fades():
    """files A12: only what was transparent is covered at once."""
    mask = np.zeros((40, 80), np.float32)
    mask[10:30, 10:70] = 1
    original = np.ones((40, 80, 4), np.float32)
    original[:, 40:, 3] = 0
    generated = np.zeros((40, 80, 3), np.float32)
    made = put_back(original, generated, mask, Region(0, 0, 80, 40, 80, 40), 8)
    row = made[20]
    assert 0 < row[11, 0] < 1
    assert row[11, 3] == 1
    assert row[68].tolist() == [0, 0, 0, 1]
    assert row[72].tolist() == [1, 1, 1, 0]


def test_a_soft_mask_over_nothing_keeps_its_softness():
    """files A12."""
    mask = np.linspace(0, 1, 50, dtype=np.float32)[None].repeat(8, axis=0)
    made = put_back(
        np.zeros((8, 50, 4), np.float32), np.ones((8, 50, 3), np.float32), mask,
        Region(0, 0, 50, 8, 50, 8), 8,
    )  # fmt: skip
    assert np.allclose(made[..., 3], mask, atol=1e-6)
