"""The run state of a node; kept out of `graph_view`, which takes a second to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeState:
    """The run state of a node; not part of the document, not undoable.

    Args:
        kind: ``will_run``, ``cached``, ``on_disk``, ``running``, ``done``, ``error``, or empty
            where nothing is known.
        progress: Progress of a running node, 0..1.
        seconds: Duration of the last run.
        message: The error message of a failed node.
        reason: Why a run would compute it, or computes it.
    """

    kind: str = ""
    progress: float | None = None
    seconds: float | None = None
    message: str = ""
    reason: str = ""
