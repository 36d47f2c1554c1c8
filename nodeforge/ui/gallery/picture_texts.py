"""The texts of a saved picture, and the words by which the gallery finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nodeforge.errors import NodeForgeError
from nodeforge.formats import read
from nodeforge.formats.pictures import WORKFLOW
from nodeforge.graph.inline import inline

_MOST_CHARACTERS = 32_768


def picture_texts(path: Path, stamp: Mapping[str, str]) -> Mapping[str, str]:
    """The texts in a saved picture, where each of a batch has its own seed; else those of its run.

    Args:
        path: The picture.
        stamp: The texts of the run.
    """
    from nodeforge.imaging import read_text  # numpy: only when needed; Qt drops line breaks

    try:
        return {**stamp, **read_text(path)}
    except NodeForgeError:  # it is gone already
        return stamp


def search_words(texts: Mapping[str, str]) -> str:
    """Node types, titles and values of the workflow in `texts`, one node a line."""
    if WORKFLOW not in texts:
        return ""
    try:
        nodes = inline(read(texts[WORKFLOW]).graph).nodes
    except NodeForgeError:  # of a later version
        return ""
    lines = (
        " ".join([node.type, node.title, *_values(node.values)]).strip() for node in nodes.values()
    )
    return "\n".join(lines)[:_MOST_CHARACTERS]


def _values(values: Mapping[str, object]) -> Iterator[str]:
    for port, value in values.items():
        if value not in (None, "", False):
            yield f"{port} {value}"
