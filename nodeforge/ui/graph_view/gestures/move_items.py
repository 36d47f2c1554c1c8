"""Moving nodes and frames; a node also into a link, or with Alt or a shake out of its links."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF

from nodeforge.graph.edits import Detach, GraphEdit, Link, Move, SetEntry, Together
from nodeforge.graph.edits.base import count
from nodeforge.graph.edits.links import ports_through, source_of
from nodeforge.graph.model import Input, Output
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Keys
from nodeforge.ui.graph_view.gestures.pan_and_select import clicked
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, FrameBox, entry_with
from nodeforge.ui.graph_view.items.link_item import LinkLine
from nodeforge.ui.graph_view.items.node_item import NodeBox

TURNS = 4
"""How often a shake turns back."""
SHAKEN = 0.7
"""Seconds in which it does."""
REACH = 16.0
"""Pixels to move between two turns, at least."""


class Shake:
    """Sees whether the mouse is moved to and fro, fast."""

    def __init__(self, x: float) -> None:
        self._far, self._way = x, 0
        self._turns: list[float] = []

    def moved(self, x: float) -> bool:
        """The mouse is at `x` now; whether that completes a shake."""
        way = 1 if x > self._far else -1
        if way == self._way:
            self._far = x
        elif abs(x - self._far) >= REACH:
            now = time.monotonic()
            self._turns = [each for each in self._turns if now - each < SHAKEN]
            self._turns += [now] if self._way else []
            self._far, self._way = x, way
        return len(self._turns) >= TURNS


class MoveItems(Gesture):
    """Drags what is chosen; a backdrop takes along what lies on it."""

    def __init__(self, desk, start: QPointF, item: NodeBox | FrameBox, keys: Keys) -> None:
        super().__init__(desk, start)
        self._item = item
        self._was_chosen = item.isSelected()
        self._pulls = bool(keys & Keys.AltModifier)
        plain = not keys & (Keys.ShiftModifier | Keys.ControlModifier)
        if not (plain and self._was_chosen):
            desk.choose(clicked(set(desk.chosen()), item, keys))
        self._from = {moved: moved.pos() for moved in self._moving()}
        self._line: LinkLine | None = None
        self._shake = Shake(start.x())

    def _moving(self) -> list[NodeBox | FrameBox]:
        moving = [i for i in self.desk.chosen() if isinstance(i, NodeBox | FrameBox)]
        boxes = self.desk.picture.boxes.values()
        for frame in [f for f in moving if isinstance(f, FrameBox) and f.table == BACKDROPS]:
            body = frame.body()
            moving += (box for box in boxes if body.contains(box.body()))
            moving += (f for f in self.desk.picture.frames.values() if body.contains(f.body()))
        return list(dict.fromkeys(moving))

    def move(self, place: QPointF, keys: Keys) -> None:
        shift = (place - self.start) / self.desk.viewer.zoom
        for item, before in self._from.items():
            item.place(round(before.x() + shift.x()), round(before.y() + shift.y()))
        if not self._pulls and self._shake.moved(place.x()):
            self._pulls = True
        if self._pulls:
            self._show_pulled(place)
        self._mark(self._line_below())

    def _show_pulled(self, place: QPointF) -> None:
        """Mark the links that go when the nodes are let go."""
        boxes = {item for item in self._from if isinstance(item, NodeBox)}
        lines = {line for box in boxes for line in box.lines}
        for line in lines:
            ends = {line.into.box, line.out_of.box}
            line.mark(not ends <= boxes)
        self.desk.hint("Let go to pull out of the links" if lines else "", place)

    def _line_below(self) -> LinkLine | None:
        """The link that the one node moved would be put into."""
        if len(self._from) != 1 or self._pulls or not isinstance(self._item, NodeBox):
            return None
        if any(True for _ in self._item.lines):
            return None
        body = self._item.body().adjusted(20, 4, -20, -4)
        for found in self.desk.viewer.scene().items(body):
            if isinstance(found, LinkLine) and self._through(found.end):
                return found
        return None

    def _through(self, end: Input):
        desk = self.desk
        return ports_through(
            desk.document, end, desk.document.node(self._item.path), desk.catalogue
        )

    def _mark(self, line: LinkLine | None) -> None:
        if line is not self._line:
            if self._line is not None:
                self._line.mark(False)
            if line is not None:
                line.mark(True)
            self._line = line

    def finish(self, place: QPointF, keys: Keys) -> None:
        line = self._line
        self._put_away()
        places = {item: (round(item.pos().x()), round(item.pos().y())) for item in self._from}
        nodes = {i.path: p for i, p in places.items() if isinstance(i, NodeBox)}
        frames = [item for item in places if isinstance(item, FrameBox)]
        edits: list[GraphEdit] = [Move(nodes)] if nodes else []
        edits += [SetEntry(f.table, f.path, entry_with(f.entry, f.body())) for f in frames]
        if self._pulls and nodes:
            name = f"pull out {count(nodes)}"
            edits = [Together(name, [Detach(list(nodes), self.desk.catalogue), *edits])]
        elif line is not None:
            edits = [Together(f"insert {count(nodes)}", [*edits, *self._inserting(line)])]
        if len(edits) > 1:
            edits = [Together(f"move {_words(nodes, frames)}", edits)]
        if not self.desk.ask(edits[0]):
            self.cancel()

    def _inserting(self, line: LinkLine) -> list[GraphEdit]:
        path = self._item.path
        through, before = self._through(line.end), source_of(self.desk.document, line.end)
        assert through is not None
        assert before is not None
        return [
            Link(before, Input(path, through.into, through.item)),
            Link(Output(path, through.out_of), line.end),
        ]

    def click(self, keys: Keys) -> None:
        if self._was_chosen and keys == Keys.NoModifier:
            self.desk.choose({self._item})

    def _put_away(self) -> None:
        self._mark(None)
        if self._pulls:
            self.desk.hint("")
            for item in self._from:
                for line in item.lines if isinstance(item, NodeBox) else ():
                    line.mark(False)

    def cancel(self) -> None:
        self._put_away()
        for item, before in self._from.items():
            item.place(before.x(), before.y())


def _words(nodes: dict, frames: list) -> str:
    many = len(nodes) + len(frames)
    return f"{many} items" if nodes or many > 1 else frames[0].table.removesuffix("s")
