"""What planned nodes give, in words: the text of wildcards, a number, the values of a list."""

from __future__ import annotations

from nodeforge.engine.content.files import Files
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Output
from nodeforge.graph.planned import survey
from nodeforge.graph.planned.functions.texts import text_of
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue
from nodeforge.ui.documents.open_document import OpenDocument

_SHOWN = 8
"""Values of a list."""
_LONGEST = 600
"""Characters of one value."""


def planned_text(opened: OpenDocument, path: str, catalogue: Catalogue, settings: Settings) -> str:
    """What the planned node at `path` gives, or why it gives nothing; empty if a run tells."""
    flat = flatten(opened.document.graph, catalogue)
    node = flat.nodes.get(path)
    if node is None or node.spec is None or not node.spec.planned:
        return ""
    found = survey(flat, catalogue, Files(settings, **opened.meaning).resolve)
    if (failure := found.failures.get(path)) is not None:
        return f"{failure.fact} {failure.way_out}".strip()
    port = node.spec.outputs[0]
    values = found.values.get(Output(path, port.name))
    if values is None:
        return ""
    if len(values) == 1 and not port.many:
        return f"Gives: {_shortened(values[0])}"
    shown = "\n".join(f"• {_shortened(value)}" for value in values[:_SHOWN])
    more = f"\n… and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
    return f"Gives {len(values):,} values:\n{shown}{more}"


def _shortened(value: object) -> str:
    text = text_of(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
