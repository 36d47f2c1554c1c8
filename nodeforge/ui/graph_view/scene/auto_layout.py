"""Layered graph layout: nodes from left to right by depth, with few crossings; iterative.

Parts of the graph that no link joins are laid out each alone, then set side by side in rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

ACROSS, DOWN = 48.0, 24.0
"""Spacing between columns, and between nodes of a column."""
SWEEPS = 4
WIDER = 1.3
"""The width of rows, as a multiple of the side of a square with their area."""

Size = tuple[float, float]


def layered_layout(
    sizes: Mapping[str, Size], links: Collection[tuple[str, str]]
) -> dict[str, Size]:
    """The position of each node (top left corner), starting at (0, 0).

    Args:
        sizes: Width and height of each node, in the order to keep where nothing else decides.
        links: From which node to which; those of other nodes do not count.
    """
    pairs = [(a, b) for a, b in dict.fromkeys(links) if a in sizes and b in sizes and a != b]
    parts: list[tuple[list[str], dict[str, Size]]] = []
    for names, inner in _connected(sizes, pairs):
        parts.append((names, _layer({name: sizes[name] for name in names}, inner)))
    linked = [places for names, places in parts if len(names) > 1]
    loose = [places for names, places in parts if len(names) == 1]
    made, height = _in_rows(linked, sizes, 0.0, 2 * ACROSS, 0.0)
    width = max((x + sizes[name][0] for name, (x, _) in made.items()), default=0.0)
    below = height + 2 * DOWN if made else 0.0
    return made | _in_rows(loose, sizes, below, ACROSS, width)[0]


Pairs = list[tuple[str, str]]


def _connected(names: Iterable[str], links: Pairs) -> list[tuple[list[str], Pairs]]:
    """The parts of the graph that links join: their nodes, in order, and their links."""
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for start, end in links:
        beside[start].append(end)
        beside[end].append(start)
    part: dict[str, int] = {}
    made: list[tuple[list[str], Pairs]] = []
    for first in names:
        if first not in part:
            waiting = [first]
            while waiting:
                name = waiting.pop()
                if name not in part:
                    part[name] = len(made)
                    waiting += beside[name]
            made.append(([], []))
        made[part[first]][0].append(first)
    for start, end in links:
        made[part[start]][1].append((start, end))
    return made


def _layer(sizes: Mapping[str, Size], pairs: Pairs) -> dict[str, Size]:
    depth = _depths(sizes, pairs)
    _pull_sources(depth, pairs)
    columns: defaultdict[int, list[str]] = defaultdict(list)
    for name in sizes:
        columns[depth[name]].append(name)
    ordered = [columns[index] for index in sorted(columns)]
    _uncross(ordered, pairs)
    return _place(ordered, sizes)


def _depths(names: Iterable[str], links: list[tuple[str, str]]) -> dict[str, int]:
    """The longest path to each node from a source; cycles are cut."""
    readers: defaultdict[str, list[str]] = defaultdict(list)
    waiting_for: dict[str, int] = dict.fromkeys(names, 0)
    for start, end in links:
        readers[start].append(end)
        waiting_for[end] += 1
    depth = dict.fromkeys(waiting_for, 0)
    ready = [name for name, count in waiting_for.items() if not count]
    rest = dict.fromkeys(name for name, count in waiting_for.items() if count)
    while ready or rest:
        if not ready:
            ready.append(next(iter(rest)))
            del rest[ready[-1]]
        name = ready.pop()
        for reader in readers[name]:
            if reader in rest:
                depth[reader] = max(depth[reader], depth[name] + 1)
                waiting_for[reader] -= 1
                if not waiting_for[reader]:
                    del rest[reader]
                    ready.append(reader)
    return depth


def _pull_sources(depth: dict[str, int], links: list[tuple[str, str]]) -> None:
    """Move source nodes next to their first reader."""
    fed = {end for _, end in links}
    first: dict[str, int] = {}
    for start, end in links:
        if start not in fed:
            first[start] = min(first.get(start, depth[end]), depth[end])
    depth.update({name: max(0, place - 1) for name, place in first.items()})


def _uncross(columns: list[list[str]], links: list[tuple[str, str]]) -> None:
    """Reduce crossings: sort columns by the mean position of neighbours, in both directions."""
    before: defaultdict[str, list[str]] = defaultdict(list)
    after: defaultdict[str, list[str]] = defaultdict(list)
    for start, end in links:
        before[end].append(start)
        after[start].append(end)
    place = {name: row / len(column) for column in columns for row, name in enumerate(column)}
    for sweep in range(SWEEPS):
        beside = before if sweep % 2 == 0 else after
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wish = {
                name: sum(place[n] for n in beside[name]) / len(beside[name])
                if beside[name]
                else place[name]
                for name in column
            }
            column.sort(key=wish.__getitem__)
            place |= {name: row / len(column) for row, name in enumerate(column)}


def _place(columns: list[list[str]], sizes: Mapping[str, Size]) -> dict[str, Size]:
    places: dict[str, Size] = {}
    x = 0.0
    heights = [sum(sizes[name][1] + DOWN for name in column) - DOWN for column in columns]
    tallest = max(heights, default=0.0)
    for column, height in zip(columns, heights, strict=True):
        y = round((tallest - height) / 2 / 4) * 4.0
        for name in column:
            places[name] = (x, y)
            y += sizes[name][1] + DOWN
        x += max(sizes[name][0] for name in column) + ACROSS
    return places


def _in_rows(
    parts: Sequence[Mapping[str, Size]],
    sizes: Mapping[str, Size],
    top: float,
    gap: float,
    width: float,
) -> tuple[dict[str, Size], float]:
    """Set parts side by side, from `top` on.

    Args:
        parts: The places of each part's nodes, from (0, 0).
        sizes: The size of each node.
        top: Where the first row begins.
        gap: Space between parts.
        width: At least so wide are the rows; wider ones are about as wide as all are high.

    Returns:
        The places, and the bottom of the last row.
    """
    boxes = [
        (
            max(x + sizes[name][0] for name, (x, _) in part.items()),
            max(y + sizes[name][1] for name, (_, y) in part.items()),
        )
        for part in parts
    ]
    area = sum((across + gap) * (down + gap) for across, down in boxes)
    width = max(width, WIDER * area**0.5, *(across for across, _ in boxes), 0.0)
    made: dict[str, Size] = {}
    x, y, row = 0.0, top, 0.0
    for part, (across, down) in zip(parts, boxes, strict=True):
        if x and x + across > width:
            x, y, row = 0.0, y + row + gap / 2, 0.0
        made |= {name: (x + left, y + above) for name, (left, above) in part.items()}
        x, row = x + across + gap, max(row, down)
    return made, y + row
