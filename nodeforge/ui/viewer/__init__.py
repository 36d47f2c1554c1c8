"""Shows the selected node's picture large, and the steps it came from."""

from nodeforge.ui.viewer.panel import Viewer

__all__ = ["Viewer"]
