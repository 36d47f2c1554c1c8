"""The Colour menu of nodes, backdrops and notes."""

from __future__ import annotations

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QMenu, QWidget

from nodeforge.ui.common.icons import icon
from nodeforge.ui.window.base_window import BaseWindow

COLOURS = {
    "Red": "#c94f5a",
    "Orange": "#d9843b",
    "Yellow": "#cfae3a",
    "Green": "#5f9f5a",
    "Teal": "#3f9c9c",
    "Blue": "#4f7fc9",
    "Purple": "#8a63c0",
    "Pink": "#c464a5",
    "Grey": "#7d838c",
}


class ColourMenu(QMenu):
    """Gives what is selected in the graph a colour; each choice is one undo step."""

    def __init__(self, window: BaseWindow, parent: QWidget) -> None:
        super().__init__("Colour", parent)
        self._window = window
        self.setIcon(icon("palette"))
        for name, colour in COLOURS.items():
            self.addAction(icon("circle-fill", colour), name, lambda c=colour: self._set(c))
        self.addSeparator()
        self.addAction("Other…", self._ask)
        self.addAction("Default", lambda: self._set(None))

    def _set(self, colour: str | None) -> None:
        self._window.call_in_front("colour", colour)()

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(COLOURS["Blue"]), self._window)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle("Colour")
        dialog.colorSelected.connect(lambda colour: self._set(colour.name()))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
