"""Errors of video and sound files."""

from __future__ import annotations

from nodeforge.errors import NodeForgeError


class MediaError(NodeForgeError):
    """A file that is no video or sound that can be read."""


class MissingStreamError(MediaError):
    """A video was asked of a file without frames, or sound of one without sound."""


class CutOffError(MediaError):
    """A file ends before its header says that it does. `seconds` is how much of it is there."""

    def __init__(self, fact: str, seconds: float, *, place: str = "", way_out: str = "") -> None:
        super().__init__(fact, place=place, way_out=way_out)
        self.seconds = seconds


class ClipTooLargeError(MediaError):
    """A clip with more bytes than are read or made at once."""


class RangeError(MediaError):
    """A range, rate or length that a clip does not have."""
