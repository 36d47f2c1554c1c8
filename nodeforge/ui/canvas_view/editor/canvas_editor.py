"""The canvas of a document with all that is around it: tools, options, rulers, panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from nodeforge.canvas import Canvas
from nodeforge.ui.canvas_view.generation.auto_generation_box import AutoBox
from nodeforge.ui.canvas_view.generation.generation_form import Wishes
from nodeforge.ui.canvas_view.generation.generator import Generator
from nodeforge.ui.canvas_view.generation.live_generation import Live
from nodeforge.ui.canvas_view.generation.staging_area import Candidate, Staging
from nodeforge.ui.canvas_view.panels.colour_panel import ColourPanel
from nodeforge.ui.canvas_view.panels.generate_panel import GeneratePanel
from nodeforge.ui.canvas_view.panels.layers_panel import LayersPanel
from nodeforge.ui.canvas_view.panels.rulers import WIDE, Ruler
from nodeforge.ui.canvas_view.panels.side_panel import Side
from nodeforge.ui.canvas_view.panels.staging_bar import StagingStrip
from nodeforge.ui.canvas_view.panels.tool_bar import ToolBar
from nodeforge.ui.canvas_view.panels.tool_options_bar import OptionsBar
from nodeforge.ui.canvas_view.session import Studio
from nodeforge.ui.canvas_view.tools.tool_options import Kit
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.runner import Runner

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

_REMEMBERED = 100
"""Generations kept in a project, each with its workflow and the pictures it started from."""


class Workbench(QWidget):
    """All about one canvas that exists.

    Args:
        opened: The document it belongs to.
        canvas: What is painted on.
        kit: How tools are set.
    """

    said = Signal(str)

    refused = Signal(str)
    """Why nothing is generated."""

    def __init__(
        self, opened: OpenDocument, canvas: Canvas, kit: Kit, workspace: Workspace, runner: Runner
    ) -> None:
        super().__init__()
        self.studio = Studio(opened, canvas, kit)
        self.view = CanvasView(self.studio, workspace.theme)
        self.staging = Staging(self.studio, self.view.staged)
        self.wishes = Wishes(opened, workspace)
        self.generator = Generator(self.studio, self.staging, self.wishes, workspace, runner)
        self.live = Live(self.studio, self.generator)
        self._auto = AutoBox(self.studio, self.wishes)
        self.layers = LayersPanel(self.studio)
        self.tool_bar = ToolBar(self.studio)
        self.options = OptionsBar(self.studio)
        self.rulers = Ruler(self.view, across=True), Ruler(self.view, across=False)
        self.generate = GeneratePanel(self.studio, self.generator, self.live, workspace)
        self.strip = StagingStrip(self.staging, self.view.staged, self.generator)
        self.colours = ColourPanel(kit)
        self.side = Side(self.generate, self.colours, self.layers)
        self._place = QLabel()
        self._place.setProperty("role", "small")
        self._arrange()
        self.studio.said.connect(self.said)
        self.generator.refused.connect(self.refused)
        self.staging.accepted.connect(self._remember)
        self.view.looked.connect(self._show_place)
        self.view.pointed.connect(self._show_place)
        self._show_place()

    def close_bench(self) -> None:
        """Listen to the canvas no more."""
        self.studio.settle()
        self.live.close()
        self.generator.close()
        self._auto.close()
        self.view.close_view()
        self.layers.close_panel()

    def _remember(self, accepted: Candidate) -> None:
        """Keep how it was made, in the project."""
        generations = self.studio.opened.generations
        generations[:] = [*generations, accepted.record][-_REMEMBERED:]

    def show_rulers(self, on: bool) -> None:
        for ruler in self.rulers:
            ruler.setVisible(on)

    def _arrange(self) -> None:
        looks = QGridLayout()
        looks.setContentsMargins(0, 0, 0, 0)
        looks.setSpacing(0)
        corner = QWidget()
        corner.setFixedSize(WIDE, WIDE)
        looks.addWidget(corner, 0, 0)
        looks.addWidget(self.rulers[0], 0, 1)
        looks.addWidget(self.rulers[1], 1, 0)
        looks.addWidget(self.view, 1, 1)
        looks.addWidget(self._place, 2, 0, 1, 2)
        self._place.setContentsMargins(8, 2, 8, 2)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.tool_bar)
        row.addLayout(looks, 1)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(middle)
        parts.addWidget(self.side)
        parts.setStretchFactor(0, 1)
        parts.setSizes([1000, 280])
        parts.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.options)
        column.addWidget(parts, 1)
        column.addWidget(self.strip)

    def _show_place(self, place: QPointF | None = None) -> None:
        width, height = self.studio.canvas.size
        parts = [f"{width} × {height} px", f"{self.view.camera.zoom:.0%}"]
        if self.view.camera.turn:
            parts.append(f"turned {self.view.camera.turn:.0f}°")
        if place is not None and self.studio.inside(place):
            parts.append(f"{int(place.x())}, {int(place.y())}")
        self._place.setText("   ".join(parts))
