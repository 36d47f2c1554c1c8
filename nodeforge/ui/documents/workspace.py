"""The workspace: settings, node types, model folders and open documents, shared by all panels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from nodeforge.formats import save
from nodeforge.formats.sampling_settings import Recognised
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.paths import split
from nodeforge.graph.ports import title_of
from nodeforge.graph.upgrade import upgrade
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue, ModelFileWidget, NodeSpec
from nodeforge.ui.common import theme as themes
from nodeforge.ui.common.preference_store import PreferenceStore
from nodeforge.ui.common.theme import Theme
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import fix_seeds
from nodeforge.ui.library.node_use import NodeUse
from nodeforge.ui.library.saved_subgraphs import SavedSubgraphs

if TYPE_CHECKING:
    from nodeforge.formats.projects.bundle import Project, ProjectFiles

_RECENT = 12
PROJECT = ".nforge"
"""Suffix of project files."""


class Workspace(QObject):
    """The open documents, of which one is current.

    Args:
        settings: The user's settings.
        store: Window settings, kept between starts.
    """

    opened = Signal(object)
    closed = Signal(object)
    upgraded = Signal(object)
    """An `OpenDocument` whose nodes were brought to today's versions of their types."""
    current_changed = Signal(object)
    """The `OpenDocument` that is current now, or None."""
    theme_changed = Signal(object)
    recent_changed = Signal()
    settings_changed = Signal()
    catalogue_changed = Signal()

    def __init__(self, settings: Settings, store: PreferenceStore) -> None:
        super().__init__()
        self.settings = settings
        self.store = store
        self.node_use = NodeUse(store)
        self.saved_subgraphs = SavedSubgraphs(
            settings.home / "subgraphs", shipped("resources") / "subgraphs"
        )
        self.catalogue = Catalogue.shipped()
        self.folders = ModelFolders(settings)
        self.theme: Theme = themes.THEMES.get(str(store.value("theme", "dark")), themes.DARK)
        self._projects: ProjectFiles | None = None
        self.documents: list[OpenDocument] = []
        self.current: OpenDocument | None = None
        self.graphics_cards: dict[str, str] = {}
        """Names of graphics cards by device (``cuda:1``), as the worker reports them."""
        self.attention: list[str] = []
        """Attention backends, as the worker reports them."""
        self.unassigned_keys: set[str] = set()
        """Default shortcuts that the user has removed from commands; views ignore them, too."""
        self.past_prompts: Callable[[], Iterable[str]] = tuple
        """Prompts of saved results, newest first; set by the gallery."""

    def node_title(self, document: Document, path: str) -> str:
        """A node's title; its path if the node does not exist."""
        try:
            node = document.node(path)
        except NoSuchNodeError:
            return path
        return title_of(node, split(path)[1], self.catalogue)

    def find(self, document_id: str) -> OpenDocument | None:
        """The open document with this id, or None."""
        return next((each for each in self.documents if each.id == document_id), None)

    def find_by_path(self, path: Path) -> OpenDocument | None:
        """The open document whose file is `path`."""
        return next((each for each in self.documents if each.path == path), None)

    def open_document(
        self, document: Document, path: Path, *, in_front: bool = True
    ) -> OpenDocument:
        """Open a workflow read from `path`, a file or a picture, or show it if it is open."""
        if (already_open := self.find_by_path(path)) is not None:
            self.show(already_open)
            return already_open
        is_workflow = path.suffix.lower() == ".json"
        if not is_workflow:
            fix_seeds(document)  # the first run gives that picture
        opened = OpenDocument(document, path if is_workflow else None, path.stem)
        if is_workflow:
            self.add_recent(path)
        self.add(opened, in_front=in_front)
        return opened

    def open_project(self, project: Project, path: Path, *, in_front: bool = True) -> OpenDocument:
        """Open a project read from `path`, or show it if it is open."""
        from nodeforge.ui.documents.project_files import (
            open_project_document,  # the canvas needs numpy and OpenCV
        )

        if (already_open := self.find_by_path(path)) is not None:
            self.show(already_open)
            return already_open
        opened = open_project_document(project, path, path.stem)
        self.add_recent(path)
        self.add(opened, in_front=in_front)
        return opened

    def projects(self) -> ProjectFiles:
        """The reader and writer of project files."""
        from nodeforge.formats.projects.bundle import ProjectFiles

        if self._projects is None:
            self._projects = ProjectFiles(self.settings.assets)
        return self._projects

    def new(self) -> OpenDocument:
        """Open an empty workflow."""
        names = {each.name for each in self.documents}
        count = 1
        while (name := f"Untitled {count}") in names:
            count += 1
        opened = OpenDocument(Document(), None, name)
        self.add(opened)
        return opened

    def add(self, opened: OpenDocument, *, in_front: bool = True) -> None:
        upgrade(opened.document, self.catalogue)
        self.documents.append(opened)
        self.opened.emit(opened)
        if opened.document.upgraded:
            self.upgraded.emit(opened)
        if in_front or self.current is None:
            self.show(opened)

    def show(self, opened: OpenDocument | None) -> None:
        if opened is not self.current:
            self.current = opened
            self.current_changed.emit(opened)

    def save(self, opened: OpenDocument, path: Path) -> None:
        """Write the document to `path`, which becomes its file; as a project if it has a canvas.

        Raises:
            RequestError: the file cannot be written.
        """
        opened.commit_pending()
        wanted = PROJECT if opened.canvas is not None else ".json"
        if path.suffix.lower() not in (wanted, PROJECT):
            path = path.with_name(path.name.removesuffix(".json") + wanted)
        if path.exists():
            _keep_previous_version(path)
        if path.suffix.lower() == PROJECT:
            from nodeforge.ui.documents.project_files import project_of

            self.projects().save(project_of(opened), path)
        else:
            save(opened.document, path)
        opened.mark_saved_as(path)
        self.add_recent(path)

    def close(self, opened: OpenDocument) -> None:
        place = self.documents.index(opened)
        self.documents.remove(opened)
        opened.close()
        if opened is self.current:
            rest = self.documents
            self.show(rest[min(place, len(rest) - 1)] if rest else None)
        self.closed.emit(opened)
        opened.deleteLater()  # Qt holds the functions connected to it, and these hold it

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.store.setValue("theme", theme.name)
        self.theme_changed.emit(theme)

    def set_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.folders = ModelFolders(settings)
        self.settings_changed.emit()

    def recognised(self, granted: Sequence[str]) -> Recognised:
        """Tells what a model is, also one that the person gave by its path."""
        folders, given = self.folders, frozenset(map(Path, granted))
        return lambda kind, name: folders.info(kind, name, given)

    def model_presets(self, spec: NodeSpec) -> dict[str, str]:
        """The models that a new node of a type starts with: where it needs one, and it is clear
        which."""
        found: dict[str, str] = {}
        for port in spec.inputs:
            widget = port.widget if port.required else None
            name = (
                self.folders.default(widget.kind) if isinstance(widget, ModelFileWidget) else None
            )
            if name is not None:
                found[port.name] = name
        return found

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """Set the node types, such as those of packs that the user has allowed."""
        if catalogue.to_json() != self.catalogue.to_json():
            self.catalogue = catalogue
            changed = [each for each in self.documents if upgrade(each.document, catalogue)]
            self.catalogue_changed.emit()
            for opened in changed:
                self.upgraded.emit(opened)

    @property
    def recent(self) -> list[Path]:
        """Existing files that were recently opened or saved, newest first."""
        return [path for path in self.store.read("recent", [], _paths) if _is_file(path)]

    def add_recent(self, path: Path) -> None:
        paths = [path, *(each for each in self.recent if each != path)]
        self.store.setValue("recent", [str(each) for each in paths[:_RECENT]])
        self.recent_changed.emit()


def _paths(stored: object) -> list[Path]:
    names = stored if isinstance(stored, list) else [stored]  # Qt turns [x] into x
    if not all(isinstance(name, str) for name in names):
        raise TypeError("no names of files")
    return [Path(str(name)) for name in names if name]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _keep_previous_version(path: Path) -> None:
    """Keep a copy of the version that is about to be overwritten."""
    kept = path.with_name(f".{path.name}.last")
    try:
        kept.write_bytes(path.read_bytes())
    except OSError:
        return  # a folder that takes no second file still takes the workflow
