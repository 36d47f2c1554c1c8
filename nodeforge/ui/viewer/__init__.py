"""The viewer: shows a node's picture and its denoising steps."""

from nodeforge.ui.viewer.panel import Viewer

__all__ = ["Viewer"]
