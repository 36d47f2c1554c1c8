"""Continue from here: splits prompts and guidance of a denoise loop at a step."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import (
    AddNodes,
    GraphEdit,
    Link,
    Move,
    Paste,
    Rename,
    SetEntry,
    SetValue,
    Unlink,
    extract,
)
from nodeforge.graph.edits.links import source_of
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import join, split
from nodeforge.graph.ports import input_spec, title_of
from nodeforge.lint.context import LintContext
from nodeforge.lint.rules.steps import SCHEDULE
from nodeforge.lint.rules.steps import steps_run as steps_of
from nodeforge.spec import Catalogue, Role
from nodeforge.ui.graph_view.items.frame_item import free_key
from nodeforge.ui.graph_view.items.node_layout import DisplayState, layout_node
from nodeforge.ui.viewer.subgraph_ports import expose_copies, outermost_input

RANGE, COMBINE = "text.range", "text.combine"
COMBINE_GUIDANCE = "sampling.combine_guidance"
_COLUMN, _ROW, _HALF, _EDGE, _BELOW = 290, 250, 125, 24, 72
_Changes = Generator[Change, None, Output]
_Split = Generator[Change, None, tuple[Output | None, Output | None]]


def steps_run(document: Document, loop: str, walked: int, catalogue: Catalogue) -> int:
    """The number of steps that ranges refer to, if the loop has run `walked` steps."""
    scene = LintContext(document.graph, catalogue)
    passed = (scene.value(loop, "start_at") or 0) + walked
    feed = scene.feed(loop, "schedule")
    if scene.value(loop, "stop_at") is None or feed is None:
        return passed
    known = scene.nodes[feed.node].type == SCHEDULE
    return max((steps_of(scene, feed.node) if known else None) or 0, passed)


@dataclass(eq=False)
class ContinueFrom(GraphEdit):
    """End prompts and guidance of a loop at a step, and add copies that apply from there.

    The result is unchanged until a copy is edited; then the earlier steps come from the cache.

    Args:
        loop: The path of the denoise loop.
        step: The step, counted from 1 as in the slider.
        steps: The number of steps that ranges refer to.
        catalogue: The node types.
    """

    loop: str
    step: int
    steps: int
    catalogue: Catalogue
    copies: list[str] = field(default_factory=list, init=False)
    """The copied prompts, for the user to edit; positive ones first."""

    @property
    def name(self) -> str:
        return f"continue from step {self.step}"

    def changes(self, document: Document) -> Generator[Change, None, None]:
        self.copies = []
        works: dict[str, _Continuation] = {}
        for port in ("positive", "negative", "guidance"):
            end = yield from outermost_input(document, Input(self.loop, port))
            if end is not None:
                group = split(end.node)[0]
                work = works.get(group) or _Continuation(document, self, end)
                works[group] = work
                yield from work.continue_at(end, port)
        for work in works.values():
            self.copies += work.copies
            if work.made:
                yield from work.frame()


class _Continuation:
    """Builds the edit in one graph; new nodes are placed in rows below it.

    Args:
        end: The input to split, of the loop or of a subgraph around it.
    """

    def __init__(self, document: Document, edit: ContinueFrom, end: Input) -> None:
        self.document, self.catalogue, self.step = document, edit.catalogue, edit.step
        first = LintContext(document.graph, edit.catalogue).value(edit.loop, "start_at") or 0
        self.share = round((first + edit.step) / edit.steps, 4)
        self.group = split(end.node)[0]
        self.made: list[str] = []
        self.copies: list[str] = []
        self.row = 0
        places = document.view.positions
        names = document.group(self.group).nodes
        bottoms = [
            places[p][1] + layout_node(name, node, self.catalogue, DisplayState()).room
            for name, node in names.items()
            if (p := join(self.group, name)) in places
        ]
        self.left = places.get(end.node, [0, 0])[0] - 3 * _COLUMN
        self.top = round(max(bottoms, default=300) + _BELOW)

    def continue_at(self, end: Input, port: str) -> Generator[Change, None, None]:
        """Split the source of `end` (the loop's `port`) at the step."""
        start = self._source(end)
        if start is None:
            return
        node_type = COMBINE_GUIDANCE if port == "guidance" else COMBINE
        split_source = self._guidance if port == "guidance" else self._prompt
        before, after = yield from split_source(start)
        if before is not None and after is not None:
            both = yield from self._combine(node_type, before, after)
            yield from Link(both, end).changes(self.document)

    def frame(self) -> Generator[Change, None, None]:
        """Add a backdrop behind the new nodes."""
        places = [self.document.view.positions[path] for path in self.made]
        x, y = min(place[0] for place in places), min(place[1] for place in places)
        right, bottom = max(p[0] for p in places) + 220, max(p[1] for p in places) + 200
        rect = [x - _EDGE, y - 2 * _EDGE, right - x + 2 * _EDGE, bottom - y + 3 * _EDGE]
        key = free_key(self.document.view.backdrops, self.group, "backdrops")
        entry = {"title": f"From step {self.step}", "rect": rect}
        yield from SetEntry("backdrops", key, entry).changes(self.document)

    def _source(self, end: Input) -> Output | None:
        """The source of `end`, through reroutes."""
        start = source_of(self.document, end)
        while start is not None and (port := self._reroute(start)):
            start = source_of(self.document, Input(start.node, port))
        return start

    def _reroute(self, start: Output) -> str:
        spec = self.catalogue.get(self.document.node(start.node).type)
        return spec.inputs[0].name if spec is not None and spec.role is Role.REROUTE else ""

    def _prompt(self, start: Output) -> _Split:
        """Split a prompt: the outputs for before and after the step."""
        node = self.document.node(start.node)
        shared = self._shared(start)
        if node.type == COMBINE and not shared:
            return (yield from self._parts(start, COMBINE, self._prompt))
        inner = self._source(Input(start.node, "conditioning"))
        if node.type != RANGE or inner is None or shared:
            before = yield from self._ranged(start, 0.0, self.share, _HALF)
            return before, (yield from self._copied(start, 1.0))
        begin, end = node.values.get("start", 0.0), node.values.get("end", 1.0)
        if end <= self.share:
            return start, None
        if begin >= self.share:
            return None, start
        yield from SetValue(start.node, "end", self.share).changes(self.document)
        return start, (yield from self._copied(inner, end))

    def _guidance(self, start: Output) -> _Split:
        node = self.document.node(start.node)
        shared = self._shared(start)
        if node.type == COMBINE_GUIDANCE and not shared:
            return (yield from self._parts(start, COMBINE_GUIDANCE, self._guidance))
        spec = self.catalogue.get(node.type)
        if spec is None or not {"start", "end"} <= spec.input.keys():
            return start, None  # it has no range, and stays unchanged
        if node.values.get("end", 1.0) <= self.share:
            return start, None
        if node.values.get("start", 0.0) >= self.share:
            return None, start
        later = _like(node, {**node.values, "start": self.share}, self._title(node, ""))
        made = yield from self._add(later, 0)
        before = start.node
        if shared:
            before = yield from self._add(_like(node, {**node.values}, node.title), 1)
        self.row += 1
        for port in ("start", "end"):
            yield from Unlink(Input(before, port)).changes(self.document)
        yield from SetValue(before, "end", self.share).changes(self.document)
        return Output(before, start.port), Output(made, start.port)

    def _shared(self, start: Output) -> bool:
        """Whether the node has other readers, and so must stay unchanged."""
        name = split(start.node)[1]
        fed = self.document.group(self.group).links.values()
        return sum(each.node == name for each in fed) > 1

    def _parts(
        self, start: Output, node_type: str, split_source: Callable[[Output], _Split]
    ) -> _Split:
        """Split the parts of a combination node."""
        later: list[Output] = []
        for port in ("first", "second"):
            end = Input(start.node, port)
            part = self._source(end)
            if part is None:
                continue
            before, after = yield from split_source(part)
            if before is not None:
                yield from Link(before, end).changes(self.document)
            if before is not None and after is not None:
                later.append(after)
        if len(later) == 2:
            return start, (yield from self._combine(node_type, later[0], later[1]))
        return start, later[0] if later else None

    def _ranged(self, start: Output, begin: float, end: float, down: int = 0) -> _Changes:
        made = yield from self._add(Node(RANGE, {"start": begin, "end": end}), 1, down)
        yield from Link(start, Input(made, "conditioning")).changes(self.document)
        return Output(made, "conditioning")

    def _copied(self, start: Output, end: float) -> _Changes:
        """Copy the prompt at `start`, with a range from the step to `end`."""
        chain = self._chain(start.node)
        fragment = extract(self.document, chain)
        paste = Paste(fragment, self.group, keep_inputs=True)
        yield from paste.changes(self.document)
        copies = dict(zip(fragment.graph.nodes, paste.paths, strict=True))
        names = {name: split(path)[1] for name, path in copies.items()}
        yield from expose_copies(self.document, self.group, names)
        for index, path in enumerate(paste.paths):
            place = self.left, self.top + (self.row + index) * _ROW
            yield from Move({path: place}).changes(self.document)
            title = self._title(self.document.node(path), split(path)[1])
            yield from Rename(path, title).changes(self.document)
        self.made += paste.paths
        self.copies.append(copies[split(chain[-1])[1]])
        copied = Output(copies[split(start.node)[1]], start.port)
        ranged = yield from self._ranged(copied, self.share, end)
        self.row += len(chain)
        return ranged

    def _chain(self, path: str) -> list[str]:
        """The node and its upstream conditioning nodes, the most upstream last."""
        found, waiting = [path], [path]
        graph = self.document.group(self.group)
        while waiting:
            name = split(waiting.pop())[1]
            for end, start in graph.links.items():
                port = input_spec(graph.nodes.get(name), end.port, self.catalogue)
                source = join(self.group, start.node)
                wanted = end.node == name and port is not None and port.type == "conditioning"
                if wanted and source not in found:
                    found.append(source)
                    waiting.append(source)
        return found

    def _title(self, node: Node, name: str) -> str:
        title = title_of(node, name, self.catalogue)
        return f"{title.partition(' from step ')[0]} from step {self.step}"

    def _combine(self, node_type: str, first: Output, second: Output) -> _Changes:
        self.row -= 1
        made = yield from self._add(Node(node_type), 2)
        self.row += 1
        yield from Link(first, Input(made, "first")).changes(self.document)
        yield from Link(second, Input(made, "second")).changes(self.document)
        return Output(made, self.catalogue[node_type].outputs[0].name)

    def _add(self, node: Node, column: int, down: int = 0) -> Generator[Change, None, str]:
        """Add a node to the current row."""
        place = self.left + column * _COLUMN, self.top + self.row * _ROW + down
        add = AddNodes([node], [place], self.group)
        yield from add.changes(self.document)
        self.made += add.paths
        return add.paths[0]


def _like(node: Node, values: dict[str, Any], title: str) -> Node:
    return Node(node.type, values, title, version=node.version)
