"""Resolves the file values of a workflow, and how they count in keys.

A workflow names models, pictures and texts; it can never reach outside the folders for them. A
path that the person gave is granted, for one run; a folder with what is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from nodeforge import models
from nodeforge.errors import RequestError
from nodeforge.graph.assets import ASSET
from nodeforge.settings import Settings, shipped
from nodeforge.spec import FileWidget, ModelFileWidget, PortSpec

FOLDERS = ("folder", "wildcards")
"""Kinds of `FileWidget` that are folders."""
READ_IN_PLACE = (*FOLDERS, "video", "audio")
"""Kinds of `FileWidget` that no copy is kept of among the assets, as they are large."""
_KINDS = {"text": "texts", "wildcards": "wildcards", "video": "videos", "audio": "sounds"}
_CALLED = {
    "text": "file",
    "folder": "folder",
    "wildcards": "folder",
    "video": "video",
    "audio": "sound file",
}
_PICTURE = PortSpec("file", "path", widget=FileWidget("image"))


class MissingFileError(RequestError):
    """A picture, text or folder that a workflow names is not there, or not allowed."""


class Files:
    """Resolves the file values of one workflow.

    Args:
        settings: Where models, inputs and assets are.
        assets: The workflow's assets by name, as in its file.
        granted: Absolute paths of files and folders that the person gave for this run.
        lock: What the workflow was last run with, as in its file.
        sent: Files that another machine has sent, which names of the workflow mean: the kind, the
            name, the path.
    """

    def __init__(
        self,
        settings: Settings,
        assets: Mapping[str, Any] | None = None,
        granted: Collection[str] = (),
        lock: Mapping[str, Any] | None = None,
        sent: Iterable[Sequence[str]] = (),
    ) -> None:
        self._settings = settings
        self._assets = assets or {}
        self._lock = lock or {}
        self._granted = frozenset(map(Path, granted))
        self._sent = {(kind, name): Path(path) for kind, name, path in sent}
        self._folders = models.ModelFolders(settings)
        self.unread: dict[Path, int] = {}
        """Models whose content must be read before the run, with their bytes."""

    def resolve(self, port: PortSpec, value: Any) -> Path:
        """The file that `value` of `port` means.

        Raises:
            MissingFileError, MissingModelError: it is not there, or may not be read.
        """
        name = str(value)
        kind = port.widget.kind if isinstance(port.widget, ModelFileWidget | FileWidget) else ""
        if (path := self._sent.get((kind, name))) is not None:
            return path
        if _is_no_file_name(name):
            raise MissingFileError(
                f"{name[:40]!r} can be no file's name.", way_out="Choose another file."
            )
        if isinstance(port.widget, ModelFileWidget):
            return self._folders.find(kind, name, granted=self._granted)
        if name.startswith(ASSET):
            return self._asset(name.removeprefix(ASSET))
        return self._named(name, kind)

    def picture(self, value: str) -> Path | None:
        """The picture that `value` names, if it is there and may be read."""
        try:
            return self.resolve(_PICTURE, value)
        except RequestError:
            return None

    def model(self, kind: str, name: str) -> Path:
        """The model of `kind` that a text calls `name`.

        Raises:
            MissingModelError, ForbiddenModelError: it is not there, or may not be read.
        """
        return self._sent.get((kind, name)) or self._folders.find(kind, name)

    def companions(
        self, node: str, model: Path, given: Mapping[str, Path]
    ) -> dict[str, models.ModelInfo]:
        """The files that the denoiser alone of `node` needs and that are not given, by port.

        Raises:
            MissingCompanionError: something is in no model folder.
        """
        return self._folders.companions(model, given, models.locked_of(self._lock, node))

    def digest(self, port: PortSpec, path: Path) -> str:
        """What `path` counts as in keys: a model's content key, a picture's SHA-256.

        What of a model is known by its name alone, as its variant, counts beside its content.
        """
        if isinstance(port.widget, ModelFileWidget):
            key, told = self.content_key(path), models.told_by_name(path, port.widget.kind)
            return f"{key} {told}" if told else key
        assert isinstance(port.widget, FileWidget)
        return _digest_of_folder(path) if port.widget.kind in FOLDERS else models.sha256(path)

    def content_key(self, path: Path) -> str:
        """A model's name by content; where it is not known yet, one that is in no cache."""
        with models.without_reading():
            key = models.fingerprint(path)
        if key.startswith(models.UNREAD):
            self.unread[path] = models.size_of(path)
        return key

    def _asset(self, name: str) -> Path:
        asset = self._assets.get(name)
        sha256 = asset.get("sha256", "") if isinstance(asset, Mapping) else ""
        if not (isinstance(sha256, str) and sha256.isalnum()):
            raise MissingFileError(
                f"the workflow has no asset '{name}'.", way_out="Choose the picture again."
            )
        for path in self._settings.assets.glob(f"{sha256}.*"):
            if path.is_file() and not path.is_symlink() and models.sha256(path) == sha256:
                return path
        raise MissingFileError(
            f"the asset '{name}' is not on this machine.",
            way_out="Choose the picture again, or open the project bundle it came with.",
        )

    def _named(self, name: str, kind: str) -> Path:
        """The file or folder that `name` means, below a folder that workflows may read."""
        roots = self._roots(kind)
        called, is_there = ("folder", Path.is_dir) if kind in FOLDERS else ("file", Path.is_file)
        path = Path(name)
        if self._is_granted(path):
            if is_there(path):
                return path
            raise MissingFileError(
                f"there is no {called} {name}.", way_out=f"Choose another {called}."
            )
        if path.is_absolute() and is_there(path) and any(_lies_in(path, root) for root in roots):
            return path  # a list of files names them so
        if _escapes(name):
            raise MissingFileError(
                f"the workflow names '{name}', which lies outside the folder for "
                f"{_KINDS.get(kind, 'pictures')}.",
                way_out=f"Choose the {called} yourself, or copy it to {roots[0]}.",
            )
        for root in roots:
            for spelt in dict.fromkeys((name, name.replace("\\", "/"))):
                path = (root / spelt).resolve()
                if path == root.resolve() and kind == "wildcards":
                    return root  # there need be none
                if is_there(path) and path.is_relative_to(root.resolve()):
                    return path
        raise MissingFileError(
            f"there is no {_CALLED.get(kind, 'picture')} '{name}'.",
            way_out=f"Choose another {called}, or copy it to {roots[0]}.",
        )

    def _roots(self, kind: str) -> tuple[Path, ...]:
        if kind == "wildcards":
            return (self._settings.wildcards,)
        return (self._settings.inputs, shipped("resources") / "examples")

    def _is_granted(self, path: Path) -> bool:
        """Whether the person gave `path`, or a folder that it lies in."""
        if path in self._granted:
            return True
        return path.is_absolute() and any(_lies_in(path, root) for root in self._granted)


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether `path` is below `folder`, also where a link leads elsewhere."""
    if ".." in path.parts or not path.is_relative_to(folder) or not folder.is_dir():
        return False
    return path.resolve().is_relative_to(folder.resolve())


def _digest_of_folder(folder: Path) -> str:
    """What the wildcard files below `folder` count as: their names and contents."""
    from nodeforge.graph.planned.wildcards import files_below  # few workflows have any

    try:
        told = [f"{path.name} {name} {models.sha256(path)}" for name, path in files_below(folder)]
    except OSError as error:
        raise MissingFileError(
            f"the folder {folder} cannot be read: {error.strerror or error}.",
            way_out="Choose another folder.",
        ) from error
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _is_no_file_name(name: str) -> bool:
    """Whether no system has a file of that name; asking for one raises other errors."""
    parts = name.replace("\\", "/").split("/")
    return "\0" in name or len(name) > 4096 or any(_bytes(part) > 255 for part in parts)


def _bytes(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))


def _escapes(name: str) -> bool:
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    absolute = posix.is_absolute() or windows.is_absolute() or bool(windows.drive)
    return absolute or ".." in posix.parts or ".." in windows.parts
