"""The content hash of a user's pack, by which it is allowed."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path


def content_hash(folder: Path) -> str:
    """A name for all the files of a pack: what the user allowed is what runs."""
    digest = blake2b(digest_size=16)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            data = file.read_bytes()
            digest.update(f"{file.relative_to(folder).as_posix()} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()
