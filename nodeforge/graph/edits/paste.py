"""Copying nodes within a workflow and between workflows."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.graph.assets import asset_name, rename_assets, used_assets
from nodeforge.graph.changes import ABSENT, Change, EntryChanged, LinkAdded, NodeAdded
from nodeforge.graph.document import BY_NODE, Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.model import Graph, Input, Output
from nodeforge.graph.paths import Names, ancestors, inside, join, split, within
from nodeforge.graph.presentation import Presentation


def common_group(paths: Collection[str]) -> str:
    """The subgraph that all `paths` are in.

    Raises:
        RequestError: they are in several, or there are none.
    """
    groups = {split(path)[0] for path in paths}
    if len(groups) != 1:
        raise RequestError(
            "the nodes are not in one graph.", way_out="Choose nodes beside each other."
        )
    return groups.pop()


def extract(document: Document, paths: Collection[str]) -> Document:
    """A copy of the nodes at `paths`, all in one graph, as a document to write or to paste.

    The links that come from other nodes are in it too: pasted where those nodes are, they can
    be made again.
    """
    group = common_group(paths)
    graph = document.group(group)
    names = {split(path)[1]: document.node(path) for path in paths}
    links = {end: start for end, start in graph.links.items() if end.node in names}
    made = Document(Graph(copy.deepcopy(names), links), app=document.app)
    cut = len(group) + 1 if group else 0
    chosen = set(paths)
    for table in BY_NODE:
        for key, value in document.table(table).items():
            if any(path in chosen for path in ancestors(key.partition(".")[0])):
                made.table(table)[key[cut:]] = copy.deepcopy(value)
    used = used_assets(names.values())
    made.assets = {
        name: copy.deepcopy(asset) for name, asset in document.assets.items() if name in used
    }
    return made


@dataclass(eq=False)
class Paste(GraphEdit):
    """Add a copy of `fragment` (see `extract`) to the graph of `group`, with new ids.

    Args:
        fragment: Nodes, their links and their places.
        group: The path of a subgraph; empty for the root.
        offset: How far to move the copies, in scene units.
        keep_inputs: Link the copies to the nodes that fed the originals, where they are here.
    """

    fragment: Document
    group: str = ""
    offset: tuple[float, float] = (30.0, 30.0)
    keep_inputs: bool = False
    paths: list[str] = field(default_factory=list, init=False)
    """Where the copies are, once pasted."""

    @property
    def name(self) -> str:
        return f"paste {count(self.fragment.graph.nodes)}"

    def changes(self, document: Document) -> Iterator[Change]:
        target = document.group(self.group)
        free = Names(document.ids(self.group))
        names = {name: free(name) for name in self.fragment.graph.nodes}
        self.paths = [join(self.group, name) for name in names.values()]
        here = set(target.nodes)
        assets = self._assets(document)
        for name, node in self.fragment.graph.nodes.items():
            pasted = copy.deepcopy(node)
            rename_assets(pasted, assets)
            yield NodeAdded(join(self.group, names[name]), pasted)
        for end, start in self.fragment.graph.links.items():
            if end.node not in names:
                continue
            source = names.get(start.node)
            if source is None and self.keep_inputs and start.node in here:
                source = start.node
            if source is not None:
                yield LinkAdded(
                    inside(self.group, Input(names[end.node], end.port, end.item)),
                    within(self.group, Output(source, start.port)),
                )
        yield from self._entries(document, names)
        for name, asset in self.fragment.assets.items():
            if assets[name] not in document.assets:
                yield EntryChanged("assets", assets[name], ABSENT, copy.deepcopy(asset))

    def _assets(self, document: Document) -> dict[str, str]:
        """What the fragment's assets are called in the document."""
        taken, names = dict(document.assets), {}
        for name, asset in self.fragment.assets.items():
            sha256 = asset.get("sha256", "") if isinstance(asset, dict) else ""
            names[name] = free = asset_name(taken, name, sha256)
            taken.setdefault(free, asset)
        return names

    def _entries(self, document: Document, names: dict[str, str]) -> Iterator[Change]:
        for table in BY_NODE:
            for key, value in self.fragment.table(table).items():
                first = next(ancestors(key.partition(".")[0]))
                if first not in names:
                    continue
                if table == "form" and _is_taken(document, value):
                    continue  # a copy beside its original is not on the form, too
                if table == "positions" and key == first:
                    value = [value[0] + self.offset[0], value[1] + self.offset[1]]
                pasted = join(self.group, names[first] + key[len(first) :])
                before = document.table(table).get(pasted, ABSENT)
                yield EntryChanged(table, pasted, before, copy.deepcopy(value))


def _is_taken(document: Document, record: Any) -> bool:
    """Whether an entry of the form has the label of `record` already."""
    label = Presentation.from_json(record).label
    return any(Presentation.from_json(how).label == label for how in document.form.values())
