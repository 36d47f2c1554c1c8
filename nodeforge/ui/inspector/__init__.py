"""Edits the selected nodes, from what their types declare."""

from nodeforge.ui.inspector.panel import Inspector

__all__ = ["Inspector"]
