"""How values saved with one version of a node type become those of the next.

Plain data, which travels in the catalogue: window and command line never import a pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Upgrade:
    """What changed from one version of a node type to the next.

    All but the renamings name ports as they are called afterwards.

    Args:
        rename: Input port to its new name; values, links, form entries and the ports of
            subgraphs that stand for it follow.
        rename_outputs: The same for output ports.
        set: Input port to the value that a file meant by giving none, where the default changed.
        values: Input port to its texts by what they are called since.
        scale: Input port to the factor that brings its numbers to the new unit.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    rename_outputs: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)

    @property
    def inputs(self) -> frozenset[str]:
        """The input ports that it names, as they are called afterwards."""
        return frozenset((*self.rename.values(), *self.set, *self.values, *self.scale))

    def value(self, port: str, value: Any) -> Any:
        """What `value` at `port`, by its new name, is called since."""
        if type(value) is str:
            return self.values.get(port, {}).get(value, value)
        if port in self.scale and type(value) in (int, float):
            return value * self.scale[port]
        return value

    def to_json(self) -> dict[str, Any]:
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: part for name, part in parts.items() if part}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Upgrade:
        return cls(**raw)
