"""A mask that is read from a file marks something."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.problem import Problem, Severity
from nodeforge.lint.rule import Rule

RULE = Rule(
    "NF502",
    Severity.WARNING,
    why=(
        "Only what a mask marks is changed. Masks are read from brightness or from "
        "transparency, and many files have only one of them."
    ),
    source="The file's pixels.",
    types=("mask.load",),
)

LOAD = "mask.load"
_TRANSPARENCY = "transparency"


def check(scene: LintContext) -> Iterator[Problem]:
    for path in scene.of_type(LOAD):
        name = scene.value(path, "file")
        file = scene.picture(name) if type(name) is str and scene.is_needed(path) else None
        channel = scene.value(path, "channel")
        if file is None or (told := _marks(file)) is None or told[channel == _TRANSPARENCY]:
            continue
        other = "brightness" if channel == _TRANSPARENCY else _TRANSPARENCY
        hint = f"Set 'channel' to {other}, by which it marks something, or choose"
        yield scene.problem(
            path,
            "the mask marks nothing, so nothing will change.",
            f"{hint if told[channel != _TRANSPARENCY] else 'Choose'} another file.",
            port="file",
            severity=Severity.WARNING,
        )


def _marks(file: Path) -> tuple[bool, bool] | None:
    """Whether a picture marks something by its brightness, and by its transparency."""
    try:
        found = file.stat()
    except OSError:
        return None
    return _marks_of(file, found.st_mtime_ns, found.st_ctime_ns, found.st_size)


@lru_cache(64)
def _marks_of(file: Path, *stamp: int) -> tuple[bool, bool] | None:
    """The same of a file as it was at a time: the window asks after each edit."""
    del stamp
    from nodeforge.imaging import decode, from_alpha, luminance  # only for masks: it brings numpy

    try:
        pixels = decode(file).pixels
    except NodeForgeError:
        return None  # the node says so
    return bool(luminance(pixels).any()), bool(from_alpha(pixels).any())
