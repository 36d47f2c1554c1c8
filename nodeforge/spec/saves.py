"""What files a node writes: known to whoever reserves names before a run, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Saves:
    """The files that a node saves of one input, as ``prefix_00001.png``.

    Args:
        port: The input that it saves.
        suffixes: What the files end with, by the value of the input `format`; of a node that has
            none, by "" alone. A value that is missing here gives files that only a run can tell.
        per_item: Whether each picture or sound of a batch is a file of its own.
        prefix: The input that holds what the names start with, relative to the results folder,
            with the words of `nodeforge.imaging.output_name`.
        format: The input that holds the kind of file.
    """

    port: str
    suffixes: Mapping[str, str]
    per_item: bool = False
    prefix: str = "prefix"
    format: str = "format"

    @property
    def inputs(self) -> frozenset[str]:
        """The input ports that it names."""
        named = {self.port, self.prefix}
        return frozenset(named if "" in self.suffixes else named | {self.format})

    def suffix(self, format: Any) -> str | None:
        """What files of a format end with; None where only a run can tell."""
        return self.suffixes.get("", self.suffixes.get(format))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Saves:
        return cls(**raw)
