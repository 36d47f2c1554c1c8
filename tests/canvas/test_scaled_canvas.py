"""The whole picture in another size."""

from dataclasses import replace

import numpy as np
import pytest

from nodeforge.canvas import (
    CanvasSizeError,
    LayerKind,
    State,
    Tiles,
    composite,
    pictured,
    rectangle,
    scaled,
)
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.imaging import Box, Method, resize_part


def smooth(width: int, height: int) -> np.ndarray:
    """Opaque, falling and rising slowly: no filter changes it much."""
    y, x = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin(x / 40 + i) * np.cos(y / 50) for i in range(3)]
    return np.dstack([*waves, np.full((height, width), 255)]).astype(np.uint8)


def state_of(*layers: tuple[np.ndarray, tuple[int, int]], size=(600, 500)) -> State:
    state = State(*size)
    for pixels, offset in layers:
        kind = LayerKind.MASK if pixels.ndim == 2 else LayerKind.PAINT
        state = with_new(state, new_layer(state, kind, tiles=Tiles.of(pixels), offset=offset))
    return state


def shown(state: State) -> np.ndarray:
    return composite(pictured(state), state.box)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("size", [(300, 250), (1200, 1000), (601, 333), (7, 500)])
def test_a_picture_is_as_if_it_were_resized_in_one_piece(method: Method, size):
    pixels = smooth(600, 500)
    made = shown(scaled(state_of((pixels, (0, 0))), size[0], size[1], method))
    whole = resize_part(pixels, (0, 0, 600, 500), size[0], size[1], method)
    assert np.abs(made.astype(int) - whole).max() <= 3  # rounded twice
    assert (made[..., 3] == 255).all()


def test_layers_beside_the_corner_stay_in_register():
    pixels = smooth(600, 500)
    together = state_of((pixels, (0, 0)))
    apart = state_of((pixels[:, :301], (0, 0)), (pixels[:, 301:], (301, 0)))
    first, second = (scaled(each, 900, 750) for each in (together, apart))
    inner = shown(second)[:, :440], shown(first)[:, :440]
    assert np.abs(inner[0].astype(int) - inner[1]).max() <= 1
    moved = scaled(state_of((smooth(100, 100), (-30, 450))), 1200, 1000).layers[0]
    bounds = moved.tiles.bounds()
    assert moved.offset == (0, 0)
    assert bounds is not None
    assert np.abs(np.subtract(bounds, (-60, 900, 200, 200))).max() <= 10


def test_masks_and_selection_come_along():
    mask = np.zeros((500, 600), np.uint8)
    mask[100:200, 100:300] = 255
    state = state_of((smooth(600, 500), (0, 0)), (mask, (0, 0)))
    state = replace(state, selection=rectangle(100, 100, 300, 200))
    half = scaled(state, 300, 250, Method.AREA)
    assert half.layers[1].tiles.bounds() == Box(50, 50, 100, 50)
    assert half.selection is not None
    assert half.selection.bounds() == Box(50, 50, 100, 50)
    assert half.active == state.active


def test_alpha_stays_at_least_as_large_as_the_colours():
    pixels = np.zeros((500, 600, 4), np.uint8)
    pixels[100:150, 100:150] = 255
    made = scaled(state_of((pixels, (3, 5))), 1000, 900).layers[0].tiles
    assert all((tile <= tile[..., 3:]).all() for _, tile in made.items())


def test_what_is_far_away_costs_no_memory():
    pixels = np.full((10, 10, 4), 255, np.uint8)
    state = state_of((pixels, (0, 0)), (pixels, (500_000, -500_000)))
    made = scaled(state, 1200, 1000)
    assert len(made.layers[1].tiles) <= 4


@pytest.mark.parametrize("size", [(0, 10), (8193, 10), (10, 100_000)])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(CanvasSizeError):
        scaled(state_of(), *size)


def test_it_tells_how_far_it_is():
    told: list[float] = []
    scaled(state_of((smooth(600, 500), (0, 0))), 300, 250, tell=told.append)
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1
