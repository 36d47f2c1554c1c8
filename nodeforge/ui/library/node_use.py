"""Which node types the person uses: favourites, recent ones, and how often each was added."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, Signal

from nodeforge.settings import shipped
from nodeforge.ui.common.preference_store import PreferenceStore, json_object

RECENT = 6
"""How many recent types are kept."""
_KEY = "nodes"
_MOST = 1_000_000


class NodeUse(QObject):
    """Favourite and recent node types, kept in the preferences.

    Args:
        store: Where they are kept; without one they last as long as the object.
    """

    changed = Signal()
    """Favourites or recent types have changed."""

    def __init__(self, store: PreferenceStore | None = None) -> None:
        super().__init__()
        self._store = store
        kept = store.read(_KEY, {}, json_object) if store is not None else {}
        self.counts: Counter[str] = Counter(_counts(kept.get("counts")))
        self.recent: list[str] = _names(kept.get("recent"))[:RECENT]
        """The last first."""
        self.favourites: list[str] = _names(kept.get("favourites"))

    def added(self, type_id: str) -> None:
        """Count a node that the person has added."""
        self.counts[type_id] = min(_MOST, self.counts[type_id] + 1)
        self.recent = [type_id, *(each for each in self.recent if each != type_id)][:RECENT]
        self._keep()

    def set_favourite(self, type_id: str, on: bool) -> None:
        others = [each for each in self.favourites if each != type_id]
        self.favourites = [*others, type_id] if on else others
        self._keep()

    def _keep(self) -> None:
        if self._store is not None:
            kept = {
                "counts": dict(self.counts),
                "recent": self.recent,
                "favourites": self.favourites,
            }
            self._store.setValue(_KEY, json.dumps(kept))
        self.changed.emit()


def _counts(stored: Any) -> dict[str, int]:
    if not isinstance(stored, dict):
        return {}
    return {k: n for k, n in stored.items() if type(n) is int and 0 < n <= _MOST}


def _names(stored: Any) -> list[str]:
    return [each for each in stored if isinstance(each, str)] if isinstance(stored, list) else []


@functools.cache
def shipped_use() -> Mapping[str, int]:
    """In how many of the shipped workflows each node type is; a measure of what is usual."""
    used: Counter[str] = Counter()
    for workflow in _shipped_workflows():
        used.update({node["type"] for node in workflow["nodes"].values()})
    return used


class UsualLink(NamedTuple):
    """What shipped workflows link: the type and output of a node, the type and input of another."""

    source: str
    output: str
    target: str
    into: str


@functools.cache
def shipped_links() -> Mapping[UsualLink, int]:
    """How many links between ports of node types the shipped workflows have."""
    found: Counter[UsualLink] = Counter()
    for workflow in _shipped_workflows():
        types = {name: node["type"] for name, node in workflow["nodes"].items()}
        for end, start in workflow.get("links", {}).items():
            source, _, output = start.partition(".")
            target, _, into = end.partition("[")[0].partition(".")
            if source in types and target in types:
                found[UsualLink(types[source], output, types[target], into)] += 1
    return found


@functools.cache
def _shipped_workflows() -> list[dict[str, Any]]:
    return [json.loads(file.read_bytes()) for file in shipped("workflows").glob("*.json")]
