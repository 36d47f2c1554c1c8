"""Positions of nodes, groups and notes: as in ComfyUI, moved apart so that nothing overlaps.

One ComfyUI node may become several nodes, so each gets a cluster: its main node at the right,
the nodes linked to it in columns before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nodeforge.formats.comfyui.comfy_graph import ComfyGraph, Group, Rect, subgraph_of
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.graph.ports import picture_port
from nodeforge.spec import Catalogue, TextWidget

Size = tuple[float, float]

WIDTH, COLUMN = 220, 268
"""Of a node as the window draws it, and from one column to the next."""

_ROW, _HEAD, _GAP, _PICTURE = 20, 52, 24, 168
_TALLEST = 640
"""A column taller than this is continued in the next one."""

MOST = 1000
"""Nodes, notes and groups that are placed one by one; every pair of them is compared."""

_NOTE: Rect = (0.0, 0.0, 240.0, 160.0)
_BOX: Size = (WIDTH, 200.0)
_MARGIN, _TITLE = 24, 44
"""Between a group and its contents."""


Entry = tuple[str, str, dict[str, Any]]


@dataclass
class Placement:
    """Places that are settled once subgraphs are made.

    Args:
        boxes: Corners of subgraphs, by their ids there.
        entries: Notes and backdrops: the id of the subgraph that they are in, table, entry.
    """

    boxes: dict[str, Size] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


def place(
    document: Document,
    graph: ComfyGraph,
    clusters: Mapping[str, Sequence[str]],
    notes: Mapping[str, str],
    catalogue: Catalogue,
) -> Placement:
    """Fill the document's table of positions, each subgraph apart.

    Nodes are not placed where the file says no places, or there are more than `MOST`: the window
    lays such graphs out.

    Args:
        clusters: Ids of ours by the ids there; the one that stands for it first.
        notes: Texts of notes by the ids there.
    """
    made = Placement()
    levels: dict[str, dict[str, Rect | None]] = {"": {}}
    for name in (*(each for each in clusters if clusters[each]), *notes):
        levels.setdefault(subgraph_of(name), {})[name] = graph.nodes[name].rect
    for name, box in graph.subgraphs.items():
        levels.setdefault(subgraph_of(name), {})[name] = box.rect
    for level, things in levels.items():
        frames = [frame for frame in graph.groups if frame.subgraph == level]
        inner = {n: _cluster(document, clusters[n], catalogue) for n in things if n in clusters}
        sizes = {name: _extent(document, places, catalogue) for name, places in inner.items()}
        sizes |= {name: (things[name] or _NOTE)[2:] for name in things if name in notes}
        sizes |= {name: _BOX for name in things if name in graph.subgraphs}
        corners, framed = _settled(things, sizes, frames)
        _move(document, inner, corners)
        made.boxes |= {name: corners[name] for name in corners if name in graph.subgraphs}
        made.entries += _notes(level, things, notes, corners)
        made.entries += _backdrops(level, frames, framed)
    return made


def _move(
    document: Document, inner: Mapping[str, Mapping[str, Size]], corners: Mapping[str, Size]
) -> None:
    """Put nodes where their clusters are."""
    for name, places in inner.items() if corners else ():
        x, y = corners[name]
        for node, (right, down) in places.items():
            document.view.positions[node] = [round(x + right), round(y + down)]


def _notes(
    level: str,
    things: Mapping[str, Rect | None],
    notes: Mapping[str, str],
    corners: Mapping[str, Size],
) -> Iterator[Entry]:
    for name, rect in things.items():
        if name in notes:
            rect = rect or _NOTE
            place = (*corners.get(name, rect[:2]), *rect[2:])
            yield level, "notes", {"rect": _rounded(place), "text": notes[name]}


def _backdrops(level: str, frames: Sequence[Group], rects: Sequence[Rect]) -> Iterator[Entry]:
    for frame, rect in zip(frames, rects, strict=True):
        colour = {"colour": frame.colour} if frame.colour else {}
        yield level, "backdrops", {"rect": _rounded(rect), "title": frame.title, **colour}


def _settled(
    things: Mapping[str, Rect | None], sizes: Mapping[str, Size], frames: Sequence[Group]
) -> tuple[dict[str, Size], list[Rect]]:
    """Corners of one level's things, none where the window is to find them; and its frames."""
    known = [rect for rect in things.values() if rect is not None]
    if not known or len(things) + len(frames) > MOST:
        return {}, [frame.rect for frame in frames]
    bottom = max(y + height for _, y, _, height in known) + 2 * _GAP
    rects = {name: rect or (0.0, bottom, *sizes[name]) for name, rect in things.items()}
    return _in_frames(rects, sizes, [frame.rect for frame in frames])


def _rounded(rect: Sequence[float]) -> list[int]:
    return [round(side) for side in rect]


