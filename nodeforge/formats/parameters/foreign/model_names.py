"""Finds the models that a picture of another program names in the folders here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodeforge.formats.parameters.networks import short_name
from nodeforge.models import Kind, ModelInfo, known_sha256

if TYPE_CHECKING:
    from nodeforge.models import ModelFolders

_DENOISERS = (Kind.CHECKPOINT, Kind.UNET)


class ModelNames:
    """The models here, by name and by those hashes that are known.

    Args:
        folders: Where to look; without it every name stays as it is written.
    """

    def __init__(self, folders: ModelFolders | None) -> None:
        self._there = folders.scan() if folders else []

    def find(self, kind: str, name: str, digits: str = "") -> str | None:
        """How a workflow names it; None where it is not here.

        The hash goes before the name, by which people call other files, too.
        """
        wanted = _DENOISERS if kind == Kind.CHECKPOINT else (kind,)
        there = [info for info in self._there if info.listed in wanted and info.is_usable]
        inner = name.replace("\\", "/")
        tests = (
            lambda info: bool(digits) and _has(info, digits.lower()),
            lambda info: info.name == inner,
            lambda info: short_name(info.name).lower() == short_name(inner).lower(),
        )
        found = (info.name for test in tests for info in there if test(info))
        return next(found, None)


def _has(info: ModelInfo, digits: str) -> bool:
    hashes = (known_sha256(info.path, after_header=after) for after in (False, True))
    return any(known is not None and known.startswith(digits) for known in hashes)
