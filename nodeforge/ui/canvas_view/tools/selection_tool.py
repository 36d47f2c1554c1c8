"""What tools that select share: Shift adds, Alt takes away, both keep what is in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeforge.canvas import Tiles, deselect, select
from nodeforge.imaging import Combine
from nodeforge.ui.canvas_view.tools.tool import Keys, Tool, Touch
from nodeforge.ui.canvas_view.tools.tool_options import choice

if TYPE_CHECKING:
    from nodeforge.ui.canvas_view.session import Studio

_WAYS = {
    "replace": None,
    "add": Combine.ADD,
    "subtract": Combine.SUBTRACT,
    "intersect": Combine.INTERSECT,
}
WAY = choice("way", "Selection", tuple(_WAYS), "replace")
HOW_KEYS = "Shift adds, Alt takes away."


class SelectTool(Tool):
    """Selects the part of the canvas that edits reach."""

    options = (WAY,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._way: Combine | None = None

    def begin(self, touch: Touch) -> None:
        """Note how this selection goes together with what is selected already."""
        adds, takes = touch.has(Keys.ShiftModifier), touch.has(Keys.AltModifier)
        if adds and takes:
            self._way = Combine.INTERSECT
        elif adds or takes:
            self._way = Combine.ADD if adds else Combine.SUBTRACT
        else:
            self._way = _WAYS[self.value("way")]

    def choose(self, mask: Tiles) -> None:
        """Select where `mask` is."""
        self.studio.perform(select(self.studio.canvas, mask, self._way))

    def clicked(self) -> None:
        """A click that selects nothing."""
        if self._way is None:
            self.studio.perform(deselect(self.studio.canvas))
