"""The texts inside video and sound files: the workflow, the summary of its run."""

from __future__ import annotations

import json
from pathlib import Path

from nodeforge.imaging import PictureError, read_text
from nodeforge.imaging.picture_files.text import MOST_TEXT
from nodeforge.media.container import DAMAGE, open_media
from nodeforge.media.errors import MediaError
from nodeforge.media.gif_text import read_gif_text


def read_media_text(path: Path) -> dict[str, str]:
    """The texts in a video, animation or sound file by name, in lower case; none where it has none.

    Raises:
        MediaError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(12)
            if start.startswith(b"GIF8"):
                return read_gif_text(path)
    except OSError as error:
        raise MediaError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    if start.startswith(b"\x89PNG") or (start[:4] == b"RIFF" and start[8:] == b"WEBP"):
        try:
            return read_text(path)
        except PictureError as error:
            raise MediaError(error.fact, place=str(path), way_out=error.way_out) from error
    return _of_container(path)


def _of_container(path: Path) -> dict[str, str]:
    with open_media(path) as container:
        try:
            found = dict(container.metadata)
            for stream in container.streams:
                found = dict(stream.metadata) | found
        except DAMAGE:
            return {}
    texts = {name.lower(): value for name, value in found.items() if len(value) <= MOST_TEXT}
    for name in ("comment", "description"):  # WAV has no other place, VideoHelperSuite takes it
        texts = _inside(texts.get(name, "")) | texts
    return texts


def _inside(text: str) -> dict[str, str]:
    """Texts in a JSON object; those that are objects themselves as their JSON."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in told.items()
        if isinstance(value, str | dict)
    }
