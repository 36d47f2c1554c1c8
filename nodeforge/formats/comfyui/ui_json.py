"""Parts of the UI form's JSON, read with whatever stands where something else should."""

from __future__ import annotations

import re
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import MOST_SLOTS, Rect, Source

_is_colour = re.compile("#[0-9a-fA-F]{6}").fullmatch
_is_short_colour = re.compile("#[0-9a-fA-F]{3}").fullmatch


def is_node(raw: Any) -> bool:
    return type(raw) is dict and type(raw.get("type")) is str and type(raw.get("id")) in (int, str)


def dicts(raw: Any) -> list[dict[str, Any]]:
    return [each for each in raw if type(each) is dict] if type(raw) is list else []


Links = dict[str, tuple[Source, Source]]
"""Links by their number: where each starts, and the node and slot where it ends."""


def links_of(raw: dict[str, Any]) -> Links:
    """The links of a graph in `raw`."""
    found: Links = {}
    links = raw.get("links")
    for link in links if type(links) is list else ():
        if type(link) is dict:
            names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
            link = [link.get(name) for name in names]
        if type(link) is not list or len(link) < 5:
            continue
        number, start, slot, end, place = link[:5]
        named = all(type(each) in (int, str) for each in (number, start, end))
        if named and type(slot) is int and 0 <= slot < MOST_SLOTS:
            found[str(number)] = (
                Source(str(start), slot),
                Source(str(end), place if type(place) is int else 0),
            )
    return found


def text_at(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    return value if type(value) is str else ""


def colour_of(text: str) -> str:
    """``#rrggbb`` of that or of ``#rgb``; empty for anything else."""
    if _is_short_colour(text):
        return "#" + "".join(digit * 2 for digit in text[1:])
    return text if _is_colour(text) else ""


def rect_of(place: Any, size: Any) -> Rect | None:
    x, y = pair(place) or (None, None)
    if x is None or y is None:
        return None
    width, height = pair(size) or (210.0, 80.0)
    return (x, y, max(width, 20.0), max(height, 20.0))


def pair(raw: Any) -> tuple[float, float] | None:
    """Two numbers, which older files write as an object with the keys 0 and 1."""
    if type(raw) is dict:
        raw = [raw.get("0"), raw.get("1")]
    if type(raw) is not list or len(raw) < 2:
        return None
    if any(type(number) not in (int, float) or abs(number) > 1e7 for number in raw[:2]):
        return None
    return float(raw[0]), float(raw[1])
