"""The canvas view: layers, painting tools, masks, and generating in place."""

from nodeforge.ui.canvas_view.editor.canvas_tab import CanvasTab
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions

__all__ = ["CanvasTab", "ToolOptions"]
