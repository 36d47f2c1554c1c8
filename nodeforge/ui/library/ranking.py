"""The order in which node types are offered, for the library and the search popup alike.

By how well a search fits; where a link was dropped, by how well a port fits it, and what is usual
there. Then by use: favourites, recent types, how often each was added. Then what is usual. Types
of the canvas are last: the canvas adds them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nodeforge.spec import NodeSpec
from nodeforge.ui.common.formatting import plain_text
from nodeforge.ui.library.fuzzy_search import ranked
from nodeforge.ui.library.node_use import NodeUse, shipped_use
from nodeforge.ui.library.other_names import OtherNames, other_names

CANVAS = "canvas"
Relevance = Callable[[NodeSpec], float]


def by_use(
    specs: Iterable[NodeSpec], use: NodeUse, relevance: Relevance = lambda _: 0.0
) -> list[NodeSpec]:
    """Node types, the most used first; `relevance` says how well each fits a dropped link."""
    usual = shipped_use()
    recent = {type_id: place for place, type_id in enumerate(use.recent)}

    def key(spec: NodeSpec) -> tuple[bool, float, bool, int, int, int, str, str]:
        return (
            spec.category == CANVAS,
            -relevance(spec),
            spec.type not in use.favourites,
            recent.get(spec.type, len(recent)),
            -use.counts[spec.type],
            -usual.get(spec.type, 0),
            spec.category,
            spec.title,
        )

    return sorted(specs, key=key)


def search(query: str, specs: Iterable[NodeSpec]) -> list[NodeSpec]:
    """The node types that match `query`, best first; equal ones stay in order."""
    return ranked(query, ((spec, search_texts(spec)) for spec in specs))


def search_texts(spec: NodeSpec) -> list[tuple[str, float]]:
    """The texts by which a node type is found, and how much a match in each counts."""
    names = other_names().get(spec.type, OtherNames())
    ports = " ".join(port.name for port in (*spec.inputs, *spec.outputs))
    last = 0.5 if spec.category == CANVAS else 1.0
    texts = [
        (spec.title, 2.0),
        *((name, 1.8) for name in names.own),
        *((name, 0.8) for name in names.parts),
        (spec.type, 1.5),
        (spec.category, 1.2),
        (plain_text(spec.summary), 0.6),
        (f"{spec.doc} {ports}", 0.5),
    ]
    return [(text, weight * last) for text, weight in texts]
