"""The inputs of a workflow that an axis can be of."""

from __future__ import annotations

from typing import NamedTuple

from nodeforge.graph.document import Document
from nodeforge.graph.inline import every_node
from nodeforge.graph.model import Input, Node
from nodeforge.graph.ports import input_names, input_spec, port_label, title_of
from nodeforge.spec import (
    Catalogue,
    ChoiceWidget,
    ModelFileWidget,
    NumberWidget,
    PortSpec,
    SeedWidget,
    TextWidget,
    ToggleWidget,
)

_SWEPT = (
    *(NumberWidget, SeedWidget, TextWidget),
    *(ToggleWidget, ChoiceWidget, ModelFileWidget),
)


class SweepInput(NamedTuple):
    """An unlinked number, menu or text.

    Args:
        path: The node's path.
        port: Its declaration.
        label: What people call it: ``Schedule · steps``.
    """

    path: str
    port: PortSpec
    label: str

    @property
    def name(self) -> str:
        """As the command line has it: ``schedule.steps``."""
        return f"{self.path}.{self.port.name}"


def can_be_swept(document: Document, catalogue: Catalogue, path: str, port: str) -> bool:
    """Whether an axis can be of this input."""
    graph, name = document.place(path)
    spec = input_spec(graph.nodes[name], port, catalogue)
    return _is_swept(spec) and Input(name, port) not in graph.links


def sweep_inputs(document: Document, catalogue: Catalogue) -> list[SweepInput]:
    """All inputs that an axis can be of, in the order of the document."""
    found = []
    for path, node in every_node(document.graph).items():
        graph, name = document.place(path)
        for port in input_names(node, catalogue):
            spec = input_spec(node, port, catalogue)
            if spec is not None and _is_swept(spec) and Input(name, port) not in graph.links:
                found.append(SweepInput(path, spec, _label(node, name, path, port, catalogue)))
    return found


def _is_swept(spec: PortSpec | None) -> bool:
    return spec is not None and isinstance(spec.widget, _SWEPT)


def _label(node: Node, name: str, path: str, port: str, catalogue: Catalogue) -> str:
    title = title_of(node, name, catalogue)
    around = path.rpartition("/")[0]
    return f"{f'{around}/' if around else ''}{title} · {port_label(node, port)}"
