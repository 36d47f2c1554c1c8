"""The base of undoable edits of a canvas, kept in the history of its document.

A step keeps the layers as they were, and of layers that stay only the pixels that changed: each
swap of those with what is there now undoes it or does it again, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from nodeforge.canvas.document.canvas import Canvas, State
from nodeforge.canvas.document.layer import Layer
from nodeforge.canvas.document.tiles import Key, Tiles, changed_part
from nodeforge.graph.changes import Touched
from nodeforge.graph.document import Document
from nodeforge.graph.history import Edit
from nodeforge.imaging import Bytes

TOUCHED = "canvas"
"""What listeners of the document are told was touched."""

_ABOUT_A_LAYER = 1000
"""Bytes that the description of a layer takes, roughly."""

_WHOLE = (slice(None), slice(None))

Work = Callable[[State], State]


class CanvasEdit:
    """One step.

    Args:
        canvas: What it changes.
        name: For "Undo ...": ``brush stroke``.
        work: What comes of a state; it raises a `RequestError` where that cannot be.
        gesture: Anything that names one drag: consecutive edits of one gesture and name that
            leave pixels alone (offsets, opacity) are one step to undo.
    """

    def __init__(self, canvas: Canvas, name: str, work: Work, gesture: object = None) -> None:
        self.canvas = canvas
        self.name = name
        self.gesture = gesture
        self._work: Work | None = work
        self._step: _Step | None = None

    @property
    def bytes(self) -> int:
        """Memory of the pixels that only undoing needs; 0 where nothing changed."""
        return self._step.bytes if self._step else 0

    def apply(self, document: Document) -> None:
        """Make the edit.

        Raises:
            RequestError: it cannot be made; the canvas is as before.
        """
        self.canvas.settle()
        if self._work is not None:
            before = self.canvas.state
            after = self._work(before)
            self._work = None
            if after is before:
                return
            self._step = _Step.between(before, after)
            self._turn(document, after)
        elif self._step is not None:
            self._turn(document, self._step.swap(self.canvas.state))

    def revert(self, document: Document) -> None:
        assert self._step is not None, "only what was applied is reverted"
        self.canvas.settle()
        self._turn(document, self._step.swap(self.canvas.state))

    def merge(self, earlier: Edit) -> Edit | None:
        if not isinstance(earlier, CanvasEdit) or earlier.canvas is not self.canvas:
            return None
        if self.gesture is None or (self.gesture, self.name) != (earlier.gesture, earlier.name):
            return None
        first, second = earlier._step, self._step
        if first is None or second is None or not first.leads_to(second):
            return None
        merged = CanvasEdit(self.canvas, self.name, lambda state: state, self.gesture)
        merged._work, merged._step = None, replace(first, here=second.here)
        return merged

    def _turn(self, document: Document, state: State) -> None:
        self.canvas.show(state)
        document.change(Touched(TOUCHED))


@dataclass
class _Step:
    """The way between two states.

    Args:
        here, there: This state and the other. Layers that both have hold no tiles here: those
            of the canvas are theirs, but for `pixels`.
        pixels: What to swap in each such layer, by its id.
    """

    here: State
    there: State
    pixels: dict[str, dict[Key, _Swap]]
    bytes: int

    @classmethod
    def between(cls, before: State, after: State) -> _Step:
        pixels: dict[str, dict[Key, _Swap]] = {}
        for layer in before.layers:
            if after.has(layer.id):
                swaps = _swaps(layer.tiles, after.layer(layer.id).tiles)
                if swaps:
                    pixels[layer.id] = swaps
        held = sum(swap.bytes for swaps in pixels.values() for swap in swaps.values())
        here, there = _without_shared(after, before), _without_shared(before, after)
        held += sum(layer.tiles.bytes + _ABOUT_A_LAYER for layer in there.layers) + _ABOUT_A_LAYER
        if before.selection is not None and before.selection is not after.selection:
            held += before.selection.bytes
        return cls(here, there, pixels, held)

    def leads_to(self, later: _Step) -> bool:
        """Whether this and `later` can be one step: both leave pixels and layers alone."""
        ids = ({layer.id for layer in s.layers} for s in (self.there, self.here, later.here))
        first, second, third = ids
        return not self.pixels and not later.pixels and first == second == third

    def swap(self, state: State) -> State:
        """The other state, from `state`, which is this one."""
        tiles = {layer.id: layer.tiles for layer in state.layers if self.there.has(layer.id)}
        for id, swaps in self.pixels.items():
            tiles[id] = _swapped(tiles[id], swaps)
        layers = (
            layer.with_tiles(tiles[layer.id]) if layer.id in tiles else layer
            for layer in self.there.layers
        )
        other = replace(self.there, layers=tuple(layers))
        self.here, self.there = self.there, _without_shared(state, other)
        return other


@dataclass
class _Swap:
    """A part of a tile, and what was or will be there; None is a tile that is not there."""

    part: tuple[slice, slice]
    pixels: Bytes | None

    @property
    def bytes(self) -> int:
        return 0 if self.pixels is None else self.pixels.nbytes


def _swaps(before: Tiles, after: Tiles) -> dict[Key, _Swap]:
    """What leads from `after` back to `before`."""
    swaps: dict[Key, _Swap] = {}
    for key in {*before, *after}:
        old, new = before.get(key), after.get(key)
        if old is new:
            continue
        part = changed_part(old, new)
        if part is None:
            continue
        if old is None or new is None:
            swaps[key] = _Swap(_WHOLE, old)
        else:
            swaps[key] = _Swap(part, _cut(old, part))
    return swaps


def _cut(tile: Bytes, part: tuple[slice, slice]) -> Bytes:
    """A part of a tile without the rest; a whole tile is kept as it is."""
    cut = tile[part]
    return tile if cut.shape == tile.shape else cut.copy()


def _swapped(tiles: Tiles, swaps: Mapping[Key, _Swap]) -> Tiles:
    made: dict[Key, Bytes | None] = {}
    for key, swap in swaps.items():
        now, wanted = tiles.get(key), swap.pixels
        if now is None or wanted is None or wanted.shape == now.shape:
            made[key], swap.pixels = wanted, now
            continue
        tile = now.copy()
        tile[swap.part] = wanted
        tile.flags.writeable = False
        made[key], swap.pixels = tile, _cut(now, swap.part)
    return tiles.replaced(made)


def _without_shared(state: State, other: State) -> State:
    """`state`, with no tiles in the layers that `other` has, too."""
    layers: list[Layer] = []
    for layer in state.layers:
        shared = other.has(layer.id)
        layers.append(layer.with_tiles(Tiles(layer.tiles.channels)) if shared else layer)
    return replace(state, layers=tuple(layers))
