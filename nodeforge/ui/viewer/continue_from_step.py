"""Continue from here: another text for a denoise loop's prompt from a step on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from nodeforge.errors import RequestError
from nodeforge.formats.parameters import CHANGE, prompts_behind
from nodeforge.formats.sampling_settings import LoopTrace
from nodeforge.graph.changes import Change
from nodeforge.graph.document import Document
from nodeforge.graph.edits import AddNodes, GraphEdit, Link, Move, SetEntry, SetValue
from nodeforge.graph.edits.links import source_of
from nodeforge.graph.model import Input, Node, Output
from nodeforge.graph.paths import join, split
from nodeforge.graph.planned import flatten_with_values
from nodeforge.graph.ports import title_of
from nodeforge.lint.context import LintContext
from nodeforge.lint.loops import SCHEDULE
from nodeforge.lint.loops import steps_run as steps_of
from nodeforge.spec import Catalogue, Role
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, NOTES, entry_with, rect_of
from nodeforge.ui.graph_view.items.node_layout import DisplayState, layout_node
from nodeforge.ui.graph_view.scene.auto_layout import ACROSS
from nodeforge.ui.viewer.subgraph_ports import link_alike, outermost_input

_Place = tuple[float, float]


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
    """Put a *Change prompt at step* between a loop and its prompt.

    Its text is that of the prompt, so that the result is unchanged until it is edited; then the
    earlier steps come from the cache. Where such a node is there already, and changes at this
    step or later, it gets the step instead of a new one.

    Args:
        loop: The path of the denoise loop.
        step: The step, counted from 1 as in the slider.
        steps: The number of steps that ranges refer to.
        catalogue: The node types.

    Raises:
        RequestError: the loop has no prompt that is encoded from a text.
    """

    loop: str
    step: int
    steps: int
    catalogue: Catalogue
    node: str = field(default="", init=False)
    """The node with the text, for the user to edit."""

    @property
    def name(self) -> str:
        return f"continue from step {self.step}"

    def changes(self, document: Document) -> Generator[Change, None, None]:
        scene = LintContext(document.graph, self.catalogue)
        step = (scene.value(self.loop, "start_at") or 0) + self.step
        prompt = self._prompt(document, step)
        values = {"text": scene.value(prompt, "text") or "", "step": step}
        if skipped := scene.value(prompt, "clip_skip"):
            values["clip_skip"] = skipped
        end = yield from outermost_input(document, Input(self.loop, "positive"))
        start = end and source_of(document, end)
        assert end is not None
        assert start is not None  # it has a prompt
        own = self._own_node(document, start)
        if own and scene.given(own, "step") == (own, "step") and scene.value(own, "step") >= step:
            self.node = own
            yield from SetValue(own, "step", step).changes(document)
            return
        made = Node(CHANGE, values, version=self.catalogue[CHANGE].version)
        places, way = _make_way(document, start, end, made, self.catalogue)
        for edit in way:
            yield from edit.changes(document)
        add = AddNodes([made], places, split(end.node)[0])
        yield from add.changes(document)
        self.node = add.paths[0]
        yield from Link(start, Input(self.node, "conditioning")).changes(document)
        yield from Link(Output(self.node, "conditioning"), end).changes(document)
        encoder = Input(self.node, "text_encoder")
        yield from link_alike(document, Input(prompt, "text_encoder"), encoder)

    def _prompt(self, document: Document, step: int) -> str:
        """The node whose text acts in the loop at the step."""
        traced = LoopTrace(flatten_with_values(document.graph, self.catalogue))
        share = step / max(self.steps, step)
        found = [
            (path, prompt)
            for path, prompt in prompts_behind(traced, self.loop, "positive", self.steps)
            if "text_encoder" in traced.flat.nodes[path].spec.input  # pyright: ignore[reportOptionalMemberAccess]
        ]
        if not found:
            title = title_of(document.node(self.loop), split(self.loop)[1], self.catalogue)
            raise RequestError(
                f"{title} has no prompt that is encoded from a text.",
                way_out="Link an 'Encode prompt' to it, or to what its prompt is made of.",
            )
        acting = [path for path, prompt in found if prompt.start <= share < prompt.end]
        return acting[0] if acting else found[-1][0]

    def _own_node(self, document: Document, start: Output) -> str:
        """The node that changes the prompt already, for this loop alone; empty for none."""
        while True:
            node = document.node(start.node)
            group, name = split(start.node)
            readers = sum(each.node == name for each in document.group(group).links.values())
            if readers > 1:
                return ""
            if node.type == CHANGE:
                return start.node
            spec = self.catalogue.get(node.type)
            if spec is None or spec.role is not Role.REROUTE:
                return ""
            before = source_of(document, Input(start.node, spec.inputs[0].name))
            if before is None:
                return ""
            start = before


def _make_way(
    document: Document, start: Output, end: Input, node: Node, catalogue: Catalogue
) -> tuple[list[_Place], list[GraphEdit]]:
    """Where the new node goes, a column of its own left of what it feeds, and what moves for it.

    What is there and further right moves right, with its backdrops and notes. No place where the
    nodes have none.
    """
    view, (group, _) = document.view, split(end.node)
    if end.node not in view.positions:
        return [], []
    left, top = view.positions[end.node]
    if split(start.node)[0] == group and start.node in view.positions:
        top = view.positions[start.node][1]
    shift = round(layout_node("", node, catalogue, DisplayState()).width + ACROSS)
    paths = [join(group, name) for name in document.group(group).nodes]
    places = {path: view.positions[path] for path in paths if path in view.positions}
    moved = {path: (x + shift, y) for path, (x, y) in places.items() if x >= left}
    edits: list[GraphEdit] = [Move(moved)]
    for table in (BACKDROPS, NOTES):
        for key, entry in getattr(view, table).items():
            body = rect_of(entry)
            if split(key)[0] != group or body.right() < left:
                continue
            if body.left() >= left:
                body.translate(shift, 0)
            else:
                body.setWidth(body.width() + shift)
            edits.append(SetEntry(table, key, entry_with(entry, body)))
    return [(left, top)], edits
