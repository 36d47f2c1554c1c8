"""What this machine keeps for clients on others: files by content, and models found by it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from nodeforge import models
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.remote.kept_steps import checked_name
from nodeforge.engine.remote.messages import sha256_of
from nodeforge.errors import DiskFullError, NodeForgeError
from nodeforge.settings import Settings
from nodeforge.settings.whole_file import is_disk_full

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
_PART = ".part"
Named = Mapping[tuple[str, str], Path]
"""Where each file is that a workflow names, by kind and name."""


class Store:
    """Files that clients have sent, and the models of this machine.

    Args:
        settings: Where assets and models are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folders = settings.worker_folder / "sent"
        self._models: dict[str, Path] = {}

    def missing(self, entries: Iterable[Mapping[str, Any]]) -> list[str]:
        """The SHA-256 of each file that must be sent first.

        Args:
            entries: As `NamedFile.to_json` makes them.

        Raises:
            MachineError: a model is not on this machine.
        """
        lacking: dict[str, None] = {}
        for entry in entries:
            if "model" in entry:
                self._model(entry)
                continue
            for part in entry["files"]:
                if self._kept(part) is None:
                    lacking[part["sha256"]] = None
        return list(lacking)

    def named(self, entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Path]:
        """Where each file is that a workflow names.

        Raises:
            MachineError: one is not there.
        """
        return {
            (entry["kind"], entry["name"]): self._model(entry)
            if "model" in entry
            else self._sent(entry)
            for entry in entries
        }

    def checkpoint(self, name: Any) -> Path:
        """The file of a checkpoint in the cache of this machine.

        Raises:
            MachineError: it can be none.
        """
        return self._settings.result_cache / checked_name(name)

    def place(self, header: Mapping[str, Any]) -> Path:
        """Where a file belongs that a client is about to send.

        Raises:
            MachineError: it belongs nowhere.
        """
        if "cache" in header:
            return self.checkpoint(header["cache"])
        if "sha256" in header:
            return self._settings.assets / f"{_checked(header['sha256'])}{_suffix(header)}"
        kind, name = header["kind"], PurePosixPath(header["name"])
        is_inside = not name.is_absolute() and ".." not in name.parts and name.name
        if not is_inside or not re.fullmatch(r"[a-z0-9_]+", kind):
            raise MachineError(f"'{name}' can be no model's name.")
        return self._settings.models / f"{kind}s" / name

    def begin(self, header: Mapping[str, Any]) -> int:
        """Make ready for a file; gives how much of it is there from an earlier attempt.

        Raises:
            MachineError, DiskFullError: it cannot be written, or another has its name.
        """
        path = self.place(header)
        if "kind" in header and path.exists():
            raise MachineError(
                "another model has this name there.",
                place=header["name"],
                way_out="Send it under another name (--as).",
            )
        part = _part_of(path, header)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            free = _free_bytes(path.parent)
            there = part.stat().st_size if part.exists() else 0
            if header["size"] - there > free:
                raise _full(path.parent)
            return min(there, header["size"])
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(self, header: Mapping[str, Any], payload: bytes) -> None:
        """Write a piece of a file at its offset.

        Raises:
            MachineError, DiskFullError: it cannot be written.
        """
        path = self.place(header)
        part = _part_of(path, header)
        try:
            with part.open("r+b" if part.exists() else "w+b") as file:
                file.seek(header["offset"])
                file.truncate()
                file.write(payload)
        except OSError as error:
            raise _unwritable(path, error) from error

    def finish(self, header: Mapping[str, Any]) -> Path:
        """Put a file in its place once it is whole.

        Raises:
            MachineError: its content is not what was said; it is sent anew next time.
        """
        path = self.place(header)
        part = _part_of(path, header)
        try:
            if not part.exists():  # an empty file has no pieces
                part.touch()
            made = sha256_of(part)
            if made != header.get("sha256", header.get("digest")):
                part.unlink()
                raise MachineError(
                    "did not arrive as it was sent.", place=path.name, way_out="Try again."
                )
            part.replace(path)
        except OSError as error:
            raise _unwritable(path, error) from error
        return path

    def _kept(self, part: Mapping[str, Any]) -> Path | None:
        sha256 = _checked(part["sha256"])
        path = self._settings.assets / f"{sha256}{_suffix(part)}"
        with contextlib.suppress(NodeForgeError, OSError):
            if path.is_file() and not path.is_symlink() and models.sha256(path) == sha256:
                return path
        return None

    def _sent(self, entry: Mapping[str, Any]) -> Path:
        """A file under its name, or a folder of them: links to what is kept."""
        parts = entry["files"]
        kept = [self._kept(part) for part in parts]
        if None in kept:
            raise MachineError("has not arrived.", place=str(entry["name"]), way_out="Run again.")
        is_one = len(parts) == 1 and not parts[0]["part"]
        names = [str(entry["called"])] if is_one else [str(part["part"]) for part in parts]
        named = sorted((name, part["sha256"]) for name, part in zip(names, parts, strict=True))
        digest = hashlib.sha256(json.dumps(named).encode()).hexdigest()
        folder = self._folders / digest[:32]
        for name, path in zip(names, kept, strict=True):
            inside = PurePosixPath(name)
            if inside.is_absolute() or ".." in inside.parts:
                raise MachineError(f"'{inside}' lies outside of its folder.")
            assert path is not None
            _link(path, folder / inside)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / names[0] if is_one else folder

    def _model(self, entry: Mapping[str, Any]) -> Path:
        """The model of this content, under its own name or any other.

        Raises:
            MachineError: it is not there.
        """
        key, kind, name = str(entry["model"]), str(entry["kind"]), str(entry["name"])
        known = self._models.get(key)
        if known is not None and _is_model(known, key, entry["size"]):
            return known
        folders, is_other = models.ModelFolders(self._settings), False
        with contextlib.suppress(NodeForgeError):
            path = folders.find(kind, name)
            if _is_model(path, key, entry["size"]):
                self._models[key] = path
                return path
            is_other = True
        for path in self._alike(folders, key, entry["size"]):
            self._models[key] = path
            return path
        fact = "has another model under this name." if is_other else "does not have this model."
        raise MachineError(
            fact,
            place=f"{kind} '{name}'",
            way_out="Send it there: nodeforge worker copy {machine} " + json.dumps(name),
        )

    def _alike(self, folders: models.ModelFolders, key: str, size: int) -> Iterable[Path]:
        """Models of this content; of those that have its size, each is read once."""
        for info in folders.scan():
            if info.size == size and _is_model(info.path, key, size):
                yield info.path


