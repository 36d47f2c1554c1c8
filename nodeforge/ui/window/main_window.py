"""The main window: creates the panels and connects their signals."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox
from shiboken6 import isValid

from nodeforge import __version__
from nodeforge.engine.sweeps.jobs import is_estimate
from nodeforge.formats import write
from nodeforge.lint import Problem
from nodeforge.spec import Catalogue
from nodeforge.ui.common import theme as themes
from nodeforge.ui.common.background_task import ReportProgress, run_in_background
from nodeforge.ui.common.command_registry import CommandRegistry
from nodeforge.ui.documents.autosave import Autosave
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.picture import Picture
from nodeforge.ui.documents.workspace import Workspace
from nodeforge.ui.fields.pickle_dialog import ask_to_allow
from nodeforge.ui.files.file_commands import FileCommands, dropped_files
from nodeforge.ui.files.model_lock import ModelProposal
from nodeforge.ui.files.refused_pickles import refused_pickles
from nodeforge.ui.gallery import Gallery, ResultsDatabase
from nodeforge.ui.inspector import Inspector
from nodeforge.ui.panels.log_panel import LogPanel
from nodeforge.ui.panels.node_library import NodeLibrary
from nodeforge.ui.panels.problems_panel import ProblemsPanel
from nodeforge.ui.panels.queue_panel import QueuePanel
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.running.runner import Runner
from nodeforge.ui.running.workers.connection import Answer, Spawn
from nodeforge.ui.viewer import Viewer
from nodeforge.ui.window.base_window import BaseWindow
from nodeforge.ui.window.docks import Docks
from nodeforge.ui.window.documents_area import DocumentsArea
from nodeforge.ui.window.first_steps import FirstSteps
from nodeforge.ui.window.manual import Manual
from nodeforge.ui.window.measure_commands import MeasureCommands
from nodeforge.ui.window.menus.canvas_menu import bring_to_canvas, show_new_canvas
from nodeforge.ui.window.menus.command_palette import CommandPalette, ShortcutList
from nodeforge.ui.window.menus.menu_bar import build_menus, build_toolbar, canvas_menu, node_menu
from nodeforge.ui.window.menus.picture_actions import PictureActions
from nodeforge.ui.window.menus.picture_menu import fill_picture_menu
from nodeforge.ui.window.menus.run_menu import RunMenu
from nodeforge.ui.window.menus.window_commands import all_commands
from nodeforge.ui.window.run_messages import RunMessages
from nodeforge.ui.window.status_bar import StatusBar
from nodeforge.ui.window.sweep_commands import SweepCommands
from nodeforge.ui.window.tasks import edit_text, start_task

if TYPE_CHECKING:
    from nodeforge.ui.files.relink_dialog import MissingModels
    from nodeforge.ui.form_view import FormView
    from nodeforge.ui.graph_view import MenuRequest

_WORKER_MS = 100
"""Milliseconds until the worker starts: a new process holds the window up before it is painted."""
_NAMED = 5
"""Values of a wrong kind that the message names; the log has all."""


class MainWindow(BaseWindow):
    """The main window of the application.

    Args:
        workspace: Settings, node types and open documents.
        spawn: Starts a worker process; by default one that leaves a core to the window.
    """

    def __init__(self, workspace: Workspace, spawn: Spawn | None = None) -> None:
        super().__init__()
        self.workspace = workspace
        self.setWindowTitle("NodeForge")
        self.resize(1440, 900)
        self.setAcceptDrops(True)
        self.runner = Runner(workspace, spawn)
        self.autosave = Autosave(workspace)
        self.results = ResultsDatabase(workspace.settings.home / "gallery.sqlite")
        self.area = DocumentsArea(workspace, self.runner, self.results)
        self.files = FileCommands(
            workspace, self.runner, self.autosave, self.area.message_bars, self
        )
        self.messages = RunMessages(workspace, self.runner, self.area.message_bars, self)
        saved = workspace.saved_subgraphs
        self.library = NodeLibrary(workspace.catalogue, workspace.theme, workspace.node_use, saved)
        self.inspector = Inspector(workspace)
        self.viewer = Viewer(workspace, self.runner)
        workspace.past_prompts = self.results.prompts
        self.gallery = Gallery(self.results)
        self.problems = ProblemsPanel(workspace.theme)
        self.log = LogPanel()
        self.status = StatusBar(workspace, self.runner)
        self.setCentralWidget(self.area)
        self.setStatusBar(self.status)
        self.docks = Docks(self)
        self.queue = QueuePanel(self.runner)
        below = {"Gallery": self.gallery, "Queue": self.queue}
        self.sweeps = SweepCommands(self)
        self.measure = MeasureCommands(self)
        below |= {"Grids": self.sweeps.grid, "Candidates": self.sweeps.explore}
        below |= {"Problems": self.problems, "Log": self.log}
        self.docks.arrange(self.library, self.inspector, self.viewer, below)
        self.run_menu = RunMenu(self)
        self.pictures = PictureActions(self)
        self._first_steps: FirstSteps | None = None
        self.commands = CommandRegistry(self)
        for command in all_commands(self, self.run_menu):
            self.commands.add(command)
        self.commands.shortcuts_removed.connect(self._set_unassigned_keys)
        self.commands.restore_shortcuts(workspace.store)
        build_menus(self)
        self.run_count = build_toolbar(self)
        self._connect()
        self.docks.restore_layout(workspace.store)
        self.commands.update_states()
        QTimer.singleShot(0, self, self._after_show)

    def relink(self, opened: OpenDocument) -> None:
        """Ask what to use instead of missing models; they are looked for in the background."""
        from nodeforge.ui.files.relink_dialog import RelinkDialog, missing_models, proposals

        def work(_: ReportProgress) -> tuple[MissingModels, dict[tuple[str, str], ModelProposal]]:
            missing = missing_models(self.workspace, opened)
            return missing, proposals(self.workspace, opened, missing)

        found = run_in_background(self, "Looking for models…", work)
        if found is None:
            return
        missing, proposed = found
        if not missing:
            self.status.show_text("No model is missing.")
            return
        RelinkDialog(self.workspace, opened, missing, proposed, self).exec()

    def allow_pickle(self, opened: OpenDocument, file: Path, *, run: bool) -> None:
        if not ask_to_allow(self.workspace.settings, file, self):
            return
        self.status.show_text(f"{file.name} may be used as it is now.")
        self.runner.planner.check(opened)
        if run and opened in self.workspace.documents:
            self.messages.clear()
            self.runner.run(opened, [])
        else:
            self.runner.planner.schedule()

    def copy_json(self, opened: OpenDocument) -> None:
        QGuiApplication.clipboard().setText(write(opened.document).decode())
        self.status.show_text("The workflow is on the clipboard.")

    def switch_theme(self) -> None:
        dark = self.workspace.theme.is_dark
        self.workspace.set_theme(themes.LIGHT if dark else themes.DARK)

    def toggle_dock(self, name: str) -> None:
        dock = self.docks.all[name]
        if dock.isHidden() or dock.visibleRegion().isEmpty():  # hidden, or behind another tab
            self.docks.show(name)
        else:
            dock.hide()

    def show_palette(self) -> None:
        palette = CommandPalette(self.commands, self)
        corner = self.mapToGlobal(self.rect().center())
        palette.move(corner.x() - palette.width() // 2, self.mapToGlobal(self.pos()).y() + 80)
        palette.show()
        palette.search.setFocus()

    def show_shortcuts(self) -> None:
        ShortcutList(self.commands, self).exec()

    def ask_grid(self, name: str = "") -> None:
        self.sweeps.ask_grid(name)

    def ask_explore(self) -> None:
        self.sweeps.ask_explore()

    def ask_measurement(self, name: str = "") -> None:
        self.measure.ask(name)

    def show_preferences(self) -> None:
        before = self.workspace.settings
        from nodeforge.ui.preferences import Preferences

        if Preferences(self.workspace, self.commands, self).exec():
            if self.workspace.settings != before:
                self.runner.use_settings(self.workspace.settings)
            self.autosave.reload_interval()
            self.status.measure_cache()

    def show_first_steps(self) -> None:
        if self._first_steps is not None and isValid(self._first_steps):
            self._first_steps.close()
        self._first_steps = FirstSteps(self)

    def show_manual(self) -> None:
        Manual(self).open()

    def show_logs(self) -> None:
        folder = self.workspace.settings.home / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def show_about(self) -> None:
        text = f"NodeForge {__version__}\nA desktop studio for diffusion models."
        QMessageBox.about(self, "About NodeForge", text)

    def save(self, opened: OpenDocument) -> bool:
        return self.files.save(opened)

    def restart_worker(self) -> None:
        self.messages.clear()
        self.runner.restart_worker()

    def go_to(self, path: str) -> None:
        self.area.go_to(path)

    def show_problems(self) -> None:
        self.docks.show("problems")

    def show_queue(self) -> None:
        self.docks.show("queue")

    def show_node(self, opened: OpenDocument, node: str) -> None:
        """Show a node of a document, if it is still open."""
        if opened in self.workspace.documents:
            self.workspace.show(opened)
            self.go_to(node)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if not self.files.confirm_close_all():
            event.ignore()
            return
        self.files.shut_down()
        self.area.close_canvases()
        self.docks.save_layout(self.workspace.store)
        self.autosave.close()
        self.measure.idle.cancel()
        self.pictures.close()
        self.runner.close()
        self.results.close()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if dropped_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        place = self.mapToGlobal(event.position()).toPoint()
        dropped = self.pictures.drop(dropped_files(event.mimeData()), place)
        if dropped or self.files.drop(event.mimeData(), self.pictures.dropped_there(place)):
            event.acceptProposedAction()

    def _connect(self) -> None:
        workspace, runner, area = self.workspace, self.runner, self.area
        area.start_page.open_requested.connect(self.files.open)
        self.files.open_on_canvas = lambda path: bring_to_canvas(self, path, path.name)
        area.start_page.new_requested.connect(workspace.new)
        area.start_page.task_requested.connect(partial(start_task, self))
        area.start_page.canvas_requested.connect(lambda: show_new_canvas(self))
        area.start_page.browse_requested.connect(self.files.ask_open)
        area.close_requested.connect(self.files.close)
        area.status_message.connect(self.status.show_text)
        area.menu_requested.connect(self._show_node_menu)
        area.canvas_menu_requested.connect(lambda place: canvas_menu(self, place))
        area.view_changed.connect(self._on_view_changed)
        area.form_made.connect(self._connect_form)
        area.selection_changed.connect(self._selected)
        self.library.chosen.connect(self._add_node)
        workspace.saved_subgraphs.kept.connect(
            lambda title: self.status.show_text(f"“{title}” is in the library: My subgraphs.")
        )
        self.inspector.node_requested.connect(self.go_to)
        self.inspector.grid_requested.connect(self.ask_grid)
        self.inspector.measurement_requested.connect(self.ask_measurement)
        self.sweeps.connect(self.pictures.run)
        self.viewer.node_requested.connect(partial(edit_text, self))
        self.problems.node_requested.connect(self.go_to)
        self.problems.relink_requested.connect(lambda _: self._relink_current())
        self.problems.is_about_a_pickle = lambda each: self._pickle_of(each) is not None
        self.problems.allow_requested.connect(self._allow_pickle_of)
        self.problems.counted.connect(lambda n: self.docks.set_count("problems", "Problems", n))
        for panel in (self.gallery, self.viewer):
            panel.menu_requested.connect(self.show_picture_menu)
            panel.command.connect(self.pictures.run)
        self.gallery.shown.connect(self._show_in_viewer)
        self.gallery.settings_requested.connect(
            lambda path: self.files.load_settings(path, self.status.show_text)
        )
        self.queue.edit_requested.connect(self.files.edit_job)
        self.queue.open_requested.connect(self.files.open_job)
        runner.jobs.changed.connect(self._count_jobs)
        runner.worker.reconnected.connect(self._ask_catalogue)
        runner.worker.reconnected.connect(self.status.query_devices)
        runner.saved.connect(self._saved)
        runner.finished.connect(self._finished)
        runner.logged.connect(self.log.add)
        self.gallery.failed.connect(self.log.add)
        self.autosave.failed.connect(self.log.add)
        self.autosave.failed.connect(self.status.show_text)
        workspace.current_changed.connect(self._current_changed)
        workspace.opened.connect(self._opened)
        workspace.theme_changed.connect(self._set_theme)
        workspace.catalogue_changed.connect(
            lambda: self.library.show_catalogue(workspace.catalogue, workspace.theme)
        )

    def show_picture_menu(self, pictures: list[Picture], place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_picture_menu(menu, self, self.pictures, pictures)
        menu.popup(place)

    def _show_node_menu(self, request: MenuRequest) -> None:
        """The graph's menu; a node with a picture has the picture menu in it."""
        opened = self.workspace.current
        menu = node_menu(self, request)
        if opened is not None and request.node in opened.pictures:
            picture = self.viewer.picture_of(opened, request.node)
            part = QMenu("Picture", menu)
            fill_picture_menu(part, self, self.pictures, [picture])
            first = menu.actions()[0]
            menu.insertMenu(first, part)
            menu.insertSeparator(first)
        menu.popup(request.screen)

    def _show_in_viewer(self, picture: Picture) -> None:
        self.viewer.show_file(picture)

    def _on_view_changed(self) -> None:
        """Hide the panels of the graph while a canvas or a form is shown."""
        self.docks.hide_temporarily(tuple(self.docks.all), self.area.shown != "graph")
        self.commands.update_states()

    def _after_show(self) -> None:
        """Start what can wait until the window is shown."""
        self.docks.name_tabs()
        QTimer.singleShot(_WORKER_MS, self.status, self.status.query_devices)
        QTimer.singleShot(_WORKER_MS, self, self.runner.workers.start)
        self.status.measure_cache()
        self._show_unread_settings()
        self._count_jobs()
        self.messages.tell_of_queue()
        if self.workspace.settings.packs_allowed:
            self._ask_catalogue()
        for file in self.autosave.recoverable_files():
            self.files.recover(file, self.messages.recovered)

    def _connect_form(self, form: FormView) -> None:
        form.run_requested.connect(self.run_menu.run)
        form.menu_requested.connect(self.show_picture_menu)
        form.command.connect(self.pictures.run)
        form.grid_requested.connect(self.ask_grid)
        form.measurement_requested.connect(self.ask_measurement)

    def _show_unread_settings(self) -> None:
        """Say once which stored settings are of a wrong kind."""
        found = {
            self.workspace.settings.file.name: self.workspace.settings.problems,
            Path(self.workspace.store.fileName()).name: self.workspace.store.problems,
        }
        told = [f"{file}: {problem}" for file, each in found.items() for problem in each]
        if told:
            self.area.message_bars.show_message("settings", "\n".join(told[:_NAMED]), kind="warn")
        for line in told:
            self.log.add(line)

    def _ask_catalogue(self) -> None:
        self.runner.worker.ask("catalogue", self._on_catalogue)

    def _on_catalogue(self, answer: Answer) -> None:
        """Take over the node types of allowed packs, as the worker reports them."""
        if isinstance(answer, dict):
            self.workspace.set_catalogue(Catalogue.from_json(answer))
            for pack, why in answer.get("refused", {}).items():
                self.log.add(f"Pack {pack} was not loaded: {why}")
        else:
            self.log.add(str(answer))

    def _set_unassigned_keys(self, keys: list[str]) -> None:
        self.workspace.unassigned_keys.clear()
        self.workspace.unassigned_keys.update(QKeySequence(each).toString() for each in keys)

    def _opened(self, opened: OpenDocument) -> None:
        opened.file_status_changed.connect(lambda: self._standing_changed(opened))

    def _standing_changed(self, opened: OpenDocument) -> None:
        if opened is self.workspace.current:
            self.setWindowTitle(_title(opened))
            self.setWindowModified(opened.modified)
            self.status.show_saved(opened)
            self.commands.update_states()

    def _current_changed(self, opened: OpenDocument | None) -> None:
        self.problems.show_document(opened)
        self.setWindowTitle(_title(opened))
        self.setWindowModified(opened is not None and opened.modified)
        self.commands.update_states()

    def _selected(self, opened: OpenDocument | None, paths: list[str]) -> None:
        self.inspector.show_nodes(opened, paths)
        self.viewer.show_nodes(opened, paths)
        self.commands.update_states()

    def _add_node(self, type_id: str) -> None:
        if self.workspace.current is None:
            self.workspace.new()
        if (view := self.area.view) is not None:
            view.add_or_insert(type_id)
            view.setFocus()

    def _finished(self, job: Job) -> None:
        """Keep a version; alert the user, or close if "Close when done" was chosen."""
        if (opened := self.workspace.find(job.document)) is not None:
            self.autosave.keep_version(opened)
        QApplication.alert(self)
        if self.files.close_when_done and not (self.runner.busy or self.runner.jobs.waiting):
            QTimer.singleShot(0, self, self.close)

    def _saved(self, job: Job, _: str, path: str) -> None:
        """Show a picture in the gallery, unless it is a candidate's estimate, or only judged."""
        if not job.request.afresh and (job.kept is None or not is_estimate(job.kept)):
            self.gallery.add(job, path)
            self.area.list_results()

    def _count_jobs(self) -> None:
        jobs = self.runner.jobs
        self.docks.set_count("queue", "Queue", len(jobs.pending))
        self.commands.update_states()

    def _relink_current(self) -> None:
        if self.workspace.current is not None:
            self.relink(self.workspace.current)

    def _pickle_of(self, problem: Problem) -> Path | None:
        """The pickle, not allowed yet, that a problem of the current document is about."""
        opened = self.workspace.current
        if opened is None or problem.rule != "model_files":
            return None
        return refused_pickles(self.workspace, opened).get((problem.node, problem.port))

    def _allow_pickle_of(self, problem: Problem) -> None:
        opened, file = self.workspace.current, self._pickle_of(problem)
        if opened is not None and file is not None:
            self.allow_pickle(opened, file, run=False)

    def _set_theme(self, theme: themes.Theme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            themes.apply(app, theme)
        self.library.show_theme(theme)
        self.problems.show_theme(theme)


def _title(opened: OpenDocument | None) -> str:
    return f"{opened.name}[*] – NodeForge" if opened else "NodeForge"
