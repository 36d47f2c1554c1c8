"""The Select by colour tool (magic wand)."""

from __future__ import annotations

from nodeforge.ui.canvas_view.tools.fill import SIMILARITY_OPTIONS, area_at
from nodeforge.ui.canvas_view.tools.selection_tool import COMBINE_HINT, COMBINE_OPTION, SelectTool
from nodeforge.ui.canvas_view.tools.tool import PointerEvent


class SelectByColourTool(SelectTool):
    name, title, icon, key = "by_colour", "Select by colour", "magic-wand", "W"
    hint = f"Click a colour. {COMBINE_HINT}"
    options = (COMBINE_OPTION, *SIMILARITY_OPTIONS)

    def press(self, pointer: PointerEvent) -> None:
        self.begin(pointer)
        if self.session.contains(pointer.position):
            self.select_mask(area_at(self, pointer))
        else:
            self.deselect_on_click()
