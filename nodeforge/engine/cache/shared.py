"""The shared tier: results in a folder that several machines use, as on a NAS.

Its entries are those of the disk tier, each whole and checksummed; no index, no lock. It is used
as far as it can be: a folder that is away, full or damaged costs time alone.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from nodeforge.engine.cache.disk import DiskTier

FOLDER = "nodeforge-results"
"""Inside the folder that the person has chosen."""
_AWAY = "the folder is not there"
_LOOK = 10.0
"""Seconds between two looks at whether a folder that was away is back."""


class SharedTier(DiskTier):
    """Bytes by key, for several machines.

    Args:
        chosen: The folder that the person has chosen; it is never made, as the place where a
            NAS is mounted is a folder of this machine while it is away.
        version: As `DiskTier` has it.
        limit: Bytes over all versions.
    """

    def __init__(self, chosen: Path, version: str, limit: int) -> None:
        super().__init__(chosen / FOLDER, version, limit)
        self._chosen = chosen
        self._away_until = 0.0

    def __contains__(self, key: str) -> bool:
        return self._is_there() and super().__contains__(key)

    def get(self, key: str) -> bytes | None:
        return super().get(key) if self._is_there() else None

    def put(self, key: str, data: bytes) -> None:
        """Write `data` under `key`, unless it is there already."""
        if self._is_there() and not super().__contains__(key):
            super().put(key, data)

    def problem(self) -> str:
        """A sentence on why it cannot be used, or not be written; empty where it can be."""
        self._is_there()
        return self.refused and f"The shared cache {self._chosen}: {self.refused}."

    def _is_there(self) -> bool:
        if time.monotonic() < self._away_until:
            return False
        if os.path.isdir(self._chosen):  # noqa: PTH112 - hot
            if self.refused == _AWAY:
                self.refused = ""
            return True
        self.refused = _AWAY
        self._away_until = time.monotonic() + _LOOK
        return False


def shared_problem(chosen: Path) -> tuple[str, str] | None:
    """What hinders the use of a shared folder, and the way out; None where nothing does."""
    if not chosen.is_absolute():
        return f"'{chosen}' is no whole path.", "Set 'shared_cache' to one, or to nothing."
    if not chosen.is_dir():
        way_out = "Connect it, or set 'shared_cache' to another folder, or to nothing."
        return f"{chosen} is not there.", way_out
    inside = chosen / FOLDER
    folder = inside if inside.exists() else chosen
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} cannot be written; what is there is read.", f"chmod u+rwx '{folder}'"
    return None
