"""Which files play: videos, sounds, and pictures that move."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QImageReader

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".apng")
SOUND_SUFFIXES = (".wav", ".flac", ".opus", ".ogg", ".mp3", ".m4a", ".aac")
_PICTURES_THAT_MAY_MOVE = (".gif", ".webp")


def is_sound_file(path: Path) -> bool:
    """Whether a file is a sound, by its suffix."""
    return path.suffix.lower() in SOUND_SUFFIXES


def is_clip_file(path: Path) -> bool:
    """Whether a file is a video or a sound, by its suffix; of GIF and WebP, if they move."""
    suffix = path.suffix.lower()
    if suffix in _PICTURES_THAT_MAY_MOVE:
        return QImageReader(str(path)).imageCount() > 1
    return suffix in VIDEO_SUFFIXES or suffix in SOUND_SUFFIXES
