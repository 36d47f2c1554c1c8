"""The canvas: layers of one size, and the listeners of their changes.

All that a canvas holds is one `State`, which never changes: an edit puts another in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
from typing import Any, NamedTuple

from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.nesting import inside
from nodeforge.canvas.document.tiles import Tiles, box_of
from nodeforge.canvas.errors import (
    LONGEST_SIDE,
    CanvasSizeError,
    LayerClosedError,
    NoSuchLayerError,
)
from nodeforge.imaging import Box


class ChangeKind(StrEnum):
    """What a change is about."""

    PIXELS = "pixels"
    LAYER = "layer"
    """How a layer is called, seen or used."""
    LAYERS = "layers"
    """Which layers there are, and their order."""
    SELECTION = "selection"
    ACTIVE = "active"
    """Which layer is worked on."""
    SIZE = "size"


class Change(NamedTuple):
    """What listeners are told.

    Args:
        what: What it is about.
        layer: Its id; empty where it is about the canvas.
        box: The pixels of the canvas that look different; None where none do.
    """

    kind: ChangeKind
    layer: str = ""
    box: Box | None = None


Listener = Callable[[tuple[Change, ...]], None]


@dataclass(frozen=True, eq=False)
class State:
    """All that a canvas holds.

    Args:
        width, height: Pixels.
        layers: From the bottom to the top, a group directly above what is in it; ids differ.
        active: The id of the layer that is worked on; empty where there is none.
        selection: A mask in the canvas' coordinates, 255 where edits reach; None: everywhere.
        extra: Fields of the file that this version does not know, kept.
    """

    width: int
    height: int
    layers: tuple[Layer, ...] = ()
    active: str = ""
    selection: Tiles | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (1 <= self.width <= LONGEST_SIDE and 1 <= self.height <= LONGEST_SIDE):
            raise CanvasSizeError(self.width, self.height)

    @property
    def box(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def layer(self, id: str) -> Layer:
        """The layer with an id.

        Raises:
            NoSuchLayerError: there is none.
        """
        return self.layers[self.place(id)]

    def place(self, id: str) -> int:
        """How many layers are below one."""
        for place, layer in enumerate(self.layers):
            if layer.id == id:
                return place
        raise NoSuchLayerError(id)

    def has(self, id: str) -> bool:
        return any(layer.id == id for layer in self.layers)

    def with_layer(self, layer: Layer) -> State:
        """`layer` in the place of the one with its id."""
        place = self.place(layer.id)
        if self.layers[place] is layer:
            return self
        return replace(self, layers=(*self.layers[:place], layer, *self.layers[place + 1 :]))

    def inside(self, id: str) -> tuple[Layer, ...]:
        """All layers and groups in a group, at any depth, the lowest first."""
        return inside(self.layers, id) if self.layer(id).is_group else ()

    def groups_of(self, layer: Layer) -> Iterator[Layer]:
        """The groups that a layer is in, the innermost first."""
        while layer.group:
            layer = self.layer(layer.group)
            yield layer

    def extent(self, layer: Layer) -> Box | None:
        """The rectangle around a layer's tiles, or around all that is in a group."""
        if not layer.is_group:
            return layer.extent
        extents = (each.extent for each in self.inside(layer.id))
        return reduce(lambda found, e: e.around(found) if e else found, extents, None)

    def check_open(self, layer: Layer) -> None:
        """Raise `LayerClosedError` unless a layer, and all groups that it is in, are open."""
        layer.check_open()
        for group in self.groups_of(layer):
            for closed, fact, way_out in (
                (group.locked, "locked", "Unlock"),
                (not group.visible, "hidden", "Show"),
            ):
                if closed:
                    raise LayerClosedError(
                        f"is in the group '{group.name}', which is {fact}.",
                        place=layer.name,
                        way_out=f"{way_out} the group.",
                    )

    def selected(self) -> Box:
        """The rectangle of the canvas that edits can reach."""
        if self.selection is None:
            return self.box
        bounds = self.selection.bounds()
        return (bounds and bounds.overlap(self.box)) or Box(0, 0, 0, 0)


