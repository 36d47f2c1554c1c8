"""Names a model by its content, without reading all of it.

A fingerprint covers the size, the header and the first 4 KiB of every tensor: two trainings
of one network differ there, and 2 GB cost about as much as 5 MB. The whole SHA-256, slow, is
for finding a model again on another machine.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from nodeforge.models.errors import ModelFileError
from nodeforge.models.files.diffusers_folder import model_files, watched
from nodeforge.models.files.file_cache import Memo, settled, signature
from nodeforge.models.files.header import read_header
from nodeforge.settings import default_home

_HEAD = 4096
_CHUNK = 2**20


class Fingerprints:
    """Fingerprints and hashes of models, remembered in `cache` until a file changes."""

    def __init__(self, cache: Path) -> None:
        self._prints = Memo(cache / "fingerprints.json")
        self._hashes = Memo(cache / "sha256.json")
        self._watched: dict[str, tuple[str, ...]] = {}

    def of(self, path: Path) -> str:
        """The fingerprint of a file, or of a diffusers folder with all its networks: 32 hex digits.

        Raises:
            ModelFileError: the model is missing, damaged or a pickle.
        """
        name = str(path.absolute())
        if (files := self._watched.get(name)) is not None:
            known = self._prints.get(name, signature(files))
            if isinstance(known, str):
                return known
        self._watched[name] = files = watched(path.absolute())
        now = signature(files)
        known = self._prints.get(name, now)
        if isinstance(known, str):
            return known
        made = _of_folder(path) if path.is_dir() else _of_file(path)
        if settled(files):
            self._prints.put({name: (now, made)})
        return made

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a whole file; for a folder, of its files' names and hashes."""
        if path.is_dir():
            lines = (f"{self.sha256(file)}  {name}\n" for name, file in model_files(path))
            return hashlib.sha256("".join(lines).encode()).hexdigest()
        name = str(path.absolute())
        now = signature([name])
        known = self._hashes.get(name, now)
        if isinstance(known, str):
            return known
        made = _sha256(path)
        if settled([name]):
            self._hashes.put({name: (now, made)})
        return made

    def locate(self, fingerprint: str) -> Path | None:
        """A path that held this content when last looked at, and still does."""
        for name in self._prints.paths(fingerprint):
            path = Path(name)
            try:
                if path.exists() and self.of(path) == fingerprint:
                    return path
            except ModelFileError:
                continue
        return None


@functools.cache
def _in(cache: Path) -> Fingerprints:
    return Fingerprints(cache)


def fingerprint(path: Path) -> str:
    """`Fingerprints.of`, remembered in the user's cache folder."""
    return _in(default_home() / "cache").of(path)


def sha256(path: Path) -> str:
    """`Fingerprints.sha256`, remembered in the user's cache folder."""
    return _in(default_home() / "cache").sha256(path)


def locate(fingerprint: str) -> Path | None:
    """`Fingerprints.locate` of the user's cache folder."""
    return _in(default_home() / "cache").locate(fingerprint)


def _of_file(path: Path) -> str:
    header = read_header(path)
    digest = hashlib.blake2b(f"{header.size}:".encode() + header.raw, digest_size=16)
    with path.open("rb", buffering=0) as file:
        for start, end in sorted(entry.span for entry in header.tensors.values()):
            file.seek(header.first + start)
            digest.update(file.read(min(_HEAD, end - start)))
    return digest.hexdigest()


def _of_folder(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, file in model_files(folder):
        told = _of_file(file) if file.suffix == ".safetensors" else _sha256(file)
        digest.update(f"{told} {name}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise ModelFileError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    return digest.hexdigest()
