"""How many frames a video has, as far as that is known without a run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nodeforge.errors import NodeForgeError
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import number

_LOAD, _TRIM = "video.load", "video.trim"
_SAME_FRAMES = ("video.resize", "video.reverse", "video.preview", "video.set_audio")
"""Nodes that give as many frames as they get."""


class Clip(NamedTuple):
    """A video.

    Args:
        frames: How many it has.
        node: The node that decides it.
        exact: Whether that is sure; headers of files are often a frame off.
        port: The input that says how many; empty where none does.
    """

    frames: int
    node: str
    exact: bool = False
    port: str = ""


def clip_of(scene: LintContext, path: str, port: str) -> Clip | None:
    """What is known of the video at an input; None where nothing is."""
    feed, seen = scene.feed(path, port), set[str]()
    while feed is not None and feed.node not in seen:
        seen.add(feed.node)
        kind = scene.nodes[feed.node].type
        if kind == _LOAD:
            return _loaded(scene, feed.node)
        if kind == _TRIM:
            return _trimmed(scene, feed.node)
        if kind not in _SAME_FRAMES:
            return None
        feed = scene.feed(feed.node, "video")
    return None


def _loaded(scene: LintContext, path: str) -> Clip | None:
    most, every = scene.value(path, "most"), scene.value(path, "every")
    name = scene.value(path, "file")
    file = scene.picture(name) if type(name) is str and name else None
    changed = any(scene.value(path, port) != 0 for port in ("start", "end", "rate"))
    there = None if changed or file is None or type(every) is not int else _frames_of(file)
    there = -(-there // max(every, 1)) if there else None
    if type(most) is not int or most <= 0:
        return Clip(there, path) if there else None
    if there is not None and there <= most:
        return Clip(there, path)
    return Clip(most, path, exact=there is not None and there > most + 1, port="most")


def _trimmed(scene: LintContext, path: str) -> Clip | None:
    start, end = (number(scene.value(path, port)) for port in ("start", "end"))
    if scene.value(path, "unit") != "frames" or start is None or end is None:
        return None
    if not 0 <= start < end:
        return None  # counted from the end
    before = clip_of(scene, path, "video")
    if before is not None and before.frames < end:
        return None
    return Clip(int(end) - int(start), path, exact=before is not None and before.exact)


def _frames_of(file: Path) -> int:
    """Frames that a file's header says; 0 where it says none."""
    from nodeforge.media import probe_video  # only for videos: it brings FFmpeg

    try:
        return probe_video(file).count
    except NodeForgeError:
        return 0  # the node says so
