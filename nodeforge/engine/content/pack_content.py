"""The files of a user's pack: their hash, by which it is allowed, and a private copy to run.

What is hashed is what runs: every file is read once, hashed and written to the copy from the
same bytes. Links are refused, as what they lead to can change; `__pycache__` is left out, as
Python would run it instead of the source.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from nodeforge.errors import RequestError

MAX_FILES = 10_000
MAX_BYTES = 2**30
_PIECE = 2**20
_LEFT_OUT = "__pycache__"


class PackContentError(RequestError):
    """A folder that cannot be used as a pack."""


@dataclass(frozen=True)
class PackContent:
    """The files of a pack.

    Args:
        digest: BLAKE2b of names, sizes and bytes of all files, hexadecimal.
        files: Path within the pack, with ``/``, to the BLAKE2b of the file's bytes.
    """

    digest: str
    files: Mapping[str, str]


def content_hash(folder: Path) -> str:
    """The hash by which the pack in `folder` is allowed.

    Raises:
        PackContentError: it contains a link, a device, or more than fits the limits.
    """
    return read_pack(folder).digest


def private_copy(folder: Path, root: Path, allowed: str) -> tuple[Path, PackContent] | None:
    """A read-only copy of the pack in `folder`; None where its hash is not `allowed`.

    Args:
        folder: The pack.
        root: Folder of all private copies; made with mode 0700.
        allowed: The hash that the user has allowed.

    Raises:
        PackContentError: the pack cannot be read or copied.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    place = root / allowed / folder.name
    if place.is_dir() and (content := _if_allowed(place, allowed)) is not None:
        # read the original all the same: it may have changed since it was copied
        return (place, content) if content_hash(folder) == allowed else None
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        content = read_pack(folder, fresh / folder.name)
        if content.digest != allowed:
            return None
        _make_read_only(fresh / folder.name)
        if place.parent.exists():
            _remove(place.parent)
        fresh.rename(place.parent)
    except OSError as error:
        raise PackContentError(
            f"cannot be copied to run: {error.strerror or error}.", place=str(folder)
        ) from error
    finally:
        if fresh.exists():
            _remove(fresh)
    return place, content


def remove_other_copies(root: Path, allowed: Mapping[str, str]) -> None:
    """Remove the private copies of packs that are not allowed any longer."""
    for copy in root.iterdir() if root.is_dir() else ():
        if copy.name not in allowed.values():
            _remove(copy)


def read_pack(folder: Path, copy: Path | None = None) -> PackContent:
    """Hash the files of the pack in `folder`, and write them to `copy`, if given.

    Raises:
        PackContentError: it contains a link, a device, or more than fits the limits.
    """
    whole, files, size = blake2b(digest_size=16), {}, 0
    for path in sorted(_walk(folder, folder)):
        name = path.relative_to(folder).as_posix()
        try:
            data = _read(path, MAX_BYTES - size)
            if copy is not None:
                target = copy / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                target.write_bytes(data)
        except OSError as error:
            raise _refused(
                f"cannot read or copy '{name}': {error.strerror or error}", folder
            ) from error
        size += len(data)
        whole.update(f"{name} {len(data)}\n".encode("utf-8", "surrogateescape"))
        whole.update(data)
        files[name] = blake2b(data, digest_size=16).hexdigest()
    return PackContent(whole.hexdigest(), files)


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    """The regular files of a pack, in no order."""
    waiting, count = [folder], 0
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            raise _refused(f"cannot read '{here.name}': {error.strerror or error}", root) from error
        for entry in entries:
            name = Path(entry.path).relative_to(root).as_posix()
            if entry.is_symlink() or _is_junction(entry):
                raise _refused(f"contains a link, '{name}'; what it leads to can change", root)
            if entry.is_dir(follow_symlinks=False):
                if entry.name != _LEFT_OUT:
                    waiting.append(Path(entry.path))
            elif not entry.is_file(follow_symlinks=False):
                raise _refused(f"contains '{name}', which is no regular file", root)
            else:
                count += 1
                if count > MAX_FILES:
                    raise _refused(f"contains more than {MAX_FILES:,} files", root)
                yield Path(entry.path)


def _read(path: Path, most: int) -> bytes:
    """The bytes of a regular file; a link that has taken its place is not followed."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"'{path.name}' is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"the pack holds more than {MAX_BYTES // 2**20} MiB")
    return data


def _is_junction(entry: os.DirEntry[str]) -> bool:
    tag = getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0)
    return tag == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)


def _if_allowed(place: Path, allowed: str) -> PackContent | None:
    """What is in a copy, if nothing in it has changed or come in."""
    if next(place.rglob(_LEFT_OUT), None) is not None:
        return None
    try:
        content = read_pack(place)
    except PackContentError:
        return None
    return content if content.digest == allowed else None


def _make_read_only(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    folder.chmod(0o500)


def _remove(folder: Path) -> None:
    """Remove a copy, whose folders are read-only."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _refused(fact: str, folder: Path) -> PackContentError:
    return PackContentError(
        f"{fact}.",
        place=f"pack '{folder.name}'",
        way_out="A pack is a folder of regular files; replace links by what they lead to.",
    )
