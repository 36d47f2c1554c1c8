"""Reads YAML of texts, lists and tables, up to a number of values."""

from __future__ import annotations

from typing import Any

import yaml

MOST_VALUES = 5_000
"""Of a file, what an alias stands for counted each time: half a second of work."""
_OTHER_KINDS = ("int", "float", "timestamp", "binary", "omap", "pairs", "set")


class OtherValue:
    """A value that is neither a text nor a list or table, as numbers and dates are: its text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def read_yaml(content: bytes) -> tuple[yaml.Node | None, Any]:
    """The document in `content`, as nodes and as values; None where there is none.

    Raises:
        ValueError: it holds more than `MOST_VALUES`.
        YAMLError: it is no YAML.
        RecursionError: it is too deep.
    """
    loader = _Loader(content)
    try:
        document = loader.get_single_node()
        return document, None if document is None else loader.construct_document(document)
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._count = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        alias, before = self.check_event(yaml.AliasEvent), self._count
        node = super().compose_node(parent, index)
        self._count += self._sizes.get(id(node), 1) if alias else 1
        if not alias:
            self._sizes[id(node)] = self._count - before
        if self._count > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values")
        return node


def _other_value(loader: _Loader, node: yaml.Node) -> OtherValue:
    del loader
    return OtherValue(node.value[:80] if isinstance(node.value, str) else "a table")


for _kind in _OTHER_KINDS:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _other_value)
