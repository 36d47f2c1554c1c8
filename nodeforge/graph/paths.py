"""Addresses of nodes inside subgraphs: ``group/denoise`` is `denoise` in the graph of `group`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from nodeforge.graph.model import Input, Output

NODE_ID = re.compile(r"[a-z0-9_]+\Z")
_COUNTED = re.compile(r"(.+?)_(\d+)\Z")
_FOREIGN = re.compile(r"[^a-z0-9_]+")


def split(path: str) -> tuple[str, str]:
    """The path of the subgraph that holds a node (empty for the root), and the node's id."""
    group, _, name = path.rpartition("/")
    return group, name


def join(group: str, name: str) -> str:
    """The path of the node `name` in the subgraph `group`."""
    return f"{group}/{name}" if group else name


def inside(group: str, port: Input) -> Input:
    """An input of a node in `group`, addressed from the root."""
    return Input(join(group, port.node), port.port, port.item)


def within(group: str, port: Output) -> Output:
    """An output of a node in `group`, addressed from the root."""
    return Output(join(group, port.node), port.port)


def ancestors(path: str) -> Iterator[str]:
    """``a``, ``a/b``, ``a/b/c`` for ``a/b/c``."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
    yield path


class Names:
    """Gives ids that are free beside `taken`: ``denoise``, ``denoise_2``, ``denoise_3``."""

    def __init__(self, taken: Container[str]) -> None:
        self._taken = taken
        self._given: set[str] = set()
        self._last: dict[str, int] = {}

    def __call__(self, wish: str) -> str:
        """A free id like `wish`: a node type's id, or another node's id."""
        wish = _FOREIGN.sub("_", wish.rsplit(".", 1)[-1].lower()).strip("_") or "node"
        if self._is_free(wish):
            return self._give(wish)
        counted = _COUNTED.match(wish)
        stem = counted[1] if counted else wish
        number = self._last.get(stem, 1) + 1
        while not self._is_free(f"{stem}_{number}"):
            number += 1
        self._last[stem] = number
        return self._give(f"{stem}_{number}")

    def _is_free(self, name: str) -> bool:
        return name not in self._taken and name not in self._given

    def _give(self, name: str) -> str:
        self._given.add(name)
        return name
