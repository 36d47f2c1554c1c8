"""Exports the graph as SVG or PNG, to a file or to the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.window.base_window import BaseWindow

if TYPE_CHECKING:
    from nodeforge.ui.graph_view import GraphView

FILTER = "Drawing (*.svg);;Picture (*.png)"


class GraphExport:
    """Commands of the File menu that export the graph."""

    def __init__(self, window: BaseWindow) -> None:
        self._window = window

    def copy_svg(self) -> None:
        """Copy the graph to the clipboard as SVG, for drawing programs and as text."""
        view = self._window.area.view
        if view is not None:
            data, drawing = QMimeData(), view.as_svg()
            data.setData("image/svg+xml", drawing)
            data.setText(drawing.decode())
            QGuiApplication.clipboard().setMimeData(data)
            self._window.status.show_text("The graph is on the clipboard as SVG.")

    def export(self, opened: OpenDocument) -> None:
        """Ask for a file and write the graph to it."""
        view = self._window.area.view
        wish = str(self._window.files.folder() / f"{opened.name}.svg")
        name, kind = QFileDialog.getSaveFileName(self._window, "Export graph", wish, FILTER)
        if not name or view is None:
            return
        path = Path(name)
        if path.suffix.lower() not in (".svg", ".png"):
            path = path.with_name(path.name + (".png" if "png" in kind else ".svg"))
        if write_graph(view, path):
            self._window.status.show_text(f"The graph was written to {path}.")
        else:
            text = f"{path} cannot be written. Choose another place, or make room there."
            self._window.area.message_bars.show_message("save", text)


def write_graph(view: GraphView, path: Path) -> bool:
    """Write the graph to `path` in the format of its suffix; returns whether it succeeded."""
    if path.suffix.lower() == ".png":
        return view.as_image().save(str(path))
    try:
        path.write_bytes(view.as_svg())
    except OSError:
        return False
    return True
