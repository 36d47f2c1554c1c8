"""Two workflows as one that shows their differences in colour."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping

from nodeforge.graph.comparison.compare import Difference, Kind
from nodeforge.graph.comparison.matching import match
from nodeforge.graph.document import Document
from nodeforge.graph.inline import inline
from nodeforge.graph.model import Input, Mode, Output
from nodeforge.graph.paths import Names, ancestors, join, split

ADDED, REMOVED, CHANGED = "#3fd67f", "#ff5a5a", "#ffb830"
"""Colours of nodes: what is new, what is gone, and what is other than before."""


def coloured(before: Document, after: Document, found: list[Difference]) -> Document:
    """A copy of `after` in which the nodes that differ have colours.

    What is gone is put back where it was, muted, with the links that led to it. A subgraph in
    which something differs is changed itself.

    Args:
        before: The first workflow.
        after: The second one.
        found: What `compare` found between the two.
    """
    graph, view = copy.deepcopy(after.graph), copy.deepcopy(after.view)
    made = Document(graph, form=dict(after.form), view=view, assets=before.assets | after.assets)
    colours = dict[str, str]()
    for each in found:
        if each.kind is not Kind.REMOVED:
            colours[each.node] = ADDED if each.kind is Kind.ADDED else CHANGED
    gone = [each.node for each in found if each.kind is Kind.REMOVED]
    colours |= dict.fromkeys(_put_back(before, after, made, gone), REMOVED)
    for path in list(colours):
        for group in ancestors(path):
            colours.setdefault(group, CHANGED)
    made.view.colours = colours
    return made


def _put_back(before: Document, after: Document, made: Document, gone: list[str]) -> list[str]:
    """Put what is gone into `made`, level by level; the new paths."""
    there = match(inline(before.graph), inline(after.graph))
    levels: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(gone):
        levels[split(path)[0]].append(path)
    for group, paths in levels.items():
        into = there.get(group) if group else ""
        if into is not None:  # else it went with its subgraph
            there |= _put_back_level(before, made, group, into, paths, there)
    return [there[path] for path in gone if path in there]


def _put_back_level(
    before: Document,
    made: Document,
    group: str,
    into: str,
    paths: list[str],
    there: Mapping[str, str],
) -> dict[str, str]:
    """Put nodes of one level into the level `into`; their old paths to the new ones."""
    graph, names = made.group(into), Names(made.ids(into))
    given = {path: join(into, names(split(path)[1])) for path in paths}
    for old, new in given.items():
        node = copy.deepcopy(before.node(old))
        node.mode = Mode.MUTE
        graph.nodes[split(new)[1]] = node
        if made.view.positions and old in before.view.positions:
            made.view.positions[new] = before.view.positions[old]
    for end, start in before.group(group).links.items():
        old_end, old_start = join(group, end.node), join(group, start.node)
        source = given.get(old_start) or there.get(old_start)
        if old_end in given and source is not None and split(source)[0] == into:
            reader = split(given[old_end])[1]
            link = Output(split(source)[1], start.port)
            graph.links[Input(reader, end.port, end.item)] = link
    return given
