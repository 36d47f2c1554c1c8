"""OpenRaster (.ora): layered pictures that Krita, GIMP and others open.

The format is that of openraster.org, 0.0.5. What it has no words for (masks, strengths, prompts)
goes into attributes of our own, which others ignore; a mask is a layer in its tint to them.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from nodeforge.canvas import (
    Layer,
    LayerKind,
    State,
    Tiles,
    composite,
    pictured,
    premultiplied,
    straight,
)
from nodeforge.canvas.edits.layers import free_id
from nodeforge.formats.archive import Archive, DamagedArchiveError, opened
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.whole_file import write_whole
from nodeforge.imaging import (
    BlendMode,
    Box,
    Bytes,
    ColourError,
    PictureFormat,
    decode_bytes,
    encode,
    parse_colour,
)

MIME = "image/openraster"
MOST_LAYERS = 1000
MOST_XML = 4 * 2**20
MOST_PICTURE = 512 * 2**20
MOST_HELD = 4 * 2**30
"""Bytes of all layers in memory."""
MOST_PLACE = 1e6

_THUMBNAIL = 256
_OUR = "nodeforge-"
_OPERATIONS = {
    BlendMode.NORMAL: "svg:src-over",
    BlendMode.MULTIPLY: "svg:multiply",
    BlendMode.SCREEN: "svg:screen",
    BlendMode.OVERLAY: "svg:overlay",
    BlendMode.DARKEN: "svg:darken",
    BlendMode.LIGHTEN: "svg:lighten",
    BlendMode.COLOUR_DODGE: "svg:color-dodge",
    BlendMode.COLOUR_BURN: "svg:color-burn",
    BlendMode.HARD_LIGHT: "svg:hard-light",
    BlendMode.SOFT_LIGHT: "svg:soft-light",
    BlendMode.DIFFERENCE: "svg:difference",
    BlendMode.ADD: "svg:plus",
    BlendMode.EXCLUSION: "krita:exclusion",
    BlendMode.SUBTRACT: "krita:subtract",
}
_MODES = {operation: mode for mode, operation in _OPERATIONS.items()}


def save_openraster(state: State, path: Path) -> None:
    """Write a canvas as an OpenRaster file, whole or not at all. Selection and files stay out.

    Raises:
        RequestError: it cannot be written.
    """
    shown = straight(composite(pictured(state), state.box))
    write_whole(path, lambda file: _write(state, shown, zipfile.ZipFile(file, "w")))


def _write(state: State, shown: Bytes, archive: zipfile.ZipFile) -> None:
    with archive:
        archive.writestr("mimetype", MIME)  # first and not packed, so that the kind can be told
        image = ElementTree.Element(
            "image", version="0.0.5", w=str(state.width), h=str(state.height), name="canvas"
        )
        stack = ElementTree.SubElement(image, "stack")
        for number, layer in enumerate(reversed(state.layers)):
            source = f"data/layer{number:03}.png"
            box = layer.tiles.bounds() or Box(0, 0, 1, 1)
            archive.writestr(source, encode(_pixels(layer, box), PictureFormat.PNG))
            ElementTree.SubElement(stack, "layer", _attributes(state, layer, box, source))
        xml = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
        archive.writestr("stack.xml", xml, zipfile.ZIP_DEFLATED)
        archive.writestr("mergedimage.png", encode(shown, PictureFormat.PNG))
        archive.writestr("Thumbnails/thumbnail.png", encode(_small(shown), PictureFormat.PNG))


def _pixels(layer: Layer, box: Box) -> Bytes:
    """A layer as RGBA; of a mask, its tint with the mask as alpha."""
    pixels = layer.tiles.read(box)
    if not layer.is_mask:
        return straight(pixels)
    out = np.empty((*pixels.shape, 4), np.uint8)
    out[..., :3] = [round(value * 255) for value in parse_colour(layer.tint)]
    out[..., 3] = pixels
    return out


def _attributes(state: State, layer: Layer, box: Box, source: str) -> dict[str, str]:
    plain = {
        "name": layer.name,
        "src": source,
        "x": str(box.left + layer.offset[0]),
        "y": str(box.top + layer.offset[1]),
        "opacity": f"{layer.opacity:.6g}",
        "visibility": "visible" if layer.visible else "hidden",
        "composite-op": _OPERATIONS[layer.blend],
    }
    ours = {
        "kind": layer.kind.value,
        "strength": f"{layer.strength:.6g}",
        "prompt": layer.prompt,
        "negative": layer.negative,
        "tint": layer.tint,
        "alpha-locked": "true" if layer.alpha_locked else "",
    }
    own = ours if layer.is_mask else {key: ours[key] for key in ("kind", "alpha-locked")}
    extra = {f"{_OUR}{key}": value for key, value in own.items() if value}
    locked = {"edit-locked": "true"} if layer.locked else {}
    chosen = {"selected": "true"} if layer.id == state.active else {}
    return plain | locked | chosen | extra


def _small(pixels: Bytes) -> Bytes:
    """At most 256 pixels along a side."""
    share = min(1.0, _THUMBNAIL / max(pixels.shape[:2]))
    size = tuple(max(1, round(side * share)) for side in pixels.shape[1::-1])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def load_openraster(path: Path) -> State:
    """The canvas in an OpenRaster file. Groups are dissolved into their layers.

    Raises:
        WorkflowError: it is damaged, or passes a bound.
        PictureError: a layer's picture is damaged.
        CanvasSizeError: it is too wide or high.
    """
    with opened(path) as archive:
        return _read(archive)


def _read(archive: Archive) -> State:
    image = _xml(archive.read("stack.xml", MOST_XML))
    size = [_number(image, side, 0) for side in ("w", "h")]
    state = State(int(size[0]), int(size[1]))
    layers: list[Layer] = []
    active = ""
    held = 0
    for element, base in _elements(image):
        if len(layers) == MOST_LAYERS:
            raise TooLargeError(f"has more than {MOST_LAYERS} layers.", place="stack.xml")
        layer = _layer(archive, element, base, {layer.id for layer in layers})
        held += layer.tiles.bytes
        if held > MOST_HELD:
            raise TooLargeError(f"has layers of more than {MOST_HELD // 2**30} GiB in all.")
        layers.insert(0, layer)
        if element.get("selected") == "true":
            active = layer.id
    active = active or (layers[-1].id if layers else "")
    return State(state.width, state.height, tuple(layers), active)


def _xml(text: bytes) -> ElementTree.Element:
    if b"<!" in text.replace(b"<!--", b""):  # document types can name files and grow without end
        raise DamagedArchiveError("declares a document type.", place="stack.xml")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise DamagedArchiveError(f"is no XML: {error}.", place="stack.xml") from None


@dataclass(frozen=True)
class _Group:
    """What the groups around a layer add to it."""

    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True

    def inside(self, element: ElementTree.Element) -> _Group:
        return _Group(
            self.x + int(_number(element, "x", 0)),
            self.y + int(_number(element, "y", 0)),
            self.opacity * min(max(_number(element, "opacity", 1), 0), 1),
            self.visible and element.get("visibility", "visible") != "hidden",
        )


def _elements(image: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, _Group]]:
    """The layers from the top to the bottom, each with what it gets from its groups and itself."""
    waiting = [(child, _Group()) for child in reversed(image)]
    while waiting:
        element, group = waiting.pop()
        inner = group.inside(element)
        if element.tag == "stack":
            waiting += [(child, inner) for child in reversed(element)]
        elif element.tag == "layer" and element.get("src"):
            yield element, inner


def _layer(archive: Archive, element: ElementTree.Element, place: _Group, taken: set[str]) -> Layer:
    pixels = decode_bytes(archive.read(element.get("src", ""), MOST_PICTURE))
    kind = _kind(element.get(f"{_OUR}kind", ""))
    if kind is LayerKind.MASK:
        alpha = pixels[..., 3] if pixels.shape[2] == 4 else np.full(pixels.shape[:2], 255, np.uint8)
        tiles = Tiles.of(np.ascontiguousarray(alpha))
    else:
        tiles = Tiles.of(premultiplied(pixels))
    made = Layer(
        id=free_id(kind.value, taken),
        name=element.get("name", "")[:200] or kind.value.capitalize(),
        kind=kind,
        tiles=tiles,
        opacity=place.opacity,
        blend=_MODES.get(element.get("composite-op", ""), BlendMode.NORMAL),
        visible=place.visible,
        locked=element.get("edit-locked") == "true",
        alpha_locked=element.get(f"{_OUR}alpha-locked") == "true",
        offset=(place.x, place.y),
    )
    if kind is not LayerKind.MASK:
        return made
    return replace(
        made,
        strength=min(max(_number(element, f"{_OUR}strength", 1), 0), 1),
        prompt=element.get(f"{_OUR}prompt", ""),
        negative=element.get(f"{_OUR}negative", ""),
        tint=_tint(element.get(f"{_OUR}tint", ""), made.tint),
    )


def _kind(text: str) -> LayerKind:
    return LayerKind(text) if text in {kind.value for kind in LayerKind} else LayerKind.PAINT


def _tint(text: str, otherwise: str) -> str:
    try:
        parse_colour(text)
    except ColourError:
        return otherwise
    return text


def _number(element: ElementTree.Element, name: str, otherwise: float) -> float:
    text = element.get(name, str(otherwise))
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MOST_PLACE:
        raise DamagedArchiveError(f"'{text[:40]}' is no number.", place=f"stack.xml, {name}")
    return value
