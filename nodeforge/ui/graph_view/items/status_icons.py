"""Icons and texts of node states, modes and problems."""

from __future__ import annotations

from nodeforge.ui.documents.node_state import NodeState

NO_STATE = NodeState()

STATUS_ICONS = {
    "will_run": "circle",
    "cached": "circle-fill",
    "on_disk": "hard-drive",
    "running": "spinner-gap",
    "done": "check",
    "error": "x-circle",
    "problem": "warning",
    "hint": "lightbulb",
    "mute": "speaker-slash",
    "bypass": "arrow-bend-double-up-right",
    "missing": "question",
    "broadcast": "broadcast",
}
"""Phosphor icon names by state or mode."""

STATUS_TEXTS = {
    "will_run": "Will run",
    "cached": "In memory: will not run again",
    "on_disk": "On disk: will not run again",
    "running": "Running",
    "done": "Done",
    "error": "Failed",
    "problem": "Problem",
    "hint": "Hint",
    "mute": "Muted: not run, and neither is what needs it",
    "bypass": "Bypassed: passes its input through",
    "broadcast": "Broadcasts: feeds all open inputs of its type, also of nodes added later",
    "missing": "No pack declares this type; its data is kept",
}


def format_seconds(seconds: float) -> str:
    """``0.04 s``, ``4.2 s``, ``3 min 20 s``."""
    if seconds < 0.1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
