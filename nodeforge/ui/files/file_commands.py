"""Opens, saves and closes documents, with the dialogs of the File menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from nodeforge.errors import NodeForgeError
from nodeforge.formats import NoWorkflowError, item_of_picture, read_any
from nodeforge.formats.pictures import is_media
from nodeforge.graph.document import Document
from nodeforge.settings import shipped
from nodeforge.ui.common.background_reader import BackgroundReader, Work
from nodeforge.ui.common.message_bars import Button, MessageBars
from nodeforge.ui.documents.autosave import Autosave
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.recovery_files import read_about
from nodeforge.ui.documents.workspace import PROJECT, Workspace
from nodeforge.ui.files.comfyui_import import ComfyUIImport
from nodeforge.ui.files.comparison import WorkflowComparison
from nodeforge.ui.files.document_reading import ForeignWorkflow, is_quick, read_document
from nodeforge.ui.files.dropped_models import SUFFIXES as MODEL_SUFFIXES
from nodeforge.ui.files.dropped_models import DroppedModels
from nodeforge.ui.files.job_documents import JobDocuments
from nodeforge.ui.files.load_settings import settings_edit
from nodeforge.ui.files.model_lock import record_models
from nodeforge.ui.running.job_queue import Job
from nodeforge.ui.running.runner import Runner

if TYPE_CHECKING:
    from nodeforge.formats.projects.bundle import Project
    from nodeforge.ui.files.versions_dialog import VersionsDialog

OPENABLE = (
    "Workflows, projects, pictures and videos (*.json *.nforge *.png *.jpg *.jpeg *.webp *.ora "
    "*.gif *.apng *.mp4 *.webm *.mkv *.mov *.flac *.wav *.opus)"
    ";;All files (*)"
)
_LAYERS = ".ora"
WORKFLOW = "Workflow (*.json)"
PROJECT_FILES = "Project, with its canvas (*.nforge)"
_NAMED = 5
"""Upgraded nodes that the message names."""


class FileCommands:
    """Commands of the File menu.

    Args:
        parent: The window, for dialogs.
    """

    def __init__(
        self,
        workspace: Workspace,
        runner: Runner,
        autosave: Autosave,
        message_bars: MessageBars,
        parent: QWidget,
    ) -> None:
        self._workspace, self._runner, self._autosave = workspace, runner, autosave
        self._message_bars, self._parent = message_bars, parent
        self.close_when_done = False
        """Whether the window closes once no run is left."""
        self.open_on_canvas: Callable[[Path], object] = lambda _: None
        """Opens a picture on the canvas."""
        self._reader = BackgroundReader()
        stop: Button = ("Cancel", self._reader.stop)
        self._reader.progress.connect(
            lambda text, share: message_bars.show_progress("reading", text, share, stop)
        )
        self._reader.finished.connect(lambda: message_bars.dismiss("reading"))
        self._dropped_models = DroppedModels(workspace, message_bars, self._reader, parent)
        self._jobs = JobDocuments(workspace, runner, message_bars)
        self._comfyui_import = ComfyUIImport(workspace, message_bars, parent)
        self.comparison = WorkflowComparison(workspace, self._reader, message_bars, parent)
        """Compares a document with a file or a version."""
        workspace.upgraded.connect(self._show_upgrade)
        workspace.closed.connect(self._forget)
        self._document_in_front = workspace.current
        """The document that was current when a file was requested."""

    def open(self, path: Path, use_picture: Callable[[Path], object] | None = None) -> None:
        """Open `path`, or show why it cannot be opened. Shipped workflows open as a copy,
        ComfyUI's as a new document, OpenRaster files on a canvas of their own.

        All but small workflows are read in the background. Once read, a document becomes current,
        unless the user has switched to another one.

        Args:
            path: The file.
            use_picture: Takes a picture without a workflow; by default, a message says so.
        """
        self._message_bars.dismiss("open")
        path = path.absolute()
        if (there := self._workspace.find_by_path(path)) is not None:
            self._workspace.show(there)
            return
        if path.suffix.lower() in MODEL_SUFFIXES:
            self._dropped_models.open(path)
            return
        if path.suffix.lower() == _LAYERS:
            self._open_layers(path)
            return
        self._document_in_front = self._workspace.current
        failed = partial(self._show_refusal, path, use_picture)
        catalogue, settings = self._workspace.catalogue, self._workspace.settings
        if path.suffix.lower() == PROJECT:
            projects = self._workspace.projects()
            work: Work = partial(projects.load, path)
        elif is_quick(path):
            try:
                self._show(path, read_document(path, catalogue, settings))
            except NodeForgeError as error:
                failed(error)
            return
        else:
            work = partial(read_document, path, catalogue, settings)
        self._reader.read(path.name, work, partial(self._show, path), failed, path)

    def _show(self, path: Path, read: Document | ForeignWorkflow | Project) -> None:
        """Show what was read from `path`."""
        stayed = self._workspace.current is self._document_in_front
        if isinstance(read, ForeignWorkflow):
            buttons = self._canvas_buttons(path) if read.in_picture else ()
            opened = self._comfyui_import.show(read.imported, path.stem, buttons, in_front=stayed)
        elif isinstance(read, Document):
            opened = self._workspace.open_document(read, path, in_front=stayed)
            if path.is_relative_to(shipped("workflows").absolute()) and opened.path is not None:
                opened.detach_from_file()
        else:
            opened = self._workspace.open_project(read, path, in_front=stayed)
        if stayed:
            self._document_in_front = opened

    def _open_layers(self, path: Path) -> None:
        """Open layers on the canvas of a new document, named after the file."""
        opened = OpenDocument(Document(), None, path.stem)
        self._workspace.add(opened)
        self.open_on_canvas(path)

    def _show_refusal(
        self, path: Path, use_picture: Callable[[Path], object] | None, error: NodeForgeError
    ) -> None:
        picture = isinstance(error, NoWorkflowError)
        if picture and use_picture is not None:
            use_picture(path)
            return
        buttons = self._canvas_buttons(path) if picture and not is_media(path) else ()
        self._message_bars.show_message("open", str(error), buttons)

    def _canvas_buttons(self, path: Path) -> tuple[Button, ...]:
        return (("Open on the canvas", lambda: self.open_on_canvas(path)),)

    def _forget(self, opened: OpenDocument) -> None:
        """Let go of a closed document."""
        self._message_bars.dismiss(_upgrade_of(opened))
        if self._document_in_front is opened:
            self._document_in_front = self._workspace.current

    def _show_upgrade(self, opened: OpenDocument) -> None:
        paths = [each.path for each in opened.document.upgraded]
        titles = [self._workspace.node_title(opened.document, path) for path in paths[:_NAMED]]
        more = [f"{len(paths) - _NAMED} more"] if len(paths) > _NAMED else []
        named = ", ".join([*titles, *more])
        text = f"“{opened.name}” was saved with older versions of nodes, now upgraded: {named}."
        subject = _upgrade_of(opened)
        self._message_bars.show_message(subject, text, kind="info", about=opened.id)

    def shut_down(self) -> None:
        """Stop reading files, on exit."""
        self._reader.close()

    def load_settings(self, path: Path, told: Callable[[str], object]) -> None:
        """Load the settings of another workflow into the current one, read in the background.

        Args:
            path: A workflow file, or a picture that carries one.
            told: Called with a status text once it is done.
        """
        self._message_bars.dismiss("open")
        current = self._workspace.current
        if current is None:
            told("Open a workflow first: settings are loaded into it.")
            return

        def take(read: tuple[Document, int | None]) -> None:
            if current in self._workspace.documents:
                told(self._take_settings(*read, path.name, current))

        failed = partial(self._show_refusal, path, None)
        work: Work = lambda _: (read_any(path), item_of_picture(path))  # noqa: E731
        self._reader.read(path.name, work, take, failed, ("settings", path))

    def _take_settings(
        self, other: Document, item: int | None, name: str, into: OpenDocument
    ) -> str:
        edit = settings_edit(other, into.document, self._workspace.catalogue, item)
        if edit is None:
            return f"{name} has the same settings, or other nodes."
        into.perform(edit)
        return f"Settings of {name} were loaded."

    def ask_open(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self._parent, "Open", str(self.folder()), OPENABLE)
        for path in map(Path, paths):
            self._workspace.store.setValue("folder", str(path.parent))
            self.open(path)

    def drop(self, data: QMimeData, use_picture: Callable[[Path], object] | None = None) -> bool:
        """Open the files in `data`; returns whether there were any."""
        paths = dropped_files(data)
        for path in paths:
            self.open(path, use_picture)
        return bool(paths)

    def folder(self) -> Path:
        """The folder last used to open or save; by default the user's documents folder."""
        last = str(self._workspace.store.value("folder", ""))
        if last and Path(last).is_dir():
            return Path(last)
        place = QStandardPaths.StandardLocation.DocumentsLocation
        documents = Path(QStandardPaths.writableLocation(place))
        return documents if documents.is_dir() else Path.home()

    def recover(self, file: Path, told: Callable[[OpenDocument], object]) -> None:
        """Open a recovery copy, a project in the background; `told` gets the document."""
        if file.suffix != PROJECT:
            if (opened := self._autosave.recover(file)) is not None:
                told(opened)
            return
        _, name = read_about(file)
        work: Work = partial(self._workspace.projects().load, file)
        failed = partial(self._autosave.put_aside, file)
        take = self._autosave.recovered_project
        self._reader.read(name, work, lambda project: told(take(file, project)), failed, file)

    def save(self, opened: OpenDocument) -> bool:
        """Save; returns whether it was saved. A document with a canvas is saved as a project."""
        path = opened.path
        if opened.job:
            return self._jobs.save(opened)
        if path is None or (opened.canvas is not None and path.suffix.lower() != PROJECT):
            return self.save_as(opened)
        return self._write(opened, path)

    def edit_job(self, job: Job) -> OpenDocument | None:
        """Open the workflow of a job that does not run; *Save* puts it back into the queue."""
        return self._jobs.edit(job)

    def open_job(self, job: Job) -> OpenDocument | None:
        """Open a copy of a job's workflow."""
        return self._jobs.open_copy(job)

    def save_as(self, opened: OpenDocument) -> bool:
        painted = opened.canvas is not None
        wish = opened.path or self.folder() / f"{opened.name}.json"
        wish = wish.with_suffix(PROJECT) if painted else wish
        kinds = PROJECT_FILES if painted else f"{WORKFLOW};;{PROJECT_FILES}"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save as", str(wish), kinds)
        return bool(path) and self._write(opened, Path(path))

    def close(self, opened: OpenDocument) -> bool:
        """Close a tab, asking about unsaved changes; returns whether it was closed."""
        if opened.modified and not self._ask_to_save([opened]):
            return False
        self._autosave.remove_copy(opened)
        self._message_bars.dismiss("save")
        self._workspace.close(opened)
        return True

    def confirm_close_all(self) -> bool:
        """Ask about a current run and about unsaved changes; returns whether to close."""
        if self._runner.busy and not self._ask_to_stop():
            return False
        unsaved = [each for each in self._workspace.documents if each.modified]
        return not unsaved or self._ask_to_save(unsaved)

    def _write(self, opened: OpenDocument, path: Path) -> bool:
        try:
            record_models(self._workspace, opened)
            self._workspace.save(opened, path)
        except NodeForgeError as error:
            again = ("Save as…", lambda: self.save_as(opened))
            self._message_bars.show_message("save", str(error), [again])
            return False
        self._message_bars.dismiss("save")
        self._workspace.store.setValue("folder", str(path.parent))
        self._autosave.remove_copy(opened)
        self._autosave.keep_version(opened)
        return True

    def show_versions(self, opened: OpenDocument) -> VersionsDialog:
        """Show the versions of a document; the one that is chosen opens beside it."""
        from nodeforge.ui.files.versions_dialog import VersionsDialog

        opened.commit_pending()
        self._autosave.keep_version(opened)
        versions = self._autosave.versions.of(opened)
        dialog = VersionsDialog(opened, versions, self._workspace.catalogue, self._parent)
        dialog.chosen.connect(
            lambda document, name: self._workspace.add(OpenDocument(document, name=name))
        )
        dialog.compared.connect(partial(self.comparison.show, opened))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def ask_compare(self, opened: OpenDocument) -> None:
        """Compare a document with a file that a person chooses."""
        self.comparison.ask(opened, self.folder(), OPENABLE)

    def _ask_to_save(self, unsaved: list[OpenDocument]) -> bool:
        """Ask to save, discard or cancel; returns whether to go on."""
        names = ", ".join(f"“{each.name}”" for each in unsaved)
        what = "has changes" if len(unsaved) == 1 else "have changes"
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved changes")
        box.setText(f"{names} {what} that are not saved.")
        save = box.addButton("&Save", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("&Discard", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(save)
        box.exec()
        if box.clickedButton() is save:
            return all(self.save(each) for each in unsaved)
        return box.clickedButton() is discard

    def _ask_to_stop(self) -> bool:
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("A run is in progress")
        box.setText(_told_of_closing([*self._runner.jobs.running.values()]))
        stop = box.addButton("&Stop and close", QMessageBox.ButtonRole.DestructiveRole)
        wait = box.addButton("&Close when done", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("&Keep open", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        self.close_when_done = box.clickedButton() is wait
        return box.clickedButton() is stop


def _told_of_closing(running: list[Job]) -> str:
    """What becomes of the jobs that run where the window closes now."""
    kept = [job for job in running if job.kept is not None]
    if len(running) == 1:
        told = "A workflow is running. Closing now stops it"
        if not kept:
            return f"{told}; what is finished is kept."
        return f"{told} after its step; it stays in the queue, and goes on from there next time."
    told = f"{len(running)} workflows are running. Closing now stops them after their steps; "
    those = "they stay" if len(kept) == len(running) else f"{len(kept)} of them stay"
    return f"{told}{those} in the queue, and go on from there next time."


def dropped_files(data: QMimeData) -> list[Path]:
    """The local files in dropped or pasted data."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _upgrade_of(opened: OpenDocument) -> str:
    return f"upgrade {opened.id}"
