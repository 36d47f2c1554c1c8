"""Every input that a node needs is linked or has a value."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.graph.flatten import FlatNode
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule
from nodeforge.spec import FileWidget, ModelFileWidget, PortSpec, type_name

RULE = Rule(
    "NF102",
    Severity.ERROR,
    why=("A node cannot compute what is not there. A run would stop at it, perhaps after minutes."),
    source="The node's declaration.",
)

_INSTRUCTED = ("text.instruct", "text.add_reference")
"""Nodes whose text encoder is that of an edit model."""
_LAYERS = "canvas.layers"


def check(scene: LintContext) -> Iterator[Problem]:
    for path, node in scene.nodes.items():
        linked = scene.inputs.get(path, {})
        for port in node.spec.inputs if node.spec else ():
            if port.required and port.name not in linked and _is_empty(node, port):
                way_out = _special_model(scene, path, port) or _way_out(port)
                yield scene.problem(path, "is missing.", way_out, port=port.name)


def _is_empty(node: FlatNode, port: PortSpec) -> bool:
    value = node.values.get(port.name)
    return value is None or (value == "" and isinstance(port.widget, FileWidget | ModelFileWidget))


def _special_model(scene: LintContext, path: str, port: PortSpec) -> str:
    """The way out where the missing model is to read an instruction, or to make layers; else
    empty.
    """
    if not isinstance(port.widget, ModelFileWidget):
        return ""
    fed, reached = {path}, {path}
    while fed:
        fed = {reader for node in fed for reader in scene.readers(node)} - reached
        reached |= fed
    types = {scene.nodes[node].type for node in reached if node in scene.nodes}
    if types.isdisjoint(_INSTRUCTED):
        return ""
    from nodeforge.models import EDIT_MODELS, LAYER_MODELS

    return LAYER_MODELS if _LAYERS in types else EDIT_MODELS


def _way_out(port: PortSpec) -> str:
    match port.widget:
        case ModelFileWidget(kind):
            from nodeforge.models import kind_with_article  # only where a model is missing

            return f"Choose {kind_with_article(kind)}."
        case FileWidget():
            return "Choose a file."
        case None:
            return f"Link something that gives {type_name(port.type)}, or mute the node."
    return "Give it a value."
