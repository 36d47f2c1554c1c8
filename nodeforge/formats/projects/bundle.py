"""Projects: a workflow, its canvas and the files both need, in one zip file (``.nforge``).

Inside are ``project.json`` and, by their SHA-256, the canvas' tiles (``tiles/``) and files
(``assets/``). Autosaving writes the same parts into a folder: of those only the new ones.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from nodeforge.canvas import State
from nodeforge.errors import NodeForgeError
from nodeforge.formats import json_text
from nodeforge.formats.canvas.canvas_json import Contents, Names, state_from_json, state_to_json
from nodeforge.formats.canvas.tile_store import Shelf, TileNames, is_sha256, pack, unpack
from nodeforge.formats.errors import (
    NewerFormatError,
    TooLargeError,
    WorkflowError,
    WrongShapeError,
)
from nodeforge.formats.projects.archive import Archive, DamagedArchiveError, Parts, opened
from nodeforge.formats.projects.part_folder import FolderShelf, opened_folder
from nodeforge.formats.workflow import document_from_json, document_to_json, old_format
from nodeforge.graph.document import Document
from nodeforge.imaging import Bytes
from nodeforge.settings.whole_file import keep_copy, write_whole

SUFFIX = ".nforge"
PROJECT = "project.json"
PROJECT_FORMAT = 1
MIME = "application/x-nodeforge-project"
MOST_JSON = 32 * 2**20
"""Of a project's JSON, which names every tile of every layer."""
MOST_ASSET = 512 * 2**20
MOST_HELD = 4 * 2**30
"""Bytes of all tiles of a canvas in memory."""

_PACKED_TILE = 2**19
_FIELDS = {"format", "workflow", "canvas", "generations"}
is_asset = re.compile(r"assets/([0-9a-f]{64})(\.[a-z0-9]{1,8})?").fullmatch


@dataclass
class Project:
    """What a project file holds.

    Args:
        document: The workflow.
        canvas: What its canvas holds; None where it has none.
        generations: What was made on the canvas, the oldest first: JSON objects of whoever made
            them, each with its ``workflow`` as in a workflow file, and in ``pictures`` the
            files that belong to it, as ``{sha256, kind, size, origin}``.
        extra: Fields of the file that this version does not know, kept.
    """

    document: Document
    canvas: State | None = None
    generations: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


class ProjectFiles:
    """Writes and reads projects; it remembers which tiles it has met.

    Args:
        assets: The folder of files named by their SHA-256 (`Settings.assets`): from there come
            those that a project takes along, there go those that it brings.
    """

    def __init__(self, assets: Path) -> None:
        self._assets = assets
        self._names = TileNames()

    def save(self, project: Project, path: Path) -> None:
        """Write `project` into one file, whole or not at all.

        What the file at `path` holds already is taken from there, not packed again. Where its
        workflow is older, a copy of it stays beside it.

        Raises:
            RequestError: it cannot be written; what was at `path` is untouched.
        """

        if number := _old_format(project.document, path):
            keep_copy(path, f"format{number}")

        def fill(file: IO[bytes]) -> None:
            with _archive_before(path) as before, zipfile.ZipFile(file, "w") as archive:
                archive.writestr("mimetype", MIME)
                text = self._keep(project, _ZipShelf(archive, before))
                archive.writestr(PROJECT, text, zipfile.ZIP_DEFLATED)

        write_whole(path, fill)

    def autosave(self, project: Project, folder: Path) -> None:
        """Write `project` into a folder of its own: what is there already costs nothing.

        Raises:
            RequestError: it cannot be written; what was in the folder can be read as before.
        """
        shelf = FolderShelf(folder)
        text = self._keep(project, shelf)
        write_whole(folder / PROJECT, lambda file: file.write(text))
        shelf.tidy()

    def load(self, path: Path, tell: Callable[[float], None] = lambda _: None) -> Project:
        """The project in a file, or in a folder that `autosave` wrote.

        Args:
            tell: Hears now and then how much is read, 0..1; what it raises ends reading.

        Raises:
            WorkflowError: it is damaged, hostile, or not one that this version reads.
        """
        source = opened_folder(path) if path.is_dir() else opened(path)
        with source as archive:
            return self._read(archive, tell)

    def _keep(self, project: Project, shelf: Shelf) -> bytes:
        """Put all parts on the shelf but the JSON, and return that."""

        def tile(pixels: Bytes) -> str:
            name = self._names.of(pixels)
            shelf.keep(f"tiles/{name}", lambda: pack(pixels))
            return name

        def file(content: bytes) -> str:
            name = hashlib.sha256(content).hexdigest()
            shelf.keep(f"assets/{name}", lambda: content)
            return name

        raw: dict[str, Any] = {
            **project.extra,
            "format": PROJECT_FORMAT,
            "workflow": document_to_json(project.document),
            "generations": project.generations,
        }
        if project.canvas is not None:
            raw["canvas"] = state_to_json(project.canvas, Names(tile, file))
        for name in _wanted(project):
            for found in self._assets.glob(f"{name}.*"):
                if is_asset(f"assets/{found.name}"):
                    shelf.keep(f"assets/{found.name}", found.read_bytes)
        return json_text.dump(raw).encode("utf-8", "replace")

    def _read(self, archive: Parts, tell: Callable[[float], None]) -> Project:
        raw = json_text.parse(archive.read(PROJECT, MOST_JSON), most=MOST_JSON)
        if type(raw) is not dict or type(raw.get("format")) is not int:
            raise WrongShapeError("is not a project.", way_out="Choose a NodeForge project.")
        if raw["format"] > PROJECT_FORMAT:
            raise NewerFormatError(raw["format"])
        project = Project(
            document_from_json(raw.get("workflow")),
            generations=_generations(raw),
            extra={key: raw[key] for key in raw if key not in _FIELDS},
        )
        parts = _Parts(archive, tell)
        if "canvas" in raw:
            try:
                project.canvas = state_from_json(raw["canvas"], Contents(parts.tile, parts.file))
            except NodeForgeError as error:
                raise error.at("canvas") from None
        for name, called in _wanted(project).items():
            try:
                self._bring(parts, name)
            except WorkflowError as error:
                raise error.at(f"the file '{called}'") from None
        return project

    def _bring(self, parts: _Parts, name: str) -> None:
        """Copy a file out to the assets, unless it is there; under no name but its content's."""
        self._assets.mkdir(parents=True, exist_ok=True)
        entry = parts.files.get(name, "")
        target = self._assets / entry.removeprefix("assets/")
        if entry and target.suffix and not target.exists():
            content = parts.file(name)
            write_whole(target, lambda file: file.write(content))


