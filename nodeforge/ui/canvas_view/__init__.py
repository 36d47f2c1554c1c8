"""The canvas: painting, masks and generating in place, beside the graph of each document."""

from nodeforge.ui.canvas_view.editor.canvas_tab import CanvasTab
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions

__all__ = ["CanvasTab", "ToolOptions"]
