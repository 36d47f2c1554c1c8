"""Nodes that pass on several values, such as a LoRA's model and text encoder, set into a link.

A node of a single input and output takes the place of one link. One that passes on more takes the
others' places, too, as far as they feed the same nodes; else it would act by half.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nodeforge.graph.cycles import reaches, sources_of
from nodeforge.graph.document import Document
from nodeforge.graph.edits.links import Link, Through, source_of
from nodeforge.graph.model import Graph, Input, Node, Output
from nodeforge.graph.paths import join, split, within
from nodeforge.graph.ports import input_names, input_spec, output_spec
from nodeforge.spec import Catalogue, PortSpec, fits


class Passed(NamedTuple):
    """Links from `start` whose places a node takes by the ports `into` and `out_of`."""

    start: Output
    into: str
    out_of: str
    ends: tuple[Input, ...]


class _Pair(NamedTuple):
    """An input, and the output of its name and type that passes it on."""

    into: PortSpec
    out_of: PortSpec


def passed_beside(
    document: Document, end: Input, node: Node, through: Through, catalogue: Catalogue
) -> list[Passed]:
    """The other links whose places `node` takes where it is put into the link to `end`.

    The node's first passed value, of a LoRA the model, says what it acts on: the nodes that take
    it, here or after `end`. Of the values passed besides, it takes the links to these nodes and
    to what feeds them.

    Args:
        document: The workflow; it has not changed yet.
        end: Where the link ends.
        node: In no link so far.
        through: Its ports in that link.
        catalogue: Declares the ports.
    """
    pairs, start = list(_pairs(node, catalogue)), source_of(document, end)
    mine = next((pair for pair in pairs if pair.into.name == through.into), None)
    if mine is None or start is None or len(pairs) < 2:
        return []
    first, *others = pairs
    beside = _Beside(document, split(end.node)[0], catalogue)
    acts_on, found = {end.node}, []
    if mine is not first:
        links = beside.links(first, start.node)
        links = {e: o for e, o in links.items() if beside.feeds(end.node, {e.node})}
        acts_on = {each.node for each in links}
        found = [(first, links)]
    for pair in others:
        links = beside.links(pair, start.node)
        found.append((pair, {e: o for e, o in links.items() if beside.feeds(e.node, acts_on)}))
    return [
        Passed(next(iter(links.values())), pair.into.name, pair.out_of.name, tuple(links))
        for pair, links in found
        if len(set(links.values())) == 1
    ]


def links_through(path: str, passed: list[Passed]) -> Iterator[Link]:
    """The edits that put the node at `path` into links beside the one it is put into."""
    for each in passed:
        yield Link(each.start, Input(path, each.into))
        for end in each.ends:
            yield Link(Output(path, each.out_of), end)


def _pairs(node: Node, catalogue: Catalogue) -> Iterator[_Pair]:
    for name in input_names(node, catalogue):
        into, out_of = input_spec(node, name, catalogue), output_spec(node, name, catalogue)
        if into and out_of and not into.many and into.type == out_of.type:
            yield _Pair(into, out_of)


class _Beside:
    """The links of one graph of a document."""

    def __init__(self, document: Document, path: str, catalogue: Catalogue) -> None:
        self._path, self._catalogue = path, catalogue
        self._graph: Graph = document.group(path)
        self._sources = sources_of(self._graph.links)

    def links(self, pair: _Pair, source: str) -> dict[Input, Output]:
        """Links of a pair's type: those from the node `source`, else those that do not feed it."""
        found = {
            Input(join(self._path, end.node), end.port, end.item): within(self._path, start)
            for end, start in self._graph.links.items()
            if self._fits(end, start, pair)
        }
        own = {end: start for end, start in found.items() if start.node == source}
        others = {e: start for e, start in found.items() if not self.feeds(e.node, {source})}
        return own or others

    def feeds(self, path: str, wanted: set[str]) -> bool:
        """Whether a node is one of `wanted`, or one of them depends on it."""
        name = split(path)[1]
        return any(reaches(self._sources, split(each)[1], {name}) for each in wanted)

    def _fits(self, end: Input, start: Output, pair: _Pair) -> bool:
        nodes = self._graph.nodes
        source = output_spec(nodes.get(start.node), start.port, self._catalogue)
        target = input_spec(nodes.get(end.node), end.port, self._catalogue)
        return bool(
            source
            and target
            and fits(source.type, pair.into.type)
            and fits(pair.out_of.type, target.type)
        )
