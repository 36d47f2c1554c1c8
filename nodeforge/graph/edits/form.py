"""The entries of the form: inputs that come onto it, leave it, and how they are shown there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.graph.changes import ABSENT, Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits.base import GraphEdit, count
from nodeforge.graph.edits.exposed import ordered
from nodeforge.graph.edits.settings import set_entry
from nodeforge.graph.form import SECTION, is_given, section_of
from nodeforge.graph.presentation import in_order


@dataclass(eq=False)
class AddToForm(GraphEdit):
    """Show an input on the form.

    Args:
        label: What it is called there; `nodeforge.graph.form.new_label` makes one.
        before: The entry, ``path.port``, that it comes before, in whose section; empty: the last.

    Raises:
        RequestError: a link or a port of the subgraph around sets it, or it is there already.
    """

    path: str
    port: str
    label: str
    before: str = ""

    @property
    def name(self) -> str:
        return f"add {self.port} of {count([self.path])} to the form"

    def changes(self, document: Document) -> Iterator[Change]:
        key = f"{self.path}.{self.port}"
        document.node(self.path)
        if key in document.form:
            raise RequestError(f"'{key}' is on the form already.")
        if is_given(document, self.path, self.port):
            raise RequestError(
                f"'{key}' gets its value from elsewhere, so the form cannot set it.",
                way_out="Add the input that its value comes from.",
            )
        order = in_order(document.form, document.form)
        place = order.index(self.before) if self.before in order else len(order)
        beside = self.before if self.before in order else next(reversed(order), "")
        record = {"label": self.label, SECTION: section_of(document.form.get(beside))}
        order.insert(place, key)
        form = {**document.form, key: {name: value for name, value in record.items() if value}}
        yield from _to(document, ordered(order, form))


@dataclass(eq=False)
class RemoveFromForm(GraphEdit):
    """Take an input off the form; its value stays."""

    path: str
    port: str

    @property
    def name(self) -> str:
        return f"take {self.port} of {count([self.path])} off the form"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from set_entry(document, "form", f"{self.path}.{self.port}", ABSENT)


@dataclass(eq=False)
class MoveOnForm(GraphEdit):
    """Put an entry of the form before another one, into that one's section.

    Args:
        key: ``path.port`` of the entry.
        before: The other entry; empty: after the last.
    """

    key: str
    before: str = ""

    @property
    def name(self) -> str:
        return f"move {self.key.partition('.')[2]} on the form"

    def changes(self, document: Document) -> Iterator[Change]:
        if self.key not in document.form or self.key == self.before:
            return
        order = [key for key in in_order(document.form, document.form) if key != self.key]
        place = order.index(self.before) if self.before in order else len(order)
        beside = self.before if self.before in order else next(reversed(order), "")
        order.insert(place, self.key)
        section = section_of(document.form.get(beside, document.form[self.key]))
        moved = {**document.form[self.key], SECTION: section}
        if not section:
            del moved[SECTION]
        yield from _to(document, ordered(order, {**document.form, self.key: moved}))


@dataclass(eq=False)
class SetForm(GraphEdit):
    """Set the whole form: ``path.port`` to its record."""

    form: Mapping[str, Any]

    @property
    def name(self) -> str:
        return "change the form"

    def changes(self, document: Document) -> Iterator[Change]:
        yield from _to(document, self.form)


def _to(document: Document, form: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*document.form, *form}):
        yield from set_entry(document, "form", key, form.get(key, ABSENT))
