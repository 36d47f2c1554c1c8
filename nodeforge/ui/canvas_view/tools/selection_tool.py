"""Base class of selection tools: Shift adds, Alt subtracts, both intersect."""

from __future__ import annotations

from nodeforge.canvas import Tiles, deselect, select
from nodeforge.imaging import Combine
from nodeforge.ui.canvas_view.tools.tool import Modifiers, PointerEvent, Tool
from nodeforge.ui.canvas_view.tools.tool_context import ToolContext
from nodeforge.ui.canvas_view.tools.tool_options import choice_option

_COMBINE_MODES = {
    "replace": None,
    "add": Combine.ADD,
    "subtract": Combine.SUBTRACT,
    "intersect": Combine.INTERSECT,
}
COMBINE_OPTION = choice_option("way", "Selection", tuple(_COMBINE_MODES), "replace")
COMBINE_HINT = "Shift adds, Alt subtracts."


class SelectTool(Tool):
    """Base class of tools that change the selection."""

    options = (COMBINE_OPTION,)

    def __init__(self, session: ToolContext) -> None:
        super().__init__(session)
        self._combine: Combine | None = None

    def begin(self, pointer: PointerEvent) -> None:
        """Determine how the new selection is combined with the existing one."""
        adds, takes = pointer.has(Modifiers.ShiftModifier), pointer.has(Modifiers.AltModifier)
        if adds and takes:
            self._combine = Combine.INTERSECT
        elif adds or takes:
            self._combine = Combine.ADD if adds else Combine.SUBTRACT
        else:
            self._combine = _COMBINE_MODES[self.value("way")]

    def select_mask(self, mask: Tiles) -> None:
        """Select `mask`, combined with the existing selection."""
        self.session.perform(select(self.session.canvas, mask, self._combine))

    def deselect_on_click(self) -> None:
        """Deselect after a click without a drag."""
        if self._combine is None:
            self.session.perform(deselect(self.session.canvas))
