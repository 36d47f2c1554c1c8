"""Formats sizes, durations and counts for display, and docstrings as plain text or HTML."""

from __future__ import annotations

import html
import re
import time
from functools import cache
from pathlib import Path

from nodeforge.settings import help_picture

_MARKED = re.compile(r"(`+)(.+?)\1")
_PORT = re.compile(r"(?<=[ /])([a-z]\w*)\.([a-z]\w*)")
_IDENTIFIER = re.compile(r"[a-z]\w*_\w+")


def plain_text(doc: str) -> str:
    """A docstring as plain text: one line per paragraph, `marked` words in quotes, port names
    without underscores.
    """
    paragraphs = (" ".join(part.split()) for part in doc.split("\n\n"))
    return "\n\n".join(_MARKED.sub(_quoted, part) for part in paragraphs if part)


def tooltip_html(doc: str) -> str:
    """A docstring as HTML for a tooltip, which Qt wraps."""
    parts = (html.escape(part, quote=False) for part in plain_text(doc).split("\n\n"))
    return "".join(f"<p>{part}</p>" for part in parts if part)


def help_picture_html(type_id: str) -> str:
    """The picture of a node's inputs and outputs for a tooltip; empty where there is none."""
    file = help_picture(type_id)
    if file.name not in _names_in(file.parent):
        return ""
    return f'<p><img src="{html.escape(file.as_posix())}"></p>'


@cache
def _names_in(folder: Path) -> frozenset[str]:
    """The library asks for every node while the window starts."""
    return frozenset(path.name for path in folder.glob("*.webp"))


def _quoted(found: re.Match[str]) -> str:
    inner = found[2]
    return f"“{inner.replace('_', ' ') if _IDENTIFIER.fullmatch(inner) else inner}”"


def edit_title(name: str) -> str:
    """The name of an undo step for display: ``link denoise.model`` becomes
    ``link denoise · model``.
    """
    return _PORT.sub(r"\1 · \2", name).replace("_", " ")


def clip_length(frames: int, seconds: float) -> str:
    """How long a video or a sound is: ``121 frames, 5.0 s``, ``3.2 s``, ``1:03:20``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    length = f"{seconds:.1f} s"
    if seconds >= 60:
        length = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
    return f"{plural(frames, 'frame')}, {length}" if frames else length


def byte_size(count: float) -> str:
    """Bytes: ``312 MB``, ``4.1 GiB`` (binary units)."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def duration(seconds: float) -> str:
    """``0.3 s``, ``2 min 5 s``, ``1 h 3 min``; of whole numbers ``4 s``."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def rate(steps_per_second: float) -> str:
    """``1.9 it/s``, or ``3.2 s/it`` where a step takes longer than a second."""
    if steps_per_second >= 1:
        return f"{steps_per_second:.1f} it/s"
    return f"{1 / steps_per_second:.1f} s/it" if steps_per_second > 0 else ""


def plural(count: int, thing: str) -> str:
    """``1 run``, ``3 runs``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def moment(then: float | None, now: float) -> str:
    """A time of today, or with its day; empty for None."""
    if then is None:
        return ""
    there, here = time.localtime(then), time.localtime(now)
    return time.strftime("%H:%M" if there[:3] == here[:3] else "%d %b %H:%M", there)