class Canvas:
    """Where the painting is. Edits change it (`nodeforge.canvas.document.edit`), views listen.

    Args:
        state: What it holds at first.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._listeners: list[Listener] = []
        self._cancel: Callable[[], None] | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self._state.width, self._state.height

    @property
    def box(self) -> Box:
        return self._state.box

    @property
    def layers(self) -> tuple[Layer, ...]:
        """From the bottom to the top."""
        return self._state.layers

    @property
    def active(self) -> Layer | None:
        """The layer that is worked on."""
        return self._state.layer(self._state.active) if self._state.active else None

    @property
    def selection(self) -> Tiles | None:
        return self._state.selection

    def layer(self, id: str) -> Layer:
        return self._state.layer(id)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the changes of each edit, and of what is drawn meanwhile.

        Returns:
            A function that ends the subscription.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def preview(self, state: State, cancel: Callable[[], None]) -> None:
        """Show what is not done yet; `cancel` takes it back, before any edit or undo."""
        self._cancel = cancel
        self._hold(state)

    def settle(self) -> None:
        """Take back what is not done yet."""
        if self._cancel is not None:
            self._cancel()

    def show(self, state: State) -> None:
        """Hold `state` from now on; for edits, and for tools to take back what they showed."""
        self._cancel = None
        self._hold(state)

    def _hold(self, state: State) -> None:
        changes = tuple(changes_between(self._state, state))
        self._state = state
        self.notify(*changes)

    def notify(self, *changes: Change) -> None:
        """Tell the listeners."""
        if changes:
            for listener in tuple(self._listeners):
                listener(changes)


def changes_between(before: State, after: State) -> Iterator[Change]:
    """What a view must know to show `after` instead of `before`."""
    if (before.width, before.height) != (after.width, after.height):
        yield Change(ChangeKind.SIZE, "", before.box.around(after.box))
    places = ([(each.id, each.group) for each in state.layers] for state in (before, after))
    if next(places) != next(places):
        yield Change(ChangeKind.LAYERS, "", _moved_box(before, after))
    old = {layer.id: layer for layer in before.layers}
    for layer in after.layers:
        if layer.id in old and old[layer.id] is not layer:
            yield from _layer_changes(before, after, old[layer.id], layer)
    if before.active != after.active:
        yield Change(ChangeKind.ACTIVE, after.active)
    if before.selection is not after.selection:
        yield Change(ChangeKind.SELECTION, "", after.box.around(before.box))


def _moved_box(before: State, after: State) -> Box | None:
    """Around every layer that came, went or changed places."""
    found: Box | None = None
    for state, other in ((before, after), (after, before)):
        places = {layer.id: (place, layer.group) for place, layer in enumerate(other.layers)}
        for place, layer in enumerate(state.layers):
            extent = state.extent(layer) if places.get(layer.id) != (place, layer.group) else None
            if extent is not None:
                found = extent.around(found)
    return found


_SEEN = ("kind", "opacity", "blend", "visible", "offset", "tint", "strength")


def _layer_changes(old: State, new: State, before: Layer, after: Layer) -> Iterator[Change]:
    if any(getattr(before, name) != getattr(after, name) for name in _SEEN):
        boxes = [box for box in (old.extent(before), new.extent(after)) if box is not None]
        box = boxes[0].around(boxes[-1]) if boxes else None
        yield Change(ChangeKind.LAYER, after.id, box)
        return
    if before.tiles is not after.tiles:
        box = _different(before.tiles, after.tiles)
        if box is not None:
            yield Change(ChangeKind.PIXELS, after.id, box.moved(*after.offset))
    if _described(before) != _described(after):
        yield Change(ChangeKind.LAYER, after.id)


def _described(layer: Layer) -> tuple[Any, ...]:
    described = ("name", "locked", "alpha_locked", "prompt", "negative", "control", "folded")
    return tuple(getattr(layer, name) for name in described)


def _different(before: Tiles, after: Tiles) -> Box | None:
    found: Box | None = None
    for key in {*before, *after}:
        if before.get(key) is not after.get(key):
            found = box_of(key).around(found)
    return found
