"""A layer: its pixels, opacity, blend mode and locks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from nodeforge.canvas.document.tiles import Tiles
from nodeforge.canvas.errors import LayerClosedError
from nodeforge.imaging import BlendMode, Box, Bytes, Reading


class LayerKind(StrEnum):
    """What a layer is for."""

    PICTURE = "picture"
    PAINT = "paint"
    MASK = "mask"
    """Where the picture may change; 8 bits, 255 where it may."""
    CONTROL = "control"
    """A hint for a ControlNet: seen, but no part of the picture."""
    REFERENCE = "reference"
    """A picture to go by: seen, but no part of the picture."""
    GROUP = "group"
    """Layers that are composited by themselves, and then as one (an isolated group of W3C)."""


PICTURE_KINDS = frozenset({LayerKind.PICTURE, LayerKind.PAINT})
"""The layers that make the picture that is exported and generated on."""

TINTS = (
    *("#e9505e", "#3d8bfd", "#2f9e5f", "#c27c10"),
    *("#a06be0", "#1598a8", "#e052b0", "#82903a"),
)
"""Colours that masks are shown in, one after the other; of middle lightness, so that they stand
out from a dark and from a light window."""


STRONGEST = 2.0
"""Weight that a control layer may have."""


@dataclass(frozen=True)
class ControlSettings:
    """How a control layer steers.

    Args:
        reading: What a ControlNet sees of it.
        strength: Weight, 0..`STRONGEST`; 0 is none.
        start, end: Shares of the steps between which it acts, 0..1.
        controlnet: The ControlNet that sees it, by its name in the model folders; empty for that
            of the workflow.
    """

    reading: Reading = Reading.AUTO
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    controlnet: str = ""

    def __post_init__(self) -> None:
        assert 0 <= self.strength <= STRONGEST, "a weight"
        assert 0 <= self.start <= 1, "a share"
        assert 0 <= self.end <= 1, "a share"


@dataclass(frozen=True)
class Origin:
    """The file that a layer was opened from, as it was, so that it can be written back.

    Args:
        data: All of the file.
        name: Its name, without a folder.
        left, top: Where its corner lies, in pixels of the layer.
    """

    data: bytes = field(repr=False)
    name: str
    left: int = 0
    top: int = 0


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer. It never changes: an edit puts another in its place.

    Args:
        id: Short, readable, stable in a file: ``paint_2``.
        tiles: Its pixels, in its own coordinates; a group has none.
        group: The id of the group that it is in; empty for none.
        folded: Of a group: lists do not show what is in it.
        opacity: 0..1.
        offset: Where the layer's (0, 0) lies on the canvas, in pixels.
        locked: It cannot be painted on or moved.
        alpha_locked: Painting changes colours, not what is transparent.
        strength: Of a mask: how much may change there, 0..1.
        prompt, negative: Of a mask: what should be there, and what should not.
        tint: Of a mask: the colour it is shown in, ``#rrggbb``.
        control: Of a control layer: how it steers.
        origin: The file it was opened from.
        extra: Fields of the file that this version does not know, kept.
    """

    id: str
    name: str
    kind: LayerKind
    tiles: Tiles
    opacity: float = 1.0
    blend: BlendMode = BlendMode.NORMAL
    visible: bool = True
    locked: bool = False
    alpha_locked: bool = False
    offset: tuple[int, int] = (0, 0)
    strength: float = 1.0
    prompt: str = ""
    negative: str = ""
    tint: str = TINTS[0]
    control: ControlSettings = ControlSettings()
    group: str = ""
    folded: bool = False
    origin: Origin | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.tiles.channels == (1 if self.is_mask else 4), "masks have one channel"
        assert 0 <= self.opacity <= 1, "a share"
        assert 0 <= self.strength <= 1, "a share"

    @property
    def is_mask(self) -> bool:
        return self.kind is LayerKind.MASK

    @property
    def is_group(self) -> bool:
        return self.kind is LayerKind.GROUP

    @property
    def extent(self) -> Box | None:
        """The rectangle of the canvas around its tiles; None where it is empty."""
        extent = self.tiles.extent()
        return extent.moved(*self.offset) if extent else None

    def read(self, box: Box) -> Bytes:
        """A copy of its pixels in a box of the canvas (see `Tiles.read`)."""
        return self.tiles.read(self.local(box))

    def local(self, box: Box) -> Box:
        """A box of the canvas in the layer's own coordinates."""
        return box.moved(-self.offset[0], -self.offset[1])

    def with_tiles(self, tiles: Tiles) -> Layer:
        return self if tiles is self.tiles else replace(self, tiles=tiles)

    def check_open(self) -> None:
        """Raise `LayerClosedError` unless it may be painted on; see `State.check_open`, too."""
        if self.is_group:
            raise LayerClosedError(
                "is a group.", place=self.name, way_out="Choose a layer in it, or merge it."
            )
        if self.locked:
            raise LayerClosedError("is locked.", place=self.name, way_out="Unlock the layer.")
        if not self.visible:
            raise LayerClosedError("is hidden.", place=self.name, way_out="Show the layer.")
