"""Why a node is computed, as data and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What differs."""

    NEW = "new"
    TYPE = "type"
    VALUE = "value"
    FILE = "file"
    LINK = "link"
    NUMERICS = "numerics"
    CACHE = "cache"
    EFFECT = "effect"


@dataclass(frozen=True)
class Reason:
    """Why a node is computed.

    Args:
        cause: What differs.
        node: Where it differs: the node itself, or one that feeds it.
        title: That node's title, of its type.
        port: The input that differs, where one does.
    """

    cause: Cause
    node: str
    title: str = ""
    port: str = ""

    def text(self, title: str = "") -> str:
        """In words, with another title for the node."""
        title = title or self.title or self.node
        match self.cause:
            case Cause.NEW:
                return f"new: {title}"
            case Cause.TYPE:
                return f"{title} was updated"
            case Cause.VALUE:
                return f"{self.port} changed in {title}"
            case Cause.FILE:
                return f"file replaced in {title}"
            case Cause.LINK:
                return f"{self.port} of {title} is linked to something else"
            case Cause.NUMERICS:
                return "the device or its settings changed"
            case Cause.EFFECT:
                return "it saves something"
            case Cause.CACHE:
                return "not in the cache"

    @classmethod
    def from_json(cls, raw: Mapping[str, str]) -> Reason:
        return cls(Cause(raw["cause"]), raw["node"], raw["title"], raw["port"])
