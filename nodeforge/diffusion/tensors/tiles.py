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
) -> Tensor:
    """`work` done on overlapping tiles of `x`, the results faded into each other.

    Args:
        x: (batch, channels, height, width).
        work: Maps a tile to one that is larger or smaller by a whole factor.
        tile: Side of a tile in cells of `x`.
        overlap: Cells that neighbours share, below `tile`.
        check: Called before each tile; what it raises stops the work.
    """
    return map_placed_tiles(x, lambda part, _: work(part), tile, overlap, check)


def map_placed_tiles(
    x: Tensor,
    work: Callable[[Tensor, Tile], Tensor],
    tile: int,
    overlap: int,
    check: Callable[[], None] = lambda: None,
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
            fade = _fade(done, down(overlap), right(overlap))
            into = Tile(down(top), right(left), *done.shape[-2:])
            into.cut(total).add_(done * fade)
            into.cut(weight).add_(fade)
    assert total is not None
    assert weight is not None
    return total / weight


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


def _fade(done: Tensor, down: int, right: int) -> Tensor:
    """Weights that rise from every side over the overlap, above 0 everywhere."""
    height, width = done.shape[-2:]
    rows, columns = _ramp(height, down, done), _ramp(width, right, done)
    return (rows[:, None] * columns[None, :])[None, None]


def _ramp(length: int, overlap: int, like: Tensor) -> Tensor:
    at = torch.arange(length, device=like.device, dtype=like.dtype)
    from_side = torch.minimum(at, length - 1 - at) + 1
    return (from_side / max(1, overlap)).clamp(max=1)
