"""Select by colour: all that looks like the place of a click."""

from __future__ import annotations

from nodeforge.ui.canvas_view.tools.fill import LIKENESS, found
from nodeforge.ui.canvas_view.tools.selection_tool import HOW_KEYS, WAY, SelectTool
from nodeforge.ui.canvas_view.tools.tool import Touch


class ByColourTool(SelectTool):
    name, title, icon, key = "by_colour", "Select by colour", "magic-wand", "W"
    hint = f"Click a colour. {HOW_KEYS}"
    options = (WAY, *LIKENESS)

    def press(self, touch: Touch) -> None:
        self.begin(touch)
        if self.studio.inside(touch.place):
            self.choose(found(self, touch))
        else:
            self.clicked()
