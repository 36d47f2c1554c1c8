"""Autosave: recovery copies of unsaved documents."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer, Signal

from nodeforge.errors import NodeForgeError
from nodeforge.formats import load, read, save, write
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.workspace import PROJECT, Workspace

if TYPE_CHECKING:
    from nodeforge.formats.bundle import ProjectFiles

PAUSE = 3
"""Default seconds without editing until a copy is written."""


class Autosave(QObject):
    """Writes ``<home>/autosave/<process>-<document>.json`` after a pause of editing; with a
    canvas a folder ``….nforge``, written incrementally in a background thread.

    A process removes its copies on a regular exit; copies of processes that no longer run are left
    from a crash.
    """

    failed = Signal(str)
    """Emitted with the reason when a copy cannot be written."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._folder = workspace.settings.home / "autosave"
        self._dirty: set[str] = set()
        self._timer = QTimer(self, singleShot=True)
        self.reload_interval()
        self._timer.timeout.connect(self._write_all)
        self._writer = ThreadPoolExecutor(1, "autosave")
        self._projects: ProjectFiles | None = None
        workspace.opened.connect(self._watch)

    def reload_interval(self) -> None:
        """Read the interval from the preferences."""
        self._timer.setInterval(autosave_interval(self._workspace.store) * 1000)

    def recoverable_files(self) -> list[Path]:
        """Copies left by processes that no longer run, oldest first."""
        kept = [*self._folder.glob("*.json"), *self._folder.glob(f"*{PROJECT}")]
        files = [each for each in kept if not _is_process_alive(each)]
        return sorted(files, key=lambda each: each.stat().st_mtime)

    def recover(self, file: Path) -> OpenDocument | None:
        """Open a recovery copy as an unsaved document; the copy is replaced by a new one."""
        about = _about(file)
        path = Path(about["path"]) if about.get("path") else None
        name = about.get("name", "Recovered")
        try:
            opened = self._opened(file, path, name)
        except NodeForgeError:
            file.replace(file.with_suffix(".damaged"))
            return None
        self._workspace.add(opened)
        self._write(opened)
        self.discard(file)
        return opened

    def _opened(self, file: Path, path: Path | None, name: str) -> OpenDocument:
        if file.suffix != PROJECT:
            return OpenDocument(load(file), path, name, recovered=True)
        from nodeforge.ui.documents.project_files import (
            open_project_document,  # the canvas needs numpy and OpenCV
        )

        project = self._workspace.projects().load(file)
        return open_project_document(project, path, name, recovered=True)

    def discard(self, file: Path) -> None:
        if file.suffix == PROJECT:
            shutil.rmtree(file, ignore_errors=True)
        else:
            file.unlink(missing_ok=True)
        file.with_suffix(".about").unlink(missing_ok=True)

    def remove_copy(self, opened: OpenDocument) -> None:
        """Remove the copies of a document that is saved or closed."""
        self._dirty.discard(opened.id)
        self._writer.submit(self.discard, self._file(opened, PROJECT))  # after pending writes
        self.discard(self._file(opened))

    def close(self) -> None:
        """Remove all copies of this process, on a regular exit."""
        self._timer.stop()
        for opened in self._workspace.documents:
            self.remove_copy(opened)
        self._writer.shutdown(wait=True)

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

    def _write(self, opened: OpenDocument) -> None:
        file = self._file(opened, ".json" if opened.canvas is None else PROJECT)
        about = {"path": str(opened.path or ""), "name": opened.name}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file.with_suffix(".about").write_text(json.dumps(about), "utf-8")
            if opened.canvas is None:
                save(opened.document, file)
            else:
                self._write_project(opened, file)
        except (OSError, NodeForgeError) as error:
            self.failed.emit(str(error))

    def _write_project(self, opened: OpenDocument, folder: Path) -> None:
        from nodeforge.formats.bundle import ProjectFiles
        from nodeforge.ui.documents.project_files import project_of

        if self._projects is None:
            self._projects = ProjectFiles(self._workspace.settings.assets)
        projects, project = self._projects, project_of(opened)
        project.document = read(write(opened.document))  # as it is now: edits go on meanwhile

        def work() -> None:
            try:
                folder.mkdir(exist_ok=True)
                projects.autosave(project, folder)
            except (OSError, NodeForgeError) as error:
                self.failed.emit(str(error))

        self._writer.submit(work)

    def _file(self, opened: OpenDocument, suffix: str = ".json") -> Path:
        return self._folder / f"{os.getpid()}-{opened.id}{suffix}"


def autosave_interval(store: QSettings) -> int:
    """The autosave interval in seconds, at least 1."""
    stored = str(store.value("autosave_pause", PAUSE))
    return max(1, int(stored)) if stored.isdigit() else PAUSE


def _about(file: Path) -> dict[str, str]:
    try:
        return json.loads(file.with_suffix(".about").read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _is_process_alive(file: Path) -> bool:
    """Whether the process that wrote `file` still runs."""
    number = file.name.partition("-")[0]
    if not number.isdigit():
        return False
    if int(number) == os.getpid() or os.name == "nt":
        return int(number) == os.getpid()
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
