"""Keep unchanged parts: a candidate cut down to what an edit changed, by a mask layer."""

from __future__ import annotations

import numpy as np
from PySide6.QtWidgets import QWidget

from nodeforge.canvas import (
    LayerKind,
    Tiles,
    add_layer,
    composite,
    pictured,
    remove_layers,
    straight,
)
from nodeforge.imaging import (
    Bytes,
    Shift,
    difference_mask,
    moved_back,
    picture_shift,
    to_bytes,
    to_float,
)
from nodeforge.ui.canvas_view.generation.staging_area import Cut, StagingArea
from nodeforge.ui.canvas_view.session import CanvasSession
from nodeforge.ui.common.background_task import run_in_background

NAME = "What changed"
"""The mask layer that cuts the candidate."""


def found_changes(before: Bytes, patch: Bytes) -> tuple[Bytes, Bytes, Shift]:
    """Where a patch changes the picture below it.

    Edit models shift colours, and sometimes the whole picture, without being asked.

    Args:
        before: What lies below, uint8, (height, width, 4), alpha not premultiplied.
        patch: What an edit made of it, of that size, likewise.

    Returns:
        The mask, uint8, (height, width), 255 where it changes; the patch without a shift of some
        pixels; and that shift.
    """
    seen = patch[..., 3:] > 0
    old = to_float(before[..., :3])
    new = np.where(seen, to_float(patch[..., :3]), old)
    shift = picture_shift(old, new)
    moved = moved_back(patch, shift) if shift != (0, 0) else patch
    made = np.where(moved[..., 3:] > 0, to_float(moved[..., :3]), old)
    mask = to_bytes(difference_mask(old, made))
    return np.where(moved[..., 3] > 0, mask, 0).astype(np.uint8), moved, shift


class UnchangedParts:
    """The button *Keep unchanged parts*: on and off for the shown candidate.

    The mask is a layer of the canvas, hidden at first: shown, it can be painted, and the candidate
    follows.
    """

    def __init__(self, session: CanvasSession, staging: StagingArea, parent: QWidget) -> None:
        self._session, self._staging, self._parent = session, staging, parent

    @property
    def is_on(self) -> bool:
        """Whether the shown candidate is cut."""
        return self._staging.candidate is not None and self._staging.candidate.cut is not None

    def toggle(self) -> None:
        candidate = self._staging.candidate
        if candidate is None:
            return
        if candidate.cut is not None:
            layer = candidate.cut.layer
            self._staging.perform(remove_layers(self._session.canvas, [layer]))
            return
        self._session.commit()
        before = straight(composite(pictured(self._session.canvas.state), candidate.box))
        found = run_in_background(
            self._parent, "Comparing…", lambda _: found_changes(before, candidate.patch)
        )
        if found is not None:
            self._cut(*found)

    def _cut(self, mask: Bytes, moved: Bytes, shift: Shift) -> None:
        candidate, canvas = self._staging.candidate, self._session.canvas
        assert candidate is not None, "the window was blocked meanwhile"
        tell = self._session.status_message.emit
        if not mask.any():
            tell("The candidate differs nowhere by more than an edit model's drift.")
            return
        tiles = Tiles.of(mask, candidate.box.left, candidate.box.top)
        added = add_layer(canvas, LayerKind.MASK, name=NAME, tiles=tiles, visible=False)
        if not self._staging.perform(added):
            return
        assert canvas.active is not None, "the mask was added"
        self._staging.cut(candidate, Cut(canvas.active.id, moved))
        back = f" The edit had moved the picture by {_pixels(shift)}: moved back."
        tell(
            f"Everything outside of the mask layer '{NAME}' stays as it was; show it to paint it."
            + (back if shift != (0, 0) else "")
        )


def _pixels(shift: Shift) -> str:
    across = f"{abs(shift.x)} px {'right' if shift.x > 0 else 'left'}" if shift.x else ""
    down = f"{abs(shift.y)} px {'down' if shift.y > 0 else 'up'}" if shift.y else ""
    return " and ".join(filter(None, (across, down)))
