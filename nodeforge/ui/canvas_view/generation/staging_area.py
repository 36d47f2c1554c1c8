"""The staging area: generated candidates that are not yet part of the canvas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter

from nodeforge.canvas import Change, ChangeKind, Layer, LayerKind, Tiles, premultiplied
from nodeforge.canvas.document.canvas import State
from nodeforge.canvas.document.edit import CanvasEdit
from nodeforge.canvas.edits.layers import (
    new_layer,
    remove_layers,
    topmost_picture_layer,
    with_new,
    without,
)
from nodeforge.canvas.edits.reshape import crop_canvas, grown_to
from nodeforge.canvas.generation.separation import TakenApart, separate
from nodeforge.imaging import Box, Bytes
from nodeforge.ui.canvas_view.rendering.candidate_overlay import CandidateOverlay
from nodeforge.ui.canvas_view.rendering.layer_thumbnails import on_chequerboard
from nodeforge.ui.canvas_view.rendering.qt_images import to_image
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.canvas_view.tools.paint_candidate import PaintCandidateTool

_PAINTED = {ChangeKind.PIXELS, ChangeKind.LAYERS, ChangeKind.LAYER}
Variations = tuple[tuple[int, float], ...]
"""Seeds and their shares, 0..1; see `nodeforge.values.Noise`."""


@dataclass(frozen=True, eq=False)
class Cut:
    """How a candidate is cut down to what changed.

    Args:
        layer: The id of the mask layer.
        patch: The candidate before it was cut.
    """

    layer: str
    patch: Bytes = field(repr=False)


@dataclass(frozen=True, eq=False)
class Layers:
    """The layers that a picture was taken apart into.

    Args:
        patches: The lowest first, RGBA8 of the candidate's size, alpha not premultiplied.
        taken: What they were made of.
    """

    patches: tuple[Bytes, ...] = field(repr=False)
    taken: TakenApart


@dataclass(eq=False)
class Candidate:
    """A generated picture.

    Args:
        patch: RGBA8, alpha not premultiplied, of the box's size; transparent where the mask is 0.
        box: Its place on the canvas.
        name: The name of the layer it becomes.
        seed: Its seed; None if the workflow has none.
        variations: Seeds blended into that one, with their shares.
        record: The record of the generation, stored in the project.
        live: Whether live generation made it.
        cut: How its patch was cut; None where it is whole.
        layers: What it consists of, where a picture was taken apart.
        whole: Its patch before that, as it was made.
    """

    patch: Bytes = field(repr=False)
    box: Box
    name: str = "Generated"
    seed: int | None = None
    variations: Variations = ()
    record: dict[str, Any] = field(default_factory=dict, repr=False)
    live: bool = False
    cut: Cut | None = None
    layers: Layers | None = None

    def __post_init__(self) -> None:
        self.whole = self.patch
        self.image: QImage = to_image(self.patch, straight=True)

    def set_patch(self, patch: Bytes) -> None:
        self.patch = patch
        self.image = to_image(patch, straight=True)

    def cut_by(self, mask: Layer, part: Box) -> None:
        """Cut a part of its box by a mask layer, which is the one in `cut`."""
        assert self.cut is not None, "there is a mask to cut it by"
        left, top, width, height = part.moved(-self.box.left, -self.box.top)
        rows, columns = slice(top, top + height), slice(left, left + width)
        whole = self.cut.patch[rows, columns]
        alpha = whole[..., 3].astype(np.uint16) * mask.read(part)
        made = np.dstack([whole[..., :3], ((alpha + 127) // 255).astype(np.uint8)])
        if part == self.box:
            self.set_patch(made)
            return
        self.patch[rows, columns] = made
        painter = QPainter(self.image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(left, top, to_image(made, straight=True))
        painter.end()

    @property
    def description(self) -> str:
        """Name and seed for display: ``a cat, seed 7, varied``."""
        parts = [self.name] if self.seed is None else [self.name, f"seed {self.seed}"]
        return ", ".join([*parts, "varied"] if self.variations else parts)


class StagingArea(QObject):
    """The candidates of one canvas, one of which is shown.

    Args:
        candidate_overlay: Shows the candidate.
    """

    changed = Signal()
    """The candidates, or which one is shown, have changed."""
    accepted = Signal(object)

    def __init__(self, session: CanvasSession, candidate_overlay: CandidateOverlay) -> None:
        super().__init__()
        self._session, self._candidate_overlay = session, candidate_overlay
        self.candidates: list[Candidate] = []
        self.index = 0
        self.layer: int | None = None
        """Which layer of the shown candidate is seen alone; None for all together."""
        self.painting_candidate = False
        self._accepting = False
        self._end = session.canvas.subscribe(self._on_canvas_changed)
        self._preview: tuple[QImage, Box] | None = None

    def close(self) -> None:
        """Disconnect from the canvas."""
        self._end()

    @property
    def count(self) -> int:
        return len(self.candidates)

    @property
    def is_open(self) -> bool:
        """Whether a candidate or a preview is shown."""
        return bool(self.candidates) or self._preview is not None

    @property
    def candidate(self) -> Candidate | None:
        """The shown candidate."""
        return self.candidates[self.index] if self.candidates else None

    def preview(self, image: QImage | None, box: Box) -> None:
        """Show a preview; None removes it."""
        self._preview = None if image is None else (image, box)
        self._show()

    def add(self, candidate: Candidate) -> None:
        """Add and show a candidate; a live one replaces the previous live one."""
        if candidate.live:
            self.candidates = [each for each in self.candidates if not each.live]
        self.candidates.append(candidate)
        self._preview = None
        self.select(len(self.candidates) - 1)

    def select(self, index: int) -> None:
        """Show a candidate."""
        self.index = min(max(index, 0), max(self.count - 1, 0))
        self.layer = None
        self._candidate_overlay.set_aside(False)
        self._show()
        self.changed.emit()

    def show_layer(self, index: int) -> None:
        """Show a layer of the candidate alone, on a chequerboard; the shown one again: all."""
        self.layer = None if index == self.layer else index
        self._show()
        self.changed.emit()

    def step(self, by: int) -> None:
        """Show the next candidate, cyclically."""
        if self.candidates:
            self.select((self.index + by) % self.count)

    def accept(self) -> bool:
        """Add the shown candidate as a layer (one undo step) and drop the others."""
        candidate = self.candidate
        if candidate is None:
            return False
        self._session.commit()
        grows = self._reaches_beyond(candidate.box)
        masks = {each.cut.layer for each in self.candidates if each.cut}
        if not self.perform(_edit_of(self._session, candidate, masks)):
            return False
        if grows:
            self._session.set_box(None)
        self.clear()
        self.accepted.emit(candidate)
        return True

    def accept_part(self) -> None:
        """Paint parts of the shown candidate onto a new layer with a brush."""
        candidate = self.candidate
        if candidate is None:
            return
        tool = self._session.tools["paint_in"]
        assert isinstance(tool, PaintCandidateTool)
        self._session.commit()
        if self._reaches_beyond(candidate.box):
            grown = self._session.canvas.box.around(candidate.box)
            if not self._session.perform(crop_canvas(self._session.canvas, grown)):
                return
            candidate.box = candidate.box.moved(-grown.left, -grown.top)
            self._session.set_box(None)
        ends = self._painting_finished
        tool.begin(premultiplied(candidate.patch), candidate.box, candidate.name, ends)
        self.painting_candidate = True
        self._session.select_tool("paint_in")
        self._show()
        self.changed.emit()

    def perform(self, edit: CanvasEdit) -> bool:
        """An edit that belongs to a candidate: it does not put the candidate aside."""
        self._accepting = True
        made = self._session.perform(edit)
        self._accepting = False
        return made

    def cut(self, candidate: Candidate, cut: Cut) -> None:
        """Cut a candidate by a mask layer, from now on."""
        candidate.cut = cut
        candidate.cut_by(self._session.canvas.state.layer(cut.layer), candidate.box)
        self._show()
        self.changed.emit()

    def discard(self) -> None:
        """Discard the shown candidate."""
        if self.candidates:
            self._remove_masks([self.candidates[self.index]])
            del self.candidates[self.index]
        self._preview = None
        self.select(min(self.index, self.count - 1))

    def clear(self) -> None:
        """Discard all candidates."""
        self._remove_masks(self.candidates)
        self.candidates = []
        self._preview = None
        self._candidate_overlay.set_split(1.0)
        self.select(0)

    def set_aside(self, aside: bool) -> None:
        """Put the shown candidate aside, or show it again."""
        self._candidate_overlay.set_aside(aside)
        self.changed.emit()

    def _on_canvas_changed(self, changes: tuple[Change, ...]) -> None:
        """Nothing is painted unseen: a candidate that covers it is put aside."""
        cut = self._cut_again(changes)
        painted = any(change.kind in _PAINTED and change.layer not in cut for change in changes)
        candidate = self.candidate
        if candidate is None or candidate.live or not painted:
            return
        if self._accepting or self.painting_candidate or self._candidate_overlay.aside:
            return
        self.set_aside(True)
        self._session.status_message.emit(
            "The candidate is put aside, so that what you paint is seen. 'Show' brings it back."
        )

    def _cut_again(self, changes: Sequence[Change]) -> set[str]:
        """Cut candidates by their mask layers as these are now; gives the layers' ids.

        Of a stroke on a mask only what it touches is cut: a whole candidate of 2048² takes 170 ms.
        One whose layer is gone is whole again.
        """
        state, ids = self._session.canvas.state, set[str]()
        for each in self.candidates:
            if each.cut is None:
                continue
            layer = next((one for one in state.layers if one.id == each.cut.layer), None)
            if layer is None:
                each.cut = None
                each.set_patch(each.whole)
            elif about := [change for change in changes if change.layer == layer.id]:
                ids.add(layer.id)
                part = _changed_part(each.box, about)
                if part is None:
                    continue
                each.cut_by(layer, part)
                if part != each.box:
                    self._candidate_overlay.update_part(each.image, part)
                    continue
            else:
                continue
            self._show()
            self.changed.emit()
        return ids

    def _remove_masks(self, candidates: Sequence[Candidate]) -> None:
        """Remove the mask layers of candidates that are dropped."""
        there = {layer.id for layer in self._session.canvas.state.layers}
        ids = [each.cut.layer for each in candidates if each.cut and each.cut.layer in there]
        if ids:
            self.perform(remove_layers(self._session.canvas, ids))

    def _reaches_beyond(self, box: Box) -> bool:
        """Whether the canvas grows to take the box."""
        canvas = self._session.canvas.box
        return canvas.around(box) != canvas

    def _painting_finished(self, painted: bool) -> None:
        self.painting_candidate = False
        if painted and self.candidate is not None:
            accepted = self.candidate
            self.clear()
            self.accepted.emit(accepted)
        else:
            self._show()
            self.changed.emit()

    def _show(self) -> None:
        candidate = self.candidate
        if self.painting_candidate:
            self._candidate_overlay.show(None, None)
        elif self._preview is not None:
            self._candidate_overlay.show(*self._preview)
        elif candidate is not None and candidate.layers and self.layer is not None:
            layer = to_image(candidate.layers.patches[self.layer], straight=True)
            self._candidate_overlay.show(on_chequerboard(layer), candidate.box)
        elif candidate is not None:
            self._candidate_overlay.show(candidate.image, candidate.box)
        else:
            self._candidate_overlay.show(None, None)


def _changed_part(box: Box, changes: Sequence[Change]) -> Box | None:
    """What changes of a mask touch of a box; all of it where not only pixels have changed."""
    touched: Box | None = None
    for change in changes:
        if change.kind is not ChangeKind.PIXELS or change.box is None:
            return box
        touched = change.box.around(touched)
    return touched.overlap(box) if touched is not None else None


def _edit_of(session: CanvasSession, candidate: Candidate, masks: Collection[str]) -> CanvasEdit:
    """The edit that makes a candidate part of the canvas."""
    if candidate.layers is None:
        return _layer_of(session, candidate, masks)
    tiles = [Tiles.of(premultiplied(patch)) for patch in candidate.layers.patches]
    corner = candidate.box.left, candidate.box.top
    return separate(session.canvas, candidate.layers.taken, tiles, *corner)


def _layer_of(session: CanvasSession, candidate: Candidate, masks: Collection[str]) -> CanvasEdit:
    """The edit that adds a candidate as a layer above the picture layers.

    Args:
        masks: Ids of the layers that cut candidates; they go with it.
    """
    tiles = Tiles.of(premultiplied(candidate.patch))

    def work(state: State) -> State:
        there = [layer.id for layer in state.layers if layer.id in masks]
        state, box = grown_to(without(state, there), candidate.box)
        offset = (box.left, box.top)
        layer = new_layer(state, LayerKind.PAINT, candidate.name, tiles=tiles, offset=offset)
        return with_new(state, layer, topmost_picture_layer(state))

    return CanvasEdit(session.canvas, "accept candidate", work)
