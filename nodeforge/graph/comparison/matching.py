"""Which node of one workflow is which of another: by id, and by what it does where ids differ."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping

from nodeforge.graph.inline import Inlined
from nodeforge.graph.model import Input, Node, Output, Subgraph
from nodeforge.graph.paths import split

_ROUNDS = 3
"""Links away that a node's surroundings count."""

Labels = Mapping[str, Hashable]
Key = Callable[[str], Hashable]


def match(before: Inlined, after: Inlined) -> dict[str, str]:
    """Paths in `before` to the paths of the same nodes in `after`; others have none.

    A node of the same path and type is the same. Of the rest, those are the same that agree in
    most: type, surroundings (what feeds what, three links far), title and values; first where
    there is no choice, and along the links from there. In the end, nodes of other types are taken
    for each other where they have the same path: one was replaced.
    """
    made = _Matching(before, after)
    for path, node in made.first.nodes.items():
        if path in made.second.nodes and made.second.nodes[path].type == node.type:
            made.add(path, path)
    keys = list(zip(_keys(before), _keys(after), strict=True))
    known = -1
    while known < len(made.found):  # again where a subgraph was found: for what is inside
        known = len(made.found)
        for sure in (True, False):
            for key in keys:
                made.pair(*key, sure=sure)
    return made.found | {
        path: path for path in made.first.nodes if made.is_free(path, path, any_type=True)
    }


def nodes_of(whole: Inlined) -> dict[str, Node]:
    """All nodes by path, subgraphs included."""
    return {**whole.nodes, **whole.groups}


class _Side:
    """One workflow: its nodes, and what is linked to each."""

    def __init__(self, whole: Inlined) -> None:
        self.nodes = nodes_of(whole)
        self.sources: defaultdict[str, dict[tuple[str, int | None], str]] = defaultdict(dict)
        self.readers: defaultdict[str, list[tuple[Output, Input]]] = defaultdict(list)
        for end, start in whole.links.items():
            self.sources[end.node][end.port, end.item] = start.node
            self.readers[start.node].append((start, end))


class _Matching:
    def __init__(self, before: Inlined, after: Inlined) -> None:
        self.first, self.second = _Side(before), _Side(after)
        self.found: dict[str, str] = {}
        self.taken: set[str] = set()

    def is_free(self, old: str, new: str, *, any_type: bool = False) -> bool:
        """Whether the two may be the same: neither is paired, and type and place agree."""
        if old in self.found or new in self.taken:
            return False
        one, other = self.first.nodes.get(old), self.second.nodes.get(new)
        if one is None or other is None or not (any_type or one.type == other.type):
            return False
        group = split(old)[0]
        return self.found.get(group, group) == split(new)[0]

    def add(self, old: str, new: str) -> None:
        """Pair two nodes, and along their links those that can only be the same then."""
        waiting = [(old, new)]
        while waiting:
            old, new = waiting.pop()
            if self.is_free(old, new):
                self.found[old] = new
                self.taken.add(new)
                if old != new:
                    waiting += self._beside(old, new)

    def _beside(self, old: str, new: str) -> Iterator[tuple[str, str]]:
        there = self.second.sources[new]
        for port, source in self.first.sources[old].items():
            if port in there:
                yield source, there[port]
        ends = [self._alone(side, name) for side, name in ((self.first, old), (self.second, new))]
        for how, reader in ends[0].items():
            if how in ends[1]:
                yield reader, ends[1][how]

    def _alone(self, side: _Side, name: str) -> dict[tuple[str, ...], str]:
        """The readers of a node that read one of its outputs at a port as the only one."""
        known = self.found if side is self.first else self.taken
        free = [
            ((start.port, end.port, side.nodes[end.node].type), end.node)
            for start, end in side.readers[name]
            if end.node in side.nodes and end.node not in known
        ]
        counts = Counter(how for how, _ in free)
        return {how: reader for how, reader in free if counts[how] == 1}

    def pair(self, key_before: Key, key_after: Key, *, sure: bool) -> None:
        """Pair nodes whose keys agree, in their order; with `sure`, only without a choice."""
        here: defaultdict[Hashable, list[str]] = defaultdict(list)
        for path in self.first.nodes:
            if path not in self.found:
                group = split(path)[0]
                here[self.found.get(group, group), key_before(path)].append(path)
        there: defaultdict[Hashable, list[str]] = defaultdict(list)
        for path in self.second.nodes:
            if path not in self.taken:
                there[split(path)[0], key_after(path)].append(path)
        for key, olds in here.items():
            news = there.get(key, [])
            if not sure or (len(olds), len(news)) == (1, 1):
                self._in_order(olds, news)

    def _in_order(self, olds: list[str], news: list[str]) -> None:
        left = iter(news)
        for old in olds:
            if old not in self.found:
                new = next((new for new in left if new not in self.taken), None)
                if new is not None:
                    self.add(old, new)


def _keys(whole: Inlined) -> Iterator[Key]:
    """From what agrees in most to what agrees in least."""
    nodes = nodes_of(whole)
    kinds = {path: node.type for path, node in nodes.items()}
    titles = {path: node.title for path, node in nodes.items()}
    values = {path: _told(node) for path, node in nodes.items()}
    wholly = {path: (kinds[path], titles[path], values[path]) for path in nodes}
    rounds = list(_surroundings(whole, kinds))
    for labels in (*reversed(list(_surroundings(whole, wholly))), wholly):
        yield _joined(labels)
    for labels in reversed(rounds):
        yield _joined(labels, titles)
        yield _joined(labels, values)
        yield _joined(labels)
    counts = Counter(kinds.values())
    yield lambda path: kinds[path] if counts[kinds[path]] == 1 else ("several", path, id(whole))


def _joined(*labels: Labels) -> Key:
    return lambda path: tuple(each[path] for each in labels)


def _told(node: Node) -> str:
    inner = len(node.graph.nodes) if isinstance(node, Subgraph) else 0
    return f"{inner} {json.dumps(node.values, sort_keys=True)}"


def _surroundings(whole: Inlined, own: Labels) -> Iterator[dict[str, Hashable]]:
    """A label a node, after each round: its own and those of its neighbours, with the ports."""
    labels = {path: hash(label) for path, label in own.items()}
    for _ in range(_ROUNDS):
        beside: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for end, start in whole.links.items():
            if end.node in labels and start.node in labels:
                beside[end.node].append((end.port, start.port, labels[start.node]))
                beside[start.node].append((start.port, f"<{end.port}", labels[end.node]))
        labels = {path: hash((label, *sorted(beside[path]))) for path, label in labels.items()}
        yield dict(labels)
