"""The canvas: painting, masks and generating in place, beside the graph of each document."""

from nodeforge.ui.canvas_view.kit import Kit
from nodeforge.ui.canvas_view.tab import CanvasTab

__all__ = ["CanvasTab", "Kit"]
