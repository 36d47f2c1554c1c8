"""Versions of workflows: each is written as it was, and never changed afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage

from nodeforge.errors import NodeForgeError
from nodeforge.formats import read, write
from nodeforge.graph.comparison.compare import Kind, compare
from nodeforge.graph.document import Document
from nodeforge.settings.whole_file import write_whole
from nodeforge.ui.documents.open_document import OpenDocument
from nodeforge.ui.documents.seeds import moving_seeds
from nodeforge.ui.documents.workspace import Workspace

NEWEST = 20
"""Versions that are all kept; of older ones one an hour, and one a day after a day."""
MOST = 60
"""Versions of one workflow."""
_MOST_WORKFLOWS = 200
THUMBNAIL = 192
"""Longer side of a thumbnail, pixels."""
_STAMP = "%Y%m%d-%H%M%S-%f"


class Version(NamedTuple):
    """A workflow as it was.

    Args:
        file: The workflow file.
        when: When it was written, with a time zone.
        picture: The thumbnail of the last result then; None where there was none.
    """

    file: Path
    when: datetime
    picture: Path | None


class Versions:
    """The versions of all workflows, in ``<home>/versions``: a folder for each file, and one for
    each document that is not saved yet.

    A canvas is not part of a version: its layers are in the project and its recovery copy.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.settings.home / "versions"
        self._first: dict[str, bytes] = {}
        """Documents as they were opened, until a first version is written."""
        self._last: dict[str, Document] = {}
        """The newest version of open documents."""
        workspace.opened.connect(self._remember)
        workspace.closed.connect(self._forget)

    def keep(self, opened: OpenDocument) -> None:
        """Write a version if something changed in meaning since the newest, and its thumbnail.

        Raises:
            OSError, RequestError: it cannot be written.
        """
        folder = self._folder_of(opened)
        folder.mkdir(parents=True, exist_ok=True)
        if (first := self._first.pop(opened.id, None)) is not None:
            self._last.setdefault(opened.id, self._kept(folder, first))
        self._last[opened.id] = self._kept(folder, write(opened.document), self._last[opened.id])
        self._keep_picture(opened, folder)
        _thin(folder)

    def of(self, opened: OpenDocument) -> list[Version]:
        """The versions of a document, newest first."""
        return _versions(self._folder_of(opened))

    def clean_up(self) -> None:
        """Remove the versions of the workflows that were not changed for longest."""
        folders = [each for each in _listed(self._folder) if each.is_dir()]
        with contextlib.suppress(OSError):  # another window has just removed one
            folders.sort(key=lambda each: each.stat().st_mtime, reverse=True)
            for folder in folders[_MOST_WORKFLOWS:]:
                shutil.rmtree(folder, ignore_errors=True)

    def _kept(self, folder: Path, content: bytes, newest: Document | None = None) -> Document:
        """The newest version, after `content` was written where it differs from that before it."""
        document = read(content)
        if newest is None and (found := _versions(folder)):
            with contextlib.suppress(NodeForgeError):  # a damaged one stays, and counts as none
                newest = read(found[0].file.read_bytes())
        empty = newest is None and not document.graph.nodes
        if empty or (newest is not None and not self._differ(newest, document)):
            return document
        stem = datetime.now(UTC).strftime(_STAMP)
        write_whole(folder / f"{stem}.json", lambda file: file.write(content))
        return document

    def _differ(self, before: Document, after: Document) -> bool:
        """Whether anything but seeds that were drawn for a run differs in meaning."""
        catalogue = self._workspace.catalogue
        drawn = set(moving_seeds(after, catalogue))
        found = compare(before, after, catalogue)
        return any(
            each.kind is not Kind.VALUE or (each.node, each.port) not in drawn for each in found
        )

    def _keep_picture(self, opened: OpenDocument, folder: Path) -> None:
        """Write the last result as the newest version's thumbnail."""
        found, image = _versions(folder), _last_result(opened)
        if not found or image.isNull():
            return
        ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode
        if max(image.width(), image.height()) > THUMBNAIL:
            image = image.scaled(THUMBNAIL, THUMBNAIL, ratio, smooth.SmoothTransformation)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # pyright: ignore[reportCallIssue, reportArgumentType]
        content = bytes(buffer.data().data())
        write_whole(found[0].file.with_suffix(".png"), lambda file: file.write(content))

    def _folder_of(self, opened: OpenDocument) -> Path:
        """Where a document's versions are; those from before its first save move along."""
        own = self._folder / opened.id
        if opened.path is None:
            return own
        path = os.path.normcase(opened.path.absolute())
        folder = self._folder / blake2b(path.encode("utf-8", "replace"), digest_size=12).hexdigest()
        if own.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            for file in own.iterdir():
                if not (folder / file.name).exists():
                    file.replace(folder / file.name)
            shutil.rmtree(own, ignore_errors=True)
        return folder

    def _remember(self, opened: OpenDocument) -> None:
        self._first[opened.id] = write(opened.document)

    def _forget(self, opened: OpenDocument) -> None:
        self._first.pop(opened.id, None)
        self._last.pop(opened.id, None)


def kept_of(times: Sequence[datetime], now: datetime) -> list[datetime]:
    """Which versions stay, newest first.

    Args:
        times: When they were written, newest first.
        now: What their age counts from.
    """
    kept, periods = list(times[:NEWEST]), set[str]()
    for when in times[NEWEST:]:
        period = when.strftime("%Y%m%d%H" if now - when < timedelta(days=1) else "%Y%m%d")
        if period not in periods:
            periods.add(period)
            kept.append(when)
    return kept[:MOST]


def _thin(folder: Path) -> None:
    found = _versions(folder)
    kept = set(kept_of([each.when for each in found], datetime.now(UTC)))
    for version in found:
        if version.when not in kept:
            version.file.unlink(missing_ok=True)
            version.file.with_suffix(".png").unlink(missing_ok=True)


def _versions(folder: Path) -> list[Version]:
    found: list[Version] = []
    for file in _listed(folder):
        with contextlib.suppress(ValueError):  # a file that is none of ours
            if file.suffix == ".json":
                when = datetime.strptime(file.stem, _STAMP).replace(tzinfo=UTC)
                picture = file.with_suffix(".png")
                found.append(Version(file, when, picture if picture.exists() else None))
    return sorted(found, key=lambda each: each.when, reverse=True)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _last_result(opened: OpenDocument) -> QImage:
    """The picture of the last result: what a node saved, else what was shown last."""
    saved = [node for node in opened.saved_files if node in opened.pictures]
    node = next(reversed(saved or list(opened.pictures)), "")
    return opened.pictures.get(node, QImage())
