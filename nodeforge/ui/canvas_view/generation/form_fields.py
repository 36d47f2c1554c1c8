"""The fields that a workflow gives the generation form, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nodeforge.graph.document import Document
from nodeforge.graph.form import form_entries
from nodeforge.graph.model import Graph, Subgraph
from nodeforge.graph.paths import join
from nodeforge.graph.ports import input_spec
from nodeforge.spec import Catalogue, PortSpec, SeedWidget

LOADER = "models.load"
_MODEL = "Model"
"""The label of a model's field."""
_ORDER = (
    "instruction",
    *("prompt", "layers", "negative", "strength", "steps", "guidance", "sampler", "seed", "batch"),
)


@dataclass(frozen=True)
class FormEntry:
    """A field of the form.

    Args:
        name: ``node.port`` of the workflow.
    """

    name: str
    label: str
    port: PortSpec

    @property
    def path(self) -> str:
        """The node's path."""
        return self.name.rpartition(".")[0]

    @property
    def is_model(self) -> bool:
        return self.label == _MODEL

    @property
    def is_seed(self) -> bool:
        return isinstance(self.port.widget, SeedWidget)


def fields_of(document: Document, catalogue: Catalogue) -> list[FormEntry]:
    """The fields of a workflow: its form, and its models."""
    models = [f"{path}.file" for path in nodes_of(document.graph, LOADER)]
    shown = [
        FormEntry(entry.key, entry.label, entry.port)
        for entry in form_entries(document, catalogue)
        if entry.port is not None and entry.key not in models
    ]
    shown.sort(key=lambda entry: _rank(entry.label))
    for name in models:
        path, _, port = name.rpartition(".")
        spec = input_spec(document.node(path), port, catalogue)
        if spec is not None:
            shown.append(FormEntry(name, _MODEL, spec))
    return shown


def nodes_of(graph: Graph, type_id: str, group: str = "") -> Iterator[str]:
    """The paths of all nodes of a type, also in subgraphs."""
    for name, node in graph.nodes.items():
        if isinstance(node, Subgraph):
            yield from nodes_of(node.graph, type_id, join(group, name))
        elif node.type == type_id:
            yield join(group, name)


def _rank(label: str) -> tuple[int, str]:
    first = label.lower().split()[0] if label else ""
    return (_ORDER.index(first) if first in _ORDER else len(_ORDER), label)
