"""Generation intents (fill, expand, add, remove, refine, ...) and their settings, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from nodeforge.imaging import Fill


class Intent(StrEnum):
    """What Generate is for."""

    FILL = "fill"
    EXPAND = "expand"
    ADD = "add"
    REMOVE = "remove"
    REPLACE_BACKGROUND = "replace background"
    REFINE = "refine"
    IMAGE_TO_IMAGE = "image to image"
    EDIT = "edit"
    SEPARATE = "separate into layers"


@dataclass(frozen=True)
class Method:
    """How an intent is carried out.

    Args:
        workflow: The shipped workflow that does it, by its file's stem.
        fill: What the masked area shows before it is painted.
        strength: Denoise strength to start from.
        whole: Without a mask the whole box is meant.
        grow: Pixels of the canvas by which the masks are larger than drawn.
        blends_in: What is made joins what is around it: the automatic box shows some of that, and
            the patch fades out before the box ends.
        steered: Control layers may steer it.
        describes: What the prompt should describe, for the field's placeholder.
        explains: What it does, and what it needs.
    """

    workflow: str
    fill: Fill
    strength: float
    whole: bool = False
    grow: int = 0
    blends_in: bool = True
    steered: bool = True
    describes: str = "What should be there"
    explains: str = ""

    def fill_at(self, strength: float) -> Fill:
        """The fill to use: what is changed by less than all of its steps starts from itself."""
        keeps = strength < 1 and self.fill in (Fill.BLUR, Fill.NEUTRAL)
        return Fill.ORIGINAL if keeps else self.fill


CONTROLLED = "canvas_control"
"""The shipped workflow, by its file's stem, that fills while control layers steer."""

_COVER = 8
"""As far as a patch fades in from the mask's edge: there, what is to be removed would be seen."""

METHODS: Mapping[Intent, Method] = {
    Intent.FILL: Method(
        "canvas_inpaint",
        Fill.BLUR,
        1.0,
        whole=True,
        explains="Paints what the prompt says into the mask or selection; without one, into the "
        "whole box.",
    ),
    Intent.EXPAND: Method(
        "canvas_outpaint",
        Fill.CONTINUE,
        1.0,
        steered=False,
        describes="The whole picture, with what is new",
        explains="Continues the picture where the box reaches beyond it, where it is transparent, "
        "and in masks that touch that. Drag the box (K) over an edge, or expand by pixels.",
    ),
    Intent.ADD: Method(
        "canvas_inpaint",
        Fill.NEUTRAL,
        1.0,
        describes="What to add",
        explains="Adds a new thing inside the mask or selection.",
    ),
    Intent.REMOVE: Method(
        "canvas_inpaint",
        Fill.CONTINUE,
        0.8,
        grow=_COVER,
        describes="What is behind it, such as a wall",
        explains="Takes away what the mask or selection covers, and continues what is around it.",
    ),
    Intent.REPLACE_BACKGROUND: Method(
        "canvas_inpaint",
        Fill.NEUTRAL_HARD,
        1.0,
        describes="The new background",
        explains="Paints a new background. Mask the background, up to the edge of what stays.",
    ),
    Intent.REFINE: Method(
        "canvas_refine",
        Fill.ORIGINAL,
        0.4,
        whole=True,
        explains="Adds detail and keeps what is there; in the mask, or in the whole box.",
    ),
    Intent.IMAGE_TO_IMAGE: Method(
        "canvas_refine",
        Fill.ORIGINAL,
        0.6,
        whole=True,
        explains="Changes the picture by its strength; in the mask, or in the whole box.",
    ),
    Intent.EDIT: Method(
        "canvas_edit",
        Fill.ORIGINAL,
        1.0,
        whole=True,
        describes="What should change, such as: make it night",
        explains="Does what the instruction says, and keeps the rest; in the mask, or in the "
        "whole box. Reference layers are called by <layer:name>.",
    ),
    Intent.SEPARATE: Method(
        "canvas_layers",
        Fill.ORIGINAL,
        1.0,
        whole=True,
        blends_in=False,
        steered=False,
        describes="What the picture shows, if you like",
        explains="Takes apart what the box shows, or what is selected or masked, into a group of "
        "layers with alpha. For one layer, use its menu.",
    ),
}
