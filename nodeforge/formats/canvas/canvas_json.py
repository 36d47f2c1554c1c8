"""A canvas as JSON values: its layers, with their tiles by SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from nodeforge.canvas import ControlSettings, Layer, LayerKind, Origin, State, Tiles
from nodeforge.canvas.document.layer import STRONGEST
from nodeforge.canvas.document.nesting import deepest, misplaced
from nodeforge.errors import NodeForgeError
from nodeforge.formats.canvas.tile_store import is_sha256
from nodeforge.formats.errors import NewerFormatError, TooLargeError, WrongShapeError
from nodeforge.imaging import BlendMode, Bytes, ColourError, Reading, parse_colour

CANVAS_FORMAT = 1
MOST_LAYERS = 1000
MOST_TILES = 200_000
MOST_DEPTH = 64
"""Of groups in groups."""
FARTHEST = 1_000_000
"""Pixels that a layer may lie beside the canvas."""

_FIELDS = {"format", "width", "height", "active", "selection", "layers"}
_PLAIN = ("name", "opacity", "visible", "locked", "alpha_locked")
_OF_MASKS = ("strength", "prompt", "negative", "tint")
_OF_CONTROLS = ("strength", "start", "end")
_OWN = ("id", "kind", "blend", "offset", "tiles", "origin", "control", "group", "folded")
_LAYER_FIELDS = {*_PLAIN, *_OF_MASKS, *_OWN}
_is_id = re.compile("[a-z0-9_]{1,64}").fullmatch
_is_key = re.compile(r"(-?[0-9]{1,4}),(-?[0-9]{1,4})").fullmatch

_Kind = TypeVar("_Kind", bound=StrEnum)


@dataclass(frozen=True)
class Names:
    """How parts get their names when a canvas is written.

    Args:
        tile: Keeps a tile; its SHA-256.
        file: Keeps the content of a file; its SHA-256.
    """

    tile: Callable[[Bytes], str]
    file: Callable[[bytes], str]


@dataclass(frozen=True)
class Contents:
    """Where parts come from when a canvas is read.

    Args:
        tile: By SHA-256 and channels.
        file: By SHA-256.
    """

    tile: Callable[[str, int], Bytes]
    file: Callable[[str], bytes]


def state_to_json(state: State, names: Names) -> dict[str, Any]:
    """`state` as JSON values."""
    raw = {
        **state.extra,
        "format": CANVAS_FORMAT,
        "width": state.width,
        "height": state.height,
        "active": state.active,
        "layers": [_layer_to_json(layer, names) for layer in state.layers],
    }
    if state.selection is not None:
        raw["selection"] = _tiles_to_json(state.selection, names)
    return raw


def _layer_to_json(layer: Layer, names: Names) -> dict[str, Any]:
    fields = (*_PLAIN, *_OF_MASKS) if layer.is_mask else _PLAIN
    raw = {
        **layer.extra,
        "id": layer.id,
        "kind": layer.kind.value,
        "blend": layer.blend.value,
        "offset": list(layer.offset),
        "tiles": _tiles_to_json(layer.tiles, names),
        **{name: getattr(layer, name) for name in fields},
    }
    if layer.kind is LayerKind.CONTROL or layer.control != ControlSettings():
        shares = {name: getattr(layer.control, name) for name in _OF_CONTROLS}
        raw["control"] = {"reading": layer.control.reading.value, **shares}
        if layer.control.controlnet:
            raw["control"]["controlnet"] = layer.control.controlnet
    if layer.group:
        raw["group"] = layer.group
    if layer.is_group:
        raw["folded"] = layer.folded
    if layer.origin is not None:
        place = {"left": layer.origin.left, "top": layer.origin.top}
        sha256 = names.file(layer.origin.data)
        raw["origin"] = {"sha256": sha256, "name": layer.origin.name, **place}
    return raw


def _tiles_to_json(tiles: Tiles, names: Names) -> dict[str, str]:
    return {f"{column},{row}": names.tile(tile) for (column, row), tile in tiles.items()}


def state_from_json(raw: Any, contents: Contents) -> State:
    """The canvas in `raw`.

    Raises:
        WorkflowError: it is not what stands there; its place is the spot in the JSON.
        CanvasSizeError: it is too wide or high.
    """
    if type(raw) is not dict:
        raise WrongShapeError("is not an object.")
    made_with = _whole(raw, "format", 1, "")
    if made_with > CANVAS_FORMAT:
        raise NewerFormatError(made_with)
    reader = _Reader(contents)
    given = raw.get("layers", [])
    if type(given) is not list:
        raise _wrong("layers", "is not a list")
    if len(given) > MOST_LAYERS:
        raise TooLargeError(f"has more than {MOST_LAYERS} layers.", place="layers")
    layers = tuple(reader.layer(each, f"layers[{place}]") for place, each in enumerate(given))
    ids = [layer.id for layer in layers]
    if len(set(ids)) < len(ids):
        raise _wrong("layers", "two layers have one id")
    if (lost := misplaced(layers)) is not None:
        raise _wrong(f"layers[{ids.index(lost.id)}].group", "is no group that the layer lies in")
    if deepest(layers) > MOST_DEPTH:
        raise TooLargeError(f"has groups deeper than {MOST_DEPTH}.", place="layers")
    active = _text(raw, "active", "")
    selection = reader.tiles(raw["selection"], 1, "selection") if "selection" in raw else None
    return State(
        _whole(raw, "width", 0, ""),
        _whole(raw, "height", 0, ""),
        layers,
        active if active in ids else (ids[-1] if ids else ""),
        selection,
        {key: raw[key] for key in raw if key not in _FIELDS},
    )


class _Reader:
    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._count = 0

    def layer(self, raw: Any, place: str) -> Layer:
        if type(raw) is not dict:
            raise _wrong(place, "is not an object")
        id = _text(raw, "id", place)
        if not _is_id(id):
            raise _wrong(f"{place}.id", "is not 1 to 64 lower-case letters, digits and '_'")
        kind = _choice(raw, "kind", LayerKind, place)
        given = {} if kind is LayerKind.GROUP else raw.get("tiles", {})
        return Layer(
            id=id,
            name=_text(raw, "name", place),
            kind=kind,
            tiles=self.tiles(given, 1 if kind is LayerKind.MASK else 4, place),
            opacity=_share(raw, "opacity", place),
            blend=_choice(raw, "blend", BlendMode, place),
            visible=_flag(raw, "visible", True, place),
            locked=_flag(raw, "locked", False, place),
            alpha_locked=_flag(raw, "alpha_locked", False, place),
            offset=_offset(raw, place),
            strength=_share(raw, "strength", place),
            prompt=_text(raw, "prompt", place),
            negative=_text(raw, "negative", place),
            tint=_tint(raw, place),
            control=_control(raw["control"], f"{place}.control")
            if "control" in raw
            else ControlSettings(),
            group=_text(raw, "group", place),
            folded=_flag(raw, "folded", False, place),
            origin=self.origin(raw["origin"], f"{place}.origin") if "origin" in raw else None,
            extra={key: raw[key] for key in raw if key not in _LAYER_FIELDS},
        )

    def tiles(self, raw: Any, channels: int, place: str) -> Tiles:
        if type(raw) is not dict:
            raise _wrong(f"{place}.tiles", "is not an object")
        self._count += len(raw)
        if self._count > MOST_TILES:
            raise TooLargeError(f"has more than {MOST_TILES} tiles.", place=place)
        made = {}
        for key, name in raw.items():
            match = _is_key(key)
            if match is None or type(name) is not str or not is_sha256(name):
                raise _wrong(f"{place}.tiles.{key[:20]}", "is not 'column,row' with a SHA-256")
            made[int(match[1]), int(match[2])] = self._contents.tile(name, channels)
        return Tiles(channels, made)

    def origin(self, raw: Any, place: str) -> Origin:
        if type(raw) is not dict or not is_sha256(_text(raw, "sha256", place)):
            raise _wrong(place, "is not an object with a 'sha256'")
        try:
            data = self._contents.file(raw["sha256"])
        except NodeForgeError as error:
            raise error.at(f"{place}, the file '{str(raw.get('name'))[:80]}'") from None
        if hashlib.sha256(data).hexdigest() != raw["sha256"]:
            raise _wrong(place, "is not the file that its SHA-256 names")
        left, top = (_whole(raw, side, 0, place) for side in ("left", "top"))
        return Origin(data, _text(raw, "name", place), left, top)


def _text(raw: dict[str, Any], name: str, place: str) -> str:
    value = raw.get(name, "")
    if type(value) is not str:
        raise _wrong(f"{place}.{name}", "is not text")
    return value


def _flag(raw: dict[str, Any], name: str, otherwise: bool, place: str) -> bool:
    value = raw.get(name, otherwise)
    if type(value) is not bool:
        raise _wrong(f"{place}.{name}", "is not true or false")
    return value


def _whole(raw: dict[str, Any], name: str, otherwise: int, place: str) -> int:
    value = raw.get(name, otherwise)
    if type(value) is not int or abs(value) > FARTHEST:
        raise _wrong(f"{place}.{name}", f"is not a whole number of at most {FARTHEST}")
    return value


def _share(
    raw: dict[str, Any], name: str, place: str, otherwise: float = 1.0, most: float = 1.0
) -> float:
    value = raw.get(name, otherwise)
    if type(value) not in (int, float) or not 0 <= value <= most:
        raise _wrong(f"{place}.{name}", f"is not a number of 0..{most:g}")
    return float(value)


def _control(raw: Any, place: str) -> ControlSettings:
    if type(raw) is not dict:
        raise _wrong(place, "is not an object")
    return ControlSettings(
        reading=_choice(raw, "reading", Reading, place),
        strength=_share(raw, "strength", place, most=STRONGEST),
        start=_share(raw, "start", place, otherwise=0.0),
        end=_share(raw, "end", place),
        controlnet=_text(raw, "controlnet", place),
    )


def _choice(raw: dict[str, Any], name: str, kinds: type[_Kind], place: str) -> _Kind:
    value = raw.get(name)
    for kind in kinds:
        if kind.value == value:
            return kind
    raise _wrong(f"{place}.{name}", f"is not one of {', '.join(kinds)}")


def _offset(raw: dict[str, Any], place: str) -> tuple[int, int]:
    value = raw.get("offset", [0, 0])
    whole = type(value) is list and len(value) == 2 and all(type(v) is int for v in value)
    if not whole or max(map(abs, value)) > FARTHEST:
        raise _wrong(f"{place}.offset", f"is not [x, y] of at most {FARTHEST}")
    return value[0], value[1]


def _tint(raw: dict[str, Any], place: str) -> str:
    value = _text(raw, "tint", place) or Layer.tint
    try:
        parse_colour(value)
    except ColourError:
        raise _wrong(f"{place}.tint", "is not a colour such as #rrggbb") from None
    return value


def _wrong(place: str, fact: str) -> WrongShapeError:
    return WrongShapeError(f"{fact}.", place=place.lstrip("."))
