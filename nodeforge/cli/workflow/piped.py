"""Files given as ``-`` (standard input), ``/dev/stdin`` or a pipe, which can be read only once."""

from __future__ import annotations

import stat
import sys
import tempfile
from pathlib import Path

import click

from nodeforge.errors import RequestError

MOST_BYTES = 512 * 2**20
STDIN = "stdin"


def whole_file(ctx: click.Context, path: Path) -> Path:
    """`path`, or a temporary file with all that a pipe gives, until the command ends.

    Raises:
        RequestError: the pipe gives too much, or cannot be read.
    """
    if not is_pipe(path):
        return path
    folder = tempfile.TemporaryDirectory(prefix="nodeforge-")
    ctx.call_on_close(folder.cleanup)
    return copied(path, Path(folder.name))


def copied(path: Path, folder: Path) -> Path:
    """All that a pipe gives, as a file of its name in `folder`.

    Raises:
        RequestError: the pipe gives too much, or cannot be read.
    """
    copy = folder / (STDIN if str(path) in ("-", "/dev/stdin") else path.name)
    try:
        content = _read(path)
    except OSError as error:
        raise RequestError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    if len(content) > MOST_BYTES:
        raise RequestError(f"gives more than {MOST_BYTES // 2**20} MiB.", place=copy.name)
    copy.write_bytes(content)
    return copy


def is_pipe(path: Path) -> bool:
    """Whether `path` stands for standard input, or can be read only once."""
    if str(path) == "-":
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or str(path) == "/dev/stdin"


def _read(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
