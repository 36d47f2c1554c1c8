"""Files written whole or not at all: a temporary file, flushed, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from nodeforge.errors import RequestError


def write_whole(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Make the file at `path` what `fill` writes.

    Raises:
        RequestError: it cannot be written; what was at `path` is untouched.
    """
    part = ""
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "w+b") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(part).replace(path)
        part = ""
    except OSError as error:
        raise RequestError(
            f"cannot be saved: {error.strerror}.",
            place=str(path),
            way_out="Choose another place, or make room there.",
        ) from error
    finally:
        if part:
            Path(part).unlink(missing_ok=True)
