"""The viewer: shows a node's picture and its denoising steps."""

from nodeforge.ui.viewer.large_view import LargeView
from nodeforge.ui.viewer.panel import Viewer

__all__ = ["LargeView", "Viewer"]
