"""Edits that set something of nodes that stay: values, titles, modes, places, colours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nodeforge.graph.changes import ABSENT, Change, EntryChanged, FieldChanged, ValueChanged
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.model import Mode


@dataclass(eq=False)
class SetValue(GraphEdit):
    """Give an input a value (JSON), or with `ABSENT` its default."""

    path: str
    port: str
    value: Any

    @property
    def name(self) -> str:
        return f"change {self.port} of {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        before = document.node(self.path).values.get(self.port, ABSENT)
        if not _same(before, self.value):
            yield ValueChanged(self.path, self.port, before, self.value)


@dataclass(eq=False)
class Rename(GraphEdit):
    """Give a node a title; an empty one shows its type's."""

    path: str
    title: str

    @property
    def name(self) -> str:
        return f"rename {count([self.path])}"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from _set_field(document, [self.path], "title", self.title)


@dataclass(eq=False)
class Silence(GraphEdit):
    """Silence a rule of the linter at a node, or in the whole workflow.

    Args:
        path: The node's; empty is the whole workflow.
        code: The rule's code.
        reason: Why, for those who read the file.
    """

    path: str
    code: str
    reason: str

    @property
    def name(self) -> str:
        return f"silence {self.code}"

    def changes(self, document: Document) -> Iterator[Change]:
        if not self.path:
            yield from set_entry(document, "lint", self.code, self.reason)
            return
        known = document.node(self.path).lint
        yield from _set_field(document, [self.path], "lint", {**known, self.code: self.reason})


@dataclass(eq=False)
class SetMode(GraphEdit):
    """Mute or bypass nodes, or let them take part again."""

    paths: Collection[str]
    mode: Mode

    @property
    def name(self) -> str:
        return f"{self.mode.value or 'activate'} {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from _set_field(document, self.paths, "mode", self.mode)


@dataclass(eq=False)
class Pin(GraphEdit):
    """Keep the results of nodes in the cache, or no longer."""

    paths: Collection[str]
    pin: bool = True

    @property
    def name(self) -> str:
        return f"{'pin' if self.pin else 'unpin'} {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from _set_field(document, self.paths, "pin", self.pin)


@dataclass(eq=False)
class Move(GraphEdit):
    """Put nodes at new positions: path to (x, y) of the upper left corner, in scene units."""

    positions: Mapping[str, tuple[float, float]]

    @property
    def name(self) -> str:
        return f"move {count(self.positions)}"

    def changes(self, document: Document) -> Iterator[Change]:
        for path, (x, y) in self.positions.items():
            document.node(path)
            yield from set_entry(document, "positions", path, [x, y])


@dataclass(eq=False)
class Recolour(GraphEdit):
    """Give nodes a colour, ``#rrggbb``, or with None the theme's."""

    paths: Collection[str]
    colour: str | None

    @property
    def name(self) -> str:
        return f"colour {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        for path in self.paths:
            document.node(path)
            yield from set_entry(document, "colours", path, self.colour or ABSENT)


@dataclass(eq=False)
class Fold(GraphEdit):
    """Show only the titles of nodes, or all of them again."""

    paths: Collection[str]
    folded: bool = True

    @property
    def name(self) -> str:
        return f"{'fold' if self.folded else 'unfold'} {count(self.paths)}"

    def changes(self, document: Document) -> Iterator[Change]:
        for path in self.paths:
            document.node(path)
            yield from set_entry(document, "collapsed", path, True if self.folded else ABSENT)


@dataclass(eq=False)
class SetEntry(GraphEdit):
    """Set an entry of a table (`TABLES`: backdrops, notes, form, assets, ...), or remove it."""

    table: str
    key: str
    value: Any
    what: str = "change the workflow"

    @property
    def name(self) -> str:
        return self.what

    def changes(self, document: Document) -> Iterator[Change]:
        yield from set_entry(document, self.table, self.key, self.value)


def set_entry(document: Document, table: str, key: str, value: Any) -> Iterator[Change]:
    before = document.table(table).get(key, ABSENT)
    if not _same(before, value):
        yield EntryChanged(table, key, before, value)


def _set_field(
    document: Document, paths: Collection[str], field: str, value: Any
) -> Iterator[Change]:
    for path in paths:
        before = getattr(document.node(path), field)
        if before != value:
            yield FieldChanged(path, field, before, value)


def _same(before: Any, after: Any) -> bool:
    """Equal as JSON: 1 and 1.0 and true are three values."""
    return type(before) is type(after) and before == after and repr(before) == repr(after)
