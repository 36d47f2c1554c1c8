"""Where nodes, frames and notes are: as in ComfyUI, spread out until nothing overlaps.

One node there may be several here, so each gets a cluster: the one that stands for it at the
right, what feeds it in columns before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

from nodeforge.formats.comfyui.neutral import ComfyGraph, Rect
from nodeforge.graph.document import Document
from nodeforge.graph.model import Node
from nodeforge.spec import Catalogue, TextWidget

WIDTH, COLUMN = 220, 268
"""Of a node as the window draws it, and from one column to the next."""

_ROW, _HEAD, _GAP = 20, 52, 24
_TALLEST = 640
"""A cluster's column of more than this goes on in the next one."""

_CELL = 512
_FACTORS = (1.0, 1.25, 1.5, 2.0)
_MARGIN, _TITLE = 24, 44
"""Between a frame and what is in it."""


def place(
    document: Document,
    graph: ComfyGraph,
    clusters: Mapping[str, Sequence[str]],
    catalogue: Catalogue,
) -> None:
    """Fill the document's table of positions, and its frames; notes move along.

    Nothing is placed where the file says no places: the window lays such graphs out.

    Args:
        clusters: Ids of ours by the ids there; the one that stands for it first.
    """
    there = {name: graph.nodes[name].rect for name in clusters if clusters[name]}
    known = {name: rect for name, rect in there.items() if rect is not None}
    if not known:
        return
    inner = {name: _cluster(document, clusters[name], catalogue) for name in there}
    sizes = {name: _extent(document, places, catalogue) for name, places in inner.items()}
    notes = {
        f"note:{number}": (rect, rect[2:])
        for number, rect in enumerate(_note_rects(document), start=1)
    }
    bottom = max(rect[1] + rect[3] for rect in known.values()) + 200
    wishes = {name: rect or (0.0, bottom, 0.0, 0.0) for name, rect in there.items()}
    wishes |= {name: rect for name, (rect, _) in notes.items()}
    sizes |= {name: size for name, (_, size) in notes.items()}
    corners = spread({name: rect[:2] for name, rect in wishes.items()}, sizes)
    for name, places in inner.items():
        x, y = corners[name]
        for node, (right, down) in places.items():
            document.view.positions[node] = [round(x + right), round(y + down)]
    for name in notes:
        document.view.notes[name]["rect"][:2] = [round(side) for side in corners[name]]
    _frame(document, graph, wishes, corners, sizes)


def spread(
    wishes: Mapping[str, tuple[float, float]], sizes: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Corners near the wished ones, in the same order, so that no two rectangles overlap.

    All is scaled up while that helps; what still overlaps moves down.
    """
    factor = next((f for f in _FACTORS if not _overlaps(wishes, sizes, f)), _FACTORS[-1])
    grid: defaultdict[tuple[int, int], list[Rect]] = defaultdict(list)
    corners: dict[str, tuple[float, float]] = {}
    bottoms: dict[tuple[float, float], float] = {}
    for name in sorted(wishes, key=lambda name: (wishes[name][1], wishes[name][0])):
        x, y = (side * factor for side in wishes[name])
        y = max(y, bottoms.get((x, y), y))
        start = (x, wishes[name][1] * factor)
        while hit := _hit(grid, (x, y, *sizes[name])):
            y = hit[1] + hit[3] + _GAP
        rect = (x, y, *sizes[name])
        bottoms[start] = y + sizes[name][1] + _GAP
        corners[name] = (x, y)
        for cell in _cells(rect):
            grid[cell].append(rect)
    return corners


def _overlaps(
    wishes: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
    factor: float,
) -> bool:
    grid: defaultdict[tuple[int, int], list[Rect]] = defaultdict(list)
    for name, (x, y) in wishes.items():
        rect = (x * factor, y * factor, *sizes[name])
        if _hit(grid, rect):
            return True
        for cell in _cells(rect):
            grid[cell].append(rect)
    return False


def _cells(rect: Rect) -> product[tuple[int, int]]:
    x, y, width, height = rect
    return product(
        range(int(x // _CELL), int((x + width) // _CELL) + 1),
        range(int(y // _CELL), int((y + height) // _CELL) + 1),
    )  # pyright: ignore[reportReturnType]


def _hit(grid: Mapping[tuple[int, int], list[Rect]], rect: Rect) -> Rect | None:
    """A rectangle in the grid that `rect` overlaps."""
    x, y, width, height = rect
    for cell in _cells(rect):
        for other in grid.get(cell, ()):
            across = x < other[0] + other[2] and other[0] < x + width
            if across and y < other[1] + other[3] and other[1] < y + height:
                return other
    return None


def _cluster(
    document: Document, names: Sequence[str], catalogue: Catalogue
) -> dict[str, tuple[float, float]]:
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
    places: dict[str, tuple[float, float]] = {}
    for index, column in enumerate(columns):
        y = 0.0
        for name in column:
            places[name] = (index * COLUMN, y)
            y += _height(document.graph.nodes[name], catalogue) + _GAP
    places[names[0]] = (len(columns) * COLUMN, 0.0)
    return places


def _extent(
    document: Document, places: Mapping[str, tuple[float, float]], catalogue: Catalogue
) -> tuple[float, float]:
    nodes = document.graph.nodes
    return (
        max(x for x, _ in places.values()) + WIDTH,
        max(y + _height(nodes[name], catalogue) for name, (_, y) in places.items()),
    )


def _height(node: Node, catalogue: Catalogue) -> float:
    """About what the window gives a node."""
    spec = catalogue.get(node.type)
    if spec is None:
        return _HEAD + _ROW * (4 + len(node.values))
    plugs = [port for port in spec.inputs if port.widget is None]
    rows = max(len(plugs), len(spec.outputs)) + len(spec.inputs) - len(plugs)
    texts = sum(isinstance(p.widget, TextWidget) and p.widget.multiline for p in spec.inputs)
    return _HEAD + _ROW * rows + 52 * texts


def _note_rects(document: Document) -> list[Rect]:
    return [tuple(map(float, each["rect"])) for each in document.view.notes.values()]  # pyright: ignore[reportReturnType]


def _frame(
    document: Document,
    graph: ComfyGraph,
    wishes: Mapping[str, Rect],
    corners: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
) -> None:
    """Put each group around what was in it."""
    for number, frame in enumerate(graph.frames, start=1):
        inside = [name for name, rect in wishes.items() if _holds(frame.rect, rect)]
        rect = [round(side) for side in frame.rect]
        if inside:
            left = min(corners[name][0] for name in inside) - _MARGIN
            top = min(corners[name][1] for name in inside) - _TITLE
            right = max(corners[name][0] + sizes[name][0] for name in inside) + _MARGIN
            bottom = max(corners[name][1] + sizes[name][1] for name in inside) + _MARGIN
            rect = [round(side) for side in (left, top, right - left, bottom - top)]
        entry: dict[str, object] = {"rect": rect, "title": frame.title}
        if frame.colour:
            entry["colour"] = frame.colour
        document.view.backdrops[f"backdrop:{number}"] = entry


def _holds(outer: Rect, rect: Rect) -> bool:
    x, y = rect[0] + rect[2] / 2, rect[1] + rect[3] / 2
    return outer[0] <= x <= outer[0] + outer[2] and outer[1] <= y <= outer[1] + outer[3]
