"""Zip files that others made: bounded, and read only where their names are expected.

Nothing is ever unpacked onto the disk, so a name can lead nowhere; and no entry gives more than
its bound, whatever it says of its size.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from nodeforge.errors import NodeForgeError
from nodeforge.formats.errors import TooLargeError, WorkflowError

MOST_ENTRIES = 100_000
"""A project of 20 layers of 8192 x 8192 pixels holds 20,480 tiles; the directory of 100,000 entries
is read in a second."""
_END_RECORD = 22
_LARGEST_ENTRY = 400
"""Bytes of the directory for one of our entries, generously: names are hashes."""
MOST_BYTES = 8 * 2**30
"""Of all entries, unpacked, as the archive says: those 20 layers, painted all over, take 5 GiB.
Nothing is unpacked but what a document names, and that within bounds of its own."""


class DamagedArchiveError(WorkflowError):
    """A project or layered picture that is cut short, altered, or no zip at all."""

    def __init__(self, fact: str, place: str = "") -> None:
        super().__init__(
            fact, place=place, way_out="Copy the file again, or open a version from before."
        )


class Parts(Protocol):
    """Named parts of a project."""

    def names(self) -> Iterator[str]: ...

    def read(self, name: str, most: int) -> bytes:
        """One part, of at most `most` bytes; `WorkflowError` where it is missing or damaged."""
        ...


class Archive:
    """An open zip file. Make it with `opened`."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._infos: dict[str, zipfile.ZipInfo] = {}
        infos = file.infolist()
        if len(infos) > MOST_ENTRIES:
            raise TooLargeError(f"holds {len(infos)} files; up to {MOST_ENTRIES} are read.")
        if sum(info.file_size for info in infos) > MOST_BYTES:
            raise TooLargeError(f"holds more than {MOST_BYTES // 2**30} GiB.")
        for info in infos:
            if info.filename in self._infos:
                raise DamagedArchiveError(f"holds '{info.filename[:80]}' twice.")
            self._infos[info.filename] = info

    def names(self) -> Iterator[str]:
        return iter(self._infos)

    def read(self, name: str, most: int) -> bytes:
        """The content of an entry.

        Raises:
            TooLargeError: it has more than `most` bytes.
            DamagedArchiveError: it is not there, or damaged.
        """
        info = self._infos.get(name)
        if info is None:
            raise DamagedArchiveError("lacks this part.", place=name)
        if info.file_size > most:
            raise TooLargeError(f"is larger than {most} bytes.", place=name)
        try:
            with self._file.open(info) as entry:
                content = entry.read(most + 1)
        except _DAMAGE as error:
            raise DamagedArchiveError("is damaged.", place=name) from error
        if len(content) > most:
            raise TooLargeError(f"is larger than {most} bytes.", place=name)
        return content


_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, KeyError),  # other ways of packing; passwords
)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The zip file at `path`; errors from within name it.

    Raises:
        WorkflowError: it cannot be read, is no zip file, or passes a bound.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise WorkflowError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    with file:
        try:
            yield Archive(_zip(file))
        except NodeForgeError as error:
            raise error.at(path.name) from None


def _zip(file: IO[bytes]) -> zipfile.ZipFile:
    _check_count(file)
    try:
        return zipfile.ZipFile(file)
    except _DAMAGE as error:
        raise DamagedArchiveError("is no whole zip file.") from error


def _check_count(file: IO[bytes]) -> None:
    """Refuse an archive by the count in its end record, before its directory is read.

    Raises:
        TooLargeError: it holds more than `MOST_ENTRIES`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_RECORD - 2**16))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END_RECORD:
        return  # none, which the library says
    count, directory = struct.unpack_from("<HI", tail, at + 10)
    if count == 2**16 - 1 and (wide := tail.rfind(b"PK\6\6")) >= 0 and len(tail) - wide >= 56:
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    # the directory's size bounds the work where the record lies about the count
    count = max(count, min(directory, size) // _LARGEST_ENTRY)
    if count > MOST_ENTRIES:
        raise TooLargeError(f"holds {count:,} files; up to {MOST_ENTRIES:,} are read.")
