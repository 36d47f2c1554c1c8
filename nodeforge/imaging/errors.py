"""Errors of picture files."""

from __future__ import annotations

from nodeforge.errors import DiskFullError, NodeForgeError


class PictureError(NodeForgeError):
    """A file that is not a whole picture."""


class PictureTooLargeError(PictureError):
    """A picture with more pixels or bytes than are read; its sizes are in the fact."""


class SaveError(NodeForgeError):
    """A file could not be written; nothing of it is left."""


class EmptyBatchError(NodeForgeError):
    """An input holds no picture at all, or not the one that is asked for."""


class CurveError(NodeForgeError):
    """Points or levels that make no curve."""


class FontError(NodeForgeError):
    """A text with characters that the font lacks."""


class NoRoomError(SaveError, DiskFullError):
    """A file could not be written, as the disk is full."""
