"""OpenRaster (.ora): layered pictures that Krita, GIMP and others open.

The format is that of openraster.org, 0.0.5. What it has no words for (masks, strengths, prompts)
goes into attributes of our own, which others ignore; a mask is a layer in its tint to them.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nodeforge.canvas import (
    TILE,
    ControlSettings,
    Layer,
    LayerKind,
    State,
    Tiles,
    composite,
    pictured,
    premultiplied,
    straight,
)
from nodeforge.canvas.document.layer import STRONGEST
from nodeforge.canvas.edits.layers import free_id
from nodeforge.errors import NodeForgeError
from nodeforge.formats.canvas.layer_pictures import MOST_PICTURE, MOST_PIXELS, LayerPictures
from nodeforge.formats.errors import TooLargeError
from nodeforge.formats.projects.archive import Archive, DamagedArchiveError, opened
from nodeforge.imaging import (
    BlendMode,
    Box,
    Bytes,
    ColourError,
    PictureFormat,
    Reading,
    decode_bytes,
    encode,
    parse_colour,
)
from nodeforge.settings.whole_file import write_whole

MIME = "image/openraster"
MOST_LAYERS = 1000
MOST_XML = 4 * 2**20
MOST_PLACE = 1e6
MOST_DEPTH = 64

_MERGED = "mergedimage.png"
_ALIKE, _FEW = 12, 0.002
"""How far, of 255, two programs' composites may be apart, and in which share of pixels more."""

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
    BlendMode.HUE: "svg:hue",
    BlendMode.SATURATION: "svg:saturation",
    BlendMode.COLOUR: "svg:color",
    BlendMode.LUMINOSITY: "svg:luminosity",
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
        stacks = {"": ElementTree.SubElement(image, "stack")}
        for number, layer in enumerate(reversed(state.layers)):
            stack = stacks[layer.group]
            if layer.is_group:
                attributes = _stack_attributes(state, layer)
                stacks[layer.id] = ElementTree.SubElement(stack, "stack", attributes)
                continue
            source = f"data/layer{number:03}.png"
            box = layer.tiles.bounds() or Box(0, 0, 1, 1)
            archive.writestr(source, encode(_pixels(layer, box), PictureFormat.PNG))
            ElementTree.SubElement(stack, "layer", _attributes(state, layer, box, source))
        xml = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
        archive.writestr("stack.xml", xml, zipfile.ZIP_DEFLATED)
        archive.writestr(_MERGED, encode(shown, PictureFormat.PNG))
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


def _common_attributes(state: State, layer: Layer) -> dict[str, str]:
    plain = {
        "name": layer.name,
        "opacity": f"{layer.opacity:.6g}",
        "visibility": "visible" if layer.visible else "hidden",
        "composite-op": _OPERATIONS[layer.blend],
    }
    locked = {"edit-locked": "true"} if layer.locked else {}
    chosen = {"selected": "true"} if layer.id == state.active else {}
    return plain | locked | chosen


def _stack_attributes(state: State, group: Layer) -> dict[str, str]:
    folded = {f"{_OUR}folded": "true"} if group.folded else {}
    return _common_attributes(state, group) | {"isolation": "isolate"} | folded


