"""Edits of the layer stack: add, remove, reorder, merge, properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

import cv2

from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.composite import composite_tiles, pictured
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.document.layer import PICTURE_KINDS, TINTS, Layer, LayerKind, Origin
from nodeforge.canvas.document.layer_tags import renamed_layers
from nodeforge.canvas.document.nesting import inside, switched_on
from nodeforge.canvas.document.tiles import Draft, Tiles, parts, within
from nodeforge.errors import RequestError
from nodeforge.graph.document import Document
from nodeforge.imaging import BlendMode

_SET_OTHERWISE = {"id", "kind", "tiles", "origin", "extra", "group", "folded"}
_SETTABLE = {field.name for field in fields(Layer)} - _SET_OTHERWISE
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
    """`state` with `layer`, made active, above another, in the same group.

    Where None is named it is above the active one, or in the active group, as its highest; a
    folded group counts as a layer.
    """
    below = state.active if above is None else above
    place, group = len(state.layers), ""
    if below:
        other = state.layer(below)
        into = above is None and other.is_group and not other.folded
        place = state.place(below) + (not into)
        group = below if into else other.group
    layers = (*state.layers[:place], replace(layer, group=group), *state.layers[place:])
    return replace(state, layers=layers, active=layer.id)


def topmost_picture_layer(state: State) -> str:
    """The id of the topmost layer that is part of the picture, or of the outermost group that it
    is in; empty for none.
    """
    layers = [layer for layer in state.layers if layer.kind in PICTURE_KINDS]
    return [layers[-1], *state.groups_of(layers[-1])][-1].id if layers else ""


def without(state: State, ids: Collection[str]) -> State:
    """`state` without some layers and what is in them; the one below becomes active."""
    ids = {*ids, *(each.id for id in ids for each in state.inside(id))}
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
        taken = {each.id for each in state.layers}
        names: dict[str, str] = {}
        for each in (*state.inside(id), state.layer(id)):
            names[each.id] = free_id(each.kind.value, taken)
            taken.add(names[each.id])
        place, made = state.place(id) + 1, state
        for each in (*state.inside(id), state.layer(id)):
            tint = next_tint(made) if each.is_mask else each.tint
            group = names.get(each.group, each.group)
            copied = replace(each, id=names[each.id], group=group, tint=tint)
            if each.id == id:
                copied = replace(copied, name=f"{each.name} copy", locked=False)
            layers = (*made.layers[:place], copied, *made.layers[place:])
            place, made = place + 1, replace(made, layers=layers)
        return replace(made, active=names[id])

    return CanvasEdit(canvas, "duplicate layer", work)


def move_layer(canvas: Canvas, id: str, place: int, group: str = "") -> CanvasEdit:
    """Give a layer, or a group with all that is in it, a place.

    Args:
        place: How many others of the group, or of no group, are to be below it.
        group: The id of the group it is to be in; empty for none.
    """

    def work(state: State) -> State:
        layer = state.layer(id)
        moved = (*state.inside(id), replace(layer, group=group) if layer.group != group else layer)
        ids = {each.id for each in moved}
        if group in ids:
            raise RequestError("cannot be put into itself.", place=layer.name)
        others = [each for each in state.layers if each.id not in ids]
        if group and not state.layer(group).is_group:
            raise RequestError("is no group.", place=state.layer(group).name)
        beside = [each for each in others if each.group == group]
        above = beside[max(place, 0)].id if place < len(beside) else group
        at = next((at for at, each in enumerate(others) if each.id == above), len(others))
        at -= len(inside(others, above)) if above != group else 0
        layers = (*others[:at], *moved, *others[at:])
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
        if "offset" in settings and (layer.locked or layer.is_group):
            state.check_open(layer)
        changed = replace(layer, **settings)
        if all(getattr(changed, key) == getattr(layer, key) for key in settings):
            return state
        if layer.kind is LayerKind.REFERENCE and changed.name != layer.name:
            state = _calling(state, {layer.name: changed.name})
        return state.with_layer(changed)

    return CanvasEdit(canvas, name, work, gesture)


def _calling(state: State, names: Mapping[str, str]) -> State:
    """`state` with the prompts of its masks calling layers by their new names."""
    for layer in state.layers:
        prompts = {
            key: renamed_layers(getattr(layer, key), names) for key in ("prompt", "negative")
        }
        state = state.with_layer(replace(layer, **prompts))
    return state


class _NoStep(CanvasEdit):
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

    return _NoStep(canvas, "choose layer", work)


def merge_down(canvas: Canvas, id: str) -> CanvasEdit:
    """Make one layer of this and the one below, which keeps its id, name and blend mode.

    It looks as before where the lower one is opaque or both are in normal mode. Of a group, make
    one layer of what is in it.
    """

    def work(state: State) -> State:
        upper, place = state.layer(id), state.place(id)
        if upper.is_group:
            return merged_group(state, upper)
        lower = state.layers[place - 1] if place else upper
        if not place or lower.group != upper.group:
            raise RequestError("there is no layer below.", place=upper.name)
        if lower.is_group:
            raise RequestError(
                f"'{lower.name}' below it is a group.",
                place=upper.name,
                way_out="Merge the group first, or move the layer into it.",
            )
        if upper.is_mask != lower.is_mask:
            raise RequestError(
                f"'{lower.name}' below it is of another kind.",
                place=upper.name,
                way_out="Move it above a layer of its kind first.",
            )
        state.check_open(lower)
        plain = replace(lower, blend=BlendMode.NORMAL)
        joined = _either(lower, upper) if upper.is_mask else composite_tiles((plain, upper))
        made = replace(lower, tiles=joined, opacity=1.0, offset=(0, 0), origin=_settled(lower))
        return replace(without(state, [id]).with_layer(made), active=lower.id)

    return CanvasEdit(canvas, "merge down", work)


def flatten(canvas: Canvas) -> CanvasEdit:
    """Make one picture of all visible picture and paint layers; others stay, hidden ones go."""

    def work(state: State) -> State:
        shown = list(pictured(state))
        bottom = next((layer for layer in shown if layer.kind in PICTURE_KINDS), None)
        if bottom is None:
            raise RequestError("no picture layer is visible.", way_out="Show a layer.")
        tiles = composite_tiles(shown, state.box)
        flat = Layer(bottom.id, bottom.name, bottom.kind, tiles, origin=_settled(bottom))
        return replace(state, layers=(flat, *_beside_picture(state.layers, "")), active=flat.id)

    return CanvasEdit(canvas, "flatten", work)


def merged_group(state: State, group: Layer) -> State:
    """`state` with a paint layer in place of a group; masks and the like stay, above it."""
    merged = flat_layer(state, group)
    if not len(merged.tiles):
        raise RequestError("shows no picture.", place=group.name, way_out="Show a layer in it.")
    merged = replace(merged, id=free_id(merged.kind.value, {each.id for each in state.layers}))
    ids = {group.id, *(each.id for each in state.inside(group.id))}
    below = [each for each in state.layers[: state.place(group.id)] if each.id not in ids]
    above = state.layers[state.place(group.id) + 1 :]
    kept = _beside_picture(state.inside(group.id), group.group)
    return replace(state, layers=(*below, merged, *kept, *above), active=merged.id)


def flat_layer(state: State, layer: Layer) -> Layer:
    """A layer as it is; of a group, a paint layer that shows what is in it."""
    if not layer.is_group:
        return layer
    content = switched_on(state.inside(layer.id))
    shown = [each for each in content if each.kind in PICTURE_KINDS or each.is_group]
    return replace(layer, kind=LayerKind.PAINT, tiles=composite_tiles(shown), folded=False)


def _beside_picture(layers: Iterable[Layer], group: str) -> tuple[Layer, ...]:
    """What is no part of the picture, out of its groups and in another."""
    kept = (each for each in layers if each.kind not in PICTURE_KINDS and not each.is_group)
    return tuple(replace(each, group=group) for each in kept)


def group_layers(canvas: Canvas, ids: Collection[str]) -> CanvasEdit:
    """Put layers of one group, or of none, into a new group in the place of the highest."""

    def work(state: State) -> State:
        chosen = [layer for layer in state.layers if layer.id in ids]
        if not chosen or len({layer.group for layer in chosen}) > 1:
            raise RequestError("only layers beside each other can be grouped.")
        group = replace(new_layer(state, LayerKind.GROUP), group=chosen[-1].group)
        moved = {each.id for layer in chosen for each in (*state.inside(layer.id), layer)}
        layers: list[Layer] = []
        for layer in state.layers:
            if layer.id not in moved:
                layers.append(layer)
            if layer.id == chosen[-1].id:
                content = (each for each in state.layers if each.id in moved)
                layers += (replace(x, group=group.id) if x in chosen else x for x in content)
                layers.append(group)
        return replace(state, layers=tuple(layers), active=group.id)

    return CanvasEdit(canvas, "group layers", work)


def ungroup(canvas: Canvas, id: str) -> CanvasEdit:
    """Take what is in a group out of it; its opacity and blend mode are gone."""

    def work(state: State) -> State:
        group = state.layer(id)
        if not group.is_group:
            raise RequestError("is no group.", place=group.name)
        layers = tuple(
            replace(layer, group=group.group) if layer.group == id else layer
            for layer in state.layers
            if layer is not group
        )
        place = max(state.place(id) - 1, 0)
        return replace(state, layers=layers, active=layers[place].id if layers else "")

    return CanvasEdit(canvas, "ungroup", work)


def fold_group(canvas: Canvas, id: str, folded: bool) -> CanvasEdit:
    """Show or hide what is in a group in lists; no step to undo."""

    def work(state: State) -> State:
        layer = state.layer(id)
        if not layer.is_group or layer.folded == folded:
            return state
        return state.with_layer(replace(layer, folded=folded))

    return _NoStep(canvas, "fold group", work)


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
