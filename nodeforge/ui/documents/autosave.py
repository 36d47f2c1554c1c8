"""Autosave: recovery copies of unsaved documents, and versions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from nodeforge.errors import NodeForgeError
from nodeforge.formats import load, read, save, write
from nodeforge.ui.common.preference_store import PreferenceStore
from nodeforge.ui.documents import recovery_files
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.recovery_files import AutosaveSession
from nodeforge.ui.documents.versions import Versions
from nodeforge.ui.documents.workspace import PROJECT, Workspace

if TYPE_CHECKING:
    from nodeforge.formats.projects.bundle import Project, ProjectFiles

PAUSE = 3
"""Default seconds without editing until a copy is written."""
_LONGEST_PAUSE = 3600


class Autosave(QObject):
    """Writes ``<home>/autosave/<session>-<document>.json`` after a pause of editing; with a
    canvas a folder ``….nforge``, written incrementally in a background thread.

    A window removes its copies on a regular exit; copies of sessions that have ended are left
    from a crash.
    """

    failed = Signal(str)
    """Emitted with the reason when a copy cannot be written."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._session = AutosaveSession(workspace.settings.home / "autosave")
        self._dirty: set[str] = set()
        self._timer = QTimer(self, singleShot=True)
        self.reload_interval()
        self._timer.timeout.connect(self._write_all)
        self._writer = ThreadPoolExecutor(1, "autosave")
        self._projects: ProjectFiles | None = None
        self.versions = Versions(workspace)
        workspace.opened.connect(self._watch)

    def reload_interval(self) -> None:
        """Read the interval from the preferences."""
        self._timer.setInterval(autosave_interval(self._workspace.store) * 1000)

    def recoverable_files(self) -> list[Path]:
        """Copies left by sessions that have ended, oldest first."""
        self._session.clean_up()
        self.versions.clean_up()
        return self._session.left_over((".json", PROJECT))

    def recover(self, file: Path) -> OpenDocument | None:
        """Open a recovery copy as an unsaved document.

        The copy is removed once a new one is written; where that fails, it stays.
        """
        try:
            if file.suffix == PROJECT:
                return self.recovered_project(file, self._workspace.projects().load(file))
            path, name = recovery_files.read_about(file)
            opened = OpenDocument(load(file), path, name, recovered=True)
        except NodeForgeError as error:
            self.put_aside(file, error)
            return None
        return self._recovered(file, opened)

    def recovered_project(self, file: Path, project: Project) -> OpenDocument:
        """Open the project that was read from a recovery copy, as `recover` does."""
        from nodeforge.ui.documents.project_files import (
            open_project_document,  # the canvas needs numpy and OpenCV
        )

        path, name = recovery_files.read_about(file)
        return self._recovered(file, open_project_document(project, path, name, recovered=True))

    def put_aside(self, file: Path, error: NodeForgeError) -> None:
        """Keep a recovery copy that cannot be read under another name, and say why."""
        with contextlib.suppress(OSError):
            aside = recovery_files.put_aside(file)
            self.failed.emit(f"A recovery copy cannot be read and is kept as {aside}: {error}")

    def _recovered(self, file: Path, opened: OpenDocument) -> OpenDocument:
        current = self._workspace.current  # what the person has named or opened stays in front
        self._workspace.add(opened, in_front=current is None or current.recovered)
        self._write(opened, lambda: recovery_files.remove(file))
        return opened

    def keep_version(self, opened: OpenDocument) -> None:
        """Write a version of the document, if something changed since the newest one."""
        try:
            self.versions.keep(opened)
        except (OSError, NodeForgeError) as error:
            self.failed.emit(str(error))

    def remove_copy(self, opened: OpenDocument) -> None:
        """Remove the copies of a document that is saved or closed."""
        self._dirty.discard(opened.id)
        project = self._session.file(opened.id, PROJECT)
        self._writer.submit(recovery_files.remove, project)  # after pending writes
        recovery_files.remove(self._session.file(opened.id, ".json"))

    def close(self) -> None:
        """Remove all copies of this process, on a regular exit."""
        self._timer.stop()
        for opened in self._workspace.documents:
            self.remove_copy(opened)
        self._writer.shutdown(wait=True)
        self._session.release()

    def _watch(self, opened: OpenDocument) -> None:
        opened.changed.connect(lambda _: self._mark_dirty(opened))

    def _mark_dirty(self, opened: OpenDocument) -> None:
        self._dirty.add(opened.id)
        self._timer.start()

    def _write_all(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for opened in self._workspace.documents:
            if opened.id in dirty and opened.has_pending_edit():
                self._mark_dirty(opened)  # a stroke is being drawn
            elif opened.id in dirty and opened.modified:
                self._write(opened)
                self.keep_version(opened)

    def _write(self, opened: OpenDocument, then: Callable[[], None] = lambda: None) -> None:
        """Write a copy; `then` is called once it is safely there."""
        suffix = ".json" if opened.canvas is None else PROJECT
        file = self._session.file(opened.id, suffix)
        try:
            self._session.hold()
            recovery_files.write_about(file, opened.path, opened.name)
            if opened.canvas is None:
                save(opened.document, file)
                then()
            else:
                self._write_project(opened, file, then)
        except (OSError, NodeForgeError) as error:
            self.failed.emit(str(error))

    def _write_project(self, opened: OpenDocument, folder: Path, then: Callable[[], None]) -> None:
        from nodeforge.formats.projects.bundle import ProjectFiles
        from nodeforge.ui.documents.project_files import project_of

        if self._projects is None:
            self._projects = ProjectFiles(self._workspace.settings.assets)
        projects, project = self._projects, project_of(opened)
        project.document = read(write(opened.document))  # as it is now: edits go on meanwhile

        def work() -> None:
            try:
                folder.mkdir(exist_ok=True)
                projects.autosave(project, folder)
                then()
            except (OSError, NodeForgeError) as error:
                self.failed.emit(str(error))

        self._writer.submit(work)


def autosave_interval(store: PreferenceStore) -> int:
    """The autosave interval in seconds, from 1 to an hour."""
    return min(max(1, store.read("autosave_pause", PAUSE, int)), _LONGEST_PAUSE)
