"""Finds cycles in the graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from nodeforge.graph.model import Input, Output


def sources_of(links: Mapping[Input, Output]) -> dict[str, list[str]]:
    """The nodes that feed each node that is fed."""
    made: dict[str, list[str]] = defaultdict(list)
    for end, start in links.items():
        made[end.node].append(start.node)
    return made


def reaches(sources: Mapping[str, Iterable[str]], node: str, wanted: set[str]) -> bool:
    """Whether `node` is one of `wanted` or depends on one."""
    seen, waiting = {node}, [node]
    while waiting:
        node = waiting.pop()
        if node in wanted:
            return True
        for source in sources.get(node, ()):
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return False


def find_cycles(links: Mapping[Input, Output]) -> list[list[str]]:
    """A ring for each group of nodes that wait for each other, in the order of the links.

    Tarjan 1972, "Depth-first search and linear graph algorithms", without recursion.
    """
    sources = sources_of(links)
    return [_cycle(sources, part) for part in _components(sources)]


def _components(sources: Mapping[str, list[str]]) -> list[set[str]]:
    """The strongly connected parts that hold a ring."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    knots: list[set[str]] = []
    for root in sources:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        path.append(root)
        on_path.add(root)
        calls = [(root, iter(sources.get(root, ())))]
        while calls:
            node, rest = calls[-1]
            for source in rest:
                if source not in index:
                    index[source] = low[source] = len(index)
                    path.append(source)
                    on_path.add(source)
                    calls.append((source, iter(sources.get(source, ()))))
                    break
                if source in on_path:
                    low[node] = min(low[node], index[source])
            else:
                calls.pop()
                if calls:
                    low[calls[-1][0]] = min(low[calls[-1][0]], low[node])
                if low[node] == index[node]:
                    part: set[str] = set()
                    while node not in part:
                        part.add(path.pop())
                    on_path -= part
                    if len(part) > 1 or node in sources.get(node, ()):
                        knots.append(part)
    return knots


def _cycle(sources: Mapping[str, list[str]], component: set[str]) -> list[str]:
    """One cycle in `component`, in the direction of the links."""
    node = min(component)
    place: dict[str, int] = {}
    walk: list[str] = []
    while node not in place:
        place[node] = len(walk)
        walk.append(node)
        node = next(source for source in sources[node] if source in component)
    ring = walk[place[node] :][::-1]
    start = ring.index(min(ring))
    return ring[start:] + ring[:start]
