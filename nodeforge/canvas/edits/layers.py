"""Edits of the layer stack: add, remove, reorder, merge, properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

import cv2

from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite_tiles, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import PICTURE_KINDS, TINTS, Layer, LayerKind, Origin
from nodeforge.canvas.document.tiles import Draft, Tiles, parts, within
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode

_SETTABLE = {field.name for field in fields(Layer)} - {"id", "kind", "tiles", "origin", "extra"}
_NAMES = {
    "name": "rename layer",
    "opacity": "layer opacity",
    "blend": "blend mode",
    "visible": "show or hide layer",
    "locked": "lock layer",
    "alpha_locked": "lock alpha",
    "offset": "move layer",
    "strength": "mask strength",
    "prompt": "mask prompt",
    "negative": "mask negative prompt",
    "tint": "mask colour",
    "control": "control settings",
}


def new_layer(state: State, kind: LayerKind, name: str = "", **settings: Any) -> Layer:
    """An empty layer with an id that is free; `settings` are fields of `Layer`.

    A mask without a tint gets one that the fewest masks have.
    """
    id = free_id(kind.value, {layer.id for layer in state.layers})
    number = id.removeprefix(kind.value).lstrip("_") or "1"
    tiles = settings.pop("tiles", None) or Tiles(1 if kind is LayerKind.MASK else 4)
    if kind is LayerKind.MASK:
        settings.setdefault("tint", next_tint(state))
    return Layer(id, name or f"{kind.value.capitalize()} {number}", kind, tiles, **settings)


def next_tint(state: State) -> str:
    """The first of the tints that the fewest masks have."""
    used = Counter(layer.tint for layer in state.layers if layer.is_mask)
    return min(TINTS, key=lambda tint: used[tint])


def free_id(wish: str, taken: Collection[str]) -> str:
    """`wish`, or ``wish_2``, ``wish_3``, ... where that is taken."""
    id, number = wish, 2
    while id in taken:
        id, number = f"{wish}_{number}", number + 1
    return id


def with_new(state: State, layer: Layer, above: str | None = None) -> State:
    """`state` with `layer`, made active, above another: the active one where None is named."""
    below = state.active if above is None else above
    place = state.place(below) + 1 if below else len(state.layers)
    layers = (*state.layers[:place], layer, *state.layers[place:])
    return replace(state, layers=layers, active=layer.id)


def without(state: State, ids: Collection[str]) -> State:
    """`state` without some layers; the one below the highest of them becomes active."""
    kept = tuple(layer for layer in state.layers if layer.id not in ids)
    if state.active not in ids:
        return replace(state, layers=kept)
    below = sum(layer.id not in ids for layer in state.layers[: state.place(state.active)])
    return replace(state, layers=kept, active=kept[max(below - 1, 0)].id if kept else "")


def add_layer(
    canvas: Canvas,
    kind: LayerKind = LayerKind.PAINT,
    name: str = "",
    above: str | None = None,
    **settings: Any,
) -> CanvasEdit:
    """Add a layer above another (the active one) and make it active.

    Args:
        settings: Fields of `Layer`, as ``tiles=...``.
    """

    def work(state: State) -> State:
        return with_new(state, new_layer(state, kind, name, **settings), above)

    return CanvasEdit(canvas, f"add {kind.value} layer", work)


def remove_layers(canvas: Canvas, ids: Collection[str]) -> CanvasEdit:
    def work(state: State) -> State:
        for id in ids:
            state.layer(id)
        return without(state, ids)

    return CanvasEdit(
        canvas, "remove layer" if len(ids) == 1 else f"remove {len(ids)} layers", work
    )


def duplicate_layer(canvas: Canvas, id: str) -> CanvasEdit:
    """Put a copy above a layer, and make it active."""

    def work(state: State) -> State:
        layer = state.layer(id)
        copy_id = free_id(layer.kind.value, {each.id for each in state.layers})
        tint = next_tint(state) if layer.is_mask else layer.tint
        copied = replace(layer, id=copy_id, name=f"{layer.name} copy", locked=False, tint=tint)
        return with_new(state, copied, id)

    return CanvasEdit(canvas, "duplicate layer", work)


def move_layer(canvas: Canvas, id: str, place: int) -> CanvasEdit:
    """Give a layer a place in the pile, 0 being the bottom."""

    def work(state: State) -> State:
        layer = state.layer(id)
        others = [each for each in state.layers if each is not layer]
        others.insert(min(max(place, 0), len(others)), layer)
        layers = tuple(others)
        return state if layers == state.layers else replace(state, layers=layers)

    return CanvasEdit(canvas, "reorder layers", work)


def set_layer(canvas: Canvas, id: str, *, gesture: object = None, **settings: Any) -> CanvasEdit:
    """Change fields of a layer, as ``opacity=0.5`` or ``offset=(10, 0)``.

    Args:
        gesture: Names one drag of a slider or of the layer, which is one step to undo.
    """
    unknown = settings.keys() - _SETTABLE
    assert not unknown, f"layers have no settable {unknown}"
    name = _NAMES[next(iter(settings))] if len(settings) == 1 else "change layer"

    def work(state: State) -> State:
        layer = state.layer(id)
        if "offset" in settings and layer.locked:
            layer.check_open()
        changed = replace(layer, **settings)
        same = all(getattr(changed, key) == getattr(layer, key) for key in settings)
        return state if same else state.with_layer(changed)

    return CanvasEdit(canvas, name, work, gesture)


class _Activate(CanvasEdit):
    """It is no step to undo: undoing one makes the layer active that was so then."""

    def apply(self, document: Document) -> None:
        assert self._work is not None
        self.canvas.settle()
        self.canvas.show(self._work(self.canvas.state))


def activate(canvas: Canvas, id: str) -> CanvasEdit:
    """Work on another layer."""

    def work(state: State) -> State:
        state.layer(id)
        return state if state.active == id else replace(state, active=id)

    return _Activate(canvas, "choose layer", work)


def merge_down(canvas: Canvas, id: str) -> CanvasEdit:
    """Make one layer of this and the one below, which keeps its id, name and blend mode.

    It looks as before where the lower one is opaque or both are in normal mode.
    """

    def work(state: State) -> State:
        upper, place = state.layer(id), state.place(id)
        if place == 0:
            raise RequestError("there is no layer below.", place=upper.name)
        lower = state.layers[place - 1]
        if upper.is_mask != lower.is_mask:
            raise RequestError(
                f"'{lower.name}' below it is of another kind.",
                place=upper.name,
                way_out="Move it above a layer of its kind first.",
            )
        lower.check_open()
        plain = replace(lower, blend=BlendMode.NORMAL)
        joined = _either(lower, upper) if upper.is_mask else composite_tiles((plain, upper))
        made = replace(lower, tiles=joined, opacity=1.0, offset=(0, 0), origin=_settled(lower))
        return replace(without(state, [id]).with_layer(made), active=lower.id)

    return CanvasEdit(canvas, "merge down", work)


def flatten(canvas: Canvas) -> CanvasEdit:
    """Make one picture of all visible picture and paint layers; others stay, hidden ones go."""

    def work(state: State) -> State:
        shown = list(pictured(state))
        if not shown:
            raise RequestError("no picture layer is visible.", way_out="Show a layer.")
        bottom = shown[0]
        tiles = composite_tiles(shown, state.box)
        flat = Layer(bottom.id, bottom.name, bottom.kind, tiles, origin=_settled(bottom))
        rest = tuple(layer for layer in state.layers if layer.kind not in PICTURE_KINDS)
        return replace(state, layers=(flat, *rest), active=flat.id)

    return CanvasEdit(canvas, "flatten", work)


def _either(lower: Layer, upper: Layer) -> Tiles:
    """The greater of two masks at each pixel, in the canvas' coordinates."""
    draft = Draft(Tiles(1))
    for layer in (lower, upper):
        box = layer.extent
        for key, there, _ in parts(box) if box else ():
            part = within(key, there)
            out = draft.writable(key)[there]
            out[...] = cv2.max(out, layer.read(part))
    return draft.frozen()


def _settled(layer: Layer) -> Origin | None:
    """The file of a layer, for one without an offset."""
    origin, (x, y) = layer.origin, layer.offset
    return origin and replace(origin, left=origin.left + x, top=origin.top + y)
