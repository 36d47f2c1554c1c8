"""What a workflow's lock says of the files that were found beside a denoiser that comes alone.

A lock names them by node and port, each with its size and quick fingerprint, so that a file that
is added later never changes a choice, and one that was moved or renamed is found by its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nodeforge.errors import NodeForgeError
from nodeforge.models.detection.info import ModelInfo
from nodeforge.models.files.fingerprint import fingerprints

COMPANIONS = "companions"
"""The lock's entry: node, port, then ``name``, ``size`` and ``quick``."""


def locked_entry(info: ModelInfo) -> dict[str, Any]:
    """What a lock says of one file.

    Raises:
        ModelFileError: it cannot be read.
    """
    return {"name": info.name, "size": info.size, "quick": fingerprints().quick(info.path)}


def locked_of(lock: Mapping[str, Any], node: str) -> Mapping[str, Any]:
    """A node's entries by port; empty where the lock, which may be anyone's, has none."""
    table = lock.get(COMPANIONS)
    entries = table.get(node) if isinstance(table, Mapping) else None
    return entries if isinstance(entries, Mapping) else {}


def locked_path(entry: object, there: Iterable[ModelInfo]) -> Path | None:
    """The file of `there` that `entry` means: of its content, rather one of its name."""
    if not isinstance(entry, Mapping):
        return None
    same = [info for info in there if _is(info, entry)]
    return min(same, key=lambda info: info.name != entry.get("name")).path if same else None


def _is(info: ModelInfo, entry: Mapping[Any, Any]) -> bool:
    """Whether a file is the one; only those of the same size are opened."""
    if info.size != entry.get("size"):
        return False
    try:
        return fingerprints().quick(info.path) == entry.get("quick")
    except (NodeForgeError, OSError):
        return False
