"""The entries that belong to nodes (positions, colours, the form) follow them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nodeforge.graph.changes import ABSENT, Change, EntryChanged
from nodeforge.graph.document import BY_NODE, Document
from nodeforge.graph.paths import ancestors


def drop_entries(document: Document, paths: Collection[str]) -> Iterator[Change]:
    """Remove what belongs to the nodes at `paths` and to all inside them."""
    paths = set(paths)
    for table in BY_NODE:
        for key, value in list(document.table(table).items()):
            if _owner(key, paths):
                yield EntryChanged(table, key, value, ABSENT)


def drop_form(document: Document, path: str, ports: Collection[str]) -> Iterator[Change]:
    """Remove `ports` of the node at `path` from the form."""
    for port in sorted(ports):
        if (key := f"{path}.{port}") in document.form:
            yield EntryChanged("form", key, document.form[key], ABSENT)


def move_entries(document: Document, paths: Mapping[str, str]) -> Iterator[Change]:
    """Move what belongs to nodes from their old paths to their new ones."""
    for table in BY_NODE:
        moved = [
            (key, value, paths[owner] + key[len(owner) :])
            for key, value in document.table(table).items()
            if (owner := _owner(key, paths))
        ]
        for key, value, _ in moved:
            yield EntryChanged(table, key, value, ABSENT)
        for _, value, key in moved:
            yield EntryChanged(table, key, document.table(table).get(key, ABSENT), value)


def _owner(key: str, paths: Collection[str]) -> str:
    """The one of `paths` that `key` (``path`` or ``path.port``) belongs to; empty if none."""
    return next((path for path in ancestors(key.partition(".")[0]) if path in paths), "")
