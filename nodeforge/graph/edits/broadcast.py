"""Broadcasting: an output that feeds all open inputs of its type, also those of later nodes.

The links are links like all others; only the mark that makes them quiet, and that later nodes
are linked, is kept besides (the table ``broadcasts``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nodeforge.errors import RequestError
from nodeforge.graph.changes import ABSENT, Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.exposed import exposing_port
from nodeforge.graph.edits.links import Link
from nodeforge.graph.edits.settings import set_entry
from nodeforge.graph.linking import can_link
from nodeforge.graph.model import Input, Output
from nodeforge.graph.paths import join, split
from nodeforge.graph.ports import input_names, input_spec, output_names, output_spec
from nodeforge.spec import Catalogue

TYPES = ("model", "text_encoder", "vae")
"""Types of values that one node usually gives to many."""


@dataclass(eq=False)
class Broadcast(GraphEdit):
    """Link the model, text encoder and VAE of a node to all open inputs beside it, and mark them.

    Raises:
        RequestError: the node gives none of these.
    """

    path: str
    catalogue: Catalogue

    @property
    def name(self) -> str:
        return f"broadcast {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        outputs = broadcastable(document, self.path, self.catalogue)
        if not outputs:
            raise RequestError(
                f"'{self.path}' gives no model, text encoder or VAE.",
                way_out="Select the node that loads one.",
            )
        for output, kind in outputs.items():
            yield from set_entry(document, "broadcasts", str(output), True)
            group = split(self.path)[0]
            beside = [join(group, name) for name in document.group(group).nodes]
            yield from _link(document, output, kind, beside, self.catalogue)


@dataclass(eq=False)
class StopBroadcast(GraphEdit):
    """Broadcast the outputs of a node no longer; links that there are stay."""

    path: str

    @property
    def name(self) -> str:
        return f"stop broadcasting {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        for key in broadcasting(document, self.path):
            yield from set_entry(document, "broadcasts", key, ABSENT)


@dataclass(eq=False)
class JoinBroadcasts(GraphEdit):
    """Link the open inputs of the nodes at `paths` to the outputs that broadcast beside them.

    Where two outputs of a type broadcast, the input is left open: it is not known which is meant.
    """

    paths: Collection[str]
    catalogue: Catalogue

    @property
    def name(self) -> str:
        return f"link {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        for group in {split(path)[0] for path in self.paths}:
            here = [path for path in self.paths if split(path)[0] == group]
            for kind, outputs in self._broadcast_in(document, group).items():
                if len(outputs) == 1:
                    yield from _link(document, outputs[0], kind, here, self.catalogue)

    def _broadcast_in(self, document: Document, group: str) -> dict[str, list[Output]]:
        """What other nodes of a graph broadcast, by type."""
        found: dict[str, list[Output]] = {}
        nodes = document.group(group).nodes
        for key in document.view.broadcasts:
            path, _, port = key.partition(".")
            around, name = split(path)
            if around != group or name not in nodes or path in self.paths:
                continue
            spec = output_spec(nodes[name], port, self.catalogue)
            if spec is not None:
                found.setdefault(spec.type, []).append(Output(path, port))
        return found


def broadcastable(document: Document, path: str, catalogue: Catalogue) -> dict[Output, str]:
    """The outputs of a node that can be broadcast, with their types."""
    node = document.node(path)
    specs = {name: output_spec(node, name, catalogue) for name in output_names(node, catalogue)}
    return {Output(path, n): s.type for n, s in specs.items() if s is not None and s.type in TYPES}


def broadcasting(document: Document, path: str) -> list[str]:
    """The entries of a node's outputs that are broadcast."""
    return [key for key in document.view.broadcasts if key.partition(".")[0] == path]


def _link(
    document: Document, output: Output, kind: str, paths: Collection[str], catalogue: Catalogue
) -> Iterator[Change]:
    for path in paths:
        node, (group, name) = document.node(path), split(path)
        links = document.group(group).links
        for port in input_names(node, catalogue):
            spec = input_spec(node, port, catalogue)
            if spec is None or spec.type != kind or spec.many or not spec.required:
                continue
            if Input(name, port) in links or exposing_port(document, path, port):
                continue
            end = Input(path, port)
            if can_link(document, output, end, catalogue) is None:
                yield from Link(output, end).changes(document)
