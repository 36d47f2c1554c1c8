"""The files that a workflow names, as they are on this machine: what another one must have."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeforge import models
from nodeforge.engine.content.files import FOLDERS, Files
from nodeforge.engine.planning.plan import default_targets
from nodeforge.engine.remote.address import MachineError
from nodeforge.engine.running.context import RunRequest
from nodeforge.errors import NodeForgeError, RequestError
from nodeforge.graph.flatten import flatten
from nodeforge.graph.model import Graph
from nodeforge.graph.planned import expand_shipped
from nodeforge.settings import Settings
from nodeforge.spec import Catalogue, FileWidget, ModelFileWidget, PortSpec, TextWidget

_MOST = 2_000
"""Files of one folder that are sent."""
Watch = Callable[[Path, int, int], None]
"""Called with a model that is read, the bytes done, and those of all of it."""


@dataclass(frozen=True)
class NamedFile:
    """A file or folder that a workflow names.

    Args:
        kind: As the widget of the input has it: ``image``, ``folder``, ``checkpoint``, ...
        name: As the workflow has it.
        path: Where it is here.
        is_model: Whether it is found by its content in the model folders there.
    """

    kind: str
    name: str
    path: Path
    is_model: bool

    def to_json(self, watch: Watch) -> dict[str, Any]:
        """What the other machine needs to find it.

        Raises:
            NodeForgeError: it cannot be read.
        """
        told: dict[str, Any] = {"kind": self.kind, "name": self.name}
        if self.is_model:
            size = models.size_of(self.path)
            done = 0

            def read(count: int) -> None:
                nonlocal done
                done += count
                watch(self.path, done, size)

            return {**told, "model": models.fingerprints().of(self.path, read), "size": size}
        files = [_told(name, path) for name, path in self.parts()]
        return {**told, "called": self.path.name, "files": files}

    def parts(self) -> list[tuple[str, Path]]:
        """The files to be sent: of a folder with their names in it, else one without.

        A folder for wildcards need not be there.
        """
        if self.kind not in FOLDERS:
            return [("", self.path)]
        return [(path.relative_to(self.path).as_posix(), path) for path in _files_in(self)]


def named_files(
    graph: Graph, request: RunRequest, settings: Settings, catalogue: Catalogue
) -> list[NamedFile]:
    """All files that a run reads by name and that are here; the run says what is missing.

    Args:
        graph: The workflow.
        request: What the run is asked for.
        settings: Where files are.
        catalogue: Its node types.
    """
    files = Files(settings, request.assets, request.granted, request.lock)
    found: dict[tuple[str, str], NamedFile] = {}

    def resolve(port: PortSpec, value: Any) -> Path:
        path = files.resolve(port, value)
        widget = port.widget
        assert isinstance(widget, ModelFileWidget | FileWidget)
        is_model = isinstance(widget, ModelFileWidget)
        found[widget.kind, str(value)] = NamedFile(widget.kind, str(value), path, is_model)
        return path

    flat = flatten(graph, catalogue)
    try:
        expanded = expand_shipped(
            flat, catalogue, request.targets or default_targets(flat), resolve
        )
    except RequestError:
        return list(found.values())
    for node in expanded.graph.nodes.values():
        for port in node.spec.inputs if node.spec else ():
            value = node.values.get(port.name, port.default)
            for each in value if isinstance(value, list) else [value]:
                if isinstance(port.widget, ModelFileWidget | FileWidget) and each:
                    _attempt(resolve, port, each)
                elif isinstance(port.widget, TextWidget) and isinstance(each, str):
                    for named in _referenced(port.widget, each, files):
                        found[named.kind, named.name] = named
    return list(found.values())


def _attempt(resolve: Callable[[PortSpec, Any], Path], port: PortSpec, value: Any) -> None:
    try:
        resolve(port, value)
    except RequestError:
        return  # it may be on the other machine


def _referenced(widget: TextWidget, text: str, files: Files) -> Iterator[NamedFile]:
    """The models that a text names, as ``embedding:style``."""
    for name in models.referenced_names(widget.names, text) if widget.names else ():
        try:
            yield NamedFile(widget.names, name, files.model(widget.names, name), is_model=True)
        except NodeForgeError:
            continue


def _told(name: str, path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise MachineError(f"cannot be read: {error.strerror}.", place=str(path)) from error
    return {"part": name, "sha256": models.sha256(path), "size": size, "suffix": path.suffix}


def _files_in(folder: NamedFile) -> list[Path]:
    """The files of a folder that nodes read: wildcards, or pictures and texts."""
    assert folder.kind in FOLDERS
    from nodeforge.graph.planned.wildcards import files_below

    texts = [path for _, path in files_below(folder.path)]
    found = texts if folder.kind == "wildcards" else sorted({*texts, *_pictures(folder.path)})
    if len(found) > _MOST:
        raise MachineError(
            f"has more than {_MOST:,} files, which is too much to be sent to another machine.",
            place=str(folder.path),
            way_out="Choose a folder with fewer, or run it on this machine.",
        )
    return found


def _pictures(folder: Path) -> Iterable[Path]:
    from nodeforge.imaging import PICTURE_SUFFIXES  # only here: it brings numpy

    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for name in names:
            path = Path(place, name)
            is_one = name.lower().endswith(PICTURE_SUFFIXES) and not name.startswith(".")
            if is_one and not path.is_symlink():
                yield path
