"""Pictures that the person gives: copied once, named by their content."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.errors import RequestError
from nodeforge.settings import Settings


def keep_picture(path: Path, settings: Settings) -> dict[str, Any]:
    """Copy the file at `path` to the assets, unless its content is there already.

    Returns:
        The entry of a document's ``assets`` for it; `nodeforge.engine.files.ASSET` and its
        name there is how a value names it.

    Raises:
        RequestError: it cannot be read, or the copy not written.
    """
    try:
        sha256 = models.sha256(path.absolute())
        kept = settings.assets / f"{sha256}{path.suffix.lower()}"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            shutil.copyfile(path, part)
            part.replace(kept)
        size = kept.stat().st_size
    except OSError as error:
        raise RequestError(
            f"cannot be copied to the assets: {error.strerror}.",
            place=str(path),
            way_out="Choose another file, or make room.",
        ) from error
    return {"sha256": sha256, "kind": "image", "size": size, "origin": path.name}
