"""The source of a generation: generation box, pixels and masks taken from the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

import cv2
import numpy as np

from nodeforge.canvas import (
    ControlSettings,
    Layer,
    LayerKind,
    State,
    Tiles,
    composite,
    pictured,
    straight,
    visible,
)
from nodeforge.canvas.generation.box import auto_box
from nodeforge.canvas.generation.controls import ControlPicture
from nodeforge.canvas.generation.native_size import NativeSize
from nodeforge.canvas.generation.references import ReferencePicture
from nodeforge.canvas.generation.request import Selection, Source
from nodeforge.imaging import BlendMode, Box, Bytes


def box_for_masks(state: State, strength: float, native: NativeSize) -> Box:
    """The generation box that fits the masks; the whole canvas if there are none."""
    bounds = [box for box in map(_bounds, active_masks(state)) if box is not None]
    around = reduce(lambda found, box: box.around(found), bounds, None)
    inside = around.overlap(state.box) if around is not None else None
    if inside is None:
        return state.box
    mask = reduce(np.maximum, (layer.read(inside) for layer in active_masks(state)))
    size = (state.width, state.height)
    origin = (inside.left, inside.top)
    return auto_box(mask, size, strength, native.side, native.multiple, origin)


def active_masks(state: State) -> list[Layer]:
    """Visible, non-empty masks; if there are none, the selection."""
    found = [
        layer
        for layer in visible(state)
        if layer.is_mask and layer.strength > 0 and len(layer.tiles)
    ]
    if not found and state.selection is not None:
        found = [Layer("", "Selection", LayerKind.MASK, state.selection)]
    return found


def generation_source(state: State, box: Box) -> tuple[Source, list[Selection]]:
    """The pixels and masks with which a generation in `box` starts."""
    pixels = straight(composite(pictured(state), box))
    if (pixels[..., 3] == 255).all():
        pixels = np.ascontiguousarray(pixels[..., :3])
    chosen = [Selection(m.read(box), m.strength, m.prompt, m.negative) for m in active_masks(state)]
    marked = [one for one in chosen if one.mask.any()]
    controls = tuple(_control_pictures(state, box))
    size, guides = (state.width, state.height), list(_guides(state, LayerKind.REFERENCE))
    references = tuple(
        ReferencePicture(layer.name, shown)
        for layer in guides
        if (shown := _cropped(_as_painted([layer], state.box))) is not None
    )
    reference = _cropped(_as_painted(guides, state.box))
    return Source(pixels, box, size, controls, reference, references), marked


def has_control(state: State) -> bool:
    """Whether there is a visible, non-empty control layer."""
    return any(_control_layers(state))


def reference_names(state: State) -> dict[str, str]:
    """The names of all reference layers, by their ids."""
    return {each.id: each.name for each in state.layers if each.kind is LayerKind.REFERENCE}


def _guides(state: State, kind: LayerKind) -> Iterator[Layer]:
    return (layer for layer in visible(state) if layer.kind is kind and len(layer.tiles))


def _control_layers(state: State) -> Iterator[Layer]:
    return (layer for layer in _guides(state, LayerKind.CONTROL) if layer.control.strength > 0)


def _control_pictures(state: State, box: Box) -> Iterator[ControlPicture]:
    """What control layers show in `box`: one picture for all that steer alike."""
    alike: dict[ControlSettings, list[Layer]] = {}
    for layer in _control_layers(state):
        alike.setdefault(layer.control, []).append(layer)
    for settings, layers in alike.items():
        pixels = _as_painted(layers, box)
        if pixels[..., 3].any():
            yield ControlPicture(pixels, settings, layers[0].name)


def _cropped(pixels: Bytes) -> Bytes | None:
    """`pixels` without an empty border; None where all is empty."""
    if not pixels[..., 3].any():
        return None
    rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=axis)) for axis in (1, 0))
    return np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _as_painted(layers: list[Layer], box: Box) -> Bytes:
    """What layers show, whatever opacity and blend mode they are looked at with."""
    plain = (replace(layer, opacity=1.0, blend=BlendMode.NORMAL) for layer in layers)
    return straight(composite(plain, box))


def _bounds(layer: Layer) -> Box | None:
    tiles: Tiles = layer.tiles
    box = tiles.bounds()
    return box.moved(*layer.offset) if box is not None else None


def with_mask(pixels: Bytes, mask: Bytes) -> Bytes:
    """RGB with a mask of any size as alpha: RGBA, not premultiplied."""
    height, width = pixels.shape[:2]
    small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
    return np.dstack([pixels, np.asarray(small, np.uint8)])
