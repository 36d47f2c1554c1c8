"""Nodes that read a picture file, and the edit that gives them one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nodeforge.engine.content.assets import keep_picture
from nodeforge.graph.assets import ASSET, asset_name
from nodeforge.graph.document import Document, NoSuchNodeError
from nodeforge.graph.edits import GraphEdit, SetEntry, SetValue, Together
from nodeforge.graph.model import Input
from nodeforge.graph.paths import join, split
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, FileWidget
from nodeforge.values.file_kinds import START, file_kind

LOAD_IMAGE = "image.load"
_LOADERS = (("a video", "video.load"), (("a sound", "an Ogg"), "audio.load"))
"""Node types by what kinds of files that are read in place begin with."""


def picture_inputs(document: Document, catalogue: Catalogue, group: str = "") -> Iterator[Input]:
    """The unlinked inputs of a graph's nodes that take a picture file, addressed from the root."""
    for name in document.group(group).nodes:
        if (found := picture_input(document, catalogue, join(group, name))) is not None:
            yield found


def picture_input(document: Document, catalogue: Catalogue, path: str) -> Input | None:
    """The input of a node that takes a picture file; None where it has none, or a link."""
    try:
        spec = catalogue.get(document.node(path).type)
    except NoSuchNodeError:
        return None
    group, name = split(path)
    fed = {(end.node, end.port) for end in document.group(group).links}
    for port in spec.inputs if spec is not None else ():
        takes = isinstance(port.widget, FileWidget) and port.widget.kind in ("image", "mask")
        if takes and (name, port.name) not in fed:
            return Input(path, port.name)
    return None


def loader_of(file: Path) -> str:
    """The node type that loads a file, by its first bytes; a picture's where nothing tells."""
    try:
        with file.open("rb") as opened:
            kind = file_kind(opened.read(START), file.name)
    except OSError:
        return LOAD_IMAGE
    return next((loader for starts, loader in _LOADERS if kind.startswith(starts)), LOAD_IMAGE)


def picture_value(document: Document, settings: Settings, file: Path) -> tuple[str, GraphEdit]:
    """Copy a picture to the assets; returns the value that names it, and the edit it needs first.

    Raises:
        RequestError: it is no picture that is read, or the copy cannot be written.
    """
    return file_value(document, settings, file, "image")


def file_value(
    document: Document, settings: Settings, file: Path, kind: str
) -> tuple[str, GraphEdit]:
    """The same for a file of `kind`, as `nodeforge.spec.FileWidget` has it.

    Raises:
        RequestError: it is none that is read, or the copy cannot be written.
    """
    entry = keep_picture(file, settings, kind)
    name = asset_name(document.assets, file.name, entry["sha256"])
    return ASSET + name, SetEntry("assets", name, entry)


def use_as_input(document: Document, settings: Settings, file: Path, end: Input) -> Together:
    """The edit that gives an input a picture file, as a copy among the assets.

    Raises:
        RequestError: it is no picture that is read, or the copy cannot be written.
    """
    value, entry = picture_value(document, settings, file)
    return Together(f"use {file.name} as input", [entry, SetValue(end.node, end.port, value)])
