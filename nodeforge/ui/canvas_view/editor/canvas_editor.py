"""The canvas editor: canvas view, tool bar, tool options, rulers, panels, staging bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from nodeforge.canvas import Canvas
from nodeforge.canvas.generation.intents import Intent
from nodeforge.ui.canvas_view.generation.auto_generation_box import AutoGenerationBox
from nodeforge.ui.canvas_view.generation.generation_form import GenerationForm
from nodeforge.ui.canvas_view.generation.generator import Generator
from nodeforge.ui.canvas_view.generation.live_generation import LiveGeneration
from nodeforge.ui.canvas_view.generation.staging_area import Candidate, StagingArea
from nodeforge.ui.canvas_view.generation.unchanged_parts import UnchangedParts
from nodeforge.ui.canvas_view.panels.colour_panel import ColourPanel
from nodeforge.ui.canvas_view.panels.generate_panel import GeneratePanel
from nodeforge.ui.canvas_view.panels.layers_panel import LayersPanel
from nodeforge.ui.canvas_view.panels.rulers import THICKNESS, Ruler
from nodeforge.ui.canvas_view.panels.side_panel import SidePanel
from nodeforge.ui.canvas_view.panels.staging_bar import StagingBar
from nodeforge.ui.canvas_view.panels.tool_bar import ToolBar
from nodeforge.ui.canvas_view.panels.tool_options_bar import ToolOptionsBar
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools.tool_options import ToolOptions
from nodeforge.ui.canvas_view.view.canvas_view import CanvasView
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.running.runner import Runner

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

_REMEMBERED = 100
"""Maximum number of generation records in a project."""


class CanvasEditor(QWidget):
    """Widget that edits one canvas.

    Args:
        opened: The document.
        canvas: The canvas.
        tool_options: The values of tool options.
    """

    status_message = Signal(str)

    refused = Signal(str)
    """The reason why a generation failed."""

    def __init__(
        self,
        opened: OpenDocument,
        canvas: Canvas,
        tool_options: ToolOptions,
        workspace: Workspace,
        runner: Runner,
    ) -> None:
        super().__init__()
        self.session = CanvasSession(opened, canvas, tool_options)
        self.view = CanvasView(self.session, workspace.theme)
        self.staging = StagingArea(self.session, self.view.candidate_overlay)
        self.form = GenerationForm(opened, workspace)
        self.generator = Generator(self.session, self.staging, self.form, workspace, runner)
        self.live = LiveGeneration(self.session, self.generator)
        self._auto_box = AutoGenerationBox(self.session, self.form)
        self.tool_bar = ToolBar(self.session)
        self.options = ToolOptionsBar(self.session)
        self.rulers = Ruler(self.view, horizontal=True), Ruler(self.view, horizontal=False)
        self.generate = GeneratePanel(self.session, self.generator, self.live, workspace)
        asked = self.generate.prompt_words, self.form.prompt_problems
        self.layers = LayersPanel(self.session, workspace, *asked)
        for changed in (self.form.form_changed, self.form.value_changed):
            changed.connect(self.layers.properties.check_prompts)
        self.unchanged_parts = UnchangedParts(self.session, self.staging, self)
        self.staging_bar = StagingBar(
            self.staging, self.view.candidate_overlay, self.generator, self.unchanged_parts
        )
        self.colours = ColourPanel(tool_options)
        self.side = SidePanel(self.generate, self.colours, self.layers)
        self._place = QLabel()
        self._place.setProperty("role", "small")
        self._arrange()
        self.session.status_message.connect(self.status_message)
        self.layers.separate_requested.connect(self.generator.separate_layer)
        self.generator.refused.connect(self.refused)
        self.staging.accepted.connect(self._record_generation)
        self.view.view_changed.connect(self._show_place)
        self.view.cursor_moved.connect(self._show_place)
        self.session.box_changed.connect(self._expand_where_box_reaches)
        self.generator.changed.connect(self.view.keep_place)
        self._show_place()

    def close_editor(self) -> None:
        """Disconnect from the canvas, and delete what is no child of a widget.

        What is connected to a Qt object is held by Qt, where Python's collector does not look:
        only deleting the object lets go of it.
        """
        self.session.commit()
        self.live.close()
        self.generator.close()
        self._auto_box.close()
        self.staging.close()
        self.view.close_view()
        self.layers.close_panel()
        parts = (self.live, self.generator, self._auto_box, self.form, self.staging)
        for part in (*parts, self.session.snapping, self.session):
            part.deleteLater()

    def _expand_where_box_reaches(self) -> None:
        """A box that reaches beyond the picture is there to expand it."""
        box, canvas = self.session.box, self.session.canvas.box
        if box is not None and canvas.around(box) != canvas:
            self.form.choose_intent(Intent.EXPAND)

    def _record_generation(self, accepted: Candidate) -> None:
        """Add the generation's record to the project."""
        generations = self.session.opened.generations
        generations[:] = [*generations, accepted.record][-_REMEMBERED:]

    def show_rulers(self, on: bool) -> None:
        for ruler in self.rulers:
            ruler.setVisible(on)

    def _arrange(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        corner = QWidget()
        corner.setFixedSize(THICKNESS, THICKNESS)
        grid.addWidget(corner, 0, 0)
        grid.addWidget(self.rulers[0], 0, 1)
        grid.addWidget(self.rulers[1], 1, 0)
        grid.addWidget(self.view, 1, 1)
        grid.addWidget(self._place, 2, 0, 1, 2)
        self._place.setContentsMargins(8, 2, 8, 2)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.tool_bar)
        row.addLayout(grid, 1)
        left = QWidget()  # candidates lie below the canvas alone: the panel stays where it is
        above = QVBoxLayout(left)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(middle, 1)
        above.addWidget(self.staging_bar)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(left)
        parts.addWidget(self.side)
        parts.setStretchFactor(0, 1)
        parts.setSizes([1000, 280])
        parts.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.options)
        column.addWidget(parts, 1)

    def _show_place(self, place: QPointF | None = None) -> None:
        width, height = self.session.canvas.size
        zoom = self.view.camera.zoom * self.view.devicePixelRatioF()
        parts = [f"{width} × {height} px", f"{zoom:.0%}"]
        if self.view.camera.rotation:
            parts.append(f"rotated {self.view.camera.rotation:.0f}°")
        if place is not None and self.session.contains(place):
            parts.append(f"{int(place.x())}, {int(place.y())}")
        self._place.setText("   ".join(parts))
