"""Layered graph layout: nodes from left to right by depth, with few crossings; iterative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

ACROSS, DOWN = 48.0, 24.0
"""Spacing between columns, and between nodes of a column."""
SWEEPS = 4

Size = tuple[float, float]


def layered_layout(
    sizes: Mapping[str, Size], links: Collection[tuple[str, str]]
) -> dict[str, Size]:
    """The position of each node (top left corner), starting at (0, 0).

    Args:
        sizes: Width and height of each node, in the order to keep where nothing else decides.
        links: From which node to which; those of other nodes do not count.
    """
    linked = {name for pair in links if pair[0] in sizes and pair[1] in sizes for name in pair}
    places = _layer_linked({name: size for name, size in sizes.items() if name in linked}, links)
    _add_rows(places, sizes)
    return places


def _layer_linked(sizes: Mapping[str, Size], links: Iterable[tuple[str, str]]) -> dict[str, Size]:
    pairs = [(a, b) for a, b in dict.fromkeys(links) if a in sizes and b in sizes and a != b]
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


def _add_rows(places: dict[str, Size], sizes: Mapping[str, Size]) -> None:
    """Place unlinked nodes in rows below the others."""
    right = max((x + sizes[name][0] for name, (x, _) in places.items()), default=0.0)
    y = max((y + sizes[name][1] + 2 * DOWN for name, (_, y) in places.items()), default=0.0)
    loose = [name for name in sizes if name not in places]
    area = sum((sizes[name][0] + ACROSS) * (sizes[name][1] + DOWN) for name in loose)
    width = max(right, 1.3 * area**0.5)
    x = high = 0.0
    for name in loose:
        if x and x + sizes[name][0] > width:
            x, y, high = 0.0, y + high + DOWN, 0.0
        places[name] = (x, y)
        x, high = x + sizes[name][0] + ACROSS, max(high, sizes[name][1])
