"""Opens picture files as layers, and exports the canvas.

A picture is shown in sRGB. Its file is kept as it was: where the canvas still shows what the
file shows, an export writes the file's own values, in the file's own colour profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nodeforge.canvas.document.blending import premultiplied, straight
from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import Layer, LayerKind, Origin
from nodeforge.canvas.document.tiles import Tiles
from nodeforge.canvas.edits.layers import new_layer, with_new
from nodeforge.imaging import (
    Box,
    Bytes,
    PictureFormat,
    Stored,
    decode_bytes,
    decode_stored,
    encode,
    from_srgb,
    is_deep,
    read_file,
)


@dataclass(frozen=True)
class OpenedPicture:
    """A picture file that was read.

    Args:
        width, height: Pixels.
        tiles: What it shows, in sRGB.
        origin: The file.
        deep: The file has more than the canvas' 8 bits a channel.
    """

    width: int
    height: int
    tiles: Tiles
    origin: Origin = field(repr=False)
    deep: bool = False


def open_picture(source: bytes | Path, name: str = "") -> OpenedPicture:
    """Read a picture of any kind that `nodeforge.imaging.decode` reads. May take seconds.

    Args:
        source: The file, or its content.
        name: What to call it; else the file's name.

    Raises:
        PictureError: it is no whole picture, or too large.
    """
    data = read_file(source)
    if not name:
        name = source.name if isinstance(source, Path) else "Picture"
    pixels = decode_bytes(data)
    tiles = Tiles.of(premultiplied(pixels))
    return OpenedPicture(pixels.shape[1], pixels.shape[0], tiles, Origin(data, name), is_deep(data))


def state_of(opened: OpenedPicture) -> State:
    """A canvas of a picture's size that shows it.

    Raises:
        CanvasSizeError: it is too wide or high.
    """
    state = State(opened.width, opened.height)
    return with_new(state, _layer(state, opened, (0, 0)))


def add_picture(
    canvas: Canvas, opened: OpenedPicture, left: int | None = None, top: int = 0
) -> CanvasEdit:
    """Put a picture into a layer of its own: in the middle, or with its corner at a place."""

    def work(state: State) -> State:
        place = _middle(state, opened) if left is None else (left, top)
        return with_new(state, _layer(state, opened, place))

    return CanvasEdit(canvas, "add picture", work)


def add_pictures(canvas: Canvas, opened: Sequence[OpenedPicture], name: str) -> CanvasEdit:
    """Put pictures into the layers of one group, the first lowest, each in the middle."""

    def work(state: State) -> State:
        state = with_new(state, new_layer(state, LayerKind.GROUP, name))
        group = state.active
        for each in opened:
            state = with_new(state, _layer(state, each, _middle(state, each)))
        return replace(state, active=group)

    return CanvasEdit(canvas, "add pictures", work)


def _middle(state: State, opened: OpenedPicture) -> tuple[int, int]:
    return (state.width - opened.width) // 2, (state.height - opened.height) // 2


def _layer(state: State, opened: OpenedPicture, offset: tuple[int, int]) -> Layer:
    layer = new_layer(state, LayerKind.PICTURE, Path(opened.origin.name).stem)
    return replace(layer, tiles=opened.tiles, origin=opened.origin, offset=offset)


def export_picture(
    state: State,
    format: PictureFormat,
    text: Mapping[str, str] | None = None,
    quality: int = 95,
    box: Box | None = None,
) -> bytes:
    """What the visible picture and paint layers show, as the bytes of a file.

    Where that is what the lowest picture's file shows, the file's own values are written, in
    its own profile: PNG (and WebP at quality 100) return them bit for bit.

    Raises:
        PictureTooLargeError: WebP holds up to 16,383 pixels along a side.
    """
    box = box or state.box
    shown = composite(pictured(state), box)
    pixels, profile = _with_origin(shown, straight(shown), state, box)
    if pixels.shape[2] == 4 and (pixels[..., 3] == 255).all():
        pixels = pixels[..., :3]
    return encode(np.ascontiguousarray(pixels), format, text, quality, profile)


def _with_origin(shown: Bytes, pixels: Bytes, state: State, box: Box) -> tuple[Bytes, bytes]:
    """`pixels` in the profile of the file below, with its own values where nothing changed."""
    layer = next((layer for layer in pictured(state) if layer.origin), None)
    if layer is None or layer.origin is None:
        return pixels, b""
    stored = decode_stored(layer.origin.data)
    if stored.mode not in ("RGB", "RGBA"):  # greys, which a canvas cannot give back as greys
        stored = Stored(decode_bytes(layer.origin.data), "RGB", b"")
    profile = stored.profile
    if profile:
        colours = from_srgb(np.ascontiguousarray(pixels[..., :3]), profile)
        if colours is None:
            return pixels, b""
        pixels = np.dstack([colours, pixels[..., 3]])
    _restore(pixels, shown, stored.pixels, layer, box)
    return pixels, profile


def _restore(pixels: Bytes, shown: Bytes, stored: Bytes, layer: Layer, box: Box) -> None:
    """Put the file's own values where `shown` is what the file shows."""
    assert layer.origin is not None
    left = layer.offset[0] + layer.origin.left
    top = layer.offset[1] + layer.origin.top
    there = Box(left, top, stored.shape[1], stored.shape[0]).overlap(box)
    if there is None:
        return
    here = _slices(there.moved(-box.left, -box.top))
    file = _slices(there.moved(-left, -top))
    first = premultiplied(decode_bytes(layer.origin.data)[file])
    same = (shown[here].view(np.uint32) == first.view(np.uint32))[..., 0]
    own = stored[file]
    part = pixels[here]
    part[..., : own.shape[2]][same] = own[same]


def _slices(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)
