"""Graphs without the names of their nodes, to compare them."""

from __future__ import annotations

from nodeforge.graph.flatten import FlatGraph


def shape(flat: FlatGraph) -> list[str]:
    """Each node with its values and what feeds it, all the way back; in a fixed order."""
    made: dict[str, str] = {}

    def of(name: str) -> str:
        if name not in made:
            node = flat.nodes[name]
            fed = sorted(
                (end.port, end.item or 0, start.port, of(start.node))
                for end, start in flat.links.items()
                if end.node == name
            )
            values = sorted((port, repr(_plain(value))) for port, value in node.values.items())
            made[name] = str((node.type, values, fed))
        return made[name]

    return sorted(of(name) for name in flat.nodes)


def _plain(value: object) -> object:
    """Whole numbers and decimals of one value are one: 8 and 8.0."""
    return float(value) if type(value) is int and abs(value) < 2**53 else value
