"""An open workflow: its graph, all that is saved with it, and its undo history.

Views subscribe, and ask for edits; nothing else changes a document.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nodeforge import __version__
from nodeforge.errors import RequestError
from nodeforge.graph.changes import Change
from nodeforge.graph.history import Edit, History
from nodeforge.graph.model import Graph, Input, Node, Output, Subgraph, Upgraded
from nodeforge.graph.paths import split

Listener = Callable[[tuple[Change, ...]], None]


class NoSuchNodeError(RequestError):
    """There is no node at a path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"there is no node '{path}'.")
        self.path = path


@dataclass
class View:
    """How the graph looks; no result depends on it.

    Args:
        positions: Node path to [x, y] of its upper left corner, in scene units.
        colours: Node path to ``#rrggbb``.
        collapsed: Node path to true where a node shows only its title.
        backdrops: Frames behind nodes, by id (``backdrop:2``, ``group/backdrop:2``).
        notes: Texts on the scene, by id (``note:1``).
        seeds: ``path.port`` of a seed that changes with each run, to how: random,
            increment or decrement.
        broadcasts: ``path.port`` of an output that feeds all open inputs of its type, to true.
        extra: Fields of the file that this version does not know, kept.
    """

    positions: dict[str, Any] = field(default_factory=dict)
    colours: dict[str, Any] = field(default_factory=dict)
    collapsed: dict[str, Any] = field(default_factory=dict)
    backdrops: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    seeds: dict[str, Any] = field(default_factory=dict)
    broadcasts: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)


VIEW_TABLES = ("positions", "colours", "collapsed", "backdrops", "notes", "seeds", "broadcasts")
TABLES = (*VIEW_TABLES, "form", "assets", "lock", "lint", "conflicts")
BY_NODE = (*VIEW_TABLES, "form", "conflicts")
"""Tables whose keys are a path, or ``path.port``: they follow the nodes of that path.

A backdrop or note inside a subgraph is ``group/backdrop:2``, so it follows `group`.
"""


@dataclass
class Document:
    """A workflow.

    Args:
        graph: The nodes and links of the root.
        form: ``path.port`` of an input that the form shows, to how it shows it
            (`nodeforge.graph.form`).
        assets: Name to ``{sha256, kind, size, origin}`` of the files it refers to.
        lock: What it was last run with (models and packs by hash).
        lint: Rules of the linter that are silenced in all of it, by code or name, with the reason.
        conflicts: What a merge could not decide: ``path.values.port`` and the like, to
            ``{path, port, base, ours, theirs}``.
        extra: Fields of the file that this version does not know, kept.
        app: The version of NodeForge that made it.
        upgraded: The nodes that opening has brought to today's versions of their types.
    """

    graph: Graph = field(default_factory=Graph)
    form: dict[str, Any] = field(default_factory=dict)
    view: View = field(default_factory=View)
    assets: dict[str, Any] = field(default_factory=dict)
    lock: dict[str, Any] = field(default_factory=dict)
    lint: dict[str, Any] = field(default_factory=dict)
    conflicts: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    app: str = __version__
    upgraded: tuple[Upgraded, ...] = field(default=(), compare=False)
    history: History = field(default_factory=History, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._listeners: list[Listener] = []
        self._batch: list[Change] | None = None
        self._mail: deque[tuple[Change, ...]] = deque()
        self._delivering = False

    def group(self, path: str) -> Graph:
        """The graph inside the subgraph at `path`; the root for an empty path."""
        graph = self.graph
        if path:
            for name in path.split("/"):
                node = graph.nodes.get(name)
                if not isinstance(node, Subgraph):
                    raise NoSuchNodeError(path)
                graph = node.graph
        return graph

    def ids(self, path: str) -> set[str]:
        """The ids in use in the subgraph at `path`, also by links to nodes that are not there."""
        graph = self.group(path)
        ids = set(graph.nodes)
        ids.update(end.node for end in (*graph.links, *graph.links.values()))
        around = self.node(path) if path else None
        if isinstance(around, Subgraph):
            ids.update(end.node for ends in around.inputs.values() for end in ends)
            ids.update(start.node for start in around.outputs.values())
        return ids

    def place(self, path: str) -> tuple[Graph, str]:
        """The graph that a node at `path` is in, and its id there."""
        group, name = split(path)
        return self.group(group), name

    def node(self, path: str) -> Node:
        """The node at `path`, as ``group/denoise``."""
        graph, name = self.place(path)
        try:
            return graph.nodes[name]
        except KeyError:
            raise NoSuchNodeError(path) from None

    def table(self, name: str) -> dict[str, Any]:
        """One of `TABLES`."""
        return getattr(self.view if name in VIEW_TABLES else self, name)

    def link_place(self, end: Input, start: Output) -> tuple[Graph, Input, Output]:
        """The graph of a link, and its two ends as that graph names them."""
        group, name = split(end.node)
        other, source = split(start.node)
        if group != other:
            raise RequestError(
                f"'{start}' and '{end}' are not in the same graph.",
                way_out="Link through the subgraph's ports.",
            )
        return self.group(group), Input(name, end.port, end.item), Output(source, start.port)

    def perform(self, edit: Edit) -> None:
        """Make `edit`, remember it for undo, and tell the listeners.

        Raises:
            RequestError: it cannot be made; the document is as before.
        """
        with self._telling() as changed:
            edit.apply(self)
        if changed or edit.bytes:
            self.history.push(edit)
        self._deliver()

    def adjust(self, edit: Edit) -> None:
        """Make `edit` as the program's own: no step to undo, and nothing that is unsaved.

        Raises:
            RequestError: it cannot be made; the document is as before.
        """
        with self._telling():
            edit.apply(self)
        self._deliver()

    def undo(self) -> str:
        """Take the last edit back; its name, or empty if there is none."""
        edit = self.history.step_back()
        if edit is None:
            return ""
        with self._telling():
            edit.revert(self)
        self._deliver()
        return edit.name

    def redo(self) -> str:
        """Make the last undone edit again; its name, or empty if there is none."""
        edit = self.history.step_forward()
        if edit is None:
            return ""
        with self._telling():
            edit.apply(self)
        self._deliver()
        return edit.name

    def change(self, change: Change) -> None:
        """Make one change, as part of an edit that is being applied or reverted."""
        assert self._batch is not None, "changes are made by edits alone"
        change.apply(self)
        self._batch.append(change)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the changes of each edit, undo and redo, once it is complete.

        Returns:
            A function that ends the subscription.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @contextmanager
    def _telling(self) -> Iterator[list[Change]]:
        assert self._batch is None, "an edit is made while another is"
        self._batch = batch = []
        try:
            yield batch
            if batch:
                self._mail.append(tuple(batch))
        finally:
            self._batch = None

    def _deliver(self) -> None:
        """In order, also where a listener performs an edit of its own."""
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._mail:
                changes = self._mail.popleft()
                for listener in tuple(self._listeners):
                    listener(changes)
        finally:
            self._delivering = False
