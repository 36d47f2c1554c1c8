"""Copies pictures and texts that the person gives to the assets folder, named by their content."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.errors import RequestError
from nodeforge.graph.planned.wildcards import text_of_file
from nodeforge.settings import Settings
from nodeforge.settings.whole_file import write_whole

_NO_SUFFIX = ".picture"
_PICTURES = ("image", "mask")


def keep_picture(path: Path, settings: Settings, kind: str = "image") -> dict[str, Any]:
    """Copy the file at `path` to the assets, unless its content is there already.

    Args:
        path: The file.
        settings: Where assets are.
        kind: What the file is for, as `nodeforge.spec.FileWidget` has it; of pictures, masks and
            texts, the content is looked at.

    Returns:
        The entry of a document's ``assets`` for it; `nodeforge.graph.document.ASSET` and its
        name there is how a value names it.

    Raises:
        RequestError: it is no picture or text that is read, or the copy cannot be written.
    """
    if kind in _PICTURES:
        _check(path)
    elif kind == "text":
        text_of_file(path)
    try:
        sha256 = models.sha256(path.absolute())
        kept = settings.assets / f"{sha256}{_suffix(path)}"
        if not _is_whole(kept, sha256):
            kept.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as given:
                write_whole(kept, lambda file: shutil.copyfileobj(given, file))
        if not _is_whole(kept, sha256):
            kept.unlink(missing_ok=True)
            raise RequestError(
                "changes while it is copied.", place=str(path), way_out="Choose it again."
            )
        size = kept.stat().st_size
    except OSError as error:
        raise RequestError(
            f"cannot be copied to the assets: {error.strerror}.",
            place=str(path),
            way_out="Choose another file, or make room.",
        ) from error
    return {
        "sha256": sha256,
        "kind": "text" if kind == "text" else "image",
        "size": size,
        "origin": path.name,
    }


def _is_whole(kept: Path, sha256: str) -> bool:
    """Whether an asset is there and what its name says."""
    return kept.is_file() and not kept.is_symlink() and models.sha256(kept) == sha256


def _check(path: Path) -> None:
    """Refuse what is no whole picture, under the name that the person knows it by."""
    from nodeforge.imaging import PictureError, check_picture  # only here: it is slow to import

    try:
        check_picture(path)
    except PictureError as error:
        raise RequestError(error.fact, place=str(path), way_out=error.way_out) from error


def _suffix(path: Path) -> str:
    """The suffix of a file among the assets; one is there even where the picture has none."""
    suffix = path.suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else _NO_SUFFIX


def keep_bytes(data: bytes, suffix: str, settings: Settings) -> str:
    """Write `data` to the assets, unless it is there already.

    Args:
        data: All of a file.
        suffix: What its kind of file is named with: ``.png``.
        settings: Where assets are.

    Returns:
        Its SHA-256, by which an entry of a document's ``assets`` names it.

    Raises:
        RequestError: it cannot be written.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    kept = settings.assets / f"{sha256}{suffix}"
    if not _is_whole(kept, sha256):
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(kept, lambda file: file.write(data))
        except OSError as error:
            raise RequestError(
                f"cannot be written to the assets: {error.strerror}.",
                place=str(kept.parent),
                way_out="Make room, or choose another folder for NodeForge.",
            ) from error
    return sha256
