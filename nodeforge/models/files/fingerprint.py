"""Names models by their content.

The content key of a file is BLAKE3 over all of it, ``b3:`` and 64 hexadecimal digits. It is
remembered until the file changes, as reading 24 GB takes a while: whoever must not wait asks
for what is known. The quick fingerprint, of size, header and the first 4 KiB of each tensor,
finds models again that other machines and earlier versions recorded.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from blake3 import blake3

from nodeforge.models.errors import ModelFileError
from nodeforge.models.files.diffusers_folder import model_files, watched
from nodeforge.models.files.file_cache import (
    FileCache,
    content_signature,
    is_trusted,
    settled,
    signature,
)
from nodeforge.models.files.header import read_header
from nodeforge.settings import default_home

PREFIX = "b3:"
SMALL = 64 * 2**20
"""Bytes up to which a model is read at once, wherever its content key is asked for."""
UNREAD = "unread:"
"""Begins the name of a model whose content is not known yet."""
_HEAD = 4096
_CHUNK = 8 * 2**20
_SAMPLE, _SAMPLES = 2**16, 16
"""Bytes, and how many times as many, of a file that is sampled: small ones are read whole."""

Watch = Callable[[int], None]
"""Called with the bytes of each piece read; what it raises stops the reading."""

_reading_allowed: ContextVar[bool] = ContextVar("reading_allowed", default=True)


@contextmanager
def without_reading() -> Iterator[None]:
    """In the block, a large model whose content is not known yet is named by its path.

    For planning, which must answer at once; nothing is cached under such a name.
    """
    token = _reading_allowed.set(False)
    try:
        yield
    finally:
        _reading_allowed.reset(token)


class Fingerprints:
    """Names of models by content, remembered in `cache` until a file changes."""

    def __init__(self, cache: Path) -> None:
        self._keys = FileCache(cache / "content_keys.json")
        self._quick = FileCache(cache / "fingerprints.json")
        self._hashes = FileCache(cache / "sha256.json")
        self._after_header = FileCache(cache / "sha256_after_header.json")
        self._watched: dict[str, tuple[str, ...]] = {}
        self._samples: dict[tuple[str, str], str] = {}

    def of(self, path: Path, watch: Watch = lambda _: None) -> str:
        """The content key of a file, or of a diffusers folder with all its networks.

        Inside `without_reading` it is ``unread:`` and the path where reading would take long.

        Raises:
            ModelFileError: the model is missing, damaged or a pickle.
        """
        if (known := self.known(path)) is not None:
            return known
        if not _reading_allowed.get() and size_of(path) > SMALL:
            return f"{UNREAD}{path.absolute()}"
        if not path.is_dir():
            return self._of_file(path, watch)
        name = str(path.absolute())
        self._watched[name] = files = watched(path.absolute())
        before = self._signature(*files)
        made = _of_parts((self._of_file(file, watch), part) for part, file in model_files(path))
        if settled(files) and self._signature(*files) == before:
            self._keys.put({name: (before, made)})
        return made

    def known(self, path: Path) -> str | None:
        """The content key, if no file has to be read for it.

        Raises:
            ModelFileError: the model is missing, damaged or a pickle.
        """
        name = str(path.absolute())
        files = self._watched.get(name)
        if files is None:
            self._watched[name] = files = watched(path.absolute())
        if (known := self._remembered(name, files)) is None and path.is_dir():
            self._watched[name] = files = watched(path.absolute())
            known = self._remembered(name, files)
        return known

    def quick(self, path: Path) -> str:
        """The quick fingerprint, 32 hexadecimal digits.

        Raises:
            ModelFileError: the model is missing, damaged or a pickle.
        """
        files = watched(path.absolute())
        now, name = signature(files), str(path.absolute())
        known = self._quick.get(name, now)
        if isinstance(known, str):
            return known
        made = _quick_of_folder(path) if path.is_dir() else _quick_of_file(path)
        if settled(files):
            self._quick.put({name: (now, made)})
        return made

    def sha256(self, path: Path, *, after_header: bool = False) -> str:
        """The SHA-256 of a whole file; for a folder, of its files' names and hashes.

        Args:
            path: The model.
            after_header: Of what follows the header of a safetensors file, which an edit of its
                metadata does not change (A1111 and Civitai call LoRAs by it).

        Raises:
            ModelFileError: it cannot be read.
        """
        if path.is_dir():
            lines = (f"{self.sha256(file)}  {name}\n" for name, file in model_files(path))
            return hashlib.sha256("".join(lines).encode()).hexdigest()
        if (known := self.known_sha256(path, after_header=after_header)) is not None:
            return known
        name = str(path.absolute())
        now = self._signature(name)
        skipped = read_header(path).first if _has_header(path, after_header) else 0
        digest = hashlib.sha256()
        _read(path, digest.update, lambda _: None, skipped)
        made = digest.hexdigest()
        if settled([name]) and self._signature(name) == now:
            self._hashes_of(path, after_header).put({name: (now, made)})
        return made

    def known_sha256(self, path: Path, *, after_header: bool = False) -> str | None:
        """`sha256`, if no file has to be read for it."""
        if path.is_dir():
            known = [self.known_sha256(file) for _, file in model_files(path)]
            return self.sha256(path) if None not in known else None
        name = str(path.absolute())
        known = self._hashes_of(path, after_header).get(name, self._signature(name))
        return known if isinstance(known, str) else None

    def _hashes_of(self, path: Path, after_header: bool) -> FileCache:
        return self._after_header if _has_header(path, after_header) else self._hashes

    def locate(self, key: str) -> Path | None:
        """A path that held this content when last looked at, and still does."""
        for name in self._keys.paths(key):
            path = Path(name)
            try:
                if path.exists() and self.known(path) == key:
                    return path
            except ModelFileError:
                continue
        return None

    def forget(self) -> None:
        """Read every model again when it is next used."""
        self._samples.clear()
        self._keys.clear()

    def _signature(self, *files: str) -> str:
        """What changes with the content of files, as `content_signature`.

        Where the file system's inodes and times of change mean nothing (networks, FAT), samples of
        the content count too. They are read once a start for each size and time of writing.
        """
        stamps = content_signature(*files)
        doubtful = [file for file in files if not is_trusted(file)]
        return "|".join([stamps, *map(self._sample, doubtful)]) if doubtful else stamps

    def _sample(self, file: str) -> str:
        place = (file, signature([file]))
        if place not in self._samples:
            self._samples[place] = _sample_of(Path(file))
        return self._samples[place]

    def _remembered(self, name: str, files: tuple[str, ...]) -> str | None:
        known = self._keys.get(name, self._signature(*files))
        return known if isinstance(known, str) else None

    def _of_file(self, path: Path, watch: Watch) -> str:
        name = str(path.absolute())
        if (known := self._remembered(name, (name,))) is not None:
            return known
        before = self._signature(name)
        if path.suffix == ".safetensors":
            read_header(path)  # what is no model is refused before all of it is read
        digest = blake3()
        _read(path, digest.update, watch)
        made = PREFIX + digest.hexdigest()
        # a file that was written meanwhile is read again when it is next asked for
        if settled([name]) and self._signature(name) == before:
            self._keys.put({name: (before, made)})
        return made


@functools.cache
def _in(cache: Path) -> Fingerprints:
    return Fingerprints(cache)


def fingerprints() -> Fingerprints:
    """Those of the user's cache folder."""
    return _in(default_home() / "cache")


