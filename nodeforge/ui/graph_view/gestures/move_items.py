"""The gesture that moves nodes and frames, inserts a node into a link, or detaches nodes."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF

from nodeforge.graph.edits import Detach, GraphEdit, Link, Move, SetEntry, Together
from nodeforge.graph.edits.base import count
from nodeforge.graph.edits.links import ports_through, source_of
from nodeforge.graph.edits.pass_through import links_through, passed_beside
from nodeforge.graph.model import Input, Output
from nodeforge.ui.graph_view.gestures.gesture import Gesture, Modifiers
from nodeforge.ui.graph_view.gestures.pan_and_select import selection_after_click
from nodeforge.ui.graph_view.items.frame_item import BACKDROPS, FrameItem, entry_with
from nodeforge.ui.graph_view.items.link_item import LinkItem
from nodeforge.ui.graph_view.items.node_item import NodeItem
from nodeforge.ui.graph_view.scene.make_way import make_way

TURNS = 4
"""Changes of direction that make a shake."""
SHAKEN = 0.7
"""Maximum duration of a shake, seconds."""
REACH = 16.0
"""Minimum distance between two changes of direction, pixels."""


class ShakeDetector:
    """Detects a fast horizontal shake of the mouse."""

    def __init__(self, x: float) -> None:
        self._turning_point, self._direction = x, 0
        self._turns: list[float] = []

    def moved(self, x: float) -> bool:
        """Handle a mouse move; returns whether a shake is complete."""
        way = 1 if x > self._turning_point else -1
        if way == self._direction:
            self._turning_point = x
        elif abs(x - self._turning_point) >= REACH:
            now = time.monotonic()
            self._turns = [each for each in self._turns if now - each < SHAKEN]
            self._turns += [now] if self._direction else []
            self._turning_point, self._direction = x, way
        return len(self._turns) >= TURNS


class MoveItems(Gesture):
    """Moves the selection; backdrops move the items on them, too."""

    def __init__(
        self, session, start: QPointF, item: NodeItem | FrameItem, modifiers: Modifiers
    ) -> None:
        super().__init__(session, start)
        self._item = item
        self._was_chosen = item.isSelected()
        self._detaching = bool(modifiers & Modifiers.AltModifier)
        plain = not modifiers & (Modifiers.ShiftModifier | Modifiers.ControlModifier)
        if not (plain and self._was_chosen):
            session.select_items(
                selection_after_click(set(session.selected_items()), item, modifiers)
            )
        self._from = {moved: moved.pos() for moved in self._moving()}
        self._line: LinkItem | None = None
        self._shake = ShakeDetector(start.x())

    def _moving(self) -> list[NodeItem | FrameItem]:
        moving = [i for i in self.session.selected_items() if isinstance(i, NodeItem | FrameItem)]
        node_items = self.session.scene.node_items.values()
        for frame in [f for f in moving if isinstance(f, FrameItem) and f.table == BACKDROPS]:
            body = frame.body()
            moving += (node_item for node_item in node_items if body.contains(node_item.body()))
            moving += (
                f for f in self.session.scene.frame_items.values() if body.contains(f.body())
            )
        return list(dict.fromkeys(moving))

    def move(self, place: QPointF, modifiers: Modifiers) -> None:
        shift = (place - self.start) / self.session.viewer.zoom
        for item, before in self._from.items():
            item.move_to(round(before.x() + shift.x()), round(before.y() + shift.y()))
        if not self._detaching and self._shake.moved(place.x()):
            self._detaching = True
        if self._detaching:
            self._mark_detached(place)
        self._mark(self._line_below())

    def _mark_detached(self, place: QPointF) -> None:
        """Mark the links that will be removed on release."""
        node_items = {item for item in self._from if isinstance(item, NodeItem)}
        lines = {line for node_item in node_items for line in node_item.link_items}
        for line in lines:
            ends = {line.target.node_item, line.source.node_item}
            line.set_highlighted(not ends <= node_items)
        self.session.show_hint("Release to detach from links" if lines else "", place)

    def _line_below(self) -> LinkItem | None:
        """The link into which the single moved node would be inserted."""
        if len(self._from) != 1 or self._detaching or not isinstance(self._item, NodeItem):
            return None
        if any(True for _ in self._item.link_items):
            return None
        body = self._item.body().adjusted(20, 4, -20, -4)
        for found in self.session.viewer.scene().items(body):
            if isinstance(found, LinkItem) and self._through(found.end):
                return found
        return None

    def _through(self, end: Input):
        session = self.session
        return ports_through(
            session.document, end, session.document.node(self._item.path), session.catalogue
        )

    def _mark(self, line: LinkItem | None) -> None:
        if line is not self._line:
            if self._line is not None:
                self._line.set_highlighted(False)
            if line is not None:
                line.set_highlighted(True)
            self._line = line

    def finish(self, place: QPointF, modifiers: Modifiers) -> None:
        line = self._line
        self._clean_up()
        places = {item: (round(item.pos().x()), round(item.pos().y())) for item in self._from}
        nodes = {i.path: p for i, p in places.items() if isinstance(i, NodeItem)}
        frames = [item for item in places if isinstance(item, FrameItem)]
        edits: list[GraphEdit] = [Move(nodes)] if nodes else []
        edits += [SetEntry(f.table, f.path, entry_with(f.entry, f.body())) for f in frames]
        if self._detaching and nodes:
            name = f"pull out {count(nodes)}"
            edits = [Together(name, [Detach(list(nodes), self.session.catalogue), *edits])]
        elif line is not None:
            edits = [Together(f"insert {count(nodes)}", list(self._inserting(line)))]
        if len(edits) > 1:
            edits = [Together(f"move {_words(nodes, frames)}", edits)]
        if not self.session.perform(edits[0]):
            self.cancel()

    def _inserting(self, line: LinkItem) -> list[GraphEdit]:
        path = self._item.path
        through, before = self._through(line.end), source_of(self.session.document, line.end)
        assert through is not None
        assert before is not None
        node_item = self.session.scene.node_items[path]
        node = self.session.document.node(path)
        passed = passed_beside(
            self.session.document, line.end, node, through, self.session.catalogue
        )
        beside = [end for each in passed for end in each.ends]
        place, way = make_way(self.session.scene, line.end, node_item.room(), path, beside)
        return [
            Move({path: place}),
            *way,
            Link(before, Input(path, through.into, through.item)),
            Link(Output(path, through.out_of), line.end),
            *links_through(path, passed),
        ]

    def click(self, modifiers: Modifiers) -> None:
        if self._was_chosen and modifiers == Modifiers.NoModifier:
            self.session.select_items({self._item})

    def _clean_up(self) -> None:
        self._mark(None)
        if self._detaching:
            self.session.show_hint("")
            for item in self._from:
                for line in item.link_items if isinstance(item, NodeItem) else ():
                    line.set_highlighted(False)

    def cancel(self) -> None:
        self._clean_up()
        for item, before in self._from.items():
            item.move_to(before.x(), before.y())


def _words(nodes: dict, frames: list) -> str:
    many = len(nodes) + len(frames)
    return f"{many} items" if nodes or many > 1 else frames[0].table.removesuffix("s")
