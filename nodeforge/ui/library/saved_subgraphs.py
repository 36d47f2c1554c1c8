"""Subgraphs that the person keeps as nodes: workflow files of one node in a folder.

A file copied into the folder is one more; a copy of a file shares it. Some come with NodeForge, in
a folder of its own; one of the person's with the same name goes before.
"""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Signal

from nodeforge.errors import RequestError
from nodeforge.formats import load, write
from nodeforge.graph.document import Document
from nodeforge.graph.edits import extract
from nodeforge.graph.model import SUBGRAPH, Node, Subgraph
from nodeforge.graph.ports import input_names, input_spec, output_names, output_spec, title_of
from nodeforge.settings.whole_file import write_whole
from nodeforge.spec import Catalogue, NodeSpec

PREFIX = f"{SUBGRAPH}."
"""Type ids of kept subgraphs: with the name of their file, as ``subgraph.Sharpen``."""
_MOST = 500
_NO_FILE_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]+')


class SavedSubgraphs(QObject):
    """The kept subgraphs in `folder`; it is made when the first is kept.

    Args:
        folder: Where the person's are.
        shipped: Where those are that come with NodeForge; None for none.
    """

    changed = Signal()
    """The files in the folder have changed."""
    kept = Signal(str)
    """The title of a subgraph that was kept."""

    def __init__(self, folder: Path, shipped: Path | None = None) -> None:
        super().__init__()
        self.folder = folder
        self._shipped = shipped
        self._read: dict[Path, tuple[int, Document]] = {}
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self.changed)
        self._watch()

    def keep(self, document: Document, path: str, catalogue: Catalogue) -> Path:
        """Write the subgraph at `path` to a new file, named after its title.

        Raises:
            RequestError: there is no subgraph at `path`, or the file cannot be written.
        """
        node = document.node(path)
        name = path.rpartition("/")[2]
        if not isinstance(node, Subgraph):
            raise RequestError(
                f"'{title_of(node, name, catalogue)}' is no subgraph.",
                way_out="Convert nodes to a subgraph first.",
            )
        fragment = extract(document, [path])
        fragment.graph.links.clear()  # they lead to nodes that are not kept with it
        fragment.view.positions[name] = [0, 0]
        title = title_of(node, name, catalogue)
        file = self._free_file(title)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RequestError(f"cannot be made: {error.strerror}.", place=str(file)) from error
        write_whole(file, lambda opened: opened.write(write(fragment)))
        self._watch()
        self.changed.emit()
        self.kept.emit(title)
        return file

    def _free_file(self, title: str) -> Path:
        words = " ".join(_NO_FILE_NAME.sub(" ", title).split())
        stem = words.strip(" .")[:80] or "Subgraph"
        file, number = self.folder / f"{stem}.json", 2
        while file.exists():
            file, number = self.folder / f"{stem} {number}.json", number + 1
        return file

    def _watch(self) -> None:
        if self.folder.is_dir() and not self._watcher.directories():
            self._watcher.addPath(str(self.folder))

    def file(self, type_id: str) -> Path:
        """The file of a kept subgraph, by its type id."""
        name = f"{type_id.removeprefix(PREFIX)}.json"
        own = self.folder / name
        if self._shipped is not None and not own.exists() and (self._shipped / name).is_file():
            return self._shipped / name
        return own

    def is_own(self, type_id: str) -> bool:
        """Whether the person kept it; others come with NodeForge."""
        return self.file(type_id).parent == self.folder

    def read(self, type_id: str) -> Document:
        """A workflow of one node, the kept subgraph.

        Raises:
            RequestError: the file is not there, or holds no single subgraph.
        """
        document = load(self.file(type_id))
        _only_node(document, self.file(type_id).name)
        return document

    def specs(self, catalogue: Catalogue) -> list[NodeSpec]:
        """The kept subgraphs as node types; files that hold none are left out."""
        return [spec for file in self._files() if (spec := self._spec(file, catalogue))]

    def _files(self) -> list[Path]:
        try:
            own = sorted(self.folder.glob("*.json"))[:_MOST]
        except OSError:
            own = []
        if self._shipped is None:
            return own
        names = {file.name for file in own}
        return own + [f for f in sorted(self._shipped.glob("*.json")) if f.name not in names]

    def _spec(self, file: Path, catalogue: Catalogue) -> NodeSpec | None:
        try:
            changed = file.stat().st_mtime_ns
            if self._read.get(file, (0,))[0] != changed:
                self._read[file] = changed, self.read(PREFIX + file.stem)
            node = _only_node(self._read[file][1], file.name)
        except (OSError, RequestError):
            return None
        inside = ", ".join(
            title_of(each, name, catalogue) for name, each in node.graph.nodes.items()
        )
        inputs = (input_spec(node, name, catalogue) for name in input_names(node, catalogue))
        outputs = (output_spec(node, name, catalogue) for name in output_names(node, catalogue))
        return NodeSpec(
            type=PREFIX + file.stem,
            version=1,
            title=file.stem,
            summary=f"A subgraph of {inside}."[:200],
            doc="",
            inputs=tuple(port for port in inputs if port is not None),
            outputs=tuple(port for port in outputs if port is not None),
        )


def _only_node(document: Document, name: str) -> Subgraph:
    nodes = list[Node](document.graph.nodes.values())
    if len(nodes) != 1 or not isinstance(nodes[0], Subgraph):
        raise RequestError(
            "does not hold a single subgraph.",
            place=name,
            way_out="Keep a subgraph in the library by its menu.",
        )
    return nodes[0]