def fingerprint(path: Path) -> str:
    """`Fingerprints.of`, remembered in the user's cache folder."""
    return fingerprints().of(path)


def sha256(path: Path, *, after_header: bool = False) -> str:
    """`Fingerprints.sha256`, remembered in the user's cache folder."""
    return fingerprints().sha256(path, after_header=after_header)


def known_sha256(path: Path, *, after_header: bool = False) -> str | None:
    """`Fingerprints.known_sha256` of the user's cache folder."""
    return fingerprints().known_sha256(path, after_header=after_header)


def locate(key: str) -> Path | None:
    """`Fingerprints.locate` of the user's cache folder."""
    return fingerprints().locate(key)


def size_of(path: Path) -> int:
    """Bytes of a model's files.

    Raises:
        ModelFileError: it cannot be read.
    """
    try:
        files = [file for _, file in model_files(path)] if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)
    except OSError as error:
        raise ModelFileError(f"cannot be read: {error.strerror}.", place=str(path)) from error


def _of_parts(parts: Iterator[tuple[str, str]]) -> str:
    lines = "".join(f"{key} {name}\n" for key, name in parts)
    return PREFIX + blake3(lines.encode()).hexdigest()


def _quick_of_file(path: Path) -> str:
    header = read_header(path)
    digest = hashlib.blake2b(f"{header.size}:".encode() + header.raw, digest_size=16)
    with path.open("rb", buffering=0) as file:
        for start, end in sorted(entry.span for entry in header.tensors.values()):
            file.seek(header.first + start)
            digest.update(file.read(min(_HEAD, end - start)))
    return digest.hexdigest()


def _quick_of_folder(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, file in model_files(folder):
        if file.suffix == ".safetensors":
            made = _quick_of_file(file)
        else:
            whole = hashlib.sha256()
            _read(file, whole.update, lambda _: None)
            made = whole.hexdigest()
        digest.update(f"{made} {name}\n".encode())
    return digest.hexdigest()


def _sample_of(path: Path) -> str:
    """The quick fingerprint of a safetensors file; of others, a hash of some parts."""
    try:
        if path.suffix == ".safetensors":
            return _quick_of_file(path)
        size, digest = path.stat().st_size, hashlib.blake2b(digest_size=16)
        with path.open("rb", buffering=0) as file:
            for part in range(_SAMPLES):
                file.seek(max(0, size - _SAMPLE) * part // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
        return digest.hexdigest()
    except (OSError, ModelFileError):  # it is not there, or no model: whoever reads it says so
        return ""


def _has_header(path: Path, after_header: bool) -> bool:
    return after_header and path.suffix == ".safetensors"


def _read(path: Path, take: Callable[[memoryview], object], watch: Watch, skipped: int = 0) -> None:
    """Hand the bytes of a file on, in pieces; the next is read while one is used.

    Args:
        path: The file.
        take: Gets a piece, which it must not keep.
        watch: Gets how many bytes it has.
        skipped: How many bytes to leave out at the start.
    """
    piece, other = (memoryview(bytearray(_CHUNK)) for _ in range(2))
    try:
        with path.open("rb", buffering=0) as file, ThreadPoolExecutor(1, "read-ahead") as ahead:
            file.seek(skipped)
            count = file.readinto(piece)
            while count:
                following = ahead.submit(file.readinto, other) if count == _CHUNK else None
                take(piece[:count])
                watch(count)
                count = file.readinto(other) if following is None else following.result()
                piece, other = other, piece
    except OSError as error:
        raise ModelFileError(f"cannot be read: {error.strerror}.", place=str(path)) from error