def _attributes(state: State, layer: Layer, box: Box, source: str) -> dict[str, str]:
    place = {
        "src": source,
        "x": str(box.left + layer.offset[0]),
        "y": str(box.top + layer.offset[1]),
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
    if layer.kind is LayerKind.CONTROL:
        control = layer.control
        own["reading"] = control.reading.value
        own |= {key: f"{getattr(control, key):.6g}" for key in ("strength", "start", "end")}
        own["controlnet"] = control.controlnet
    extra = {f"{_OUR}{key}": value for key, value in own.items() if value}
    return _common_attributes(state, layer) | place | extra


def _small(pixels: Bytes) -> Bytes:
    """At most 256 pixels along a side."""
    share = min(1.0, _THUMBNAIL / max(pixels.shape[:2]))
    size = tuple(max(1, round(side * share)) for side in pixels.shape[1::-1])
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


class OpenedRaster(NamedTuple):
    """An OpenRaster file that was read.

    Args:
        state: The canvas.
        told: What of it looks other than its maker saved it, as sentences.
    """

    state: State
    told: tuple[str, ...]


def load_openraster(path: Path) -> State:
    """The canvas in an OpenRaster file: `read_openraster` without what is told.

    Raises:
        WorkflowError, PictureError, CanvasSizeError: see `read_openraster`.
    """
    return read_openraster(path).state


def read_openraster(path: Path, tell: Callable[[float], None] = lambda _: None) -> OpenedRaster:
    """The canvas in an OpenRaster file.

    Groups stay groups where they look the same composited by themselves: those that are isolated,
    or have an opacity or operation of their own, and those of plain layers. Others are dissolved
    into their layers.

    Args:
        tell: Hears now and then how much is read, 0..1; what it raises ends reading.

    Raises:
        WorkflowError: it is damaged, or passes a bound.
        PictureError: a layer's picture is damaged.
        CanvasSizeError: it is too wide or high.
    """
    with opened(path) as archive:
        image = _xml(archive.read("stack.xml", MOST_XML))
        size = [_number(image, side, 0) for side in ("w", "h")]
        empty = State(int(size[0]), int(size[1]))
        names = [source for layer in image.iter("layer") if (source := layer.get("src"))]
        reader = _Reader(LayerPictures(archive, names[:MOST_LAYERS], tell))
        layers = reader.layers(image, _Group())
        if reader.missing and len(reader.missing) == reader.pictured:
            raise DamagedArchiveError("lacks this part.", place=reader.missing[0])
        active = reader.active or (layers[0].id if layers else "")
        state = State(empty.width, empty.height, tuple(reversed(layers)), active)
        if _looks_other(archive, state, reader.pictures.report):
            reader.told.append("It looks other than the picture that its maker saved beside it.")
        return OpenedRaster(state, tuple(dict.fromkeys(reader.told)))


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses document types, which can name files and grow without end, in any encoding."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        del name, pubid, system
        raise DamagedArchiveError("declares a document type.", place="stack.xml")


def _xml(text: bytes) -> ElementTree.Element:
    try:
        parser = ElementTree.XMLParser(target=_NoDoctype())
        return ElementTree.fromstring(text, parser)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        if b"<!DOCTYPE" in text:  # where none may stand
            raise DamagedArchiveError("declares a document type.", place="stack.xml") from None
        raise DamagedArchiveError(f"is no XML: {error}.", place="stack.xml") from None


@dataclass(frozen=True)
class _Group:
    """Where the groups around a layer lie, and how many there are."""

    x: int = 0
    y: int = 0
    depth: int = 0


class _Reader:
    """Makes layers of the elements of a file; lists have the topmost layer first, as the file."""

    def __init__(self, pictures: LayerPictures) -> None:
        self.pictures = pictures
        self._ids: set[str] = set()
        self.count = self.pictured = 0
        self.missing: list[str] = []
        self.told: list[str] = []
        self.active = ""

    def layers(self, group: ElementTree.Element, place: _Group) -> list[Layer]:
        """What is inside of `group`, visible or not as if the group were."""
        if place.depth > MOST_DEPTH:
            raise TooLargeError(f"has groups deeper than {MOST_DEPTH}.", place="stack.xml")
        found: list[Layer] = []
        for element in group:
            if element.tag == "stack":
                found += self._group(element, place)
            elif element.tag == "layer" and element.get("src"):
                found += self._layer(element, place)
        return found

    def _group(self, element: ElementTree.Element, place: _Group) -> list[Layer]:
        """A group and what is in it, or only that, where the group has no effect of its own."""
        self._count()
        x, y = self._place(element, place)
        made = self.layers(element, _Group(x, y, place.depth + 1))
        group = Layer(
            id=self._id(LayerKind.GROUP),
            name=element.get("name", "")[:200] or "Group",
            kind=LayerKind.GROUP,
            tiles=Tiles(),
            opacity=self._opacity(element),
            blend=self._blend(element),
            visible=element.get("visibility", "visible") != "hidden",
            locked=element.get("edit-locked") == "true",
            folded=element.get(f"{_OUR}folded") == "true",
        )
        if element.get("selected") == "true":
            self.active = group.id
        alone = group.opacity < 1 or group.blend is not BlendMode.NORMAL
        isolated = alone or element.get("isolation") == "isolate"
        inside = [layer for layer in made if not layer.group]
        plain = all(layer.blend is BlendMode.NORMAL for layer in inside)
        whole = place.depth == 0 and group.visible  # the stack of all layers
        if (isolated or plain) and (alone or not whole):
            made = [layer if layer.group else replace(layer, group=group.id) for layer in made]
            return [group, *made]
        if self.active == group.id:
            self.active = inside[0].id if inside else ""
        shown = group.visible
        return [x if x.group else replace(x, visible=x.visible and shown) for x in made]

    def _layer(self, element: ElementTree.Element, place: _Group) -> list[Layer]:
        self._count()
        self.pictured += 1
        source = element.get("src", "")
        name = element.get("name", "")[:200]
        if source not in self.pictures:
            self.missing.append(source)
            self.told.append(f"The picture of the layer '{name or source}' is missing.")
            return []
        kind = _kind(element.get(f"{_OUR}kind", ""))
        tiles = self.pictures.tiles(source, kind)
        made = Layer(
            id=self._id(kind),
            name=name or kind.value.capitalize(),
            kind=kind,
            tiles=tiles,
            opacity=self._opacity(element),
            blend=self._blend(element),
            visible=element.get("visibility", "visible") != "hidden",
            locked=element.get("edit-locked") == "true",
            alpha_locked=element.get(f"{_OUR}alpha-locked") == "true",
            offset=self._place(element, place),
        )
        if element.get("selected") == "true":
            self.active = made.id
        if kind is LayerKind.CONTROL:
            return [replace(made, control=_control(element))]
        return [_with_mask(made, element) if kind is LayerKind.MASK else made]

    def _count(self) -> None:
        if self.count == MOST_LAYERS:
            raise TooLargeError(f"has more than {MOST_LAYERS} layers.", place="stack.xml")
        self.count += 1

    def _id(self, kind: LayerKind) -> str:
        made = free_id(kind.value, self._ids)
        self._ids.add(made)
        return made

    def _place(self, element: ElementTree.Element, place: _Group) -> tuple[int, int]:
        x, y = (_number(element, axis, 0) for axis in ("x", "y"))
        if x != round(x) or y != round(y):
            name = element.get("name", element.tag)[:80]
            self.told.append(f"'{name}' lies between pixels: it was moved to the nearest.")
        return place.x + round(x), place.y + round(y)

    def _opacity(self, element: ElementTree.Element) -> float:
        """0..1; in hundredths where the file says so."""
        text = element.get("opacity", "1").strip()
        try:
            value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            value = math.nan
        if math.isnan(value):
            self.told.append(f"'{text[:40]}' is no opacity: it counts as 1.")
            return 1.0
        return min(max(value, 0.0), 1.0)

    def _blend(self, element: ElementTree.Element) -> BlendMode:
        operation = element.get("composite-op", "svg:src-over")
        mode = _MODES.get(operation)
        if mode is None:
            name = element.get("name", element.tag)[:80]
            self.told.append(f"'{name}' blends by '{operation[:40]}', shown as normal here.")
        return mode or BlendMode.NORMAL


def _with_mask(layer: Layer, element: ElementTree.Element) -> Layer:
    """A mask with what only NodeForge writes."""
    return replace(
        layer,
        strength=min(max(_number(element, f"{_OUR}strength", 1), 0), 1),
        prompt=element.get(f"{_OUR}prompt", ""),
        negative=element.get(f"{_OUR}negative", ""),
        tint=_tint(element.get(f"{_OUR}tint", ""), layer.tint),
    )


def _control(element: ElementTree.Element) -> ControlSettings:
    """How a control layer steers, which only NodeForge writes."""
    reading = element.get(f"{_OUR}reading", "")

    def share(name: str, otherwise: float, most: float = 1.0) -> float:
        return min(max(_number(element, f"{_OUR}{name}", otherwise), 0.0), most)

    return ControlSettings(
        reading=Reading(reading) if reading in {*Reading} else Reading.AUTO,
        strength=share("strength", 1.0, STRONGEST),
        start=share("start", 0.0),
        end=share("end", 1.0),
        controlnet=element.get(f"{_OUR}controlnet", ""),
    )


def _looks_other(archive: Archive, state: State, report: Callable[[int], None]) -> bool:
    """Whether the layers show something else than the picture of them all in the file.

    What takes too long to composite is not compared: rows until `MOST_PIXELS` of all layers.
    """
    if _MERGED not in set(archive.names()):
        return False
    try:
        theirs = decode_bytes(archive.read(_MERGED, MOST_PICTURE))
    except NodeForgeError:
        return False
    if theirs.shape[:2] != (state.height, state.width):
        return False
    layers = list(pictured(state))
    rows = min(state.height, MOST_PIXELS // (state.width * max(len(layers), 1)))
    apart = 0
    for top in range(0, rows, TILE):
        strip = Box(0, top, state.width, min(TILE, rows - top))
        part = premultiplied(theirs[top : top + strip.height])
        differs = cv2.absdiff(composite(layers, strip), part).max(axis=2) > _ALIKE
        apart += int(np.count_nonzero(differs))
        report(0)
    return apart > _FEW * rows * state.width


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
