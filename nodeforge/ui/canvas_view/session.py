"""The canvas session of one document: canvas, current tool, tool options, generation box."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal

from nodeforge.canvas import (
    Canvas,
    CanvasEdit,
    Layer,
    LayerKind,
    activate,
    add_layer,
)
from nodeforge.errors import RequestError
from nodeforge.imaging import Box
from nodeforge.ui.canvas_view.tools import Tool, make_tools
from nodeforge.ui.canvas_view.tools.snapping import Snapping
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions
from nodeforge.ui.documents.open_document import OpenDocument


class CanvasSession(ToolContext):
    """State that the tools and panels of one canvas share.

    Args:
        opened: The document, whose history records the edits.
        canvas: The canvas.
        tool_options: The values of tool options.
    """

    tool_changed = Signal()
    box_changed = Signal()

    def __init__(self, opened: OpenDocument, canvas: Canvas, tool_options: ToolOptions) -> None:
        super().__init__()
        self.opened, self.canvas, self.tool_options = opened, canvas, tool_options
        self.snapping = Snapping(canvas)
        self.tools: dict[str, Tool] = {tool.name: tool for tool in make_tools(self)}
        self.tool: Tool = self.tools["brush"]
        self._box: Box | None = None
        self._other_layer = ""
        self.auto_box: Callable[[], Box | None] = lambda: None
        """Returns the automatic generation box."""

    @property
    def box(self) -> Box | None:
        """The drawn generation box; None if it is automatic."""
        return self._box

    def set_box(self, box: Box | None) -> None:
        if box != self._box:
            self._box = box
            self.box_changed.emit()
            self.overlay_changed.emit()

    def shown_box(self) -> Box | None:
        """The generation box: as drawn, or the automatic one."""
        return self._box if self._box is not None else self.auto_box()

    def select_tool(self, name: str) -> None:
        """Switch to another tool."""
        if name != self.tool.name:
            self.commit()
            self.tool.deactivate()
            self.tool = self.tools[name]
            self.tool.activate()
            self.tool_changed.emit()
            self.overlay_changed.emit()

    def perform(self, edit: CanvasEdit) -> bool:
        """Make an edit; if it cannot be made, show why and return False."""
        try:
            self.opened.document.perform(edit)
        except RequestError as error:
            self.status_message.emit(str(error))
            return False
        return True

    def commit(self) -> None:
        """Commit the tool's pending edit."""
        self.tool.commit()

    def cancel(self) -> bool:
        """Cancel the tool's pending edit; returns whether there was one."""
        return self.tool.cancel()

    def paintable_layer(self) -> Layer | None:
        """The active layer, created if there is none; None if it cannot be painted on."""
        if self.canvas.active is None:
            self.perform(add_layer(self.canvas, LayerKind.PAINT))
        layer = self.canvas.active
        if layer is None:
            return None
        try:
            self.canvas.state.check_open(layer)
        except RequestError as error:
            self.status_message.emit(str(error))
            return None
        return layer

    def swap_mask(self) -> None:
        """Switch between a mask and a paint layer; a missing one is created."""
        active, layers = self.canvas.active, self.canvas.layers
        to_mask = active is None or not active.is_mask
        wanted = [layer.id for layer in layers if layer.is_mask == to_mask]
        found = self._other_layer if self._other_layer in wanted else (wanted or [""])[-1]
        self._other_layer = active.id if active is not None else ""
        if found:
            self.perform(activate(self.canvas, found))
        else:
            kind = LayerKind.MASK if to_mask else LayerKind.PAINT
            self.perform(add_layer(self.canvas, kind, above=layers[-1].id if layers else None))
