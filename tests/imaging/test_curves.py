from itertools import pairwise

import numpy as np
import pytest

from nodeforge.imaging import CurveChannel, CurveError, curve, curve_points, levels
from nodeforge.imaging.curves import monotone_cubic

GREYS = (np.arange(256, dtype=np.float32) / np.float32(255)).reshape(16, 16, 1).repeat(3, 2)


def test_points_are_read_in_any_order():
    assert curve_points("255:255, 0:0,128 : 140") == [(0, 0), (128, 140), (255, 255)]
    assert curve_points("0:10; 255:20\n100:15.5,") == [(0, 10), (100, 15.5), (255, 20)]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "0 points"),
        ("0:0", "1 points"),
        ("0:0, 5:7, 5:9", "two points lie at 5"),
        ("0:0, 256:1", "not from 0 to 255"),
        ("0:-1, 255:1", "not from 0 to 255"),
        ("0:nan, 255:1", "not from 0 to 255"),
        ("inf:0, 255:1", "not from 0 to 255"),
        ("0:0, x:1", "'x:1' is no point"),
        ("0, 255", "'0' is no point"),
        ("0:0:0, 1:1", "is no point"),
        (",".join(f"{i / 2}:0" for i in range(300)), "300 points"),
    ],
)
def test_points_that_make_no_curve_are_refused(text, fact):
    with pytest.raises(CurveError, match=fact) as refused:
        curve_points(text)
    assert refused.value.way_out


@pytest.mark.parametrize("text", ["0:0, 255:255", "0:0, 64:64, 130:130, 255:255"])
def test_a_straight_curve_keeps_every_bit(text):
    assert np.array_equal(curve(GREYS, curve_points(text)), GREYS)


def test_a_curve_is_that_of_fritsch_and_carlson():
    """By hand: secants 1 and 3, slopes 1, 2, 3; at 0.5 the first piece is 0.5 - (2 - 1) / 8."""
    points = [(0, 0), (1, 1), (2, 4)]
    made = monotone_cubic(points, np.array([-1, 0, 0.5, 1, 1.5, 2, 9.0]))
    assert made.tolist() == [0, 0, 0.375, 1, 2.375, 4, 4]


def test_a_steep_step_is_bounded_by_the_circle_of_radius_3():
    """By hand: secants 1 and 9, slopes 1, 5, 9; (1, 5) is sqrt(26) from 0, so 3 / sqrt(26)."""
    made = monotone_cubic([(0, 0), (1, 1), (2, 10)], np.array([0.5]))
    shrunk = 3 / np.sqrt(26)
    assert made[0] == pytest.approx(0.5 + (1 * shrunk - 5 * shrunk) / 8)


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_passes_its_points_and_never_overshoots(seed):
    draw = np.random.default_rng(seed)
    x = np.sort(draw.choice(256, 7, replace=False)).astype(float)
    y = draw.integers(0, 256, 7).astype(float)
    points = list(zip(x, y, strict=True))
    assert monotone_cubic(points, x) == pytest.approx(y)
    for (a, low), (b, high) in pairwise(points):
        between = monotone_cubic(points, np.linspace(a, b, 50))
        assert (np.diff(between) * np.sign(high - low) >= -1e-9).all()
        assert between.min() >= min(low, high) - 1e-9
        assert between.max() <= max(low, high) + 1e-9


def test_a_curve_changes_its_channel_alone(picture):
    pixels, points = picture(channels=4), curve_points("0:255, 255:0")
    red = curve(pixels, points, CurveChannel.RED)
    assert red[..., 0] == pytest.approx(1 - pixels[..., 0], abs=1e-6)
    assert np.array_equal(red[..., 1:], pixels[..., 1:])
    alpha = curve(pixels, points, CurveChannel.ALPHA)
    assert alpha[..., 3] == pytest.approx(1 - pixels[..., 3], abs=1e-6)
    opaque = picture()
    assert np.array_equal(curve(opaque, points, CurveChannel.ALPHA), opaque)


def test_levels_spread_what_is_between_black_and_white():
    grey = np.array([0, 51, 102, 153, 255], np.float32).reshape(1, 5, 1).repeat(3, 2) / 255
    assert levels(grey, 51, 153)[0, :, 0].tolist() == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-6)
    assert levels(grey, gamma=2.0)[0, 1, 0] == pytest.approx(0.2**0.5)
    assert levels(grey, darkest=255, brightest=0)[0, :, 0] == pytest.approx(1 - grey[0, :, 0])
    assert np.array_equal(levels(GREYS), GREYS)


@pytest.mark.parametrize(("black", "white"), [(10, 10), (20, 10), (0, float("nan"))])
def test_levels_without_a_span_are_refused(black, white):
    with pytest.raises(CurveError, match="not above black"):
        levels(GREYS, black, white)