class _Parts:
    """The tiles and files of a project that is being read."""

    def __init__(self, archive: Parts, tell: Callable[[float], None]) -> None:
        self._archive, self._tell = archive, tell
        self._count = max(sum(name.startswith("tiles/") for name in archive.names()), 1)
        self._tiles: dict[tuple[str, int], Bytes] = {}
        self._held = 0
        matches = (match for name in archive.names() if (match := is_asset(name)))
        self.files = {match[1]: match[0] for match in matches}

    def tile(self, name: str, channels: int) -> Bytes:
        key = (name, channels)
        if key not in self._tiles:
            packed = self._archive.read(f"tiles/{name}", _PACKED_TILE)
            self._tiles[key] = tile = unpack(packed, name, channels)
            self._held += tile.nbytes
            if self._held > MOST_HELD:
                raise TooLargeError(f"has more than {MOST_HELD // 2**30} GiB of pixels.")
            self._tell(min(len(self._tiles) / self._count, 1.0))
        return self._tiles[key]

    def file(self, name: str) -> bytes:
        entry = self.files.get(name, f"assets/{name}")
        content = self._archive.read(entry, MOST_ASSET)
        if hashlib.sha256(content).hexdigest() != name:
            raise DamagedArchiveError("is not what its name says.", place=entry[:20])
        return content


class _ZipShelf:
    """Parts in a zip file that is being written; known ones come out of the one before."""

    def __init__(self, archive: zipfile.ZipFile, before: Archive | None) -> None:
        self._archive, self._before = archive, before
        self._known = frozenset(before.names()) if before else frozenset()
        self._written: set[str] = set()

    def keep(self, name: str, make: Callable[[], bytes]) -> None:
        if name in self._written:
            return
        self._written.add(name)
        content = self._copied(name) if name in self._known else None
        self._archive.writestr(name, make() if content is None else content)

    def _copied(self, name: str) -> bytes | None:
        assert self._before is not None
        try:
            return self._before.read(name, MOST_ASSET)
        except WorkflowError:  # what is damaged there is made again
            return None


@contextmanager
def _archive_before(path: Path) -> Iterator[Archive | None]:
    """The project that is at `path` now; None where there is none that can be read."""
    with ExitStack() as stack:
        before = None
        with suppress(WorkflowError):
            before = stack.enter_context(opened(path))
        yield before


def _old_format(document: Document, path: Path) -> int:
    """The format of the workflow in the project at `path`, if it is older; otherwise 0."""
    with _archive_before(path) as before, suppress(WorkflowError):
        if before is not None:
            raw = json_text.parse(before.read(PROJECT, MOST_JSON), most=MOST_JSON)
            return old_format(raw.get("workflow"), document.upgraded)
    return 0


def _wanted(project: Project) -> dict[str, str]:
    """The SHA-256 of the files that the workflow and the generations name, and what people call
    them.
    """
    entries: list[tuple[str, Any]] = list(project.document.assets.items())
    for number, generation in enumerate(project.generations, 1):
        pictures = generation.get("pictures", [])
        called = f"picture of generation {number}"
        entries += [(called, each) for each in pictures] if type(pictures) is list else []
    found: dict[str, str] = {}
    for called, entry in entries:
        name = entry.get("sha256") if type(entry) is dict else None
        if type(name) is str and is_sha256(name):
            found.setdefault(name, called[:80])
    return found


def _generations(raw: dict[str, Any]) -> list[dict[str, Any]]:
    given = raw.get("generations", [])
    if type(given) is not list or not all(type(each) is dict for each in given):
        raise WrongShapeError("is not a list of objects.", place="generations")
    return given