def _is_model(path: Path, key: str, size: int) -> bool:
    try:
        return models.size_of(path) == size and models.fingerprint(path) == key
    except NodeForgeError:
        return False


def _checked(sha256: Any) -> str:
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise MachineError("the other side names a file by what is no SHA-256.")
    return sha256


def _suffix(told: Mapping[str, Any]) -> str:
    suffix = str(told.get("suffix", "")).lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ".picture"


def _part_of(path: Path, header: Mapping[str, Any]) -> Path:
    """Where the file grows; what is left of another content is not mistaken for it."""
    digest = str(header.get("sha256") or header.get("digest"))
    return path.with_name(f".{path.name}.{digest[:16]}{_PART}")


def _link(path: Path, target: Path) -> None:
    if target.exists() and target.samefile(path):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # of a file that was damaged, and has come again
    try:
        target.hardlink_to(path)
    except OSError:
        target.write_bytes(path.read_bytes())


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _unwritable(path: Path, error: OSError) -> NodeForgeError:
    if is_disk_full(error):
        return _full(path.parent)
    return MachineError(
        f"cannot be written there: {error.strerror}.",
        place=str(path),
        way_out="Make its folder writable.",
    )


def _full(folder: Path) -> DiskFullError:
    return DiskFullError(
        "the disk is full.", place=str(folder), way_out="Free some space on that machine."
    )
