"""The prompts of a workflow."""

from __future__ import annotations

from collections.abc import Iterator

from nodeforge.lint.context import LintContext
from nodeforge.spec import TextWidget


def prompts(scene: LintContext) -> Iterator[tuple[str, str, str]]:
    """Path, port and text of every prompt; what only a run can tell is left out."""
    for path, node in scene.nodes.items():
        for port in node.spec.inputs if node.spec else ():
            if isinstance(port.widget, TextWidget) and port.widget.names == "embedding":
                text = scene.value(path, port.name)
                if type(text) is str:
                    yield path, port.name, text
