"""All node types that are known, by id."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from nodeforge.errors import RequestError
from nodeforge.settings import shipped
from nodeforge.spec.node import NodeSpec

_MOST_HINTS = 200
"""Unknown types for which a known one is looked for; each costs a comparison with all."""


class UnknownNodeTypeError(RequestError):
    """No pack declares this node type."""


class Catalogue(Mapping[str, NodeSpec]):
    """Node types by id, with an error that helps for one that is not there."""

    def __init__(self, specs: Iterable[NodeSpec]) -> None:
        self._specs = {spec.type: spec for spec in specs}
        self._hints: dict[str, str] = {}

    def __getitem__(self, type_id: str) -> NodeSpec:
        try:
            return self._specs[type_id]
        except KeyError:
            raise self._unknown(type_id) from None

    def __contains__(self, type_id: object) -> bool:
        return type_id in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def get(self, key: str, default: Any = None) -> Any:
        return self._specs.get(key, default)

    def _unknown(self, type_id: str) -> UnknownNodeTypeError:
        near = self._near(type_id)
        hint = f"Did you mean '{near}'? " if near else ""
        return UnknownNodeTypeError(
            f"there is no node type '{type_id}'.",
            way_out=hint + "Install the pack that has it, or delete the node.",
        )

    def _near(self, type_id: str) -> str:
        """A known id like `type_id`; a file with many unknown ones gets hints for the first."""
        if type_id not in self._hints and len(self._hints) < _MOST_HINTS:
            near = difflib.get_close_matches(type_id[:200], self._specs, n=1)
            self._hints[type_id] = near[0] if near else ""
        return self._hints.get(type_id, "")

    def to_json(self) -> dict[str, Any]:
        return {"nodes": [self._specs[key].to_json() for key in sorted(self._specs)]}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Catalogue:
        return cls(NodeSpec.from_json(node) for node in raw["nodes"])

    @classmethod
    def read(cls, file: Path) -> Catalogue:
        return cls.from_json(json.loads(file.read_text("utf-8")))

    @classmethod
    def shipped(cls) -> Catalogue:
        """The node types that come with NodeForge; reading them needs no worker."""
        file = shipped("resources") / "catalogue.json"
        return _shipped(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _shipped(file: Path, changed: int) -> Catalogue:
    return Catalogue.read(file)
