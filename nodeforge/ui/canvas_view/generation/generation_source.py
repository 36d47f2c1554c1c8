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
    NothingSelectedError,
    State,
    Tiles,
    composite,
    pictured,
    straight,
    visible,
)
from nodeforge.canvas.edits.layers import flat_layer
from nodeforge.canvas.generation.box import auto_box, snapped
from nodeforge.canvas.generation.controls import ControlPicture
from nodeforge.canvas.generation.native_size import NativeSize
from nodeforge.canvas.generation.references import ReferencePicture
from nodeforge.canvas.generation.request import Selection, Source
from nodeforge.canvas.generation.separation import TakenApart
from nodeforge.imaging import BlendMode, Box, Bytes, bounding_box, to_float


def box_for_masks(
    state: State, strength: float, native: NativeSize, *, context: bool = True
) -> Box:
    """The generation box that fits the masks; the whole canvas if there are none.

    Args:
        context: It has room for what is around them, too.
    """
    bounds = [box for box in map(_bounds, active_masks(state)) if box is not None]
    around = reduce(lambda found, box: box.around(found), bounds, None)
    inside = around.overlap(state.box) if around is not None else None
    if inside is None:
        return state.box
    mask = reduce(np.maximum, (layer.read(inside) for layer in active_masks(state)))
    size = (state.width, state.height)
    origin = (inside.left, inside.top)
    if not context:
        found = bounding_box(to_float(mask))
        return snapped(found.moved(*origin), native.multiple, size) if found else state.box
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
    pixels = _without_alpha(straight(composite(pictured(state), box)))
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


def separation_source(
    state: State, box: Box, layer: str = ""
) -> tuple[Source, list[Selection], TakenApart]:
    """What is taken apart into layers in `box`, and what then is hidden.

    What is seen there, or what the masks mark of it: hidden is each layer that lies in it wholly.
    Or one layer or group, whatever masks there are.

    Args:
        layer: The layer's id; empty for what is seen.

    Raises:
        NothingSelectedError: there is nothing.
    """
    size = (state.width, state.height)
    if layer:
        chosen = state.layer(layer)
        pixels, marked = _as_painted([flat_layer(state, chosen)], box), []
        taken = TakenApart.of(chosen)
    else:
        pixels = straight(composite(pictured(state), box))
        masks = [each.read(box) for each in active_masks(state)]
        marked = [Selection(mask) for mask in masks if mask.any()]
        if masks:
            alpha = pixels[..., 3].astype(np.uint16) * reduce(np.maximum, masks)
            pixels[..., 3] = (alpha + 127) // 255
        covered = [each for each in pictured(state) if _lies_in(each, box, masks)]
        name = covered[0].name if len(covered) == 1 else "Picture"
        taken = TakenApart(name, tuple(each.id for each in covered))
    if not pixels[..., 3].any():
        raise NothingSelectedError("there is nothing to take apart.", place=taken.name)
    return Source(_without_alpha(pixels), box, size), marked, taken


def layer_box(state: State, id: str) -> Box:
    """The part of the canvas that a layer or group shows something in.

    Raises:
        NothingSelectedError: there is none.
    """
    layer = state.layer(id)
    bounds = _bounds(flat_layer(state, layer))
    box = bounds and bounds.overlap(state.box)
    if box is None:
        raise NothingSelectedError("shows nothing on the canvas.", place=layer.name)
    return box


def _lies_in(layer: Layer, box: Box, masks: list[Bytes]) -> bool:
    """Whether all that a layer shows lies in a box and, if there are any, in masks of it."""
    bounds = _bounds(layer)
    if bounds is None or bounds.overlap(box) != bounds:
        return False
    left, top, width, height = bounds.moved(-box.left, -box.top)
    part = np.s_[top : top + height, left : left + width]
    shown = layer.read(bounds)[..., 3] > 0
    return not masks or bool(reduce(np.maximum, masks)[part][shown].all())


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


def _without_alpha(pixels: Bytes) -> Bytes:
    """RGB, where all is opaque."""
    opaque = (pixels[..., 3] == 255).all()
    return np.ascontiguousarray(pixels[..., :3]) if opaque else pixels


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
