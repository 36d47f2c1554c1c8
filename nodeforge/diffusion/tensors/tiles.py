"""Splits latents into overlapping tiles and blends the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Tile(NamedTuple):
    """Where a tile lies, in cells."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, x: Tensor, scale: int = 1) -> Tensor:
        """This place of `x`, (..., height, width), which has `scale` cells for one."""
        top, left, height, width = (side * scale for side in self)
        return x[..., top : top + height, left : left + width]


def map_tiles(
    x: Tensor,
    work: Callable[[Tensor], Tensor],
    tile: int,
    overlap: int,
    check: Callable[[], None] = lambda: None,
    *,
    unsure: int = 0,
) -> Tensor:
    """`work` done on overlapping tiles of `x`, the results faded into each other.

    Args:
        x: (batch, channels, height, width).
        work: Maps a tile to one that is larger or smaller by a whole factor.
        tile: Side of a tile in cells of `x`.
        overlap: Cells that neighbours share, below `tile`.
        check: Called before each tile; what it raises stops the work.
        unsure: Cells beside a neighbour that are left to it, as the work would need to know what
            lies beyond them; below half the overlap.
    """
    return map_placed_tiles(x, lambda part, _: work(part), tile, overlap, check, unsure=unsure)


def map_placed_tiles(
    x: Tensor,
    work: Callable[[Tensor, Tile], Tensor],
    tile: int,
    overlap: int,
    check: Callable[[], None] = lambda: None,
    *,
    unsure: int = 0,
) -> Tensor:
    """`in_tiles` for work that asks where its tile lies."""
    height, width = x.shape[-2:]
    total = weight = None
    for top in _starts(height, tile, overlap):
        for left in _starts(width, tile, overlap):
            check()
            place = Tile(top, left, min(tile, height), min(tile, width))
            done = work(place.cut(x), place)
            down = _Scale(place.height, done.shape[-2])
            right = _Scale(place.width, done.shape[-1])
            if total is None or weight is None:
                shape = (*done.shape[:2], down(height), right(width))
                total, weight = done.new_zeros(shape), done.new_zeros(1, 1, *shape[2:])
            beyond = (top, height - top - place.height), (left, width - left - place.width)
            rows = _ramp(done, -2, down(overlap), down(unsure), beyond[0])
            columns = _ramp(done, -1, right(overlap), right(unsure), beyond[1])
            fade = (rows[:, None] * columns[None, :])[None, None]
            into = Tile(down(top), right(left), *done.shape[-2:])
            into.cut(total).add_(done * fade)
            into.cut(weight).add_(fade)
    assert total is not None
    assert weight is not None
    return total / weight


def placed_tiles(height: int, width: int, tile: int, overlap: int) -> Iterator[Tile]:
    """Where the tiles lie, row after row."""
    for top in _starts(height, tile, overlap):
        for left in _starts(width, tile, overlap):
            yield Tile(top, left, min(tile, height), min(tile, width))


def tile_count(height: int, width: int, tile: int, overlap: int) -> int:
    """How many tiles `in_places` works on."""
    return len([*_starts(height, tile, overlap)]) * len([*_starts(width, tile, overlap)])


class _Scale:
    """How lengths change from before the work to after it."""

    def __init__(self, before: int, after: int) -> None:
        self._before, self._after = before, after

    def __call__(self, length: int) -> int:
        return length * self._after // self._before


def _starts(length: int, tile: int, overlap: int) -> Iterator[int]:
    """Where tiles start, the last one ending with the picture."""
    at = 0
    while at + tile < length:
        yield at
        at += tile - overlap
    yield max(0, length - tile)


def _ramp(done: Tensor, axis: int, overlap: int, unsure: int, beyond: tuple[int, int]) -> Tensor:
    """Weights along an axis of what was done: 1, and falling to 0 where a neighbour overlaps.

    Args:
        done: The result for a tile.
        axis: -2 for rows, -1 for columns.
        overlap: What neighbours share, in its cells.
        unsure: How many of them weigh nothing.
        beyond: What of the whole lies before and after the tile; without any it does not fall.
    """
    at = torch.arange(1, done.shape[axis] + 1, device=done.device, dtype=done.dtype)
    rise = ((at - unsure) / (overlap + 1 - 2 * unsure)).clamp(0, 1)
    weights = torch.ones_like(rise)
    for side, ramp in zip(beyond, (rise, rise.flip(0)), strict=True):
        if side:
            weights = torch.minimum(weights, ramp)
    return weights
