"""Grid… and Explore…: what asks for them, starts them, and shows their panels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt

from nodeforge.engine.queue.job import Job
from nodeforge.errors import NodeForgeError
from nodeforge.ui.documents.sweep_inputs import sweep_inputs
from nodeforge.ui.sweeps.explore_panel import ExplorePanel
from nodeforge.ui.sweeps.grid_panel import GridPanel
from nodeforge.ui.sweeps.group_panel import GroupPanel
from nodeforge.ui.sweeps.job_groups import JobGroups
from nodeforge.ui.window.base_window import BaseWindow

_SHARE = 0.45
"""Of the window's height, for a panel of pictures that is lower."""


class SweepCommands:
    """Starts grids and explorations of the current document, and shows them.

    Args:
        window: The window, whose runner and workspace are there.
    """

    def __init__(self, window: BaseWindow) -> None:
        self._window = window
        self.groups = JobGroups(window.workspace, window.runner)
        self.grid = GridPanel(self.groups, window.runner)
        self.explore = ExplorePanel(self.groups, window.runner)

    def connect(self, run: Callable[[str, list], object]) -> None:
        """Connect the panels, once the others are there.

        Args:
            run: Runs commands of the picture menu.
        """
        for panel in (self.grid, self.explore):
            panel.command.connect(run)
            panel.menu_requested.connect(self._window.show_picture_menu)
            panel.shown.connect(self._window.viewer.show_file)
            panel.open_requested.connect(self._open)

    def ask_grid(self, name: str = "") -> None:
        """Ask for a grid of the current document.

        Args:
            name: The input that the first axis is of; without, one that is chosen there.
        """
        window, opened = self._window, self._window.workspace.current
        if opened is None:
            return
        opened.commit_pending()
        if not sweep_inputs(opened.document, window.workspace.catalogue):
            window.status.show_text("The workflow has no number, menu or text to make a grid of.")
            return
        from nodeforge.ui.sweeps.dialogs import GridDialog

        dialog = GridDialog(window.workspace, window.runner, opened, name, window)
        dialog.started.connect(
            lambda axes, together: self._start(
                lambda: self.groups.start_sweep(opened, axes, together=together, parent=window),
                "grids",
                self.grid,
            )
        )
        dialog.open()

    def ask_explore(self) -> None:
        """Ask for an exploration of the current document."""
        window, opened = self._window, self._window.workspace.current
        if opened is None:
            return
        opened.commit_pending()
        from nodeforge.ui.sweeps.dialogs import ExploreDialog

        dialog = ExploreDialog(window.workspace, window.runner, opened, window)
        dialog.started.connect(
            lambda seeds, until: self._start(
                lambda: self.groups.start_exploration(opened, seeds, until, parent=window),
                "candidates",
                self.explore,
            )
        )
        dialog.open()

    def _start(self, start: Callable[[], str], dock: str, panel: GroupPanel) -> None:
        window = self._window
        window.messages.clear()
        try:
            group = start()
        except NodeForgeError as error:
            window.area.message_bars.show_message("run", str(error))
            return
        if not group:  # refused, and told
            return
        panel.show_group(group)
        window.docks.show(dock)
        if panel.height() < (wanted := round(window.height() * _SHARE)):
            docks = [window.docks.all[dock]]
            window.resizeDocks(docks, [wanted], Qt.Orientation.Vertical)
        if (holder := window.runner.kept.holder) is not None:
            window.status.show_text(f"Queued; {holder.title} runs the queue.")
        elif window.runner.jobs.paused:
            window.status.show_text("Queued; the queue is paused.")

    def _open(self, job: Job) -> None:
        """Open a cell's workflow: of its job, or of its picture where the job was removed."""
        if (found := self.groups.window_job(job)) is not None:
            self._window.files.open_job(found)
        elif pictures := [path for path in job.files if Path(path).exists()]:
            self._window.files.open(pictures[0])
        else:
            self._window.status.show_text("The job was removed from the queue.")
