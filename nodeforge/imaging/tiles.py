"""Pictures cut into tiles that overlap, and joined again without seams."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from nodeforge.imaging.arrange import check_pixels
from nodeforge.imaging.arrays import Pixels, alike
from nodeforge.imaging.blend import crossfade
from nodeforge.imaging.masks import Box
from nodeforge.values import SizeMismatchError

MOST_TILES = 4096


def tile_boxes(width: int, height: int, size: int, overlap: int) -> list[Box]:
    """Where the tiles of a picture lie, row by row; all of one size, spread evenly.

    Args:
        width, height: Of the picture, pixels.
        size: Side of a tile, pixels; less where the picture is smaller.
        overlap: Pixels that neighbours share at least.

    Raises:
        SizeMismatchError: the overlap is more than half a tile, or the tiles are too many.
    """
    if 2 * overlap > size:
        raise SizeMismatchError(
            f"an overlap of {overlap} pixels is more than half of a tile of {size}.",
            way_out="Take larger tiles, or a smaller overlap.",
        )
    wide, high = min(size, width), min(size, height)
    columns, rows = _starts(width, wide, overlap), _starts(height, high, overlap)
    if len(columns) * len(rows) > MOST_TILES:
        raise SizeMismatchError(
            f"a picture of {width} × {height} pixels in tiles of {size} makes "
            f"{len(columns) * len(rows):,} tiles; {MOST_TILES:,} are the most.",
            way_out="Take larger tiles.",
        )
    return [Box(left, top, wide, high) for top in rows for left in columns]


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    count = 1 + math.ceil((length - tile) / max(1, tile - overlap))
    return [round(i * (length - tile) / max(1, count - 1)) for i in range(count)]


def cut_tiles(pixels: Pixels, size: int, overlap: int) -> Pixels:
    """The tiles of a picture, (tiles, height, width, channels), as `tile_boxes` lays them.

    Raises:
        SizeMismatchError: see `tile_boxes`.
        PictureTooLargeError: they would be too large together.
    """
    boxes = tile_boxes(pixels.shape[1], pixels.shape[0], size, overlap)
    check_pixels(boxes[0].width, boxes[0].height, len(boxes))
    return np.stack([pixels[b.top : b.bottom, b.left : b.right] for b in boxes])


def join_tiles(
    tiles: Pixels, picture_size: tuple[int, int], size: int, overlap: int, count: int = 1
) -> Pixels:
    """The pictures whose tiles `cut_tiles` gave, each tile faded into its neighbours.

    Where overlapping tiles agree, their bits are kept, so tiles that nothing changed make the
    picture that they were cut from.

    Args:
        tiles: (tiles, height, width, channels), those of the first picture first; all may be
            larger or smaller by one factor.
        picture_size: Width and height of the pictures that were cut, pixels.
        size, overlap: As they were cut.
        count: How many pictures were cut.

    Returns:
        (count, height, width, channels).

    Raises:
        SizeMismatchError: there are more or fewer tiles, or their size is not that of the cut
            times a factor that leads to whole pixels.
    """
    boxes = tile_boxes(*picture_size, size, overlap)
    if len(tiles) != count * len(boxes):
        several = f"{count} pictures of " if count > 1 else ""
        raise SizeMismatchError(
            f"there are {len(tiles)} tiles; {several}{picture_size[0]} × {picture_size[1]} pixels "
            f"are cut into {count * len(boxes)}.",
            way_out="Give all tiles, with the size and the overlap that they were cut with.",
        )
    columns = sum(box.top == boxes[0].top for box in boxes)
    lefts = _scaled([box.left for box in boxes[:columns]], tiles.shape[2], boxes[0].width)
    tops = _scaled([box.top for box in boxes[::columns]], tiles.shape[1], boxes[0].height)
    check_pixels(lefts[-1] + tiles.shape[2], tops[-1] + tiles.shape[1], count)
    starts = range(0, len(tiles), columns)
    rows = [_joined(tiles[start : start + columns], lefts).transpose(1, 0, 2) for start in starts]
    pictures = (
        _joined(rows[i : i + len(tops)], tops).transpose(1, 0, 2)
        for i in range(0, len(rows), len(tops))
    )
    return np.stack(list(pictures))


def _scaled(starts: list[int], now: int, cut: int) -> list[int]:
    """Where tiles start that are `now` pixels long, and were `cut`."""
    factor = Fraction(now, cut)
    scaled = [start * factor for start in starts]
    if any(start.denominator != 1 for start in scaled):
        raise SizeMismatchError(
            f"tiles of {cut} pixels became {now}, which does not lead to whole pixels.",
            way_out="Enlarge them by a whole factor.",
        )
    return [int(start) for start in scaled]


def _joined(tiles: Sequence[Pixels] | Pixels, starts: Sequence[int]) -> Pixels:
    """Tiles side by side, each fading in over what it shares with those before it."""
    out = tiles[0]
    for tile, start in zip(tiles[1:], starts[1:], strict=True):
        out, tile = alike(out, tile)
        shared = out.shape[1] - start
        ramp = (np.arange(shared, dtype=np.float32) + 1) / np.float32(shared + 1)
        faded = crossfade(out[:, start:], tile[:, :shared], ramp[None, :, None])
        out = np.concatenate([out[:, :start], faded, tile[:, shared:]], axis=1)
    return out
