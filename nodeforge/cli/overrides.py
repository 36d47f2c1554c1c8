"""`--set NODE.PORT=VALUE` and `--seed`: edits of the document before it is run."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nodeforge.cli.piped import copied, is_pipe
from nodeforge.engine.assets import keep_picture
from nodeforge.errors import RequestError
from nodeforge.graph.assets import ASSET, asset_name
from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input, Node, Subgraph
from nodeforge.graph.ports import input_spec
from nodeforge.settings import Settings
from nodeforge.spec import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    TEXT,
    Catalogue,
    FileWidget,
    ModelFileWidget,
    PortSpec,
    SeedWidget,
)
from nodeforge.values.recipes import AUTO

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class OverrideError(RequestError):
    """A `--set` that cannot be carried out."""


class Overrides:
    """Sets values of a document, as the person asked on the command line.

    Files that are named by a path are granted: pictures are copied to the assets, models are
    read where they are.
    """

    def __init__(self, document: Document, catalogue: Catalogue, settings: Settings) -> None:
        self._document = document
        self._catalogue = catalogue
        self._settings = settings
        self.granted: list[str] = []

    def set(self, assignment: str) -> None:
        """Carry out ``NODE.PORT=VALUE``; NODE is an id or a title.

        Raises:
            OverrideError: there is no such node or port, or the value does not fit.
        """
        target, equals, text = assignment.partition("=")
        name, dot, port_name = target.rpartition(".")
        if not (equals and dot and name and port_name):
            raise OverrideError(
                "is not NODE.PORT=VALUE.",
                place=f"--set {assignment}",
                way_out="For example --set prompt.text='a red fox'.",
            )
        path, node = self._find(name, assignment)
        port = input_spec(node, port_name, self._catalogue)
        if port is None or port.widget is None:
            raise OverrideError(
                f"'{name}' has no value '{port_name}'.",
                place=f"--set {assignment}",
                way_out=self._ports_of(node),
            )
        graph, node_id = self._document.place(path)
        if Input(node_id, port_name) in graph.links:
            raise OverrideError(
                f"'{target}' is fed by a link, so its value has no effect.",
                place=f"--set {assignment}",
                way_out="Set the value at the node that the link comes from.",
            )
        node.values[port_name] = self._value(port, text, assignment)

    def seed(self, seed: int) -> None:
        """Give every unlinked seed this value."""
        for node, port in self._seeds():
            node.values[port.name] = seed

    def count_seeds_up(self) -> None:
        """Raise every unlinked seed by 1."""
        for node, port in self._seeds():
            value = node.values.get(port.name, port.default)
            if isinstance(value, int):
                node.values[port.name] = (value + 1) % 2**63

    def _seeds(self) -> Iterator[tuple[Node, PortSpec]]:
        """The unlinked seeds: nodes and their ports."""
        for path, node in every_node(self._document.graph).items():
            spec = self._catalogue.get(node.type)
            for port in spec.inputs if spec else ():
                if isinstance(port.widget, SeedWidget):
                    graph, name = self._document.place(path)
                    if Input(name, port.name) not in graph.links:
                        yield node, port

    def _find(self, name: str, assignment: str) -> tuple[str, Node]:
        nodes = every_node(self._document.graph)
        if name in nodes:
            return name, nodes[name]
        titled = [path for path, node in nodes.items() if node.title == name]
        if len(titled) == 1:
            return titled[0], nodes[titled[0]]
        if titled:
            fact = f"{len(titled)} nodes have the title '{name}': {', '.join(titled)}."
            raise OverrideError(fact, place=f"--set {assignment}", way_out="Use the node's id.")
        near = difflib.get_close_matches(name, [*nodes, *(n.title for n in nodes.values())], n=1)
        raise OverrideError(
            f"there is no node '{name}'.",
            place=f"--set {assignment}",
            way_out=f"Did you mean '{near[0]}'?" if near else f"Nodes: {', '.join(nodes)}.",
        )

    def _ports_of(self, node: Node) -> str:
        if isinstance(node, Subgraph):
            return f"It has: {', '.join(node.inputs)}."
        spec = self._catalogue[node.type]
        return f"It has: {', '.join(port.name for port in spec.inputs if port.widget)}."

    def _value(self, port: PortSpec, text: str, assignment: str) -> Any:
        if isinstance(port.widget, FileWidget):
            return self._picture(text, port.widget.kind)
        if isinstance(port.widget, ModelFileWidget):
            return self._model(text)
        if text.lower() == AUTO and port.type != TEXT and not port.required:
            return None  # left to the model
        try:
            return _plain(port.type, text)
        except ValueError:
            raise OverrideError(
                f"'{text}' is no {port.type}.",
                place=f"--set {assignment}",
                way_out=f"Give a value of type {port.type}.",
            ) from None

    def _picture(self, text: str, kind: str) -> str:
        """A path of the person's becomes an asset of the document; a name stays a name."""
        path = _path(text)
        if is_pipe(path):
            with tempfile.TemporaryDirectory(prefix="nodeforge-") as folder:
                return self._asset(copied(path, Path(folder)), kind)
        return self._asset(path, kind) if os.path.isfile(path) else text  # noqa: PTH113

    def _asset(self, path: Path, kind: str) -> str:
        entry = keep_picture(path, self._settings, kind)
        name = asset_name(self._document.assets, path.name, entry["sha256"])
        self._document.assets[name] = entry
        return ASSET + name

    def _model(self, text: str) -> str:
        path = _path(text)
        there = os.path.exists(path)  # noqa: PTH110
        if not there or not (path.is_absolute() or "." in text[:1]):
            return text
        self.granted.append(str(path.absolute()))
        return self.granted[-1]


def _path(text: str) -> Path:
    """A path as a shell takes it. Whether anything is there is asked of `os.path`, which says no
    to what can be no name, where `Path` raises."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # of a user who is not there
        return Path(text)


def _plain(type_name: str, text: str) -> Any:
    if type_name == INTEGER:
        return int(text)
    if type_name == FLOAT:
        return float(text)
    if type_name == BOOLEAN:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(text)
    return text
