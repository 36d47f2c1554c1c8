"""How a node stands in runs. Apart from the graph's picture, which takes a second to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeState:
    """How a node stands; no part of the document, and never undone.

    Args:
        kind: ``will_run``, ``cached``, ``on_disk``, ``running``, ``done``, ``error``, or empty
            where nothing is known.
        progress: 0..1 of what runs.
        seconds: How long the last run took.
        message: Why it failed, as a sentence.
    """

    kind: str = ""
    progress: float | None = None
    seconds: float | None = None
    message: str = ""
