"""Names of a document's assets: two pictures of one file name stay two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from nodeforge.graph.model import Node, Subgraph

ASSET = "asset:"
"""How a value names one of the document's assets: ``asset:cat.png``."""


def asset_name(assets: Mapping[str, Any], name: str, sha256: str) -> str:
    """`name`, or ``cat_2.png`` and so on where another file has it.

    Args:
        assets: Of a document.
        name: A file's name.
        sha256: Of its content; an asset of this content keeps its name.
    """
    stem, suffix, count = PurePath(name).stem, PurePath(name).suffix, 1
    while name in assets and _content(assets[name]) != sha256:
        count += 1
        name = f"{stem}_{count}{suffix}"
    return name


def used_assets(nodes: Iterable[Node]) -> set[str]:
    """The names of the assets that the values of nodes, and of those inside them, name."""
    return {
        value.removeprefix(ASSET)
        for node in _all(nodes)
        for value in node.values.values()
        if isinstance(value, str) and value.startswith(ASSET)
    }


def rename_assets(node: Node, names: Mapping[str, str]) -> None:
    """Have a node that is in no document yet, and those inside it, name assets by new names."""
    for each in _all([node]):
        for port, value in each.values.items():
            if isinstance(value, str) and value.startswith(ASSET):
                name = value.removeprefix(ASSET)
                each.values[port] = ASSET + names.get(name, name)


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    waiting = list(nodes)
    while waiting:
        yield (node := waiting.pop())
        if isinstance(node, Subgraph):
            waiting += node.graph.nodes.values()


def _content(asset: Any) -> Any:
    return asset.get("sha256") if isinstance(asset, Mapping) else None
