"""Differences between two workflows in words, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nodeforge.errors import NodeForgeError
from nodeforge.graph.comparison.compare import Difference, Kind
from nodeforge.graph.document import Document
from nodeforge.graph.paths import split
from nodeforge.graph.ports import input_spec, title_of
from nodeforge.spec import Catalogue, unset_text

_SHOWN = 72
"""Characters of a value that are shown."""


class DifferenceText:
    """Differences as a person reads them: ``+`` is new, ``-`` is gone, ``~`` is other.

    Args:
        before: The first workflow.
        after: The second workflow.
        catalogue: Declares the node types.
    """

    def __init__(self, before: Document, after: Document, catalogue: Catalogue) -> None:
        self._before, self._after, self._catalogue = before, after, catalogue

    def lines(self, found: list[Difference]) -> Iterator[str]:
        """One line for each of what `compare` found between the two."""
        if not found:
            yield "Nothing changed in meaning."
        for each in found:
            yield self._line(each)

    def _line(self, each: Difference) -> str:
        match each.kind:
            case Kind.REMOVED:
                return f"- {self._title(self._before, each.node)}"
            case Kind.ADDED:
                return f"+ {self._title(self._after, each.node)}"
            case Kind.REPLACED:
                was = self._title(self._before, each.was or each.node)
                return f"~ {was} was replaced by {self._title(self._after, each.node)}"
            case Kind.LINK:
                return f"{self._start(each)}, {each.port} ← {self._links(each)}"
            case Kind.PORT:
                sides = f"{each.before or 'nothing'} → {each.after or 'nothing'}"
                return f"{self._start(each)}, port {each.port}: {sides}"
            case Kind.VALUE:
                return f"{self._start(each)}, {each.port}: {self._values(each)}"
        return f"{self._start(each)}, {each.kind}: {_sides(each.before, each.after)}"

    def _values(self, each: Difference) -> str:
        if each.before is not None and each.after is not None:
            return _sides(each.before, each.after)
        spec = input_spec(self._after.node(each.node), each.port or "", self._catalogue)
        unset = unset_text(spec.widget if spec else None)
        sides = (each.before, each.after)
        return " → ".join(unset if side is None else _written(side) for side in sides)

    def _start(self, each: Difference) -> str:
        was = f", which was {each.was}" if each.was else ""
        return f"~ {self._title(self._after, each.node)}{was}"

    def _links(self, each: Difference) -> str:
        sides = ((self._before, each.before), (self._after, each.after))
        told = [self._output(document, output) for document, output in sides]
        return f"{told[1]}, was {told[0]}"

    def _output(self, document: Document, output: str | None) -> str:
        if output is None:
            return "nothing"
        path, _, port = output.rpartition(".")
        return f"{self._title(document, path)} · {port}"

    def _title(self, document: Document, path: str) -> str:
        try:
            title = title_of(document.node(path), split(path)[1], self._catalogue)
        except NodeForgeError:  # a link from a node that is not there
            return path
        return f"{title} ({path})"


def _sides(before: Any, after: Any) -> str:
    """Two values; of long ones, what is around the first place where they differ."""
    texts = [_written(value) for value in (before, after)]
    pairs = enumerate(zip(*texts, strict=False))
    first = next((place for place, (one, other) in pairs if one != other), 0)
    start = max(0, first - _SHOWN // 3) if max(map(len, texts)) > _SHOWN else 0
    return " → ".join(_cut(text, start) for text in texts)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    end = start + _SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