def _in_frames(
    rects: Mapping[str, Rect], sizes: Mapping[str, Size], frames: Sequence[Rect]
) -> tuple[dict[str, Size], list[Rect]]:
    """Corners of all, and the frames: each around what was in it, and around nothing else."""
    rects, sizes = dict(rects), dict(sizes)
    inside: dict[str, dict[str, Size]] = {}
    for index in sorted(range(len(frames)), key=lambda i: frames[i][2] * frames[i][3]):
        members = {name: rect for name, rect in rects.items() if _holds(frames[index], rect)}
        if not members:
            continue
        corners = spread(members, sizes)
        left, top = (min(corner[axis] for corner in corners.values()) for axis in (0, 1))
        offsets = {n: (x - left + _MARGIN, y - top + _TITLE) for n, (x, y) in corners.items()}
        block = f"frame {index}"
        inside[block] = offsets
        sizes[block] = (
            max(x + sizes[name][0] for name, (x, _) in offsets.items()) + _MARGIN,
            max(y + sizes[name][1] for name, (_, y) in offsets.items()) + _MARGIN,
        )
        rects = {name: rect for name, rect in rects.items() if name not in members}
        rects[block] = frames[index]
    corners = spread(rects, sizes)
    for block in reversed(inside):  # outer ones come later
        x, y = corners[block]
        corners |= {n: (x + right, y + down) for n, (right, down) in inside[block].items()}
    names = [f"frame {index}" for index in range(len(frames))]
    made = [(*corners[n], *sizes[n]) if n in inside else frames[i] for i, n in enumerate(names)]
    return corners, made


def spread(rects: Mapping[str, Rect], sizes: Mapping[str, Size]) -> dict[str, Size]:
    """Corners for rectangles of other sizes, so that no two overlap.

    What was beside or above something stays there, as near to its place as it can be; what
    overlapped before comes to lie below. That asks every pair: use it for `MOST` of them.

    Args:
        rects: Where they were.
        sizes: Their width and height now.
    """
    across = sorted(rects, key=lambda name: (rects[name][0], name))
    down = sorted(rects, key=lambda name: (rects[name][1], name))
    xs: dict[str, float] = {}
    for name in across:
        xs[name] = max(
            (xs[other] + sizes[other][0] + _GAP for other in xs if _is_left(rects, other, name)),
            default=rects[name][0],
        )
        xs[name] = max(xs[name], rects[name][0])
    ys: dict[str, float] = {}
    for name in down:
        above = (
            ys[other] + sizes[other][1] + _GAP
            for other in ys
            if not _is_left(rects, other, name) and not _is_left(rects, name, other)
        )
        ys[name] = max(rects[name][1], max(above, default=rects[name][1]))
    return {name: (xs[name], ys[name]) for name in rects}


def _is_left(rects: Mapping[str, Rect], one: str, other: str) -> bool:
    """Whether `one` is left of `other`, and not rather above or below it."""
    (x, y, width, height), (u, v, _, other_height) = rects[one], rects[other]
    gap = u - (x + width)
    return gap >= 0 and gap >= max(v - (y + height), y - (v + other_height))


def _cluster(document: Document, names: Sequence[str], catalogue: Catalogue) -> dict[str, Size]:
    """Places of a cluster's nodes, from its corner."""
    columns: list[list[str]] = [[]]
    height = 0.0
    for name in names[1:]:
        tall = _height(document.graph.nodes[name], catalogue)
        if columns[-1] and height + tall > _TALLEST:
            columns.append([])
            height = 0.0
        columns[-1].append(name)
        height += tall + _GAP
    columns = [column for column in columns if column]
    places: dict[str, Size] = {}
    for index, column in enumerate(columns):
        y = 0.0
        for name in column:
            places[name] = (index * COLUMN, y)
            y += _height(document.graph.nodes[name], catalogue) + _GAP
    places[names[0]] = (len(columns) * COLUMN, 0.0)
    return places


def _extent(document: Document, places: Mapping[str, Size], catalogue: Catalogue) -> Size:
    nodes = document.graph.nodes
    return (
        max(x for x, _ in places.values()) + WIDTH,
        max(y + _height(nodes[name], catalogue) for name, (_, y) in places.items()),
    )


def _height(node: Node, catalogue: Catalogue) -> float:
    """About what the window gives a node, with its picture."""
    spec = catalogue.get(node.type)
    if spec is None:
        return _HEAD + _ROW * (4 + len(node.values))
    plugs = [port for port in spec.inputs if port.widget is None]
    rows = max(len(plugs), len(spec.outputs)) + len(spec.inputs) - len(plugs)
    texts = sum(isinstance(p.widget, TextWidget) and p.widget.multiline for p in spec.inputs)
    picture = _PICTURE if picture_port(node, catalogue) else 0
    return _HEAD + _ROW * rows + 52 * texts + picture


def _holds(outer: Rect, rect: Rect) -> bool:
    x, y = rect[0] + rect[2] / 2, rect[1] + rect[3] / 2
    return outer[0] <= x <= outer[0] + outer[2] and outer[1] <= y <= outer[1] + outer[3]
