"""The inspector: edits the selected nodes."""

from nodeforge.ui.inspector.panel import Inspector

__all__ = ["Inspector"]
